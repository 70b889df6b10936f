"""A call with an argument too few, completed as other calls of the same block are written.

In: the call. Out: helps with the call written out, the most similar to another call first.
"""

from __future__ import annotations

import re
from collections import Counter

from archspec.diagnostics.findings import Edit, Help
from archspec.language import syntax as s

_MOST = 4  # helps


def completed(step: s.CallStep) -> tuple[Help, ...]:
    """Propose a call with one argument more, which another call of the block has at that position."""
    given = [one.span.text for one in step.arguments]
    if not given or any(one.name for one in step.arguments):
        return ()
    pattern = rf"(?<![\w@]){step.name}\(([^()\n]*)\)"
    others = [re.split(r" *, *", found) for found in re.findall(pattern, step.span.source.text)]
    alike: Counter[tuple[str, ...]] = Counter()
    for other in others:
        for at, value in enumerate(other[: len(given) + 1] if len(other) > len(given) else ()):
            if value in given and not value[0].isdigit():
                continue  # a block or a volume that the call has
            whole = (*given[:at], value, *given[at:])
            same = sum(one == two for one, two in zip(whole, other, strict=False)) - 1  # itself is not counted
            alike[whole] = max(alike[whole], same)
    texts = [f"{step.name}({', '.join(whole)})" for whole, same in alike.most_common(_MOST) if same]
    return tuple(Help(f"`{text}`", Edit(step.span, text)) for text in texts)
