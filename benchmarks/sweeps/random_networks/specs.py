"""Random valid networks as text, from a seed: every layer and merge, blocks, named results, several inputs and outputs,
auxiliary classifiers.

In: a seed. Out: a spec. The layers are those of the registry, from their own examples with other numbers and words, so a
new layer takes part without a word here. The network of seed n begins with the n-th layer: as many networks as there are
layers have them all.
"""

from __future__ import annotations

import random
import re
from math import prod

from archspec.diagnostics.errors import ArchspecError, Finding
from archspec.graph.volume import Volume
from archspec.layers import MERGES, REGISTRY
from archspec.layers.base import Example, Layer
from archspec.layers.input import Input
from archspec.resolve.layer_names import layer_from_text
from benchmarks.sweeps.random_networks.factors import factors
from benchmarks.sweeps.random_networks.sequences import attention_lines, embedding_lines

LAYERS = [cls for cls in dict.fromkeys(REGISTRY.values()) if cls is not Input]
KEYWORDS = [*(cls.keyword for cls in LAYERS), *MERGES]
LARGEST, HEAVIEST = 3000, 60_000  # values of a volume, weights of a layer
TRIES = 12
COUNTS = (1, 2, 3, 4, 6, 8)
WINDOWS = ("1x1", "2x2", "3x3", "1x3", "3x2", "5x5")
NUMBERS = ("s2", "s2x1", "p1", "p0:1", "p1x0", "p2", "d2", "g2", "eps=1e-3", "window=2", "shift=1", "n=4", "alpha=1")


def network(seed: int) -> str:
    """Return the spec of a seed."""
    return _Writer(random.Random(seed), KEYWORDS[seed % len(KEYWORDS)]).text()


class _Writer:
    """Writes one spec line by line; `volume` is what the last line produces."""

    def __init__(self, chance: random.Random, first: str) -> None:
        self.chance = chance
        self.first = first
        self.blocks: list[str] = []
        self.named: dict[str, Volume] = {}
        self.inputs = self.outputs = 0

    def text(self) -> str:
        examples = (MERGES.get(self.first) or REGISTRY[self.first]).examples
        taken = examples if self.first in MERGES else alone(examples)
        example = self.chance.choice([one for one in taken if prod(one.inputs[0]) <= LARGEST])
        self.volume = Volume(example.inputs[0])
        ids = " tokens" if self.first in REGISTRY and REGISTRY[self.first].reads_tokens else ""
        lines = [f"[{'x'.join(map(str, self.volume))}] INPUT{ids}"]
        lines += self._merge(self.first) if self.first in MERGES else self._first_lines(example.text)
        for _ in range(self.chance.randint(1, 5)):
            parts = (self._chain_line, self._merge_lines, self._block_call, self._auxiliary, self._attention_lines)
            lines += self.chance.choice((*parts, self.chance.choice((self._output_line, self._input_lines))))()
        lines += self._end()
        return "\n".join(["net Random", *self.blocks, *lines]) + "\n"

    def _taken(self, step: str) -> str:
        self.volume = layer_from_text(step).output((self.volume,))
        return step

    def _first_lines(self, step: str) -> list[str]:
        lines = [self._taken(step)]
        if step.startswith("EMBED") and self.chance.random() < 0.6:
            lines = embedding_lines(step, self._keeping(self.volume))
            self._taken(lines[-1].split(" weights")[0])
        return lines

    # ---- chains
    def _chain(self, volume: Volume, length: int) -> tuple[str, Volume]:
        steps = []
        for _ in range(length):
            for _ in range(TRIES):
                step = self._step()
                result = after(step, volume)
                if result is not None:
                    steps.append(step)
                    volume = result
                    break
        return " -> ".join(steps or ["RELU"]), volume

    def _step(self) -> str:
        """An example of a layer, perhaps with other numbers and one more word; it need not fit."""
        cls = self.chance.choice(LAYERS)
        words = [self._another(word) for word in self.chance.choice(alone(cls.examples)).text.split()]
        if self.chance.random() < 0.4:
            words.append(self.chance.choice([*cls.words, *NUMBERS]))
        return " ".join(words)

    def _another(self, word: str) -> str:
        """Another number or window in its place, perhaps."""
        for form, others in ((r"\d+", COUNTS), (r"\d+x\d+", WINDOWS)):
            if re.fullmatch(form, word) and self.chance.random() < 0.6:
                return str(self.chance.choice(others))
        return word

    def _chain_line(self) -> list[str]:
        before = self.volume
        chain, self.volume = self._chain(before, self.chance.randint(1, 3))
        if self.chance.random() < 0.3:
            name = f"r{len(self.named)}"
            self.named[name] = self.volume
            return [f"{name}: {chain}", *self._tied(name, chain.split(" -> "), before)]
        return [chain]

    def _tied(self, label: str, steps: list[str], before: Volume) -> list[str]:
        """A layer with the weights of the labelled one, the last of its chain, if it can follow that."""
        for step in steps[:-1]:
            before = after(step, before) or before
        layer = layer_from_text(steps[-1])
        if after(steps[-1], self.volume) != self.volume or not layer.tensors((before,)):
            return []
        if layer.tensors((before,)) != layer.tensors((self.volume,)):
            return []
        return [f"{steps[-1]} weights=@{label}"]

    def _keeping(self, volume: Volume) -> str:
        """A chain that returns the volume that it gets."""
        for _ in range(TRIES):
            chain, result = self._chain(volume, self.chance.randint(1, 2))
            if result == volume:
                return chain
        return self.chance.choice(("RELU", "TANH", "AFFINE"))

    # ---- merges
    def _merge_lines(self) -> list[str]:
        return self._merge(self.chance.choice([*MERGES]))

    def _merge(self, merge: str) -> list[str]:
        volume = self.volume
        through = self._branch(merge, volume, {})  # the trunk must go on
        branches = [through, *(self._branch(merge, volume, self.named) for _ in range(self.chance.randint(1, 2)))]
        volumes = [one for _, one in branches]
        self.volume = MERGES[merge]().output(tuple(volumes))
        return [merge, *(f"  | {line}" for line, _ in branches)]

    def _branch(self, merge: str, volume: Volume, named: dict[str, Volume]) -> tuple[str, Volume]:
        names = [name for name, one in named.items() if one == volume]
        if names and self.chance.random() < 0.4:
            return f"@{self.chance.choice(names)}", volume
        if self.chance.random() < 0.25:
            return "x", volume
        if merge == "mul" and len(volume) > 1 and self.chance.random() < 0.5:
            return self.chance.choice(factors(volume))
        if merge == "concat":
            for _ in range(TRIES):
                chain, result = self._chain(volume, self.chance.randint(1, 2))
                if result.spatial == volume.spatial and len(result) == len(volume):
                    return chain, result
        return self._keeping(volume), volume

    # ---- blocks, classifiers, ends
    def _block_call(self) -> list[str]:
        name, times = f"unit{chr(ord('a') + len(self.blocks))}", self.chance.randint(1, 3)
        if self.chance.random() < 0.5:
            layer = "CONV f 1x1" if self.volume.is_map else "FC f"
            filters = self.chance.choice((4, 8))
            self.blocks.append(f"block {name}(f)\n    {layer} -> {self._keeping(_wide(self.volume, filters))}")
            self.volume = _wide(self.volume, filters)
            return [f"{times} x {name}({filters})"]
        kind = self.chance.choice(("", " shared", "inner", "list"))
        if kind == "inner":
            self.blocks.append(
                f"block {name}()\n    mid: {self._keeping(self.volume)}\n    {self._keeping(self.volume)}"
            )
            self.named[f"{name}.mid"] = self.volume
            used = ["add", "    | x", f"    | @{name}.mid"] if self.chance.random() < 0.5 else []
            return [f"{name}: {name}()", *used]
        if kind == "list":
            return self._list_call(name)
        self.blocks.append(f"block {name}(){kind}\n    add\n        | {self._keeping(self.volume)}\n        | x")
        return [f"{times} x {name}()"]

    def _list_call(self, name: str) -> list[str]:
        """A call with any number of the volumes that fit, each of which takes the same steps."""
        merge = self.chance.choice(("add", "concat"))
        lines = f"    {merge}\n        | @more -> {self._keeping(self.volume)}\n        | x"
        self.blocks.append(f"block {name}(@more...)\n{lines}")
        fitting = [label for label, volume in self.named.items() if volume == self.volume]
        given = self.chance.sample(fitting, self.chance.randint(0, min(2, len(fitting))))
        self.volume = MERGES[merge]().output((self.volume,) * (len(given) + 1))
        return [f"{name}({', '.join(f'@{label}' for label in given)})"]

    def _auxiliary(self) -> list[str]:
        head = "FC 5" if len(self.volume) == 1 else "GAP -> FC 5"
        return [f"aux 0.3: {head}", self._keeping(self.volume)]

    def _output_line(self) -> list[str]:
        """An output that the network goes on from."""
        chain, self.volume = self._chain(self.volume, self.chance.randint(1, 2))
        self.outputs += 1
        return [f"output o{self.outputs}: {chain}"]

    def _input_lines(self) -> list[str]:
        """One more input, of the volume that is there, and a merge with it."""
        self.inputs += 1
        name, bracket = f"i{self.inputs}", "x".join(map(str, self.volume))
        merge = self.chance.choice([*MERGES])
        branch = f"@{name}" if self.chance.random() < 0.5 else f"@{name} -> {self._keeping(self.volume)}"
        lines = [f"before_{name}: {self._keeping(self.volume)}", f"[{bracket}] {name}: INPUT"]
        self.volume = MERGES[merge]().output((self.volume,) * 2)
        return [*lines, merge, f"  | @before_{name}", f"  | {branch}"]

    def _attention_lines(self) -> list[str]:
        if len(self.volume) != 2:
            return self._chain_line()
        self.inputs += 1
        return attention_lines(self.chance, self.inputs, self.volume, self._keeping(self.volume))

    def _end(self) -> list[str]:
        ends = ["", "FC 5", "FC 4 -> SOFTMAX", *(["GAP", "GAP -> FC 5"] if len(self.volume) > 1 else [])]
        end = self.chance.choice(ends)
        if not self.outputs:
            return [end] if end else []
        again = [f"output again: @{name}" for name in self.named][:1]
        return [f"output last: {end or 'RELU'}", *(again if self.chance.random() < 0.5 else [])]


def _wide(volume: Volume, channels: int) -> Volume:
    return Volume((*volume.spatial, channels))


def alone(examples: tuple[Example, ...]) -> tuple[Example, ...]:
    """Return the examples that need no other volume than the flow."""
    return tuple(one for one in examples if len(one.inputs) == 1)


def after(step: str, volume: Volume) -> Volume | None:
    """Return what a step makes of a volume; None if it cannot take it, or would be too large for a quick check."""
    try:
        layer: Layer = layer_from_text(step)
        result = layer.output((volume,))
    except (ArchspecError, Finding):
        return None
    if layer.reads_tokens:  # which only an input has
        return None
    weights = sum(tensor.size for tensor in layer.tensors((volume,)))
    return result if prod(result) <= LARGEST and weights <= HEAVIEST else None
