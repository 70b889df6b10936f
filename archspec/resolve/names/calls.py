"""Calls of blocks with wrong arguments: the findings, with the call as it was probably meant.

In: the definition of a block, a call, and the labels and the volume at that place. Out: findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help, Label, misspelt, plural
from archspec.diagnostics.source import Span
from archspec.diagnostics.spelling import related
from archspec.language import syntax as s
from archspec.layers import MERGES, REGISTRY
from archspec.record import Record
from archspec.resolve.layer_names import lower_case_names
from archspec.resolve.names.completed import completed
from archspec.resolve.names.parts import argument_names, called_names, positional_names

Given = Mapping[str, s.GivenArgument]


class CallPlace(Record):
    """Where a call stands: the labels before it, the channels that enter (0 if unknown), and the blocks by name."""

    labels: tuple[str, ...] = ()
    channels: int = 0
    blocks: tuple[str, ...] = ()


class FaultyCall:
    """A call of a block whose arguments are wrong."""

    def __init__(self, definition: s.BlockDefinition, step: s.CallStep, place: CallPlace) -> None:
        self.definition = definition
        self.step = step
        self.place = place
        text = definition.span.text if definition.parameters else f"{definition.name}()"
        self.notes = (f"its definition is `{text}`",)

    def surplus(self, arguments: list[s.GivenArgument]) -> Finding:
        """Return the finding for arguments beyond the parameters."""
        name = self.step.name
        takes = plural(len(self.definition.parameters), "argument")
        message = f"`{name}` takes {takes}, got {len(self.step.arguments)}"
        rest = [one for one in self.step.arguments if one not in arguments]
        helps = lambda: self._rewritten(_text(one) for one in rest)  # noqa: E731
        return Finding("E104", message, arguments[0].span, "one too many", notes=self.notes, helps=helps)

    def twice(self, argument: s.GivenArgument, first: s.GivenArgument) -> Finding:
        """Return the finding for a parameter that gets two arguments."""
        others = (Label(first.span, "the first"),)
        message = f"`{argument.name}` is given twice"

        def helps() -> tuple[Help, ...]:
            rest = [one for one in self.step.arguments if one is not argument]
            needed = sum(one.default is None and not one.is_list for one in self.definition.parameters)
            return self._meant() if len(rest) < needed else self._rewritten(map(_text, rest))

        return Finding("E106", message, argument.span, "the second", others=others, helps=helps)

    def unknown(self, argument: s.GivenArgument, given: Given) -> Finding:
        """Return the finding for an argument with the name of no parameter."""
        name = argument.name or ""
        start = argument.span.start + argument.span.text.startswith("@")
        span = Span(argument.span.source, start, start + len(name))
        named = {one.name for one in self.step.arguments}
        free = [one.name for one in self.definition.parameters if one.name not in given and one.name not in named]

        def helps() -> tuple[str, ...]:
            by_letter = [one for one in free if one.startswith(name) or name.startswith(one)]
            if by_letter:
                return (Help(f"did you mean `{by_letter[0]}`?", Edit(span, by_letter[0])),)
            if found := misspelt(name, free, span):
                return found
            needed = [one.name for one in self.definition.parameters if one.name in free and one.default is None]
            renamed = [Help(f"did you mean `{one}`?", Edit(span, one)) for one in (*needed, *free)[:2]]
            others = self._rewritten(_text(one) for one in self.step.arguments if one is not argument)
            return (*renamed, *others) if needed else (*others, *renamed)

        message = f"`{self.step.name}` has no parameter `{name}`"
        return Finding("E103", message, span, "unknown", notes=self.notes, helps=helps)

    def missing(self, parameter: s.Parameter) -> Finding:
        """Return the finding for a parameter that gets no argument."""
        name = self.step.name
        needs = f"a volume for `@{parameter.name}`" if parameter.is_volume else f"a value for `{parameter.name}`"
        message = f"`{name}` requires {needs}"
        notes: tuple[str, ...] = self.notes
        if isinstance(parameter.default, s.Reference) and parameter.default.name.startswith("last."):
            notes += (f"`@{parameter.default.name}` is a result of the last call above, and there is none",)
        helps = lambda: (*completed(self.step), *self._meant())  # noqa: E731
        return Finding("E106", message, self.step.span, "missing argument", notes=notes, helps=helps)

    def wrong_kind(self, parameter: s.Parameter, argument: s.GivenArgument) -> Finding:
        """Return the finding for a number in place of a volume, or the other way round."""
        if parameter.is_volume:
            what = "volumes" if parameter.is_list else "a volume"
            message, label = f"`{self.step.name}` takes {what} for `{parameter.text}`", "not a volume"
        else:
            message, label = f"`{self.step.name}` takes a number or a block for `{parameter.name}`", "a volume"
        helps = lambda: self._corrected(argument)  # noqa: E731
        return Finding("E105", message, argument.span, label, notes=self.notes, helps=helps)

    # ---- the call as it was probably meant
    def _rewritten(self, arguments: Iterable[str]) -> tuple[Help, ...]:
        text = f"{self.step.name}({', '.join(arguments)})"
        return (Help(f"`{text}`", Edit(self.step.span, text)),)

    def _meant(self) -> tuple[Help, ...]:
        """Propose the call with each argument at a parameter of its kind, and a value for all that is missing."""
        named = {one.name: one for one in self.step.arguments if one.name}
        waiting = [one for one in self.step.arguments if not one.name]
        written, by_name = [], False
        for parameter in self.definition.parameters:
            if parameter.is_list:
                written += [_text(one) for one in waiting if self._fits(one, parameter)]
                continue
            prefix = f"{'@' * parameter.is_volume}{parameter.name}="
            if parameter.name in named:
                by_name = True
                written.append(f"{prefix}{named[parameter.name].value.span.text}")
                continue
            fitting = [one for one in waiting if self._fits(one, parameter)]
            if not fitting and parameter.default is not None and not _is_relative(parameter.default):
                by_name = True
                continue
            value = _text(fitting[0]) if fitting else self._value(parameter)
            if not value:
                return ()
            waiting = [one for one in waiting if one not in fitting[:1]]
            written.append(prefix + value if by_name else value)
        return self._rewritten(written)

    def _fits(self, argument: s.GivenArgument, parameter: s.Parameter) -> bool:
        """Whether an argument is of a parameter's kind: a volume, a block, or a number."""
        value = argument.value
        if isinstance(value, s.Reference) or parameter.is_volume:
            return isinstance(value, s.Reference) and parameter.is_volume
        is_block = isinstance(value, s.Name) and value.name in self.place.blocks
        is_called = parameter.name in called_names(self.definition.body)
        return is_block == is_called or (is_called and not isinstance(value, s.Number))

    def _value(self, parameter: s.Parameter) -> str:
        """Return a value that fits a parameter: a label, a block, the channels that enter, or 1."""
        if parameter.is_volume:
            return f"@{self.place.labels[-1]}" if self.place.labels else ""
        body = self.definition.body
        if parameter.name in called_names(body):
            return next((name for name in self.place.blocks if name != self.definition.name), "")
        if parameter.name in argument_names(body):
            return str(self.place.channels or 64)
        return "1"

    def _corrected(self, argument: s.GivenArgument) -> tuple[str, ...]:
        value = argument.value
        if isinstance(value, s.Name) and value.name in self.place.labels:
            return (Help(f"`@{value.name}`", Edit(value.span, f"@{value.name}"), is_safe=True),)
        return self._meant()


def _is_relative(default: s.Expression | s.Reference) -> bool:
    """Whether a default depends on what is before the call."""
    return isinstance(default, s.Reference) and default.name.split(".")[0] in ("before", "last")


def _text(argument: s.GivenArgument) -> str:
    return argument.span.text


def not_a_block(step: s.CallStep, span: Span, place: CallPlace) -> Finding:
    """Return the finding for a call of a number."""
    helps = lambda: misspelt(step.name, [one for one in place.blocks if one != step.name], span)  # noqa: E731
    message = f"`{step.name}` is a number, not a block"
    return Finding("E101", message, span, "not a block", notes=("only blocks are called",), helps=helps)


def no_block(step: s.CallStep, span: Span, place: CallPlace) -> Finding:
    """Return the finding for a call of an unknown block."""

    def helps() -> tuple[str, ...]:
        if span.text != step.name:  # a line that is read as it was meant: mend it first
            return ()
        found = _joined(step, place) or _layer(step) or misspelt(step.name, place.blocks, span)
        if not found and (near := related(step.name, place.blocks)):
            found = (Help(f"did you mean `{near}`?", Edit(span, near)),)
        return found or ("define the block, or import it",)

    notes = ("the blocks are " + ", ".join(place.blocks[:12]),) if place.blocks else ()
    return Finding("E101", f"unknown block `{step.name}`", span, "unknown block", notes=notes, helps=helps)


def _joined(step: s.CallStep, place: CallPlace) -> tuple[Help, ...]:
    """`concat(@a, @b)` as a merge with branches, if it ends its line; `add(@a)` joins the line above with `@a`."""
    if step.name not in MERGES or not step.arguments:
        return ()
    names = []
    for argument in step.arguments:
        value = argument.value
        if isinstance(value, s.Reference) or (isinstance(value, s.Name) and value.name in place.labels):
            names.append(f"@{value.name}")
    source = step.span.source
    line, column = source.position(step.span.start)
    before, after = source.line(line)[: column - 1], source.line(line)[column - 1 + len(step.span.text) :]
    if len(names) < len(step.arguments) or (after.strip() and not after.strip().startswith("#")):
        return ()
    indent = " " * (len(before) - len(before.lstrip(" |")) + 4)
    names = names if len(names) > 1 else ["x", *names]
    branches = "".join(f"\n{indent}| {name}" for name in names)
    text = f"`{step.name}` on a line, with its branches under it: `| {names[0]}` and `| {names[1]}`"
    return (Help(text, Edit(Span(source, step.span.start, step.span.end + len(after)), step.name + branches)),)


def _layer(step: s.CallStep) -> tuple[Help, ...]:
    """`relu()` and `conv(64, 3)` as layers."""
    keyword = lower_case_names().get(step.name.replace("_", ""))
    if keyword is None:
        return ()
    words = [keyword]
    free = positional_names(REGISTRY[keyword])
    for argument in step.arguments:
        value = argument.value
        if argument.name is not None:
            words.append(_text(argument).replace(" ", ""))
        elif free and not isinstance(value, s.Reference):
            is_size = free.pop(0)
            words.append(f"{_text(argument)}x{_text(argument)}" if is_size else _text(argument))
        else:
            return ()
    text = " ".join(words)
    return (Help(f"a layer has no parentheses: `{text}`", Edit(step.span, text)),)
