"""Whether the words of a file lack a name: much faster than to look at the syntax, which `unused` does then.

In: the syntax of a file, and its text. Out: whether a name may be unused.
"""

from __future__ import annotations

import re

from archspec.language import syntax as s

_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w)(?! *=[^=])")  # but for the name of an argument, and a result's
_LET = re.compile(r"\blet +(\w+)")
_COMMENT = re.compile(r"#.*")
_MARGIN = re.compile(r"^[^\s#]", re.MULTILINE)


def may_have_unused(file: s.File) -> bool:
    """Whether a parameter or a `let` may be defined and never used."""
    text = file.span.source.text
    outside, at = "", 0
    for node in file.declarations:
        if isinstance(node, s.BlockDefinition):
            end = _MARGIN.search(text, node.span.end)
            outside += text[at : node.span.start]
            at = end.start() if end else len(text)
            inside = text[node.span.end : at]
            names = [parameter.name for parameter in node.parameters] + _LET.findall(inside)
            if not _words(inside).issuperset(names):
                return True
    lets = [node.name for node in file.body if isinstance(node, s.Let)]
    params = [node.name for node in file.declarations if isinstance(node, s.Param)]
    return not _words(outside + text[at:]).issuperset(lets) or not _words(text).issuperset(params)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(_COMMENT.sub("", text)))
