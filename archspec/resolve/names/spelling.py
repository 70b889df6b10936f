"""Misspellings: the known name that was meant, if only one is near.

In: a word and the known names. Out: a name, or a help with the edit.
"""

from __future__ import annotations

from collections.abc import Iterable

from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span

_LENGTHS = ((3, 0), (5, 1), (9, 2))  # shorter than this, so many letters may differ


def misspelt(wrong: str, known: Iterable[str], span: Span) -> tuple[Help, ...]:
    """Return a help for a misspelling, if there is one known name that is nearest."""
    near = nearest(wrong, known)
    return (Help(f"did you mean `{near}`?", Edit(span, near), is_safe=True),) if near else ()


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """Return the known name from which a few letters differ, in any case; None if none or several are as near.

    >>> nearest("CONVV", ["CONV", "POOL"]), nearest("depth", ["width"]), nearest("GM", ["GN", "FC"])
    ('CONV', None, None)
    """
    limit = next((letters for length, letters in _LENGTHS if len(wrong) < length), 3)
    found: dict[int, list[str]] = {}
    for name in dict.fromkeys(known):
        if abs(len(name) - len(wrong)) <= limit:
            found.setdefault(distance(wrong.lower(), name.lower()), []).append(name)
    least = min(found, default=limit + 1)
    if least > limit:
        return None
    near = found[least]
    if len(near) > 1:  # a letter too many or too few is likelier than another one
        near = [name for name in near if _is_part(name.lower(), wrong.lower()) or _is_part(wrong.lower(), name.lower())]
    return near[0] if len(near) == 1 else None


def related(wrong: str, known: Iterable[str]) -> str | None:
    """Return the only known name that begins with a word, or that it begins with; None if there are none or several.

    >>> related("basicblock", ["basic", "bottleneck"]), related("conv", ["conv1", "conv2"])
    ('basic', None)
    """
    found = [name for name in known if len(name) > 2 and (name.startswith(wrong) or wrong.startswith(name))]
    return found[0] if len(found) == 1 else None


def _is_part(short: str, long: str) -> bool:
    """Whether the letters of one are in the other, in the same order."""
    letters = iter(long)
    return all(letter in letters for letter in short)


def distance(one: str, other: str) -> int:
    """Return how many letters were added, left out, changed or swapped with the next.

    >>> distance("widht", "width"), distance("RLU", "RELU"), distance("depth", "width")
    (1, 1, 3)
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, left in enumerate(one, 1):
        now = [row]
        for column, right in enumerate(other, 1):
            least = min(last[column] + 1, now[-1] + 1, last[column - 1] + (left != right))
            is_swapped = row > 1 and column > 1 and (left, one[row - 2]) == (other[column - 2], right)
            now.append(min(least, before[column - 2] + 1) if is_swapped else least)
        before, last = last, now
    return last[-1]
