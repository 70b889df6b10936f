"""A short argument with a name for its number: `sst` for the stride `st`.

In: the word. Out: the finding, with the argument by its whole name as its help.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.expressions import Lookup, Unknown
from archspec.layers import Layer


def named(word: s.Name, layer: type[Layer], lookup: Lookup) -> Finding | None:
    """Return the finding for a letter and a known name; None for another word."""
    letter, name = word.name[0], word.name[1:]
    field = next((field for field, about in layer.arguments.items() if about.short == letter), None)
    if field is None or not name:
        return None
    rest = Span(word.span.source, word.span.start + 1, word.span.end)
    try:
        lookup(s.Name(name, rest))
    except Unknown:
        pass
    except Finding:
        return None
    text = f"{field}={name}"
    message = f"`{word.name}`: with a name, the {field} is written `{text}`"
    helps = (Help(f"`{text}`", Edit(word.span, text), is_safe=True),)
    return Finding("E101", message, word.span, "a letter and a name", helps=helps)
