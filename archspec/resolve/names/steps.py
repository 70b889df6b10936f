"""Steps that cannot stand where they do: the findings, with what was probably meant.

In: a step, and what is known of its line. Out: findings.
"""

from __future__ import annotations

from collections.abc import Iterable

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help, misspelt, plural
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.layers import MERGES
from archspec.resolve.names.lines import block_of, indent_of, is_alone, without_step

_SYNONYMS = {
    "add": ("sum", "plus", "addition", "residual", "shortcut", "skip", "elementwise", "eltwise", "added"),
    "concat": ("cat", "concatenate", "concatenation", "join", "stack", "merge", "concatenated", "depthconcat"),
    "mul": ("multiply", "times", "product", "prod", "multiplied", "scale", "gate"),
}


def in_the_middle(step: s.EntryStep | s.ReferenceStep) -> Finding:
    """Return the finding for a volume after an arrow."""
    text = "x" if isinstance(step, s.EntryStep) else f"@{step.name}"
    notes = ("to join two volumes, write them as the branches of `add`, `concat` or `mul`",)
    helps = (Help(f"drop `-> {text}`", without_step(step.span)),)
    message = f"`{text}` in the middle of a line discards the steps before it"
    return Finding("E114", message, step.span, notes=notes, helps=helps)


def entry_at_the_top(span: Span) -> Finding:
    """Return the finding for an `x` outside any block and merge."""
    notes = ("it is the input of a block or a merge; every line continues from the one above",)
    helps = (Help("drop `x`", without_step(span)),)
    return Finding("E108", "`x` is undefined at the top level", span, notes=notes, helps=helps)


def unknown_merge(step: s.MergeStep, blocks: Iterable[str]) -> Finding:
    """Return the finding for a merge that does not exist."""

    def helps() -> tuple[str, ...]:
        bare = step.name.lower().replace("_", "")
        for name, synonyms in _SYNONYMS.items():
            if bare in synonyms:
                return (Help(f"did you mean `{name}`?", Edit(step.span, name), is_safe=True),)
        return misspelt(step.name, MERGES, step.span)

    notes = ["the merges are " + ", ".join(MERGES)]
    if step.name in blocks:
        notes.append("a call of a block has parentheses, and no branches")
    return Finding("E102", f"unknown merge `{step.name}`", step.span, "unknown", notes=notes, helps=helps)


def single_branch(step: s.MergeStep, ends: int, fits: bool) -> Finding:
    """Return the finding for a merge of fewer than two branches; `fits`: its input can be the second."""
    helps = (_passed_through(step),) if fits and step.branches and step.branches[0] else ()
    message = f"`{step.name}` has {plural(ends, 'branch')}"
    return Finding("E104", message, step.span, notes=("it joins at least two",), helps=helps)


def _passed_through(step: s.MergeStep) -> Help:
    """Return the help that adds a branch without layers below the others."""
    lines = block_of(step.span)
    depth = indent_of(lines.source.line(lines.source.position(step.branches[0][0].span.start)[0]))
    end = lines.start + len(lines.text.rstrip())
    insertion = Edit(Span(lines.source, end, end), f"\n{' ' * depth}| x")
    return Help("add a branch that passes its input through: `| x`", insertion)


def no_count(times: float, expression: s.Expression) -> Finding:
    """Return the finding for a repeat whose number is not a count."""
    span = expression.span
    if isinstance(expression, s.Number):
        values = [f"{int(times)}", f"{int(times) + 1}"]
    else:
        calls = [f"max(0, {span.text})"] if times < 0 else [f"floor({span.text})", f"ceil({span.text})"]
        values = [f"({call})" for call in calls] if isinstance(expression, s.Name) else calls
    helps = [Help(f"`{value}`", Edit(span, value)) for value in values]
    notes = ("it is a whole number of at least 0",)
    return Finding(
        "E105", f"expected a number of repeats, got {times:g}", span, "not a count", notes=notes, helps=helps
    )


def too_deep(span: Span, step: s.Step, limit: int) -> Finding:
    """Return the finding for blocks and merges inside each other without an end."""
    message = f"blocks and merges nested more than {limit} levels deep"
    helps = [help_ for argument in _arguments(step) if (help_ := _guarded(span, argument))]
    notes = ("does a block call itself forever? an `if` ends a recursion",)
    return Finding("E112", message, span, notes=notes, helps=helps[:1])


def _arguments(step: s.Step) -> tuple[s.GivenArgument, ...]:
    return step.arguments if isinstance(step, s.CallStep) else ()


def _guarded(span: Span, argument: s.GivenArgument) -> Help | None:
    """`again(n-1)` under `if n > 0`."""
    value = argument.value
    if not (
        isinstance(value, s.Binary) and value.operator == "-" and isinstance(value.left, s.Name) and is_alone(span)
    ):
        return None
    indent = " " * indent_of(span.source.line(span.line))
    condition = f"if {value.left.name} > 0"
    return Help(f"put it under `{condition}`", Edit(span, f"{condition}\n{indent}    {span.text}"))


def no_weight(weight: float, span: Span) -> Finding:
    """Return the finding for an `aux` whose loss weight is not positive."""
    message = f"a loss weight must be positive, got {weight:g}"
    return Finding("E105", message, span, helps=(Help("`0.3`", Edit(span, "0.3")),))


def empty_aux(statement: s.Aux) -> Finding:
    """Return the finding for an `aux` that adds no layer."""
    span = statement.chain.span
    line = f"aux {statement.weight.span.text}: FC 10"
    helps = (Help(f"`{line}` classifies the volume there", Edit(span, "FC 10")),)
    return Finding("E010", "an `aux` without layers", statement.span, helps=helps)


def outside_its_aux(span: Span) -> Finding:
    """Return the finding for a result of an auxiliary classifier in the trunk."""
    helps = ("an `aux` is left out of inference: label a line of the trunk instead",)
    message = "a result of an auxiliary classifier, used outside it"
    return Finding("E108", message, span, notes=helps)
