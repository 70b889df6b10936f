"""Arithmetic in specs: whole numbers, decimals (IEEE doubles), comparisons and a few functions.

In: an expression and the values of its names. Out: a number or a truth value. There is no `eval`, and everything is
bounded: numbers by 2^63, expressions in depth.

`/` is exact: it divides whole numbers to a whole number if possible, and otherwise to a fraction that no size accepts.
Decimals are doubles on purpose: published scaling rules (EfficientNet's ceil(depth * n)) were computed with them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help, did_you_mean, plural
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.transform_expressions import LARGEST

DEEPEST = 100
Number = int | float
Lookup = Callable[[s.Name], Any]


class Unknown(Exception):
    """The value depends on a volume that an earlier error left unknown: no further message is needed."""


def round8(value: Number) -> int:
    """Round to a multiple of 8, but not to less than 90 % of the value (MobileNetV2's `_make_divisible`)."""
    nearest = max(8, int(value + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * value else nearest


def _round(value: Number) -> int:
    """Round to the nearest whole number, halves up."""
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
# name: function, minimum and maximum number of arguments
FUNCTIONS: dict[str, tuple[Callable[..., Number], int, int]] = {
    "min": (lambda *given: min(given), 1, 9),  # min itself takes one number for a sequence
    "max": (lambda *given: max(given), 1, 9),
    "ceil": (math.ceil, 1, 1),
    "floor": (math.floor, 1, 1),
    "round": (_round, 1, 1),
    "round8": (round8, 1, 1),
    "sqrt": (math.sqrt, 1, 1),
}


def evaluate(expression: s.Expression, lookup: Lookup, depth: int = 0) -> Any:
    """Evaluate an expression.

    Raises Finding for an invalid expression; Unknown if an earlier error left one of its names without a value.
    """
    if isinstance(expression, s.Number):
        return expression.value
    if isinstance(expression, s.Name):
        return lookup(expression)
    if depth > DEEPEST:
        notes = ("name a part of it with a `let`",)
        raise Finding("E013", f"an expression nested more than {DEEPEST} levels deep", expression.span, notes=notes)
    if isinstance(expression, s.Binary):
        return _binary(expression, lookup, depth + 1)
    if isinstance(expression, s.Negate):
        return -number(expression.operand, lookup, depth + 1)
    if isinstance(expression, s.Not):
        return not truth(expression.operand, lookup, depth + 1)
    return _call(expression, lookup, depth + 1)


def number(expression: s.Expression, lookup: Lookup, depth: int = 0) -> Number:
    """Evaluate an expression that must be a number."""
    return need_number(evaluate(expression, lookup, depth), expression.span)


def need_number(value: Any, span: Span) -> Number:
    """Return a value that must be a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Finding("E105", f"expected a number, got {_kind(value)}", span, "not a number")
    return value


def truth(expression: s.Expression, lookup: Lookup, depth: int = 0, before: s.Expression | None = None) -> bool:
    """Evaluate an expression that must be a condition; `before` is the one that `and` or `or` joins it to."""
    value = evaluate(expression, lookup, depth)
    if not isinstance(value, bool):
        helps: list[str] = []
        if isinstance(value, int | float):
            text = f"{expression.span.text} > 0"
            if isinstance(before, s.Binary) and before.operator in _COMPARISONS:  # n == 1 or 2
                text = f"{before.left.span.text} {before.operator} {expression.span.text}"
            helps = [Help(f"compare it: `{text}`", Edit(expression.span, text))]
        message = f"expected a condition, got {_kind(value)}"
        raise Finding("E105", message, expression.span, "not a condition", helps=helps)
    return value


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a condition"
    return f"the number {value:g}" if isinstance(value, int | float) else "a block"


def _binary(expression: s.Binary, lookup: Lookup, depth: int) -> Any:
    name = expression.operator
    if name in ("and", "or"):
        first = truth(expression.left, lookup, depth)
        return first if first is (name == "or") else truth(expression.right, lookup, depth, expression.left)
    if name in _COMPARISONS:
        return _COMPARISONS[name](number(expression.left, lookup, depth), number(expression.right, lookup, depth))
    left, right = number(expression.left, lookup, depth), number(expression.right, lookup, depth)
    if right == 0 and name in ("/", "//", "%"):
        raise Finding("E107", "division by zero", expression.right.span, "this is 0")
    return _bounded(_ARITHMETIC[name](left, right), expression)


def check_function(expression: s.Function) -> Callable[..., Number]:
    """Return the function of a call. Raises Finding if there is none, or if it takes fewer or more arguments."""
    if expression.name not in FUNCTIONS:
        raise _unknown_function(expression)
    function, least, most = FUNCTIONS[expression.name]
    given = len(expression.arguments)
    if not least <= given <= most:
        takes = plural(least, "argument") if least == most else f"{least} to {most} arguments"
        message = f"`{expression.name}` takes {takes}, got {given}"
        helps = () if given <= most else _first_arguments(expression, most)
        raise Finding("E104", message, expression.span, helps=helps)
    return function


def _call(expression: s.Function, lookup: Lookup, depth: int) -> Number:
    function = check_function(expression)
    values = [number(argument, lookup, depth) for argument in expression.arguments]
    if expression.name == "sqrt" and values[0] < 0:
        raise Finding("E107", f"the square root of {values[0]:g}", expression.span, "of a negative number")
    return _bounded(function(*values), expression)


_FOREIGN = {
    "int": "floor",
    "trunc": "floor",
    "ceiling": "ceil",
    "make_divisible": "round8",
    "_make_divisible": "round8",
}


def _unknown_function(expression: s.Function) -> Finding:
    """Return the finding for a function that does not exist."""
    name, arguments = expression.name, expression.arguments
    texts = [argument.span.text for argument in arguments]
    sign = {"sum": " + ", "prod": " * "}.get(name)
    if sign and texts:
        text = f"({sign.join(texts)})"
        helps: tuple[str, ...] = (Help(f"`{text}`", Edit(expression.span, text)),)
    elif (near := _FOREIGN.get(name)) and texts:
        text = f"{near}({texts[0]})"
        helps = (Help(f"`{text}`", Edit(expression.span, text)),)
    else:
        span = Span(expression.span.source, expression.span.start, expression.span.start + len(name))
        helps = did_you_mean(name, FUNCTIONS, span)
    notes = (f"the functions are {', '.join(FUNCTIONS)}",)
    return Finding("E101", f"unknown function `{name}`", expression.span, "unknown", notes=notes, helps=helps)


def _first_arguments(expression: s.Function, most: int) -> tuple[Help, ...]:
    """Propose a call with the arguments that a function takes."""
    text = f"{expression.name}({', '.join(one.span.text for one in expression.arguments[:most])})"
    return (Help(f"`{text}`", Edit(expression.span, text)),)


def _bounded(value: Number, expression: s.Expression) -> Number:
    if (isinstance(value, float) and not math.isfinite(value)) or abs(value) > LARGEST:
        raise Finding("E008", "a number larger than 2^63", expression.span, "too large")
    return value
