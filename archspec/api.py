"""A spec from Python: `archspec.load("resnet50")`.

In: a spec's name, path or text, and what to change in it. Out: a `Network`, which knows its totals, its layers and what
was noticed. What `archspec check` prints and writes as JSON is made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archspec.analyses import Analysis, Row, Totals, add_up, analyse
from archspec.analyses.advice import advice
from archspec.analyses.claims import Verdict, check_claims
from archspec.bundle import component, fault
from archspec.diagnostics.errors import ArchspecError, Finding, failure
from archspec.diagnostics.findings import Diagnostic
from archspec.diagnostics.source import Source, Span
from archspec.graph.ir import Graph
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.language.parse import collector_off, parse
from archspec.library import Located, load_used, locate
from archspec.record import Record
from archspec.resolve import LOWER_CASE, MAX_STEPS, Overrides, Resolved, resolve

if TYPE_CHECKING:
    from archspec.recipe import Recipe

MAX_BATCH = 2**31


class Bundle(Record):
    """All that a network was made of: the spec, the changes to it, and the texts of the files that it uses, by name."""

    located: Located
    changes: Overrides
    uses: tuple[tuple[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """As data, so that a weights file can hold it."""
        changes = self.changes
        return {
            "name": component(self.located.name),
            "file": component(Path(self.located.source.name).name),
            "text": self.located.source.text,
            "uses": dict(self.uses),
            "input": list(changes.input) if changes.input else None,
            "classes": changes.classes,
            "variant": changes.variant,
            "set": dict(changes.values),
        }


def restore(data: Mapping[str, Any], whose: str = "the bundle") -> Network:
    """The network of a bundle's data; reads no file. Raises ArchspecError; its message says `whose` data it is."""
    if wrong := fault(data):
        raise failure("E401", f"{whose} does not say which network it is of", notes=(wrong,))
    changes = overrides(
        input=tuple(data["input"]) if data["input"] else None,
        classes=data["classes"],
        variant=data["variant"],
        values=data["set"],
    )
    uses = dict(data["uses"])
    located = Located(data["name"], Source(data["file"], data["text"]), None)

    def load_file(name: str, span: Span) -> Source:
        if name not in uses:
            raise Finding("E014", f"there is no file {name}.arch to use", span, "not found")
        return Source(f"{name}.arch", uses[name])

    return read(located, changes, load_file)


class Network:
    """A network as a spec describes it, measured.

    Sizes count values (one number each, 4 bytes in float32) of one image unless they are called bytes. MACs are
    multiply-accumulates of convolutions and weight matrices. Auxiliary classifiers count in no total.

    >>> import archspec
    >>> network = archspec.load("resnet50")
    >>> network.params, network.weight_layers, network.output
    (25557032, 50, Volume((1000,)))
    >>> network["conv1"].cost.params
    9408
    """

    def __init__(self, bundle: Bundle, resolved: Resolved, graph: Graph, verdict: Verdict, analysis: Analysis) -> None:
        located = bundle.located
        self.bundle: Bundle = bundle
        self.name: str = located.name
        self.source: Source = located.source
        self.graph: Graph = graph
        self.resolved: Resolved = resolved
        self.verdict: Verdict = verdict
        self.analysis: Analysis = analysis

    @property
    def title(self) -> str:
        """What the spec calls it in `net`, or its name."""
        return self.graph.title or self.name

    @property
    def layers(self) -> tuple[Row, ...]:
        """One row a layer, without auxiliary classifiers: `row.node`, `row.cost`, `row.receptive_field`."""
        return tuple(row for row in self.analysis.rows if not row.node.head)

    def __getitem__(self, name: str) -> Row:
        """The layer of a name, `stage2.bottleneck3.conv2`. Raises KeyError where there is none."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Row]:
        return {row.node.name: row for row in self.analysis.rows}

    @property
    def input(self) -> Volume:
        """The volume of one image, `(H, W, C)`."""
        return self.graph.nodes[0].volume

    @property
    def output(self) -> Volume:
        """The volume of the result, `(C,)` for a classifier."""
        return self.graph.nodes[self.graph.output].volume

    @property
    def recipe(self) -> Recipe | None:
        """What its `train` section says, if it has one."""
        return self.resolved.recipe

    @property
    def params(self) -> int:
        """Trainable parameters, with biases and normalisation."""
        return self.analysis.totals.params

    @property
    def params_no_bias(self) -> int:
        """Trainable parameters without biases, as a lecture counts them."""
        return self.analysis.totals.params_no_bias

    @property
    def macs(self) -> int:
        """Multiply-accumulates of convolutions and weight matrices for one image."""
        return self.analysis.totals.macs

    @property
    def attention_macs(self) -> int:
        """Multiply-accumulates of attention's own products, Q K^T and A V, for one image."""
        return self.analysis.totals.attention_macs

    @property
    def flops(self) -> int:
        """Floating-point operations for one image: 2 x (`macs` + `attention_macs`)."""
        return self.analysis.totals.flops

    @property
    def activations(self) -> int:
        """Values of all rows that are not computed in place, the input's among them."""
        return self.analysis.totals.activations

    @property
    def weight_layers(self) -> int:
        """Layers with weights along the longest path (ResNet-50 has 50)."""
        return self.analysis.weight_layers

    @property
    def receptive_field(self) -> tuple[int, int] | None:
        """Pixels that one place of the last map sees, `(height, width)`; nothing where there is no map."""
        return self.analysis.receptive_field

    def training_bytes(self, batch: int = 1) -> int:
        """Peak bytes of a training step in float32 with SGD, momentum and weight decay (see `analyses.memory`)."""
        from archspec.analyses.memory import training_peak

        with collector_off():
            return training_peak(self.graph, batch).total

    @cached_property
    def auxiliary(self) -> tuple[Totals, ...]:
        """What each auxiliary classifier adds to the totals while training."""
        heads = self.graph.heads
        return tuple(add_up(row.cost for row in self.analysis.rows if row.node.head == head.number) for head in heads)

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Warnings. What is wrong is a ArchspecError, so there are no errors here."""
        return (*self.resolved.findings, *self.verdict.findings, *advice(self.graph))

    def to_dict(self, batch: int = 1) -> dict[str, Any]:
        """All that is known, as `archspec check --json` writes it."""
        from archspec.report.document import document

        return document(self, batch)

    def __str__(self) -> str:
        """The table that `archspec check` prints."""
        from archspec.report import report

        return report(self)

    def __repr__(self) -> str:
        return f"<Network {self.name}: {self.input} -> {self.output}, {self.params:,} parameters>"


def load(  # one keyword for each flag of `archspec check`
    spec: str | Path,
    *,
    input: tuple[int, ...] | str | None = None,  # the flag's name
    classes: int | None = None,
    variant: str | None = None,
    set: Mapping[str, object] | None = None,
) -> Network:
    """Read a spec: a built-in one by its name (`"resnet50"`), or a file by its path (`"./mine.arch"`).

    `input` replaces the input's volume, `(384, 384, 3)` or `"384x384x3"`; `classes` the number of class scores;
    `variant` takes a variant of a family; `set` gives its parameters other values. They suspend the claims in
    brackets that depend on them.

    Raises ArchspecError, whose text says what is wrong, where, and what to write.
    """
    located = locate(str(spec))
    return read(located, overrides(input=input, classes=classes, variant=variant or located.variant, values=set or {}))


def loads(text: str, name: str = "spec", max_layers: int = MAX_STEPS) -> Network:
    """Read a spec from its text. Raises ArchspecError.

    `max_layers` bounds the layers and calls of the network: a service that reads strangers' specs sets it low.
    """
    return read(Located(name, Source(name, text), None), Overrides(), max_layers=max_layers)


def overrides(
    *, input: tuple[int, ...] | str | None, classes: int | None, variant: str | None, values: Mapping[str, object]
) -> Overrides:
    """The changes that a user asks for. Raises ArchspecError for one that is none."""
    volume = None
    if input is not None:
        parts = input.replace("×", "x").split("x") if isinstance(input, str) else [str(size) for size in input]
        if not 1 <= len(parts) <= 3 or not all(map(_is_size, parts)):
            shown = input if isinstance(input, str) else "x".join(parts)
            raise _bad_change(f"`{shown}` is no volume", "height x width x channels: `384x384x3`")
        volume = tuple(int(part) for part in parts)
    if classes is not None and not 0 < classes < 2**31:
        raise _bad_change(f"{classes} classes", "a number from 1 on")
    return Overrides(volume, classes, tuple(values.items()), variant)


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


def _bad_change(message: str, hint: str) -> ArchspecError:
    return failure("E117", message, helps=(hint,))


def read(
    located: Located, changes: Overrides, find: Callable[[str, Span], Source] | None = None, max_layers: int = MAX_STEPS
) -> Network:
    """Resolve and measure a spec that was found; `find` gives the text of a file that it uses.

    Raises ArchspecError with all that is wrong, warnings among it.
    """
    uses: dict[str, str] = {}

    def load_file(name: str, span: Span) -> s.File:
        source = find(name, span) if find else load_used(name, span, located.folder)
        uses[name] = source.text
        file, findings = parse(source, LOWER_CASE)
        if findings:
            raise ArchspecError(findings)
        return file

    with collector_off():
        file, findings = parse(located.source, LOWER_CASE)
        resolved = _resolved(file, lambda: resolve(file, load_file, changes, max_layers), findings)
        graph = resolved.graph
        if graph is None:
            raise ArchspecError(resolved.findings)
        analysis = analyse(graph)
        costs = [row.cost for row in analysis.rows]
        totals = [node for node in file.declarations if isinstance(node, s.Total)]
        verdict = check_claims(graph, costs, resolved.claims, totals, changes.any)
    if any(finding.severity == "error" for finding in verdict.findings):
        raise ArchspecError([*resolved.findings, *verdict.findings])
    return Network(Bundle(located, changes, tuple(uses.items())), resolved, graph, verdict, analysis)


def _resolved(file: s.File, work: Callable[[], Resolved], findings: tuple[Diagnostic, ...]) -> Resolved:
    """What a file stands for. Raises ArchspecError where it could not be read, with what is wrong in the rest of it."""
    if findings and not (file.has_all_names and file.body):
        raise ArchspecError(findings)
    try:
        resolved = work()
    except Finding as finding:
        raise ArchspecError([*findings, finding.diagnostic(Span(file.span.source, 0, 0))]) from None
    if findings:
        both = [*findings, *resolved.findings]
        raise ArchspecError(sorted(both, key=lambda one: one.span.start if one.span else 0))
    return resolved
