"""Names glued to a letter: `sst` for the stride `st`, `kxk` for the size `k x k`.

In: the word. Out: the finding, with the argument by its whole name, or the size with spaces, as its help.
"""

from __future__ import annotations

import re

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.expressions import Lookup, Unknown
from archspec.layers import Layer


def named(word: s.Name, layer: type[Layer], lookup: Lookup) -> Finding | None:
    """Return the finding for a letter and a known name; None for another word."""
    sides = re.fullmatch(r"(\w+?)x(\w+)", word.name)
    if sides and not sides[2][0].isdigit() and all(_is_known(side, word.span, lookup) for side in sides.groups()):
        return size(word.span)
    letter, name = word.name[0], word.name[1:]
    field = next((field for field, about in layer.arguments.items() if about.short == letter), None)
    if field is None or not name:
        return None
    if not _is_known(name, Span(word.span.source, word.span.start + 1, word.span.end), lookup):
        return None
    text = f"{field}={name}"
    message = f"`{word.name}`: with a name, the {field} is written `{text}`"
    helps = (Help(f"`{text}`", Edit(word.span, text), is_safe=True),)
    return Finding("E101", message, word.span, "a letter and a name", helps=helps)


def size(span: Span) -> Finding:
    """Return the finding for a size of names without spaces, `HxW`."""
    text = " x ".join(span.text.split("x", 1))
    helps = (Help(f"`{text}`", Edit(span, text), is_safe=True),)
    return Finding("E101", f"a size of names has spaces around `x`, got `{span.text}`", span, "no spaces", helps=helps)


def _is_known(name: str, span: Span, lookup: Lookup) -> bool:
    try:
        lookup(s.Name(name, span))
    except Unknown:
        return True
    except Finding:
        return False
    return True
