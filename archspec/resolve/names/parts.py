"""What is written in a body: its steps, and the names in them.

In: syntax. Out: steps and names, in the order of the text; nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archspec.language import syntax as s
from archspec.layers import Layer


def statements_in(body: s.Body) -> Iterator[s.Statement]:
    """Yield the statements of a body, those of every branch and every arm included."""
    for statement in body:
        yield statement
        if isinstance(statement, s.If):
            for arm in statement.arms:
                yield from statements_in(arm.body)
        elif isinstance(statement, s.Chain | s.Aux):
            chain = statement if isinstance(statement, s.Chain) else statement.chain
            for step in chain.steps:
                if isinstance(step, s.MergeStep):
                    for branch in step.branches:
                        yield from statements_in(branch)


def steps_in(body: s.Body) -> Iterator[s.Step]:
    """Yield the steps of a body; a repeat, then what it repeats."""
    for statement in statements_in(body):
        if isinstance(statement, s.Chain | s.Aux):
            chain = statement if isinstance(statement, s.Chain) else statement.chain
            for step in chain.steps:
                if not isinstance(step, s.Bracket):
                    yield from unrolled(step)


def unrolled(step: s.Step) -> Iterator[s.Step]:
    """Yield a step, and what it repeats."""
    yield step
    while isinstance(step, s.RepeatStep):
        step = step.step
        yield step


def expressions_in(body: s.Body) -> Iterator[s.Expression]:
    """Yield the expressions of a body: of lets, conditions, brackets, arguments, repeats and claims."""
    for statement in statements_in(body):
        if isinstance(statement, s.Let):
            yield statement.value
        elif isinstance(statement, s.If):
            yield from (arm.condition for arm in statement.arms if arm.condition is not None)
        else:
            chain = statement
            if isinstance(statement, s.Aux):
                yield statement.weight
                chain = statement.chain
            assert isinstance(chain, s.Chain)
            if chain.bracket is not None:
                yield from chain.bracket.dimensions
            for step in chain.steps:
                yield from of_step(step)


def of_step(step: s.Step | s.Bracket) -> Iterator[s.Expression]:
    """Yield the expressions of a step, without those of its branches."""
    if isinstance(step, s.Bracket):
        yield from step.dimensions
    elif isinstance(step, s.RepeatStep):
        yield step.times
        yield from of_step(step.step)
    elif isinstance(step, s.LayerStep | s.CallStep):
        for argument in step.arguments:
            yield from of_argument(argument)
        if isinstance(step, s.LayerStep):
            yield from () if step.bracket is None else step.bracket.dimensions
            for claim in step.claims:
                yield from (value for value in (claim.value, claim.figure) if _is_expression(value))  # type: ignore[misc]


def of_argument(argument: s.GivenArgument) -> Iterator[s.Expression]:
    """Yield the expressions of an argument: two for a size."""
    value = argument.value
    if isinstance(value, s.Extent):
        yield from value.sizes
    elif not isinstance(value, s.Short | s.Reference):
        yield value


def _is_expression(value: object) -> bool:
    return value is not None and not isinstance(value, s.Figure)


def names_in(expressions: Iterable[s.Expression]) -> Iterator[s.Name]:
    """Yield the names in expressions."""
    for expression in expressions:
        yield from (part for part in parts_of(expression) if isinstance(part, s.Name))


def parts_of(expression: s.Expression) -> Iterator[s.Expression]:
    """Yield an expression and its parts, from left to right."""
    waiting = [expression]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, s.Binary):
            waiting += [one.right, one.left]
        elif isinstance(one, s.Negate | s.Not):
            waiting.append(one.operand)
        elif isinstance(one, s.Function):
            waiting += reversed(one.arguments)


def called_names(body: s.Body) -> set[str]:
    """Return the names of the blocks that a body calls."""
    return {step.name for step in steps_in(body) if isinstance(step, s.CallStep)}


def argument_names(body: s.Body) -> set[str]:
    """Return the names that a body gives to layers as they are, by position: counts of filters and the like."""
    found = set()
    for step in steps_in(body):
        if isinstance(step, s.LayerStep):
            found |= {one.value.name for one in step.arguments if one.name is None and isinstance(one.value, s.Name)}
    return found


def volume_names(body: s.Body) -> set[str]:
    """Return the labels that a body refers to; of `@encoder.stage2.skip` the first."""
    return {one.name.split(".")[0] for step in steps_in(body) for one in references_of(step)}


def references_of(step: s.Step) -> Iterator[s.Reference | s.ReferenceStep]:
    """Yield the references of a step: itself, or those among its arguments."""
    if isinstance(step, s.ReferenceStep):
        yield step
    elif isinstance(step, s.CallStep | s.LayerStep):
        yield from (one.value for one in step.arguments if isinstance(one.value, s.Reference))


def positional_names(layer: type[Layer]) -> list[bool]:
    """Return for each argument that a layer takes by position whether it is a size."""
    return [one.kind.takes_extent for _, one in layer.written_order if one.is_positional]
