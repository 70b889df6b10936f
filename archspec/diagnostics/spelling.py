"""Misspellings: the known name that was meant, if only one is near.

In: a word and the known names. Out: a name.
"""

from __future__ import annotations

from collections.abc import Iterable

_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_LENGTHS = ((3, 0), (5, 1), (9, 2))  # shorter than this, so many letters may differ


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """Return the known name from which a few letters differ, in any case; None if none or several are as near.

    >>> nearest("CONVV", ["CONV", "POOL"]), nearest("depth", ["width"]), nearest("GM", ["GN", "FC"])
    ('CONV', None, None)
    """
    limit = next((letters for length, letters in _LENGTHS if len(wrong) < length), 3)
    found: dict[int, list[str]] = {}
    for name in dict.fromkeys(known):
        if abs(len(name) - len(wrong)) <= limit and _digits(name) == _digits(wrong):  # stage4 is not stage3 misspelt
            found.setdefault(distance(wrong.lower(), name.lower()), []).append(name)
    least = min(found, default=limit + 1)
    if least > limit:
        return None
    near = found[least]
    if len(near) > 1:  # a letter too many or too few is likelier than another one
        near = [name for name in near if _is_part(name.lower(), wrong.lower()) or _is_part(wrong.lower(), name.lower())]
    return near[0] if len(near) == 1 else None


def nearest_layer(wrong: str, known: Iterable[str]) -> str | None:
    """Return the layer that a slip of the fingers made of its name, or None: many layers differ in one letter.

    >>> [nearest_layer(word, ["CONV", "GAP", "GN", "RELU"]) for word in ("CONVV", "CNOV", "RLU", "CPNV")]
    ['CONV', 'CONV', 'RELU', 'CONV']
    >>> [nearest_layer(word, ["CONV", "GAP", "GN", "RELU"]) for word in ("CONVT", "GMP", "GRN", "ELU")]
    [None, None, None, None]
    """
    found = [name for name in dict.fromkeys(known) if is_slip(wrong, name)]
    return found[0] if len(found) == 1 else None


def is_slip(wrong: str, name: str) -> bool:
    """Whether a slip of the fingers made a word of a name; other words that differ in a letter may mean something else.

    Slips are a letter typed twice, left out, or swapped with the next, a key beside the right one, and in names of five
    letters or more one letter too many. The first letter is right: `ELU` and `encoder` are not `RELU` and `decoder`.
    """
    wrong, name = wrong.lower(), name.lower()
    if wrong == name:
        return True
    if wrong[:1] != name[:1] or _digits(wrong) != _digits(name) or distance(wrong, name) != 1:
        return False
    if len(wrong) < len(name):
        return True
    at = next((place for place, pair in enumerate(zip(wrong, name, strict=False)) if pair[0] != pair[1]), len(name))
    if len(wrong) > len(name):
        return len(name) > 4 or wrong[at] == wrong[at - 1] or wrong == f"{name}s"
    is_swapped = wrong[at : at + 2] == name[at : at + 2][::-1] and len(wrong) > at + 1
    return is_swapped or _are_neighbours(wrong[at], name[at])


def _digits(word: str) -> str:
    return "".join(filter(str.isdigit, word))


def _are_neighbours(one: str, other: str) -> bool:
    """Whether two letters are beside each other on a keyboard, in a row or a diagonal."""
    places = {key: (row, 2 * column + row) for row, keys in enumerate(_KEYS) for column, key in enumerate(keys)}
    if one not in places or other not in places:
        return False
    (row, left), (other_row, right) = places[one], places[other]
    return abs(row - other_row) <= 1 and abs(left - right) <= 2


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
