"""A word or sign of the language, as `archspec explain` prints it."""

from __future__ import annotations

from textwrap import fill, indent

from archspec.record import Record


class LanguageWord(Record):
    """A word or sign: its meaning, an example, and other ways to ask for it."""

    title: str
    text: str
    example: str
    names: tuple[str, ...]  # the first is its own

    def __str__(self) -> str:
        """Return the text that `archspec explain` prints."""
        example = indent(self.example.rstrip("\n"), "    ")
        return (
            f"{self.names[0]}: {self.title}\n\n{fill(self.text, 98, break_on_hyphens=False)}\n\nExample:\n\n{example}\n"
        )

    def to_dict(self) -> dict[str, object]:
        """Return the entry as `--json` prints it."""
        return {"name": self.names[0], "title": self.title, "text": self.text, "example": self.example}
