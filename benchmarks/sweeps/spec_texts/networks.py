"""Mostly correct specs: all layers, merges, blocks, labels, claims, families, classifiers and `train` sections.

In: a source of chance. Out: a text. Each line is tried on the volume before it, and one that does not fit is dropped
but for a few, so that most networks are correct and the others wrong in one place.
"""

from __future__ import annotations

from functools import lru_cache
from random import Random

import archspec
from archspec.graph.volume import Volume
from benchmarks.sweeps.spec_texts.parts import CALLS, KEEPING, MAP, RECIPES, SEQUENCE, TITLES, VECTOR, Parts, blocks_of

WRONG = 0.01  # of the lines do not fit
INPUTS = ("32x32x3", "28x28x1", "16x16x8", "8x8x4", "12x9x6", "7x7x16", "16x8", "10x12", "6", "24")
MERGES = ("add", "concat", "mul")
DEEPEST = 2  # merges within merges
_HEAD = "param f = 8\nparam n = 2\n"


class NetworkWriter:
    """The lines of one network, and the volume after them."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.volume = _volume(chance.choice(INPUTS))
        self.receives = chance.random() < 0.2
        self.has_outputs = chance.random() < 0.25
        self.outputs: list[str] = []
        self.labels: dict[str, Volume] = {}
        self.lines: list[str] = []

    def write(self) -> str:
        """Return a whole spec."""
        chance = self.chance
        lines = [chance.choice(TITLES)] if chance.random() < 0.5 else []
        lines += ["param f = 8", "param n = 2"]
        if chance.random() < 0.3:
            lines += ["variant small: f=4", "variant large: f=16 n=3", "variant 50"]
        if chance.random() < 0.3:
            lines.append(chance.choice(("after CONV FC: RELU", "after CONV: BN -> RELU", "after FC: DROPOUT 0.5")))
        self._begin()
        for _ in range(chance.randint(1, 7)):
            self._add_piece()
        if chance.random() < 0.6:
            self._add([chance.choice(("FC 10", "FC 7", "FC f"))])
        if chance.random() < 0.1:
            self.lines.append(
                chance.choice(("TOTAL params: 1.5M", "TOTAL memory: 3.2M * 4 bytes ~= 12.8MB", "TOTAL params: 12"))
            )
        if self.has_outputs:
            first, *rest = chance.choice((["RELU"], ["FC 10"], ["add", "    | x", f"    | {self._kept()}"]))
            self.lines += [f"output last: {first}", *rest]
            if self.outputs and chance.random() < 0.3:
                self.lines.append(f"output again: @{chance.choice(self.outputs)}")
        recipe = chance.choice(RECIPES).rstrip() if chance.random() < 0.25 else ""
        if recipe.startswith("train") and (named := self.outputs or [*self.labels]):
            recipe += "\n    loss " + ", ".join(f"{name} {chance.choice(('1', '0.5'))}" for name in named)
        return "\n".join([*lines, *blocks_of("\n".join(self.lines)).splitlines(), *self.lines, recipe]) + "\n"

    def _begin(self) -> None:
        if self.receives or self.chance.random() < 0.9:
            self.lines.append(f"{self.volume} RELU" if self.receives else f"{self.volume} INPUT")
            return
        self.lines += [f"{self.volume} left: INPUT", f"{self.volume} right: INPUT"]
        self.lines += [self.chance.choice(("add", "mul")), f"    | @left -> {self._kept()}", "    | @right"]

    def _add_piece(self) -> None:
        chance = self.chance
        kind = chance.random()
        if kind < 0.5:
            self._add([self._chain()])
        elif kind < 0.6:
            self._add([chance.choice(CALLS)])
        elif kind < 0.65:
            self._add(self._named())
        elif kind < 0.75:
            self._add([chance.choice(("2 x ", "n x ", "0 x ", "(n-1) x ")) + self._step(KEEPING)])
        elif kind < 0.9:
            self._add(self._merge(0))
        elif kind < 0.95:
            self.lines.append(
                chance.choice(("aux 0.3: ", "aux 1: ", "aux (0.5/n): ")) + chance.choice(("FC 10", "head(10)"))
            )
        else:
            self.lines.append(chance.choice(("", "# a comment", "    # an indented one")))

    def _add(self, lines: list[str]) -> None:
        """Add lines if they fit, with a label or a claim on the first."""
        after = volume_after("\n".join(lines), self.volume)
        if after is None and self.chance.random() >= WRONG:
            return
        lead, label = "", f"r{len(self.lines)}"
        stated = self.volume if self.receives else after
        if self.chance.random() < WRONG:
            stated = _volume("5x5x5")
        if stated is not None and self.chance.random() < 0.3:
            lead = f"{stated} "
        if after is not None and self.chance.random() < 0.2:
            is_output = self.has_outputs and self.chance.random() < 0.5
            lead += f"{'output ' * is_output}{label}: "
            self.labels[label] = after
            self.outputs += [label] * is_output
        self.lines += [lead + lines[0], *lines[1:]]
        self.volume = after or self.volume

    def _chain(self) -> str:
        return " -> ".join(self._step(None) for _ in range(self.chance.choice((1, 1, 2, 3))))

    def _step(self, parts: Parts | None) -> str:
        if parts is None:
            parts = (VECTOR, SEQUENCE, MAP)[len(self.volume) - 1]
        chance = self.chance
        channels = self.volume.channels
        return chance.choice(parts).format(
            f=chance.choice(("1", "2", "4", "6", "8", "16", "f", "2*f", "f//2", str(channels))),
            k=chance.choice((1, 2, 3, 3, 5, 7)),
            s=chance.choice((1, 2, 2, 3, 4)),
            p=chance.choice((0, 1, 1, 2, 3)),
            g=chance.choice((1, 2, 2, 4, channels)),
            e=chance.choice(("1e-5", "1e-3", "0.1")),
            c=channels,
            h=max(1, channels // 2),
        )

    def _named(self) -> list[str]:
        """Return lines that refer to a result of a call, to several results, or to a layer's weights."""
        chance, name, last = self.chance, f"n{len(self.lines)}", "CONV 4 1x1" if self.volume.is_map else "FC 4"
        return chance.choice(
            (
                ["RELU", f"{name}: pair(4)", "concat", "    | x", f"    | @{name}.{chance.choice(('fine', 'low'))}"],
                ["pair(4)", "BN", "concat", "    | @last.low", "    | x"],
                ["RELU", f"{name}: {last}", "RELU", f"{last} weights=@{name}"],
                ["RELU", f"{name}: {last}", "RELU", f"gather(4, @{name}{chance.choice(('', ', @' + name))})"],
                ["pair(4)", f"fuse(4, @b=@last.{chance.choice(('fine', 'low'))})"],
            )
        )

    def _kept(self) -> str:
        """Return a step that keeps the volume."""
        step = self._step(KEEPING)
        return step if volume_after(step, self.volume) == self.volume else "RELU"

    def _merge(self, depth: int) -> list[str]:
        """Return a merge with its branches, most of which keep the volume; the one in a branch is nested."""
        chance = self.chance
        lines = [chance.choice(MERGES)]
        if chance.random() < 0.3:
            lines = [f"{self._step(KEEPING)} -> {lines[0]}"]
        for _ in range(chance.choice((2, 2, 3))):
            lines += [f"    {line}" for line in self._branch(depth)]
        return lines

    def _branch(self, depth: int) -> list[str]:
        chance = self.chance
        same = [f"@{name}" for name, volume in self.labels.items() if volume == self.volume]
        kind = chance.random()
        if kind < 0.2:
            return ["| x"]
        if kind < 0.3 and same and depth == 0:
            return [f"| {chance.choice(same)}"]
        if kind < 0.4 and depth < DEEPEST:
            first, *rest = self._merge(depth + 1)
            return [f"| {first}", *(f"  {line}" for line in rest)]
        steps = [self._step(KEEPING if chance.random() < 0.8 else None) for _ in range(chance.choice((1, 2)))]
        return [f"| {steps[0]}", *(f"  {step}" for step in steps[1:])]


@lru_cache(maxsize=50_000)
def volume_after(lines: str, volume: Volume) -> Volume | None:
    """Return the volume after lines that begin with `volume`; None if they do not fit."""
    try:
        network = archspec.loads(f"{_HEAD}{blocks_of(lines)}{volume} INPUT\n{lines}\n", max_layers=500)
    except archspec.ArchspecError:
        return None
    return network.output


def _volume(text: str) -> Volume:
    return Volume(int(size) for size in text.split("x"))


def network(chance: Random) -> str:
    """Return a mostly correct spec."""
    return NetworkWriter(chance).write()
