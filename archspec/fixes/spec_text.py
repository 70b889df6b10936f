"""The text of a file with its own line ends and byte order mark, which edits of the text leave alone.

In: the bytes of a file, and edits of what `archspec.library` reads of them. Out: the new bytes.
"""

from __future__ import annotations

from bisect import bisect_left
from codecs import BOM_UTF8
from collections.abc import Iterable

from archspec.diagnostics.findings import Edit
from archspec.record import Record


class SpecText(Record):
    """A decoded file: `raw` has its line ends."""

    raw: str
    has_mark: bool

    @property
    def normal(self) -> str:
        """The text as specs are read: with `\\n` as line ends."""
        return self.raw.replace("\r\n", "\n").replace("\r", "\n")

    @property
    def line_end(self) -> str:
        """The line end of the first line."""
        ends = [end for end in ("\r\n", "\n", "\r") if end in self.raw]
        return min(ends, key=self.raw.find, default="\n")

    def encoded(self) -> bytes:
        """Return the bytes of the file."""
        return BOM_UTF8 * self.has_mark + self.raw.encode("utf-8")

    def edited(self, edits: Iterable[Edit]) -> SpecText:
        """Return the text after edits of `normal`, which must not overlap."""
        shorter: list[int] = []  # where `normal` has one character and `raw` has two
        at = self.raw.find("\r\n")
        while at >= 0:
            shorter.append(at - len(shorter))
            at = self.raw.find("\r\n", at + 2)
        raw, line_end = self.raw, self.line_end
        for edit in sorted(set(edits), key=lambda edit: (edit.at.start, edit.at.end), reverse=True):
            start, end = (offset + bisect_left(shorter, offset) for offset in (edit.at.start, edit.at.end))
            raw = raw[:start] + edit.replacement.replace("\n", line_end) + raw[end:]
        return SpecText(raw, self.has_mark)


def decoded(data: bytes) -> SpecText:
    """Return the text of a file's bytes. Raises UnicodeDecodeError."""
    return SpecText(data.decode("utf-8-sig"), data.startswith(BOM_UTF8))
