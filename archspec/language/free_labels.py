"""New labels for lines that need one.

In: a text, and words. Out: a label that the text does not contain.
"""

from __future__ import annotations

import re
from itertools import count


def free_label(text: str, *words: str) -> str:
    """Return the first word that a text does not contain, or the last with a number."""
    known = set(re.findall(r"[A-Za-z_]\w*", text.lower()))
    numbered = (f"{words[-1]}{number}" for number in count(2))
    return next(name for names in (words, numbered) for name in names if name not in known)
