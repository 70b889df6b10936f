"""The settings of `train` at the margin, where they are read as steps.

In: the line `train`. Out: the finding that indents them all.
"""

from __future__ import annotations

import re

from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.language.layout import Unread
from archspec.language.mistakes.rules.declared import KEYWORDS

_SETTING = re.compile(r"([a-z_]+)(?: *[:=])? +[\w.][^(\[|>→]*$|(ema|warmup|epochs|clip)$")
MOST = 40  # lines


def unindented(train: Span) -> Unread | None:
    """Return the finding for settings that are at the column of `train`."""
    source = train.source
    starts: list[int] = []
    margin = source.position(train.start)[1] - 1
    at = source.text.find("\n", train.end) + 1
    while at and at < len(source.text) and len(starts) < MOST:
        end = source.text.find("\n", at)
        line = source.text[at : end if end >= 0 else len(source.text)]
        text = line.partition("#")[0].strip()
        found = _SETTING.match(text)
        if text and (not found or found[1] in KEYWORDS or len(line) - len(line.lstrip()) != margin):
            break
        starts += [at + margin] if text else []
        at = end + 1
    if not starts:
        return None
    edits = [Edit(Span(source, start, start), "    ") for start in starts]
    help_ = Help("indent its settings", *edits, is_safe=True)
    return Unread("E011", "the settings of `train` are not indented", train, "its settings follow", helps=(help_,))
