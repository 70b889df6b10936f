"""A layer step written with other arguments, in the source's own terms.

In: a step, and new values for fields of its layer. Out: the text of the step with the new values where the old ones
are written; all else, `f` and `at stride 4` included, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.expressions import Unknown
from archspec.layers import Layer
from archspec.layers.arguments import Argument, Respelling, written
from archspec.resolve.argument_binding import ArgumentBinder
from archspec.resolve.helps.calls import changed
from archspec.resolve.layer_names import NamedLayer
from archspec.resolve.scope import Scope

_BEFORE_A_VALUE = re.compile(r"[\s,]*(?:\b(?:and|at|of|with)\s+)?$")  # what goes with an argument that is dropped
_FIELD = re.compile(r"\{(\w*)\}")


class Speller:
    """One step, with the place of each of its fields."""

    def __init__(self, step: s.LayerStep, named: NamedLayer, scope: Scope, file: s.File | None = None) -> None:
        self.step = step
        self.scope = scope
        self.file = file
        self.named = named
        self.arguments = named.layer.arguments
        binder = ArgumentBinder(named.layer, step, scope.lookup, named.fields)
        self.layer: Layer | None = None
        with suppress(Finding, Unknown):  # the fields before a wrong argument have their places
            self.layer = binder.bind()
        self.places = binder.places
        self.head = self._head()
        self.span = _closed(self.head.to(step.arguments[-1].span)) if step.arguments else self.head

    def _head(self) -> Span:
        """Return the place of the layer's name, with its colon."""
        words = self.step.words
        span = words[0].span.to(words[-1].span)
        colon = span.source.text.index(":", span.end) + 1 if self.step.has_colon else span.end
        text = span.source.text[span.start : colon]
        return Span(span.source, colon - len(text.lstrip()), colon)  # a missing arrow leaves a blank before the name

    def helps(self, helps: Iterable[str]) -> tuple[str, ...]:
        """Return helps with each proposal of the layer as an edit of the step; one that cannot be made is left out."""
        found = [self.help(text) if isinstance(text, Respelling) else text for text in helps]
        return tuple(text for text in found if text is not None)

    def help(self, respelling: Respelling) -> Help | None:
        """Return a help that gives the step other arguments; None if it is only right for this instance of a block."""
        if any(not self.is_literal(field) for field in respelling.fields):
            return self._at_the_call(respelling)
        if not respelling.steps:
            return Help(respelling, dropped(self.step.span))
        text = _FIELD.sub(lambda found: self.source(found[1], respelling.fields), respelling.steps)
        return Help(respelling.replace("{}", text), Edit(self.span, text))

    def _at_the_call(self, respelling: Respelling) -> Help | None:
        """Return a help that gives a block, or a `param`, another value, if that is all that the proposal changes."""
        (field, value), *more = respelling.fields.items()
        name = self._given(field).value
        if more or respelling.steps != "{}" or not isinstance(name, s.Name) or self.file is None:
            return None
        if isinstance(value, tuple):  # a size, the same along both axes
            value = next(iter({*value}), None) if len({*value}) == 1 else None
        is_number = isinstance(value, int | float)
        found = changed(name.name, str(value), self.scope.frame, self.file) if is_number else None
        return None if found is None else Help(respelling.replace("{}", found[0]), found[1])

    def source(self, field: str, fields: dict[str, Any]) -> str:
        """Return the value of a field as it is written; without a field, the step with new values."""
        if not field:
            return self.spelt(fields)
        if field in self.places:
            return self._given(field).value.span.text
        return written(self.named.fields.get(field))

    def spelt(self, fields: dict[str, Any]) -> str:
        """Return the text of the step with new values; a field that is None is dropped."""
        changes: list[tuple[int, int, str]] = []
        head = self.head.text
        if self._is_bare or any(self._is_in_head(field) for field in fields):
            head, fields = self._reworded(fields)
        changes.append((self.head.start, self.head.end, head))
        after = ""
        for field, value in fields.items():
            if field in self.places:
                changes.append(self._changed(field, value))
            elif value is not None and self.arguments[field].is_positional:
                changes.append(self._inserted(field, value))
            elif value is not None:
                after += f" {spelling(field, self.arguments[field], value)}"
        text = self.span.source.text
        parts, at = [], self.span.start
        for start, end, new in sorted(changes):
            parts += [text[at:start], new]
            at = end
        return "".join([*parts, text[at : self.span.end], after])

    def with_name(self, field: str, name: str) -> Help:
        """Return the help that gives a field, which is written, the value of a name."""
        place = self.places[field]
        at = place if self.arguments[field].is_positional else self._given(field).value.span
        new = name if at.text != place.text or self.arguments[field].is_positional else f"{field}={name}"
        source = self.span.source.text
        text = source[self.span.start : at.start] + new + source[at.end : self.span.end]
        return Help(f"`{text}`", Edit(self.span, text))

    def without(self, place: Span) -> Help:
        """Return the help that drops one argument."""
        source = self.span.source.text
        text = source[self.span.start : place.start].rstrip(" ,") + source[place.end : self.span.end]
        return Help(f"`{text}`", Edit(self.span, text))

    # ---- one field
    def _given(self, field: str) -> s.GivenArgument:
        """Return the argument with the value of a field."""
        end = self.places[field].end
        return next(argument for argument in self.step.arguments if argument.value.span.end == end)

    def is_literal(self, field: str) -> bool:
        """Whether the field's value, if it is written, is the same wherever the step runs."""
        if field not in self.places:
            return True
        value = self._given(field).value
        if isinstance(value, s.Extent):
            return all(isinstance(size, s.Number) for size in value.sizes)
        return isinstance(value, s.Number | s.Short) or (
            isinstance(value, s.Name) and value.name in self.named.layer.words
        )

    def _changed(self, field: str, value: Any) -> tuple[int, int, str]:
        """Return the change that gives a field, which is written, a new value."""
        place = self.places[field]
        description = self.arguments[field]
        given = self._given(field).value
        if value is None:
            before = self.span.source.text[self.head.end : place.start]
            found = _BEFORE_A_VALUE.search(before)
            assert found is not None
            return self.head.end + found.start(), place.end, ""
        text = written(value, squeeze=not description.is_positional) if not isinstance(value, bool | str) else ""
        is_named = given.span.start > place.start
        if is_named and text and ":" not in text:
            return given.span.start, place.end, text
        return place.start, place.end, spelling(field, description, value)

    def _inserted(self, field: str, value: Any) -> tuple[int, int, str]:
        """Return the change that adds a count or a size, which are given by position: a count comes first."""
        before = [self.head]
        if self.arguments[field].kind.takes_extent:
            before += [place for name, place in self.places.items() if self.arguments[name].is_positional]
        at = max(place.end for place in before)
        return at, at, f" {spelling(field, self.arguments[field], value)}"

    # ---- shorthands
    @property
    def _is_bare(self) -> bool:
        """Whether the step is a shorthand that takes no arguments: `POOL2 p1` would be a pool named pool2."""
        return bool(self.named.fields) and not self.step.arguments and "-" not in self.head.text

    def _is_in_head(self, field: str) -> bool:
        """Whether a shorthand, `CONV3-64`, sets the field, and only another name can change it."""
        return field in self.named.fields and field not in self.places and self.arguments[field].is_positional

    def _reworded(self, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return another name, `CONV3-32`, and the fields that it does not set; or the shorthand written out."""
        head = self.head.text
        if not self._is_bare and [field for field in fields if self._is_in_head(field)] == [self.named.layer.outputs]:
            rest = {field: value for field, value in fields.items() if field != self.named.layer.outputs}
            return re.sub(r"-\d+", f"-{fields[self.named.layer.outputs]}", head, count=1), rest
        values = {**self.named.fields, **fields}
        words = [re.sub(r"\d+(-\d+)?:?$", "", head)]
        for field, description in self.named.layer.written_order:
            if field in values and field not in self.places and values[field] != description.default:
                words.append(spelling(field, description, values[field]))
        return " ".join(words), {field: value for field, value in fields.items() if field in self.places}


def _closed(span: Span) -> Span:
    """Return a span with the parentheses after it that it opens."""
    text = span.source.text
    while span.text.count("(") > span.text.count(")") and (end := text.find(")", span.end) + 1):
        span = Span(span.source, span.start, end)
    return span


def dropped(span: Span) -> Edit:
    """Return the edit that drops a step with its arrow, or the whole line, if there is nothing else on it."""
    text = span.source.text
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end) + 1 or len(text)
    before, after = text[start : span.start], text[span.end : end]
    if found := re.search(r"\s*(?:->|→)\s*$", before):
        return Edit(Span(span.source, start + found.start(), span.end), "")
    if found := re.match(r"\s*(?:->|→)\s*", after):
        return Edit(Span(span.source, span.start, span.end + found.end()), "")
    if before.strip() == "|":
        return Edit(span, "x")
    return Edit(Span(span.source, start, end) if not before.strip() else span, "")


def spelling(field: str, description: Argument, value: Any) -> str:
    """Return an argument in its shortest form: `64`, `3x3`, `s2`, `same`, `groups=4`."""
    word = next((word for word, meaning in description.words if meaning == value), None)
    if word is not None:
        return word
    prefix = "" if description.is_positional else description.short or f"{field}="
    return prefix + written(value, squeeze=bool(prefix))
