"""One line that the grammar rejects, mended rule by rule until the grammar accepts it.

In: a line, the words of its file, and a parser. Out: what it is read as, and the mistakes in it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.source import Source, Span
from archspec.language import syntax as s
from archspec.language.mistakes import lookalikes, pasted, prose
from archspec.language.mistakes.foreign import lines
from archspec.language.mistakes.reading import Reading, ReadingBuilder
from archspec.language.mistakes.rules import (
    brackets,
    declared,
    origins,
    pages,
    punctuation,
    references,
    shorthand,
    words,
)
from archspec.language.mistakes.rules.rule import Mistake, Rule, Words
from archspec.language.tables import LineParser, grammar_folder

RULES = (
    *origins.RULES,
    *lines.RULES,
    *shorthand.RULES,
    *pages.RULES,
    *references.RULES,
    *declared.RULES,
    *punctuation.FIRST,
    *brackets.RULES,
    *punctuation.RULES,
    *words.RULES,
)
SETTING_RULES = (
    Rule(
        "setting",
        re.compile(r"^([a-z_]\w*) *[:=] *(?=\S)"),
        r"\1 ",
        "a setting is written without `=`: `{old}`",
        "`{new}`",
    ),
    *punctuation.RULES,
)
# kinds that are mistakes wherever they are, whatever else is wrong with the line
CERTAIN = frozenset(("arrow", "quotes", "letters", "end", "case", "wide colon"))
_COMMENT = re.compile(r"\s*(?:(?<=\s)(?://|;|%|--(?!>)).*|/\*.*?(?:\*/|$)|<!--.*?(?:-->|$))")


@cache
def _line_parser() -> tuple[LineParser, ReadingBuilder]:
    builder = ReadingBuilder()
    return LineParser(grammar_folder(), builder), builder


class Grammar:
    """Reads lines that are not as they stand in the source; `trials` counts them."""

    def __init__(self, source: Source) -> None:
        self.parser, self.builder = _line_parser()
        self.builder.source, self.builder.offset = source, 0
        self.trials = 0

    def parsed(self, reading: Reading, start: str) -> Any:
        """Return the syntax of a reading. Raises lark's exceptions and Finding."""
        self.trials += 1
        self.builder.reading = reading
        return self.parser.parse(reading.text, start)

    def tried(self, reading: Reading, start: str = "line") -> Any:
        """Return the syntax of a reading, or None if the grammar rejects it."""
        try:
            return self.parsed(reading, start) if reading.text.strip() else None
        except (UnexpectedToken, UnexpectedCharacters, Finding):
            return None


class Attempt:
    """What becomes of one line: `node` is its syntax, if the grammar accepts it with the mistakes `found` mended."""

    def __init__(self, line: Span, start: str, words_: Words, grammar: Grammar) -> None:
        self.line, self.start, self.words, self.grammar = line, start, words_, grammar
        self.found: list[Mistake] = []
        self.reading, letters = lookalikes.meant(Reading(line))
        self.node = grammar.tried(self.reading, start) or self._without_comment()
        if letters and not self.node:
            self.reading, mistake = lookalikes.latin(self.reading, letters)
            self.found.append(mistake)
            self.node = grammar.tried(self.reading, start)
        self.base = self.reading
        if not self.node:
            self._mend()

    def _mend(self) -> None:
        kept: list[Rule] = []
        for rule in SETTING_RULES if self.start == "setting" else RULES:
            applied = rule.applied(self.reading, self.words)
            if applied is None:
                continue
            self.reading = applied[0]
            self.found.append(applied[1])
            kept.append(rule)
            if self.is_nothing:
                return
            self.node = self.grammar.tried(self.reading, self.start)
            if self.node:
                self._without_needless(kept)
                return

    @property
    def is_title(self) -> bool:
        """Whether a line is a word in bold that is not a layer."""
        if not {one.kind for one in self.found} <= {"markup", "colon", "end"} or not isinstance(self.node, s.Chain):
            return False
        step = self.node.steps[0]
        if not self.found or not isinstance(step, s.LayerStep) or step.bracket or len(self.node.steps) > 1:
            return False
        is_plain = not step.arguments or prose.is_title(self.reading.text)
        return is_plain and self.words.layer(step.words[0].text) is None

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is left of the line."""
        return not self.reading.text.strip()

    def _without_needless(self, kept: list[Rule]) -> None:
        """Leave out the mistakes without whose mending the line can be read as well."""
        letters = self.found[: len(self.found) - len(kept)]
        for rule in list(kept):
            others = [one for one in kept if one is not rule]
            reading, again = self.base, list(letters)
            for other in others:
                if applied := other.applied(reading, self.words):
                    reading = applied[0]
                    again.append(applied[1])
            node = self.grammar.tried(reading, self.start) if others else None
            if node:
                kept, self.found, self.reading, self.node = others, again, reading, node

    def _without_comment(self) -> Any:
        """Read a line without the comment at its end, if it cannot be read with it."""
        for match in list(_COMMENT.finditer(self.reading.text))[::-1][:4]:
            if pasted.hides_a_step(match[0].strip()):
                continue
            if node := self.grammar.tried(self.reading.silently(match.start(), match.end(), ""), self.start):
                return node
        return None

    def balance(self) -> bool:
        """Close or drop a bracket, whatever else is wrong; return whether that helps."""
        for reading, found in ((self.base, []), (self.reading, [one for one in self.found if one.is_safe])):
            for changed, mistake in brackets.balanced(reading):
                if node := self.grammar.tried(changed, self.start):
                    self.node, self.reading, self.found = node, changed, [*found, mistake]
                    return True
        return False

    def rejection(self) -> tuple[Reading, UnexpectedInput | Finding] | None:
        """Return why the line is still rejected after all that is certain; None if nothing is."""
        if not self.found or not all(mistake.kind in CERTAIN for mistake in self.found):
            return None
        try:
            self.grammar.parsed(self.reading, self.start)
        except (UnexpectedToken, UnexpectedCharacters, Finding) as error:
            return self.reading, error
        return None
