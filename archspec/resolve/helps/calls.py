"""A value that a block was given, changed where it is written: in the call, or in a `param`.

In: a name in a block, the instance, and the value that it should have. Out: the text of the call, and its edit. A
number in the block itself would change all instances.
"""

from __future__ import annotations

from archspec.diagnostics.findings import Edit
from archspec.diagnostics.source import Span
from archspec.graph.ir import Frame
from archspec.language import syntax as s
from archspec.resolve.helps.steps import steps_of


def changed(name: str, value: str, frame: Frame | None, file: s.File) -> tuple[str, Edit] | None:
    """Return the text of the call or `param` that gives `name` the value, and the edit; None if there is none."""
    if frame is None:
        return _param(name, value, file)
    call = next((step for step in steps_of(file) if isinstance(step, s.CallStep) and step.span == frame.span), None)
    blocks = {one.name: one for one in file.declarations if isinstance(one, s.BlockDefinition)}
    if call is None or call.name not in blocks:
        return None
    names = [parameter.name for parameter in blocks[call.name].parameters]
    if name not in names:
        return None
    given = _given(call, names).get(name)
    if given is None:
        end = call.span.end - 1
        text = f"{', ' if call.arguments else ''}{name}={value}"
        return _edited(call.span, Edit(Span(call.span.source, end, end), text))
    if isinstance(given.value, s.Number):
        return _edited(call.span, Edit(given.value.span, value))
    if isinstance(given.value, s.Name):
        return changed(given.value.name, value, frame.parent, file)
    return None


def all_calls(frame: Frame | None, file: s.File) -> str:
    """Return the words for a change of a block's body that changes other calls, too; none if there are no others."""
    name = frame.call.split("(")[0] if frame else ""
    calls = [step for step in steps_of(file) if isinstance(step, s.CallStep) and step.name == name]
    return f", in every call of `{name}`" if len(calls) > 1 else ""


def _given(call: s.CallStep, names: list[str]) -> dict[str, s.GivenArgument]:
    """Return the arguments of a call by parameter."""
    given = {argument.name: argument for argument in call.arguments if argument.name}
    rest = [name for name in names if name not in given]
    placed = [argument for argument in call.arguments if not argument.name]
    return {**given, **dict(zip(rest, placed, strict=False))}


def _param(name: str, value: str, file: s.File) -> tuple[str, Edit] | None:
    for one in file.declarations:
        if isinstance(one, s.Param) and one.name == name and isinstance(one.value, s.Number):
            return f"param {name} = {value}", Edit(one.value.span, value)
    return None


def _edited(span: Span, edit: Edit) -> tuple[str, Edit]:
    """Return the text of a span with an edit in it, and the edit."""
    text = span.source.text
    return text[span.start : edit.at.start] + edit.replacement + text[edit.at.end : span.end], edit
