"""Lines that the grammar rejects, read as they must be meant, and the findings about them.

In: a line, and why it was rejected. Out: its syntax if what it means is certain; the findings of a file, one for each
kind of mistake, whose helps change every line that has it. The work is bounded: long lines are only explained.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lark.exceptions import UnexpectedInput

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, Edit, Help, Label, plural
from archspec.diagnostics.source import Source, Span
from archspec.language import syntax as s
from archspec.language.layout import Layout, Noted
from archspec.language.mistakes import foreign, pasted, prose, rejections, rewrites
from archspec.language.mistakes.attempt import Attempt, Grammar
from archspec.language.mistakes.foreign import lines
from archspec.language.mistakes.foreign.wrapped import wrapped
from archspec.language.mistakes.reading import Reading
from archspec.language.mistakes.rules import declared, origins, words
from archspec.language.mistakes.rules.rule import Mistake, Words

LONGEST = 400  # characters of a line that is mended
MOST_TRIALS = 4_000
MOST_LABELS = 3
# the beginnings of lines that define names, or that other lines depend on
_NAMES = re.compile(
    r"(?:net|use|param|variant|block|let|if|else|after|init|aux|train|TOTAL)\b|(?:\[[^\]]*\] *)?(?:[a-z_]\w*:|output\b)"
)
_SLASHES = re.compile(r"(?<=\d) +// *([A-Za-z_]+)[A-Za-z ,.'-]*$")
_BRACKET = re.compile(r"\[[^\]]*\]")
_BLOCK = re.compile(r"^[ \t]*block +([\w-]+)", re.MULTILINE)
_USED = re.compile(r"^use +\w+ *:([\w, ]+)", re.MULTILINE)


class Mender:
    """Mends the lines of one source, and collects what was wrong with them."""

    def __init__(self, source: Source, layers: Mapping[str, str]) -> None:
        self.source = source
        used = re.findall(r"\w+", " ".join(_USED.findall(source.text)))
        self.words = Words(layers, frozenset({*_BLOCK.findall(source.text), *used}) - {"train"})
        self.grammar = Grammar(source)
        self.found: dict[str, list[Mistake]] = {}
        self.prose: set[int] = set()  # where lines of prose begin
        self.divided: set[int] = set()  # where lines begin that were read with the line above
        if alien := wrapped(source) or declared.capitals(source) or foreign.whole(source, self.words):
            raise alien

    def mend(self, line: Span, start: str, error: UnexpectedInput | Finding) -> Any:
        """Return the syntax of a line as it is meant.

        Raises Noted for a line that is prose, or has another meaning than one; Finding if none is known.
        """
        if line.start in self.divided:
            raise Noted(False)
        if start == "line" and pasted.hides_a_step(line.text):
            self._note([prose.remark(line)])
            self.prose.add(line.start)
            raise Noted(False)
        if len(line.text) > LONGEST or self.grammar.trials > MOST_TRIALS:
            raise self._explained(Reading(line), error) from None
        if start == "line" and (known := rewrites.known(line)):
            raise known from None
        attempt = Attempt(line, start, self.words, self.grammar)
        ends = line.text.endswith((".", "!", "?")) and prose.is_prose(line.text, self.words)
        is_prose = ends or prose.is_sentence(line.text, self.words)
        is_prose = is_prose and bool(attempt.found) and not origins.BEGINS.match(attempt.reading.text)
        if attempt.node and not (is_prose and attempt.reading is not attempt.base):
            if attempt.is_title:
                self._note([prose.mistake(line, self.words)])
                raise Noted(False)
            return self._read(attempt)
        if attempt.is_nothing:
            self._note(attempt.found)
            raise Noted(False)
        if several := self._of_several(line, attempt) if start == "line" else None:
            return several
        if attempt.balance():
            return self._read(attempt)
        raise self._rejected(attempt, error) from None

    def _of_several(self, line: Span, attempt: Attempt) -> Any:
        """Return the syntax of a line that belongs to another; raise Noted for prose, Finding for several lines."""
        is_number = line.text.strip().isdigit()  # of a page
        if not is_number and (joined := rewrites.joined(line, self.words, self.grammar)):
            self._note([joined[1]])
            self.prose.add(line.start)  # nothing is indented
            raise Noted(True, joined[0])
        if divided := rewrites.undivided(line, self.grammar):
            self._note([divided[1]])
            self.divided.add(divided[1].edits[0].at.end)
            return divided[0]
        if summed := rewrites.summed(line):
            raise summed
        if prose.is_prose(attempt.base.text, self.words):
            self._note([prose.mistake(line, self.words)])
            self.prose.add(line.start)
            raise Noted(False)
        if rewrites.is_loop(line):
            raise rewrites.loop(line)
        return None

    def _read(self, attempt: Attempt) -> Any:
        self._note(attempt.found)
        if all(mistake.is_safe for mistake in attempt.found):
            return attempt.node
        raise Noted(True)

    def _rejected(self, attempt: Attempt, error: UnexpectedInput | Finding) -> Finding:
        """Return the finding for a line that no rule mends, and note what else is wrong with it."""
        found = attempt.rejection()
        if found:
            explained = self._explained(*found)
            at = explained.span or attempt.line
            is_loop = re.match(r"(?:for|while)\b", attempt.line.text)
            if not is_loop and not any(one.at.start <= at.start < one.at.end for one in attempt.found):
                self._note(attempt.found)
                return explained
        return self._explained(Reading(attempt.line), error)

    def _note(self, found: Sequence[Mistake]) -> None:
        for mistake in found:
            self.found.setdefault(mistake.kind, []).append(mistake)

    def _explained(self, reading: Reading, error: UnexpectedInput | Finding) -> Finding:
        if isinstance(error, Finding):
            return error
        text = Source(self.source.name, reading.text)
        line = Span(text, 0, len(reading.text))
        return rejections.moved(rejections.explain(error, line), reading)

    def without_comment(self, line: Span) -> Span:
        """Return a line without a comment after `//`: words after a number, the first not a name of the file."""
        found = _SLASHES.search(line.text)
        if not found or _NAMES.match(line.text):
            return line
        if self.words.layer(found[1]):
            return line
        defines = rf"\b(?:let|param) +{found[1]}\b|\bblock\b[^\n]*[(, @]{found[1]}\b"
        if found[1] in ("C", "H", "W", "N") or re.search(defines, self.source.text):
            return line
        return Span(self.source, line.start, line.start + found.start())

    def without_titles(self, nodes: list[Any], strange: Sequence[s.Chain]) -> list[Any]:
        """Return the statements without titles that have the form of a layer, and with calls of Python mended."""
        first = next(node for node in nodes if isinstance(node, s.Chain))
        meant: dict[int, list[Any]] = {}
        for chain in strange:
            step = chain.steps[0]
            assert isinstance(step, s.LayerStep)
            is_plain = len(chain.steps) == 1 and not (chain.bracket or chain.label or step.bracket)
            if keyword := origins.TITLES.get(chain.label or ""):
                self._note([_title(chain, keyword)])
                meant[id(chain)] = []
                continue
            word = step.words[0].text
            is_plain = is_plain and not self.words.layer(word) and len(nodes) > 1
            is_plain = is_plain and not re.match(r"[A-Z]{2,}\w*\d|[A-Z]+\d*:? .*\d", chain.span.text)  # CONV3D
            rule = declared.BLOCK_NAME if step.words[0].text in self.words.blocks else lines.RULES[-1]
            if applied := rule.applied(Reading(_rest_of_line(chain.span)), self.words):
                node = self.grammar.tried(applied[0])
                meant[id(chain)] = [node] if node else [chain]
                self._note([applied[1]] if node else [])
            elif is_plain and (prose.is_title(chain.span.text) or (chain is first and not step.arguments)):
                self._note([prose.mistake(chain.span, self.words)])
                meant[id(chain)] = []
        return [one for node in nodes for one in meant.get(id(node), [node])]

    def renamed(self, chain: s.Chain, line: Layout) -> s.Chain:
        """Return the syntax of a line whose merges have the names of layers in lower case, or of other tools."""
        reading = Reading(line.span)
        if line.span.text in words.ENDS:
            help_ = f"drop `{line.span.text}`: blocks are indented"
            edit = Edit(line.span, "")
            self._note(
                [
                    Mistake(
                        "end", "E001", f"unexpected `{line.span.text}`", "not a step", line.span, (edit,), help_, True
                    )
                ]
            )
            raise Noted(False)
        for merge in reversed(chain.steps):
            if not isinstance(merge, s.MergeStep):
                continue
            layer = self.words.layer(merge.name)
            new = words.MERGES.get(merge.name) if line.children and merge is chain.steps[-1] else layer
            start, end = merge.span.start - line.span.start, merge.span.end - line.span.start
            changed = reading.changed(start, end, new) if new else None
            if changed is None or new is None:
                continue
            is_layer = new == layer
            is_alone = is_layer and len(chain.steps) == 1
            what = f"layers are written in capitals: `{merge.name}`" if is_layer else f"unknown merge `{merge.name}`"
            kind, code, label = ("case", "E001", "lower case") if is_layer else ("merge", "E102", "unknown")
            help_ = f"`{new}`"
            if is_alone:
                code, what, help_ = "E005", f"`{merge.name}` is not a step", f"did you mean `{new}`?"
            self._note([Mistake(kind, code, what, label, merge.span, (Edit(merge.span, new),), help_, True)])
            reading = changed
        node = self.grammar.tried(reading, "line")
        return node if isinstance(node, s.Chain) else chain

    def stand_in(self, line: Layout) -> s.Chain | None:
        """Return a chain for a line that was not read, with the bracket before it; None if it may define names."""
        text = line.span.text
        lost = (s.UnreadStep(line.span),) if not origins.BEGINS.match(text) else ()  # which is no step
        if line.is_branch or line.children or _NAMES.match(text):
            return s.Chain(None, None, lost, line.span) if text.startswith(("if ", "else if ")) else None
        bracket = None
        if found := _BRACKET.match(text):
            node = self.grammar.tried(
                Reading(Span(self.source, line.span.start, line.span.start + found.end())), "line"
            )
            bracket = node.steps[0] if isinstance(node, s.Chain) and isinstance(node.steps[0], s.Bracket) else None
        return s.Chain(bracket, None, lost, line.span)

    def findings(self) -> list[Diagnostic]:
        """Return a finding for each kind of mistake."""
        return [_finding(kind, found) for kind, found in self.found.items()]


def _title(chain: s.Chain, keyword: str) -> Mistake:
    new = f"{keyword} {chain.span.text.partition(':')[2].strip()}"
    what = f"{origins.NOUNS[keyword]} is written `{new}`"
    return Mistake("title", "E001", what, "a title", chain.span, (Edit(chain.span, new),), f"`{new}`", True)


def _rest_of_line(span: Span) -> Span:
    text = span.source.text[span.start :].partition("\n")[0].partition("#")[0].rstrip()
    return Span(span.source, span.start, span.start + len(text))


def _finding(kind: str, found: list[Mistake]) -> Diagnostic:
    """Return one finding for all mistakes of a kind."""
    found = sorted(found, key=lambda mistake: mistake.at.start)
    first, *others = found
    labels = [Label(first.at, first.label), *(Label(other.at, "here too") for other in others[: MOST_LABELS - 1])]
    rest = len(found) - len(labels)
    notes = (f"so {'is' if rest == 1 else 'are'} {plural(rest, 'other line')}",) if rest > 0 else ()
    edits = [edit for mistake in found for edit in mistake.edits]
    text = first.help if len(found) == 1 else prose.plural_help(kind, first.help)
    help_ = Help(text, *edits, is_safe=all(mistake.is_safe for mistake in found))
    return Diagnostic(first.code, first.message, tuple(labels), notes, (help_,))
