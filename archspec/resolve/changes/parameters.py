"""Values of parameters that a variant or the command line changes.

In: the parameters and their values. Out: the values after the change, and the findings. All variants of a file are
checked, whichever is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from archspec.diagnostics.errors import Finding, collect
from archspec.diagnostics.findings import Diagnostic, Edit, Help, Label, did_you_mean, misspelt
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.expressions import Unknown
from archspec.language.transform_expressions import LARGEST


class ParameterChanges:
    """Sets parameters; a value is a number or one of `blocks`. `findings` grows."""

    def __init__(
        self, variants: Mapping[str, s.Variant], blocks: Mapping[str, Any], findings: list[Diagnostic]
    ) -> None:
        self.variants = variants
        self.blocks = blocks
        self.findings = findings

    def apply(self, variant: s.Variant, values: dict[str, Any], value_of: Callable[[s.Expression], Any]) -> None:
        """Set the parameters that a variant binds."""
        seen: dict[str, Span] = {}
        for binding in variant.bindings:
            name = binding.name
            span = Span(binding.span.source, binding.span.start, binding.span.start + len(name))
            try:
                if name in seen:
                    raise _twice(variant, binding, seen[name])
                seen[name] = binding.span
                self._check(values, name, span, _without(variant, binding))
                value = value_of(binding.value)
                self._check_kind(values, name, value, binding.value.span, "")
                values[name] = value
            except Unknown:
                pass
            except Finding as finding:
                collect(self.findings, finding, binding.span)

    def set(self, values: dict[str, Any], settings: Iterable[tuple[str, object]], span: Span) -> None:
        """Set single parameters to values of the command line."""
        for name, given in settings:
            try:
                value = self._setting(name, given)
                self._check(values, name, span, None)
                self._check_kind(values, name, value, span, f"{name}=")
                values[name] = value
            except Finding as finding:
                self.findings.append(Diagnostic(finding.code, finding.message, (), finding.notes, finding.helps))

    def unknown_variant(self, name: str) -> Finding:
        """Return the finding for a variant that the file does not have."""
        known = ", ".join(self.variants)
        notes = (f"the variants are {known}" if known else "the spec has no variants",)
        return Finding("E116", f"unknown variant `{name}`", notes=notes, helps=did_you_mean(name, self.variants))

    @staticmethod
    def _check(values: Mapping[str, Any], name: str, span: Span, edit: Edit | None) -> None:
        if name in values:
            return
        notes = ("the parameters are " + ", ".join(values) if values else "the spec has no parameters",)

        def helps() -> tuple[str, ...]:
            if edit is None:
                return did_you_mean(name, values)
            return misspelt(name, values, span) or (Help("drop it", edit),)

        raise Finding("E103", f"unknown parameter `{name}`", span, "unknown", notes=notes, helps=helps)

    def _check_kind(self, values: Mapping[str, Any], name: str, value: object, span: Span, prefix: str) -> None:
        is_block = not _is_number(value)
        if _is_number(values[name]) != is_block:
            return
        kind, known = ("number", ()) if is_block else ("block", tuple(self.blocks)[:3])
        helps = [Help(f"`{block}`", Edit(span, block)) if not prefix else f"`--set {prefix}{block}`" for block in known]
        raise Finding("E105", f"`{name}` takes a {kind}", span, helps=helps)

    def _setting(self, name: str, value: object) -> Any:
        """Return the value that `--set name=value` gives a parameter: a number, or a block by its name."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not abs(value) <= LARGEST:  # nor is NaN
                raise Finding("E008", f"`{name}`: expected a number of at most 2^63", helps=(f"`--set {name}=64`",))
            return value
        text = str(value)
        if text not in self.blocks:
            helps = did_you_mean(text, self.blocks) or ("give a number or the name of a block",)
            raise Finding("E105", f"`{name}={text}`: `{text}` is neither a number nor a block", helps=helps)
        return self.blocks[text]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _twice(variant: s.Variant, binding: s.Binding, first: Span) -> Finding:
    helps = (Help("drop the second", _without(variant, binding)),)
    message = f"`{binding.name}` is given twice"
    return Finding("E106", message, binding.span, "the second", others=(Label(first, "the first"),), helps=helps)


def _without(variant: s.Variant, binding: s.Binding) -> Edit:
    """Return the edit that drops a binding, and the colon if it is the only one."""
    text, start, end = variant.span.source.text, binding.span.start, binding.span.end
    signs = " ,:" if len(variant.bindings) == 1 else " ,"
    while text[start - 1] in signs:
        start -= 1
    if text[start - 1] == ":":  # the first of several
        start = binding.span.start
        while text[end] in " ,":
            end += 1
    return Edit(Span(variant.span.source, start, end), "")


def without_binding(variant: s.Variant, name: str) -> list[Edit]:
    """Return the edits that drop a parameter from a variant."""
    return [_without(variant, binding) for binding in variant.bindings if binding.name == name]
