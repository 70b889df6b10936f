"""From text to syntax.

In: a source. Out: a `File`, and everything that is wrong with the text: an invalid line is reported and left out, and
the others are still read, so that one run reports all errors.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic
from archspec.diagnostics.source import MAX_SIZE, Source, Span
from archspec.language import syntax as s
from archspec.language.layout import MAX_LINES, Layout, TooLong, layout
from archspec.language.tables import LineParser, load_parser
from archspec.language.transform import SyntaxBuilder
from archspec.record import compile_constructors, replace

MAX_LINE, MAX_TOKENS = 5_000, 1_000_000  # characters of a line, words and signs of a file
LONG_TEXT = 20_000  # characters
NO_LAYERS: Mapping[str, str] = {}
# the beginnings of lines that define names, or that other lines depend on
_NAMES = re.compile(
    r"(?:net|use|param|variant|block|let|if|else|after|init|aux|train|TOTAL)\b|(?:\[[^\]]*\] *)?[a-z_]\w*:"
)
_BRACKET = re.compile(r"\[[^\]]*\]")


def _explanations() -> ModuleType:
    """Return the module that explains errors, which a correct spec does not need."""
    from archspec.language import syntax_errors

    return syntax_errors


@cache
def _line_parser() -> tuple[LineParser, SyntaxBuilder]:
    from archspec import grammar

    builder = SyntaxBuilder()
    return LineParser(load_parser(Path(next(iter(grammar.__path__))), builder), builder), builder


@contextmanager
def collector_off() -> Iterator[None]:
    """Run without the garbage collector: syntax and graphs have no cycles, and traversing them repeatedly while they
    grow would make long specs quadratic."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def parse(
    source: Source, layers: Mapping[str, str] = NO_LAYERS, max_lines: int = MAX_LINES
) -> tuple[s.File, tuple[Diagnostic, ...]]:
    """Parse the text of a spec of at most `max_lines` lines.

    `layers` maps names in lower case to the layers they stand for; it is used for suggestions only.
    Returns the file with all that could be read, and the findings in the order of the text.
    """
    try:
        return _parse(source, layers, min(max_lines, MAX_LINES))
    except TooLong as too_long:
        whole = Span(source, 0, 0)
        return s.File((), (), whole, False, False), (too_long.diagnostic(whole),)


def _parse(source: Source, layers: Mapping[str, str], max_lines: int) -> tuple[s.File, tuple[Diagnostic, ...]]:
    if len(source.text) > MAX_SIZE:
        message = f"the file has {len(source.text):,} characters, more than the limit of {MAX_SIZE:,}"
        raise TooLong(message, Span(source, 0, 0))
    with collector_off():
        if len(source.text) > LONG_TEXT:
            compile_constructors()
        lines, findings = layout(source, max_lines)
        reader = _Reader(source, findings, layers)
        misplaced = len(findings)
        statements = reader.read(lines)
        is_whole = not findings
    if misplaced:  # the structure is unknown: a line with nothing under it is a consequence of that
        findings[misplaced:] = [finding for finding in findings[misplaced:] if finding.code != "E005"]
    if not statements and not findings:
        findings.append(_empty(source))
    declarations = tuple(node for node in statements if isinstance(node, s.Declaration))
    body = tuple(node for node in statements if not isinstance(node, s.Declaration))
    findings.sort(key=lambda finding: finding.span.start if finding.span else 0)
    file = s.File(declarations, body, Span(source, 0, len(source.text)), is_whole, reader.has_all_names)
    return file, tuple(findings)


def _empty(source: Source) -> Diagnostic:
    message = f"{source.name} contains no layers"
    return Diagnostic("E010", message, helps=("a spec begins with its input: `[224x224x3] INPUT`",))


class _Reader:
    """Reads a tree of lines; `findings` grows."""

    def __init__(self, source: Source, findings: list[Diagnostic], layers: Mapping[str, str]) -> None:
        self.source = source
        self.findings = findings
        self.layers = layers
        self.has_all_names = not findings
        self.parser, self.builder = _line_parser()
        self.builder.source = source
        self.parser.tokens = 0

    def read(self, lines: list[Layout], in_branch: bool = False) -> list[Any]:
        """The statements and declarations of one level."""
        nodes: list[Any] = []
        for line in lines:
            if len(self.findings) >= MAX_SHOWN:
                self.has_all_names = False
                break
            try:
                self._read_line(line, nodes, in_branch)
            except TooLong:
                raise
            except Finding as finding:
                self.findings.append(finding.diagnostic(line.span))
                self._stand_in(line, nodes)
        return [replace(node, arms=tuple(node.arms)) if isinstance(node, s.If) else node for node in nodes]

    def _stand_in(self, line: Layout, nodes: list[Any]) -> None:
        """Put a chain in place of a line that was not read, with the bracket at its beginning."""
        if line.is_branch or line.children or _NAMES.match(line.span.text):
            self.has_all_names = False
            return
        found = _BRACKET.match(line.span.text)
        bracket = None
        if found:
            try:
                bracket = self._parse(Span(self.source, line.span.start, line.span.start + found.end())).steps[0]
            except Finding:
                bracket = None
        nodes.append(s.Chain(bracket, None, (s.UnreadStep(line.span),), line.span))

    def _read_line(self, line: Layout, nodes: list[Any], in_branch: bool) -> None:
        if line.is_branch:
            raise _explanations().stray_branch(line.span)
        node = self._parse(line.span)
        if isinstance(node, s.Train):
            nodes.append(replace(node, span=line.span, settings=self._settings(line)))
        elif isinstance(node, s.Arm):
            self._add_arm(replace(node, span=line.span, body=self._body(line)), nodes)
        elif isinstance(node, s.BlockDefinition):
            nodes.append(replace(node, body=self._body(line)))
        elif isinstance(node, s.Chain):
            chain, rest = self._with_branches(node, line)
            nodes.append(chain)
            nodes += self._continuation(rest, in_branch)
        elif isinstance(node, s.Aux):
            chain, rest = self._with_branches(node.chain, line)
            nodes.append(replace(node, chain=chain))
            self._continuation(rest, False)
        else:
            nodes.append(node)
            self._continuation(line.children, False)

    def _settings(self, line: Layout) -> tuple[s.Setting, ...]:
        """The lines under `train`."""
        if not line.children:
            raise _explanations().empty_recipe(line.span)
        settings = []
        for child in line.children:
            if len(self.findings) >= MAX_SHOWN:
                break
            try:
                if child.is_branch or child.children:
                    raise _explanations().no_setting(child.span)
                settings.append(self._parse(child.span, "setting"))
            except TooLong:
                raise
            except Finding as finding:
                self.findings.append(finding.diagnostic(child.span))
        return tuple(settings)

    def _parse(self, span: Span, start: str = "line") -> Any:
        """Parse one line."""
        if span.end - span.start > MAX_LINE:
            message = f"the line has {span.end - span.start:,} characters, more than the limit of {MAX_LINE:,}"
            raise Finding("E009", message, span, helps=("a chain may continue over several lines",))
        self.builder.offset = span.start
        if self.parser.tokens > MAX_TOKENS:
            raise TooLong(f"more than {MAX_TOKENS:,} words and signs", span)
        try:
            return self.parser.parse(span.text, start)
        except UnexpectedToken as unexpected:
            raise _explanations().explain_token(unexpected, span, self.layers) from None
        except UnexpectedCharacters as unexpected:
            raise _explanations().explain_character(unexpected, span) from None

    def _body(self, line: Layout) -> s.Body:
        if not line.children:
            helps = ("indent the lines that belong to it; `x` alone passes its input through",)
            raise Finding("E005", "nothing is indented under this line", line.span, "needs a body", helps=helps)
        return self._inside(line, False)

    def _inside(self, line: Layout, in_branch: bool) -> s.Body:
        """The statements under a line, among which a declaration is an error."""
        body = self.read(line.children, in_branch)
        for node in body:
            if isinstance(node, s.Declaration):
                self.findings.append(_explanations().inner_declaration(line.span, node.span).diagnostic(line.span))
        return tuple(node for node in body if not isinstance(node, s.Declaration))

    def _with_branches(self, chain: s.Chain, line: Layout) -> tuple[s.Chain, list[Layout]]:
        """Return the chain with the branches under it, and the other lines under it."""
        branches = [child for child in line.children if child.is_branch]
        rest = [child for child in line.children if not child.is_branch]
        merges = [step for step in chain.steps if isinstance(step, s.MergeStep)]
        if not merges and not branches:
            return chain, rest
        last = chain.steps[-1]
        if not isinstance(last, s.MergeStep) or len(merges) > 1:
            raise _explanations().no_merge(merges, branches)
        if not branches:
            raise _explanations().bare_name(last, self.layers)
        bodies = tuple(self._inside(branch, True) for branch in branches)
        merge = s.MergeStep(last.name, bodies, last.span)
        return replace(chain, steps=(*chain.steps[:-1], merge)), rest

    def _continuation(self, lines: list[Layout], in_branch: bool) -> list[Any]:
        if lines and not in_branch:
            helps = ("align it with the line above: every line continues from the previous one",)
            raise Finding("E004", "unexpected indentation", lines[0].span, helps=helps)
        return self.read(lines, in_branch)

    def _add_arm(self, arm: s.Arm, nodes: list[Any]) -> None:
        if not arm.span.text.startswith("else"):
            nodes.append(replace(s.If((), arm.span), arms=[arm]))  # a list until `read` has all its arms
            return
        before = nodes[-1] if nodes else None
        if not isinstance(before, s.If) or before.arms[-1].condition is None:
            raise Finding("E005", "`else` without an `if` above it", arm.span, "no matching `if`")
        cast(list[s.Arm], before.arms).append(arm)
