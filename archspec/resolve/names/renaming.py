"""A name changed wherever it is written.

In: syntax, the name and a better one. Out: edits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from archspec.diagnostics.findings import Edit
from archspec.diagnostics.source import Source, Span
from archspec.language import syntax as s
from archspec.layers import REGISTRY
from archspec.resolve.names.parts import expressions_in, names_in, of_argument, references_of, steps_in

_SHORT = {
    "s": ("stride", "a stride"),
    "p": ("pad", "a padding"),
    "g": ("groups", "groups"),
    "d": ("dilation", "a dilation"),
}
_DIMENSIONS = {
    "C": ("channels", "the channels of a block's input"),
    "H": ("height", "the height of a block's input"),
    "W": ("width", "the width of a block's input"),
    "N": ("count", "the length of a block's input"),
}


def meaning(name: str) -> tuple[str, str]:
    """Return what a reserved name means, and a name to use instead."""
    if name == "x":
        return "the input of a block or a merge", "value"
    if name == "before":
        return "the input of the previous step", "previous"
    if name in _DIMENSIONS:
        new, what = _DIMENSIONS[name]
        return what, new
    flagged = [layer.keyword for layer in REGISTRY.values() if name in layer.words and name not in layer.free_words]
    if flagged:
        return f"a flag of {flagged[0]}", f"{name}_"
    if name[1:].isdigit():
        new, what = _SHORT[name[0]]
        return f"{what} of {name[1:]}" if name[0] != "g" else f"{name[1:]} groups", f"{new}_{name[1:]}"
    return "a keyword", f"{name}_"


def free_name(name: str, source: Source) -> str:
    """Return a name that a source does not use yet: this one, or with `_` after it."""
    while re.search(rf"\b{name}\b", source.text):
        name += "_"
    return name


class Renaming:
    """A name and the one that takes its place."""

    def __init__(self, old: str, new: str, source: Source) -> None:
        self.old, self.new, self.source = old, new, source

    def in_body(self, body: s.Body) -> list[Edit]:
        """Return the edits of the names in a body."""
        found = [name.span for name in names_in(expressions_in(body)) if name.name == self.old]
        for step in steps_in(body):
            if isinstance(step, s.CallStep) and step.name == self.old:
                found.append(self._begin(step.span))
            elif isinstance(step, s.LayerStep):
                found += [one.span for one in step.arguments if one.name is None and one.span.text == self.old]
            for one in references_of(step):
                if one.name.split(".")[0] == self.old:
                    found.append(self._begin(one.span))
        return self._edits(found)

    def of_arguments(self, block: str, file: s.File) -> list[Edit]:
        """Return the edits of the arguments with the name in the calls of a block."""
        found = []
        for body in bodies_of(file):
            for step in steps_in(body):
                if isinstance(step, s.CallStep) and step.name == block:
                    found += [self._begin(one.span) for one in step.arguments if one.name == self.old]
        return self._edits(found)

    def in_file(self, file: s.File) -> list[Edit]:
        """Return the edits of the names in all bodies, parameters and variants of a file."""
        edits = [edit for body in bodies_of(file) for edit in self.in_body(body)]
        found: list[Span] = []
        for node in file.declarations:
            if isinstance(node, s.Param | s.Init):
                found += self._names([node.value])
            elif isinstance(node, s.Variant):
                found += [self._begin(one.span) for one in node.bindings if one.name == self.old]
                found += self._names(one.value for one in node.bindings)
            elif isinstance(node, s.BlockDefinition):
                found += self._names(one.default for one in node.parameters if _is_value(one.default))  # type: ignore[misc]
            elif isinstance(node, s.After):
                steps = [step for step in node.steps if isinstance(step, s.LayerStep)]
                found += self._names(e for step in steps for one in step.arguments for e in of_argument(one))
        return [*edits, *self._edits(found)]

    def of_block(self, first: Span) -> list[Edit]:
        """Return the edits of a block's name in a source: at its import, and where it is called or passed on."""
        found = [first]
        for match in re.finditer(rf"^[^#\n]*?\b{self.old}\b(?= *[(,)])", self.source.text, re.MULTILINE):
            found.append(Span(self.source, match.end() - len(self.old), match.end()))
        return self._edits(found)

    def of_entries(self) -> list[Edit]:
        """Return the edits of an `x` that counts or calls, which no line can say: `x x unit()`, `x(8)`."""
        if self.old != "x":
            return []
        found = re.finditer(r"^[^#\n]*?(?<!\w)x(?= x |\()", self.source.text, re.MULTILINE)
        return self._edits(Span(self.source, match.end() - 1, match.end()) for match in found)

    def _names(self, expressions: Iterable[s.Expression]) -> list[Span]:
        return [name.span for name in names_in(expressions) if name.name == self.old]

    def _begin(self, span: Span) -> Span:
        start = span.start + (span.source.text[span.start] == "@")
        return Span(span.source, start, start + len(self.old))

    def _edits(self, spans: Iterable[Span]) -> list[Edit]:
        return [Edit(span, self.new) for span in dict.fromkeys(spans)]


def bodies_of(file: s.File) -> list[s.Body]:
    """Return the lines of a file's network, and those of each block that it defines."""
    return [file.body, *(node.body for node in file.declarations if isinstance(node, s.BlockDefinition))]


def _is_value(default: s.Expression | s.Reference | None) -> bool:
    return default is not None and not isinstance(default, s.Reference)
