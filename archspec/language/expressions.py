"""Arithmetic of specs: whole numbers, decimals (IEEE doubles), comparisons, a few functions; nothing else.

In: an expression and the values of its names. Out: a number or a truth value. There is no `eval`, and nothing here can
grow without bound: numbers stay under 2^63, expressions under a depth.

`/` is exact: of whole numbers it gives a whole number where it can, and otherwise a fraction that no size accepts.
Decimals are doubles on purpose: published scaling rules (EfficientNet's ceil(depth * n)) were computed with them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import did_you_mean, plural
from archspec.language import syntax as s
from archspec.language.transform import LARGEST

DEEPEST = 100
Number = int | float
Lookup = Callable[[s.Name], Any]


class Unknown(Exception):
    """The value hangs on a volume that an earlier mistake left open: nothing more is to be said of it."""


def round8(value: Number) -> int:
    """The nearest multiple of 8, but not below 90 % of the value (MobileNetV2's `_make_divisible`)."""
    nearest = max(8, int(value + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * value else nearest


def _round(value: Number) -> int:
    """To the nearest whole number, halves up."""
    return math.floor(value + 0.5)


def _divide(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "//": operator.floordiv,
    "%": operator.mod,
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# name: function, least and most arguments
FUNCTIONS: dict[str, tuple[Callable[..., Number], int, int]] = {
    "min": (min, 1, 9),
    "max": (max, 1, 9),
    "ceil": (math.ceil, 1, 1),
    "floor": (math.floor, 1, 1),
    "round": (_round, 1, 1),
    "round8": (round8, 1, 1),
}


def evaluate(expression: s.Expression, lookup: Lookup, depth: int = 0) -> Any:
    """The value of an expression.

    Raises Finding for what has no value, with the place; Unknown where an earlier mistake left a name without one.
    """
    if isinstance(expression, s.Number):
        return expression.value
    if isinstance(expression, s.Name):
        return lookup(expression)
    if depth > DEEPEST:
        raise Finding("E013", f"an expression nested more than {DEEPEST} deep", expression.span, helps=("use `let`",))
    if isinstance(expression, s.Binary):
        return _binary(expression, lookup, depth + 1)
    if isinstance(expression, s.Negate):
        return -number(expression.operand, lookup, depth + 1)
    if isinstance(expression, s.Not):
        return not truth(expression.operand, lookup, depth + 1)
    return _call(expression, lookup, depth + 1)


def number(expression: s.Expression, lookup: Lookup, depth: int = 0) -> Number:
    """The value, which must be a number."""
    value = evaluate(expression, lookup, depth)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Finding("E105", f"{_kind(value)} where a number belongs", expression.span, "not a number")
    return value


def truth(expression: s.Expression, lookup: Lookup, depth: int = 0) -> bool:
    """The value, which must be a truth value."""
    value = evaluate(expression, lookup, depth)
    if not isinstance(value, bool):
        helps = ("compare it: `n > 0`",)
        raise Finding("E105", f"{_kind(value)} where a condition belongs", expression.span, "no condition", helps=helps)
    return value


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a condition"
    return f"the number {value:g}" if isinstance(value, int | float) else "a block"


def _binary(expression: s.Binary, lookup: Lookup, depth: int) -> Any:
    name = expression.operator
    if name in ("and", "or"):
        first = truth(expression.left, lookup, depth)
        return first if first is (name == "or") else truth(expression.right, lookup, depth)
    if name in _COMPARISONS:
        return _COMPARISONS[name](number(expression.left, lookup, depth), number(expression.right, lookup, depth))
    left, right = number(expression.left, lookup, depth), number(expression.right, lookup, depth)
    if right == 0 and name in ("/", "//", "%"):
        raise Finding("E107", "division by zero", expression.right.span, "this is 0")
    return _bounded(_ARITHMETIC[name](left, right), expression)


def _call(expression: s.Function, lookup: Lookup, depth: int) -> Number:
    if expression.name not in FUNCTIONS:
        helps = did_you_mean(expression.name, FUNCTIONS) or (f"there are {', '.join(FUNCTIONS)}",)
        raise Finding("E101", f"no function is called `{expression.name}`", expression.span, "unknown", helps=helps)
    function, least, most = FUNCTIONS[expression.name]
    given = len(expression.arguments)
    if not least <= given <= most:
        takes = plural(least, "argument") if least == most else f"{least} to {most} arguments"
        message = f"`{expression.name}` takes {takes}, {given} are given"
        raise Finding("E104", message, expression.span)
    values = [number(argument, lookup, depth) for argument in expression.arguments]
    return _bounded(function(*values), expression)


def _bounded(value: Number, expression: s.Expression) -> Number:
    if (isinstance(value, float) and not math.isfinite(value)) or abs(value) > LARGEST:
        raise Finding("E008", "a number past 2^63", expression.span, "too large")
    return value
