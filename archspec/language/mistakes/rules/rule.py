"""What a rule about a mistake is: a pattern that no correct line has, and what to write instead.

In: a reading of a line that the grammar rejects. Out: the reading with every match replaced, and the mistake with its
edits, which the mender keeps if the grammar then accepts the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from archspec.diagnostics.findings import Edit
from archspec.diagnostics.source import Span
from archspec.language.mistakes.reading import Reading
from archspec.record import Record

LONGEST = 70  # characters of a line that is quoted
Match: TypeAlias = re.Match[str]


class Words(Record):
    """The words that a file may use: layers by their names in lower case, and the blocks that it defines or uses."""

    layers: Mapping[str, str]
    blocks: frozenset[str]

    def layer(self, word: str) -> str | None:
        """Return the layer that a word names, as the notation writes it, with the number that the word ends with."""
        key = word.lower().replace("_", "")
        name = key.rstrip("0123456789")
        found = self.layers.get(key) or self.layers.get(name)
        if found is None or word in self.blocks or key == "flatten":  # which an FC does by itself
            return None
        if key in self.layers:
            return word.upper() if found == word.upper() else found
        return word.upper() if found == name.upper() else found


class Mistake(Record):
    """One kind of mistake in one line; all its edits belong together."""

    kind: str
    code: str
    message: str
    label: str
    at: Span
    edits: tuple[Edit, ...]
    help: str
    is_safe: bool


Replacement: TypeAlias = str | Callable[[Match, Words], str | None]


class Rule(Record):
    """A pattern and its replacement.

    In the texts, `{old}` is the first match, `{word}` its first word, `{new}` what replaces it, `{line}` the new line.
    """

    kind: str
    pattern: re.Pattern[str]
    replacement: Replacement
    message: str
    help: str
    label: str = "not expected"
    code: str = "E001"
    is_safe: bool = True

    def applied(self, reading: Reading, words: Words) -> tuple[Reading, Mistake] | None:
        """Return the reading without this mistake, and the mistake; None if the line does not have it."""
        edits: list[Edit] = []
        first: tuple[Span, str, str] | None = None
        for match in reversed(list(self.pattern.finditer(reading.text))):
            new = self.replacement
            text = match.expand(new) if isinstance(new, str) else new(match, words)
            if text is None or text == match[0]:
                continue
            changed = reading.changed(match.start(), match.end(), text)
            if changed is None:
                continue
            edits.append(reading.edit(match.start(), match.end(), text))
            first = (_marked(reading, match), match[0].strip(), text.strip())
            reading = changed
        if first is None:
            return None
        at, old, replaced = first
        line = reading.text if len(reading.text) <= LONGEST else replaced
        texts = {"old": _short(old), "word": old.split(" ")[0], "new": _short(replaced), "line": line}
        message, help_ = (text.format(**texts) for text in (self.message, self.help))
        help_ = help_ if replaced or "{new}" not in self.help else f"drop `{_short(old)}`"
        mistake = Mistake(self.kind, self.code, message, self.label, at, tuple(edits[::-1]), help_, self.is_safe)
        return reading, mistake


def _marked(reading: Reading, match: Match) -> Span:
    """Return the place of a match, without the spaces around it."""
    text = match[0]
    start = match.start() + len(text) - len(text.lstrip())
    end = match.end() - len(text) + len(text.rstrip())
    return reading.span(start, max(start, end)) if start < end else reading.span(match.start(), match.end())


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
