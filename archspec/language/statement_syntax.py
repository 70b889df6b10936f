"""The syntax of a body: expressions, steps and statements, one record for each construct.

In: the parser's rules. Out: the statements of a `syntax.File`. Nothing here knows what a layer or a volume is.
Every node has the span in which it was written; spans are ignored in comparisons.
"""

from __future__ import annotations

from typing import TypeAlias

from archspec.diagnostics.source import Span
from archspec.record import Record


# ---- expressions ---------------------------------------------------------------------------------------------------
class Number(Record):
    """`64`, `0.5`, `1e-6`."""

    value: int | float
    span: Span


class Name(Record):
    """A parameter, a `let`, or one of the dimensions `C`, `H`, `W`, `N`."""

    name: str
    span: Span


class Negate(Record):
    """`-n`."""

    operand: Expression
    span: Span


class Not(Record):
    """`not a`."""

    operand: Expression
    span: Span


class Binary(Record):
    """Arithmetic, a comparison, `and` or `or`."""

    operator: str
    left: Expression
    right: Expression
    span: Span


class Function(Record):
    """`round8(32*width)`."""

    name: str
    arguments: tuple[Expression, ...]
    span: Span


Expression: TypeAlias = Number | Name | Negate | Not | Binary | Function


class Figure(Record):
    """A figure as it appears on slides: `1,728` is exact, `3.2M` is rounded."""

    value: int | float
    is_exact: bool
    span: Span


# ---- parts of a step -----------------------------------------------------------------------------------------------
class Extent(Record):
    """`3x3`, `k x k`: height first."""

    sizes: tuple[Expression, ...]
    span: Span


class Short(Record):
    """`s2`, `p0x3`, `p0:1`: a letter, and the numbers for each dimension."""

    letter: str
    sizes: tuple[tuple[int, ...], ...]
    span: Span


class Bracket(Record):
    """`[55x55x96]`: a volume that is claimed, or declared by `INPUT`."""

    dimensions: tuple[Expression, ...]
    span: Span

    @property
    def is_literal(self) -> bool:
        """Whether it contains only numbers."""
        return all(isinstance(dimension, Number) for dimension in self.dimensions)


class Claim(Record):
    """`params: (3*3*3)*64 = 1,728`: what a slide says about a layer."""

    kind: str  # "memory" or "params"
    value: Expression | Figure
    figure: Expression | Figure | None
    span: Span


class Reference(Record):
    """`@stem`: the result with this label."""

    name: str
    span: Span


class GivenArgument(Record):
    """`64`, `3x3`, `s2`, `same`, `stride=s`, `@stem`."""

    name: str | None
    value: Expression | Extent | Short | Reference
    span: Span


class Word(Record):
    """An upper-case word: a layer's name, with its number if it has one."""

    text: str
    span: Span


# ---- steps ---------------------------------------------------------------------------------------------------------
class LayerStep(Record):
    """`CONV1: 96 11x11 filters at stride 4, pad 0`; `reads_labels` if an argument is one: `kv=@memory`."""

    words: tuple[Word, ...]
    has_colon: bool
    arguments: tuple[GivenArgument, ...]
    bracket: Bracket | None
    claims: tuple[Claim, ...]
    span: Span
    reads_labels: bool = False


class CallStep(Record):
    """`bottleneck(64, stride=2)`."""

    name: str
    arguments: tuple[GivenArgument, ...]
    span: Span


class RepeatStep(Record):
    """`3 x bottleneck(64)`."""

    times: Expression
    step: Step
    span: Span


class MergeStep(Record):
    """`add`, with its branches."""

    name: str
    branches: tuple[Body, ...]
    span: Span


class EntryStep(Record):
    """`x`: the volume that entered the innermost block or merge."""

    span: Span


class ReferenceStep(Record):
    """`@stem` as a step."""

    name: str
    span: Span


class UnreadStep(Record):
    """A line that could not be read; the lines around it are still checked."""

    span: Span


Step: TypeAlias = LayerStep | CallStep | RepeatStep | MergeStep | EntryStep | ReferenceStep | UnreadStep


# ---- statements ----------------------------------------------------------------------------------------------------
class Chain(Record):
    """A line of steps; a bracket among them is the volume at that point. The result of an `output` line leaves."""

    bracket: Bracket | None
    label: str | None
    steps: tuple[Step | Bracket, ...]
    span: Span
    is_output: bool = False

    def step_after(self, position: int) -> Step | None:
        """The step written after the one at a position, the first after -1; brackets are no steps."""
        for step in self.steps[position + 1 :]:
            if not isinstance(step, Bracket):
                return step
        return None


class Let(Record):
    """`let w = round8(32*width)`."""

    name: str
    value: Expression
    span: Span


class Arm(Record):
    """A branch of an `if`; without a condition, its `else`."""

    condition: Expression | None
    body: Body
    span: Span


class If(Record):
    """`if`, its `else if`s and its `else`."""

    arms: tuple[Arm, ...]
    span: Span


class Aux(Record):
    """`aux 0.3: aux_head(1000)`."""

    weight: Expression
    chain: Chain
    span: Span


Statement: TypeAlias = Chain | Let | If | Aux
Body: TypeAlias = tuple[Statement, ...]
