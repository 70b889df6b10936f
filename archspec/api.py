"""A spec from Python: `archspec.load("resnet50")`.

In: a spec's name, path or text, and the changes to it. Out: a `Network`, which has its totals, its layers and its
warnings, and prints as `archspec check` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from archspec.analyses import analyse
from archspec.analyses.advice import advice
from archspec.analyses.claims import Verdict, check_claims
from archspec.analyses.cost import Cost, costs
from archspec.bundle import Bundle, fault
from archspec.diagnostics.errors import ArchspecError, Finding, failure
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, plural
from archspec.diagnostics.source import Source, Span
from archspec.language import syntax as s
from archspec.language.parse import parse
from archspec.library import Located, load_used, locate
from archspec.network import MeasuredNetwork
from archspec.record import collector_off, replace
from archspec.resolve import MAX_STEPS, Overrides, Resolved, lower_case_names, resolve, without_consequences

if TYPE_CHECKING:
    from archspec.resolve.changes.given import InputChange


class Network(MeasuredNetwork):
    """A network as a spec describes it, with its figures.

    Sizes are numbers of values (4 bytes each in float32) for one image, unless they are called bytes. MACs are
    multiply-accumulates of convolutions and weight matrices. Totals exclude auxiliary classifiers. `print(network)`
    prints the table of `archspec check`.

    >>> import archspec
    >>> network = archspec.load("resnet50")
    >>> network.params, network.weight_layers, network.output
    (25557032, 50, Volume((1000,)))
    >>> network["conv1"].cost.params
    9408
    """

    def to_dict(self, batch: int = 1) -> dict[str, Any]:
        """Return everything that is known as data, as `archspec check --json` writes it.

        Args:
            batch: Images per training step, for `training_bytes`.
        """
        from archspec.report.document import document

        return document(self, batch)

    def __str__(self) -> str:
        """Return the table that `archspec check` prints."""
        from archspec.report import report

        return report(self)


def load(  # one keyword for each flag of `archspec check`
    spec: str | Path,
    *,
    input: InputChange = None,  # the flag's name
    classes: int | None = None,
    variant: str | None = None,
    set: Mapping[str, object] | None = None,
) -> Network:
    """Read a spec by its name or path.

    Changes suspend the claims in brackets that depend on them.

    Args:
        spec: The name of a built-in spec (`"resnet50"`) or the path of a file (`"./mine.arch"`).
        input: Another input volume, `(384, 384, 3)` or `"384x384x3"`; of several inputs, volumes by name.
        classes: Another number of class scores.
        variant: A variant of a family.
        set: Other values of the spec's parameters, by name.

    Returns:
        The network with its figures.

    Raises:
        ArchspecError: The spec cannot be read or has errors; its text says what is wrong, where, and what to write.
    """
    if not isinstance(spec, str | PurePath):
        raise TypeError(f"expected the name of a spec or its path, got {type(spec).__name__}")
    located = locate(str(spec))
    variant = located.variant if variant is None else variant
    text = located.source.text
    return read(located, overrides(input, classes, variant, set or {}, text))


def loads(text: str, name: str = "spec", max_layers: int = MAX_STEPS) -> Network:
    """Read a spec from its text.

    Args:
        text: The spec.
        name: The name of the spec in messages.
        max_layers: The most lines, and the most steps that are run; a service that reads strangers' specs sets it low.

    Returns:
        The network with its figures.

    Raises:
        ArchspecError: The spec has errors.
    """
    return read(Located(name, Source(name, text), None), Overrides(), max_layers=max_layers)


def restore(data: Mapping[str, Any], whose: str = "the bundle") -> Network:
    """Build a network from the data of its bundle; no file is read.

    Args:
        data: What `Bundle.to_dict` returned.
        whose: What the data belongs to, for messages.

    Returns:
        The network with its figures.

    Raises:
        ArchspecError: The data is not that of a bundle, or its spec has errors.
    """
    if wrong := fault(data):
        raise failure("E401", f"{whose} does not say which network it belongs to", notes=(wrong,))
    changes = overrides(data["input"], data["classes"], data["variant"], data["set"])
    uses = dict(data["uses"])
    located = Located(data["name"], Source(data["file"], data["text"]), None)

    def load_file(name: str, span: Span) -> Source:
        if name not in uses:
            raise Finding("E014", f"no such file: {name}.arch", span, "not found")
        return Source(f"{name}.arch", uses[name])

    return read(located, changes, load_file)


def overrides(
    input: InputChange, classes: int | None, variant: str | None, values: Mapping[str, object], text: str = ""
) -> Overrides:
    """Return the changes that a user asks for; `text` is the spec's. Raises ArchspecError for an invalid one."""
    if input is None and classes is None and variant is None and not values:
        return Overrides()
    from archspec.resolve.changes.given import given  # seldom needed

    return given(input, classes, variant, values, text)


def read(
    located: Located, changes: Overrides, find: Callable[[str, Span], Source] | None = None, max_layers: int = MAX_STEPS
) -> Network:
    """Resolve and measure a spec that was found; `find` returns the text of a file that it uses.

    Raises ArchspecError with all findings, including warnings; their helps have been tried.
    """
    files = _Files(located, find, max_layers)
    try:
        return _read(located, changes, files)
    except ArchspecError as error:
        from archspec.analyses.published import check_published  # correct specs need neither
        from archspec.resolve.helps.trial import LONGEST, proved

        if len(error.diagnostics) > MAX_SHOWN and len(located.source.text) > LONGEST:
            raise

        def again(source: Source, other: Overrides, most: int) -> tuple[Sequence[Diagnostic], int]:
            try:
                file, resolved = _resolve(source, other, files, most, shown=0)
            except ArchspecError as wrong:
                return wrong.diagnostics, 0
            if resolved.graph is None:
                return resolved.findings, resolved.steps
            verdict = _verdict(file, resolved, other, figures := costs(resolved.graph))
            published = check_published(resolved.sources, resolved.graph, figures).findings if resolved.sources else ()
            return (*resolved.findings, *verdict.findings, *published, *advice(resolved.graph)), resolved.steps

        file, _ = parse(located.source, lower_case_names(), max_layers)
        raise ArchspecError(proved(error.diagnostics, file, changes, again)) from None


class _Files:
    """The files that a spec uses, each parsed once."""

    def __init__(self, located: Located, find: Callable[[str, Span], Source] | None, max_lines: int) -> None:
        self.parsed: dict[str, s.File] = {}
        self.max_lines = max_lines
        self._find = find or (lambda name, span: load_used(name, span, located.folder))
        self._left = max_lines

    def load(self, name: str, span: Span) -> s.File:
        """Return a file that the spec uses. Raises Finding or ArchspecError."""
        if name not in self.parsed:
            source = self._find(name, span)
            self._left -= source.text.count("\n")
            if self._left < 0:
                most = plural(self.max_lines, "line")
                raise Finding("E009", f"the files that the spec uses have more than {most}", span)
            file, findings = parse(source, lower_case_names())
            if findings:
                raise ArchspecError(findings)
            self.parsed[name] = file
        return self.parsed[name]


def _read(located: Located, changes: Overrides, files: _Files) -> Network:
    with collector_off():
        file, resolved = _resolve(located.source, changes, files, files.max_lines)
        if resolved.graph is None:
            raise ArchspecError(resolved.findings)
        analysis = analyse(resolved.graph)
        verdict = _verdict(file, resolved, changes, [row.cost for row in analysis.rows])
    if any(finding.severity == "error" for finding in verdict.findings):
        raise ArchspecError([*resolved.findings, *verdict.findings])
    uses = tuple((name, used.span.source.text) for name, used in files.parsed.items())
    return Network(Bundle(located, changes, uses), resolved, resolved.graph, verdict, analysis)


def _resolve(
    source: Source, changes: Overrides, files: _Files, max_steps: int, shown: int = MAX_SHOWN
) -> tuple[s.File, Resolved]:
    """Return a spec's syntax and what it means. Raises ArchspecError."""
    file, findings = parse(source, lower_case_names(), files.max_lines)
    most = min(max_steps, files.max_lines)
    return file, _resolved(file, lambda: resolve(file, files.load, changes, most, shown), findings)


def _verdict(file: s.File, resolved: Resolved, changes: Overrides, costs: Sequence[Cost]) -> Verdict:
    """Check the claims of a spec that resolved."""
    assert resolved.graph is not None
    totals = [node for node in file.declarations if isinstance(node, s.Total)]
    return check_claims(resolved.graph, costs, resolved.claims, totals, changes.any)


def _resolved(file: s.File, work: Callable[[], Resolved], findings: tuple[Diagnostic, ...]) -> Resolved:
    """Return what a file resolves to: findings alone if a part of it could not be parsed. Raises ArchspecError."""
    if findings and not (file.has_all_names and file.body):
        raise ArchspecError(findings)
    try:
        resolved = work()
    except Finding as finding:
        raise ArchspecError([*findings, finding.diagnostic(Span(file.span.source, 0, 0))]) from None
    if findings:
        both = sorted([*findings, *resolved.findings], key=lambda one: one.span.start if one.span else 0)
        if any(finding.code == "E118" for finding in both):
            both = without_consequences(both)
        return replace(resolved, graph=None, findings=tuple(both))
    return resolved
