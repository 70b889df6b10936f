"""From the parser's rules to syntax: numbers, sizes, figures, expressions, and the lines that name a network's sources.

In: tokens and the results of the rules below, as lark passes them. Out: records of `syntax.py`, each with its span.
"""

from __future__ import annotations

import re
from typing import Any

from lark import Token, Transformer, v_args

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import plural
from archspec.diagnostics.source import Source, Span
from archspec.language import syntax as s

LARGEST = 2**63 - 1
_SUFFIX = {"K": 3, "M": 6, "G": 9, "B": 9}  # powers of ten

# words that are read as a name, a title or a note, and mean something else
_SIZES = re.compile(r"[x×]")
TIMES = re.compile(r"x\d+")
NO_TITLE = re.compile(r"^(?:=|->|→)|->|→|^[A-Z]{2,}[A-Z0-9]* .*\d+x\d+")
NO_NOTE = re.compile(
    r"\b(?:strides?|padd?(?:ed|ing)?|same|groups|dilat(?:ed|ion)|depthwise|(?:no|without) +bias"
    r"|BN|RELU|CONV|FC|[A-Z]*POOL)\b"
)


@v_args(inline=True)
class ExpressionBuilder(Transformer[Any, Any]):
    """Build expressions while a line is parsed; token positions count from `offset` in `source`."""

    source: Source
    offset: int

    def _span(self, first: Any, last: Any = None) -> Span:
        token = isinstance(first, Token)
        start = self.offset + (first.start_pos or 0) if token else first.span[1]
        if last is None:
            last = first
        else:
            token = isinstance(last, Token)
        end = self.offset + (last.end_pos or 0) if token else last.span[2]
        return Span(self.source, start, end)

    def _number(self, token: Token) -> s.Number:
        text = str(token)
        span = self._span(token)
        if len(text) > 40:
            raise too_large(span)
        value = float(text) if "." in text or "e" in text or "E" in text else int(text)
        if value > LARGEST:
            raise too_large(span)
        return s.Number(value, span)

    # ---- sizes
    def extent(self, first: Any, second: Any = None) -> s.Extent:
        if isinstance(first, Token):
            return s.Extent(self._dimensions(first, str(first)), self._span(first))
        return s.Extent((first, second), self._span(first, second))

    def _dimensions(self, token: Token, text: str) -> tuple[s.Expression, ...]:
        parts = _SIZES.split(text)
        if any(len(part) > 19 for part in parts):
            raise too_large(self._span(token))
        return tuple(s.Number(int(part), self._span(token)) for part in parts)

    def short(self, token: Token) -> s.GivenArgument:
        span = self._span(token)
        if any(len(part) > 9 for part in re.split(r"[:x×]", token[1:])):
            raise too_large(span)
        sizes = tuple(tuple(int(n) for n in part.split(":")) for part in _SIZES.split(token[1:]))
        return s.GivenArgument(None, s.Short(token[0], sizes, span), span)

    # ---- expressions
    def number(self, token: Token) -> s.Number:
        return self._number(token)

    def name(self, token: Token) -> s.Name:
        return s.Name(str(token), self._span(token))

    def minus(self, operand: s.Expression) -> s.Negate:
        return s.Negate(operand, Span(self.source, operand.span.start - 1, operand.span.end))

    def not_(self, operand: s.Expression) -> s.Not:
        return s.Not(operand, operand.span)

    def binary(self, left: s.Expression, operator: Token, right: s.Expression) -> s.Binary:
        return s.Binary(str(operator), left, right, self._span(left, right))

    compare = binary

    def and_(self, left: s.Expression, right: s.Expression) -> s.Binary:
        return s.Binary("and", left, right, self._span(left, right))

    def or_(self, left: s.Expression, right: s.Expression) -> s.Binary:
        return s.Binary("or", left, right, self._span(left, right))

    def function(self, name: Token, *arguments: Any) -> s.Function:
        *given, close = (argument for argument in arguments if argument is not None)
        return s.Function(str(name), tuple(given), self._span(name, close))

    def _measure(self, value: Any) -> Any:
        if not isinstance(value, Token):
            return value
        if value.type != "FIGURE":
            return self._number(value)
        span = self._span(value)
        if len(value) > 40:
            raise too_large(span)
        text = value.replace(",", "").removesuffix("B") if value[-2:-1] in _SUFFIX else value.replace(",", "")
        if text[-1] in _SUFFIX:
            return s.Figure(float(f"{text[:-1]}e{_SUFFIX[text[-1]]}"), False, span)
        return s.Figure(int(text), True, span)

    # ---- where a network and its figures come from
    def cites(self, title: Token) -> s.Cites:
        return s.Cites(self._title("cites", title), self._span(title))

    def license(self, title: Token) -> s.License:
        return s.License(self._title("license", title), self._span(title))

    def _title(self, keyword: str, title: Token) -> str:
        if NO_TITLE.search(title):
            raise Finding("E001", f"`{keyword}` is followed by a title", self._span(title), "not a title")
        return str(title)

    def published(self, variant: Token | None, *figures: s.PublishedFigure) -> s.Published:
        first = figures[0] if variant is None else variant
        return s.Published(str(variant or ""), figures, self._span(first, figures[-1]))

    def published_figure(self, name: Token, figure: Token, *_comma: Token) -> s.PublishedFigure:
        return s.PublishedFigure(str(name), self._measure(figure), self._span(name, figure))


def too_large(span: Span) -> Finding:
    """Return the finding for a number that is too large for any size."""
    if "e" in span.text.lower():
        return Finding("E008", "a number larger than 2^63", span, "too large")
    digits = plural(len(span.text), "character")
    return Finding(
        "E008", f"a number larger than 2^63 ({digits} long)", span, "too large", helps=("is there a space missing?",)
    )
