"""From text to syntax.

In: a source. Out: a `File`, and everything that is wrong with the text: an invalid line is reported and left out, and
the others are still read, so that one run reports all errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any, cast

from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic
from archspec.diagnostics.source import MAX_SIZE, Source, Span
from archspec.language import syntax as s
from archspec.language.layout import MAX_LINES, Layout, Noted, TooLong, Unread, layout
from archspec.language.tables import LineParser, grammar_folder
from archspec.language.transform import SyntaxBuilder, unknown_layers
from archspec.record import collector_off, compile_constructors, replace

MAX_LINE, MAX_TOKENS = 5_000, 1_000_000  # characters of a line, words and signs of a file
NO_LAYERS: Mapping[str, str] = {}
_MERGES = ("add", "concat", "mul")


def _indentation() -> ModuleType:
    from archspec.language.mistakes import indentation

    return indentation


def _structure() -> ModuleType:
    from archspec.language.mistakes import structure  # a correct spec does not need it

    return structure


@cache
def _line_parser() -> tuple[LineParser, SyntaxBuilder]:
    builder = SyntaxBuilder()
    return LineParser(grammar_folder(), builder), builder


def parse(
    source: Source, layers: Mapping[str, str] = NO_LAYERS, max_lines: int = MAX_LINES
) -> tuple[s.File, tuple[Diagnostic, ...]]:
    """Parse the text of a spec of at most `max_lines` lines.

    `layers` maps names in lower case to the layers they stand for; it is used for suggestions only.
    Returns the file with all that could be read, and the findings in the order of the text.
    """
    try:
        return _parse(source, layers, min(max_lines, MAX_LINES))
    except Unread as unread:
        whole = Span(source, 0, 0)
        return s.File((), (), whole, False, False), (unread.diagnostic(whole),)


def _parse(source: Source, layers: Mapping[str, str], max_lines: int) -> tuple[s.File, tuple[Diagnostic, ...]]:
    if len(source.text) > MAX_SIZE:
        message = f"the file has {len(source.text):,} characters, more than the limit of {MAX_SIZE:,}"
        raise TooLong(message, Span(source, 0, 0))
    with collector_off():
        if len(source.text) > 4 * MAX_LINE:
            compile_constructors()
        lines, findings = layout(source, max_lines)
        reader = _Reader(source, findings, layers)
        misplaced = len(findings)
        statements = reader.read(lines)
        if strange := unknown_layers(statements, layers):
            statements = reader.mended.without_titles(statements, strange)
        if reader.mender:
            findings += reader.mender.findings()
        is_whole = not findings
    if not reader.has_structure:  # the structure is unknown: a line with nothing under it is a consequence of that
        findings[misplaced:] = [finding for finding in findings[misplaced:] if finding.code not in ("E004", "E005")]
    if not statements and not findings:
        findings.append(_structure().empty(source))
    declarations = tuple(node for node in statements if isinstance(node, s.Declaration))
    body = tuple(node for node in statements if not isinstance(node, s.Declaration))
    findings.sort(key=lambda finding: finding.span.start if finding.span else 0)
    file = s.File(declarations, body, Span(source, 0, len(source.text)), is_whole, reader.has_all_names)
    return file, tuple(findings)


class _Reader:
    """Reads a tree of lines; `findings` grows."""

    def __init__(self, source: Source, findings: list[Diagnostic], layers: Mapping[str, str]) -> None:
        self.source = source
        self.findings = findings
        self.layers = layers
        self.has_structure = self.has_all_names = all(finding.code == "E003" for finding in findings)
        self.parser, self.builder = _line_parser()
        self.builder.source = source
        self.parser.tokens = 0
        self.mender: Any = None

    def read(self, lines: list[Layout], in_branch: bool = False, start: str = "line") -> list[Any]:
        """The statements and declarations of one level."""
        nodes: list[Any] = []
        for before, line in zip([None, *lines], lines, strict=False):
            if line.is_branch and before and before.is_branch:
                continue  # reported with the first
            if len(self.findings) >= MAX_SHOWN:
                self.has_all_names = False
                break
            try:
                if start == "setting":
                    self._read_setting(line, nodes)
                else:
                    self._read_line(line, nodes, in_branch)
            except Unread:
                raise
            except Noted as noted:
                if noted.joined and nodes:
                    nodes[-1] = noted.joined
                elif noted.is_step:
                    self._stand_in(line, nodes)
                nodes += self.read(line.children if not noted.is_step else [], in_branch)
            except Finding as finding:
                self.findings.append(finding.diagnostic(line.span))
                self._stand_in(line, nodes)
        return [replace(node, arms=tuple(node.arms)) if isinstance(node, s.If) else node for node in nodes]

    def _stand_in(self, line: Layout, nodes: list[Any]) -> None:
        stand_in = self.mended.stand_in(line)
        nodes += [stand_in] if stand_in and stand_in.steps else []
        self.has_all_names &= isinstance(stand_in, s.Chain) and not line.children

    def _read_setting(self, line: Layout, nodes: list[Any]) -> None:
        if line.is_branch or line.children:
            raise _structure().no_setting(line.span)
        nodes.append(self._parse(line.span, "setting"))

    def _read_line(self, line: Layout, nodes: list[Any], in_branch: bool) -> None:
        if line.is_branch:
            raise _indentation().stray_branch(line.span) or Noted(True)
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
            nodes += self._continuation(rest, line.span, in_branch)
        elif isinstance(node, s.Aux):
            chain, rest = self._with_branches(node.chain, line)
            nodes.append(replace(node, chain=chain))
            nodes += self._continuation(rest, line.span)
        else:
            nodes.append(node)
            nodes += self._continuation(line.children, line.span)

    def _settings(self, line: Layout) -> tuple[s.Setting, ...]:
        """The lines under `train`."""
        if not line.children:
            raise _structure().empty_recipe(line.span)
        return tuple(node for node in self.read(line.children, start="setting") if isinstance(node, s.Setting))

    def _parse(self, span: Span, start: str = "line") -> Any:
        """Parse one line."""
        if span.end - span.start > MAX_LINE:
            message = f"the line has {span.end - span.start:,} characters, more than the limit of {MAX_LINE:,}"
            raise Finding("E009", message, span, helps=("a chain may continue over several lines",))
        self.builder.offset = span.start
        if self.parser.tokens > MAX_TOKENS:
            raise TooLong(f"more than {MAX_TOKENS:,} words and signs", span)
        if "//" in span.text:
            span = self.mended.without_comment(span)
        try:
            return self.parser.parse(span.text, start)
        except (UnexpectedToken, UnexpectedCharacters, Finding) as error:
            self.parser.tokens += 1
            return self.mended.mend(span, start, error)

    @property
    def mended(self) -> Any:
        """What mends lines, which a correct spec does not need."""
        if self.mender is None:
            from archspec.language.mistakes.mender import Mender

            self.mender = Mender(self.source, self.layers)
        return self.mender

    def _body(self, line: Layout) -> s.Body:
        if not line.children:
            raise _structure().no_body(line.span)
        return self._inside(line, False)

    def _inside(self, line: Layout, in_branch: bool) -> s.Body:
        """The statements under a line, among which a declaration is an error."""
        body = self.read(line.children, in_branch)
        for node in body:
            if isinstance(node, s.Declaration):
                self.findings.append(_structure().inner_declaration(line, node.span).diagnostic(line.span))
        return tuple(node for node in body if not isinstance(node, s.Declaration))

    def _with_branches(self, chain: s.Chain, line: Layout) -> tuple[s.Chain, list[Layout]]:
        """Return the chain with the branches under it, and the other lines under it."""
        branches = [child for child in line.children if child.is_branch]
        rest = [child for child in line.children if not child.is_branch]
        merges = [step for step in chain.steps if isinstance(step, s.MergeStep)]
        if not merges and not branches:
            return chain, rest
        strange = [step.name for step in merges if step.name not in _MERGES]
        if strange and (branches or len(chain.steps) == 1 or any(name in self.layers for name in strange)):
            chain = self.mended.renamed(chain, line)
            merges = [step for step in chain.steps if isinstance(step, s.MergeStep)]
            if not merges and not branches:
                return chain, rest
        last = chain.steps[-1]
        if not isinstance(last, s.MergeStep) or len(merges) > 1:
            raise _structure().no_merge(merges, self.layers, line)
        if not branches:
            raise _structure().bare_name(last, self.layers, line)
        bodies = tuple(self._inside(branch, True) for branch in branches)
        merge = s.MergeStep(last.name, bodies, last.span)
        return replace(chain, steps=(*chain.steps[:-1], merge)), rest

    def _continuation(self, lines: list[Layout], above: Span, in_branch: bool = False) -> list[Any]:
        """The lines under one that has none: a mistake outside branches, and read as if they followed it."""
        nodes = self.read(lines, in_branch)
        prose = self.mender.prose if self.mender else ()
        wrong = [line for line in lines if line.span.start not in prose]
        if nodes and wrong and not in_branch:
            self.findings.append(_structure().misplaced(wrong, above).diagnostic(above))
            self.has_all_names &= self.findings[-1].code == "E004"
        return nodes

    def _add_arm(self, arm: s.Arm, nodes: list[Any]) -> None:
        if not arm.span.text.startswith(("else", "elif", "elseif", "elsif", "otherwise")):
            nodes.append(replace(s.If((), arm.span), arms=[arm]))  # a list until `read` has all its arms
            return
        before = nodes[-1] if nodes else None
        if isinstance(before, s.Chain) and before.steps[0] == s.UnreadStep(arm.span):  # its `if` was not read
            return
        if not isinstance(before, s.If) or before.arms[-1].condition is None:
            raise _structure().stray_else(arm.span)
        if isinstance(before.arms, tuple):  # of one that was read before a line that was not
            nodes[-1] = before = replace(before, arms=list(before.arms))
        cast(list[s.Arm], before.arms).append(arm)
