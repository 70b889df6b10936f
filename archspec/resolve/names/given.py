"""What the arguments and the input of a call bring about inside its block, told at the call.

In: an argument and its call; a finding in a used file. Out: the finding at the call, with what was probably meant.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, Edit, Help, Label
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.record import replace
from archspec.resolve.names.calls import CallPlace


def needs_block(name: str, argument: s.GivenArgument, step: s.CallStep, place: CallPlace) -> Finding:
    """Return the finding for an argument whose parameter is called in the block; `place` is that of the call."""
    value = argument.value.span
    notes = (f"`{step.name}` calls its parameter `{name}`",)

    def helps() -> list[Help]:
        if other := _block_among(argument, step, place):
            swapped = (Edit(value, other.value.span.text), Edit(other.value.span, value.text))
            return [Help(f"swap `{value.text}` and `{other.value.span.text}`", *swapped), *_reversed(step)]
        blocks = [block for block in place.blocks if block != step.name]
        return [Help(f"`{blocks[0]}`", Edit(value, blocks[0]))] if len(blocks) == 1 else []

    message = f"`{name}` of `{step.name}` takes a block, got the number `{value.text}`"
    return Finding("E105", message, value, "not a block", notes=notes, helps=helps)


def _block_among(argument: s.GivenArgument, step: s.CallStep, place: CallPlace) -> s.GivenArgument | None:
    """Return the argument of the call that is a block, if the two may have been swapped."""
    others = [one for one in step.arguments if one is not argument and isinstance(one.value, s.Name)]
    found = [one for one in others if isinstance(one.value, s.Name) and one.value.name in place.blocks]
    return found[0] if len(found) == 1 else None


def _reversed(step: s.CallStep) -> list[Help]:
    """Propose a call with its arguments in the opposite order."""
    given = [one.value.span.text for one in step.arguments if one.name is None]
    text = f"{step.name}({', '.join(reversed(given))})"
    return [Help(f"`{text}`", Edit(step.span, text))] if 2 < len(given) == len(step.arguments) else []


def at_call(found: Diagnostic, call: Span) -> Diagnostic:
    """Return a finding in a block of a used file at the call that brings it about; edits of that file are dropped."""
    first = found.labels[0]
    labels = (Label(call, "this call"), replace(first, text=first.text or "here"), *found.labels[1:])
    helps = [one for one in found.helps if not isinstance(one, Help) or one.edits[0].at.source is call.source]
    return replace(found, labels=labels, helps=tuple(helps))
