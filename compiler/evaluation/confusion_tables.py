"""An evaluation as text of at most 100 columns: totals, classes, the confusion matrix.

In: an `Evaluation`. Out: lines. A matrix that is too wide becomes a list of its largest entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.compiler.evaluation.confusion import Evaluation

WIDTH = 100
MOST_CLASSES = 12  # of a matrix
MOST_CONFUSIONS = 20
LONGEST = 28  # characters of a class name
FEW = 5  # classes among which the first five guesses are all there are


def share(part: int, whole: int) -> str:
    """`92.31 % (312 of 338)`."""
    return f"{100 * part / max(1, whole):.2f} % ({part:,} of {whole:,})"


def totals(found: Evaluation) -> list[str]:
    """Top-1, and top-5 where there are more than five classes."""
    lines = [f"top-1  {share(found.right, found.images)}"]
    return lines + [f"top-5  {share(sum(found.right_in_5), found.images)}"] * (len(found.class_names) > FEW)


def class_table(found: Evaluation) -> list[str]:
    """A row for each class."""
    rows = [("class", "images", "right", "top-1", "most often taken for")]
    for one in found.classes():
        top1 = "" if one.top1 is None else f"{100 * one.top1:.2f} %"
        mistaken = f"{short(one.mistaken_for)} ({one.mistaken:,})" if one.mistaken_for is not None else ""
        rows.append((short(one.name), f"{one.images:,}", f"{one.right:,}", top1, mistaken))
    return list(_aligned(rows, "<>>><"))


def matrix_table(found: Evaluation) -> list[str]:
    """The matrix, or where that is too wide its largest entries."""
    names = [short(name) for name in found.class_names]
    if len(names) <= MOST_CLASSES:
        for keys in (names, [str(number) for number in range(1, len(names) + 1)]):
            labels = names if keys is names else [f"{key} {name}" for key, name in zip(keys, names, strict=True)]
            rows = [("", *keys)]
            pairs = zip(labels, found.matrix, strict=True)
            rows += [(label, *(f"{times:,}" if times else "." for times in row)) for label, row in pairs]
            lines = list(_aligned(rows, "<" + ">" * len(names)))
            if max(map(len, lines)) <= WIDTH:
                return ["confusion matrix: a row is what images are, a column what they were taken for", *lines]
    return _confusion_list(found)


def _confusion_list(found: Evaluation) -> list[str]:
    largest = found.confusions(MOST_CONFUSIONS)
    if not largest:
        return ["no image was taken for another class"]
    rows = [("are", "were taken for", "images", "of the class")]
    rows += [(short(one.name), short(one.taken_for), f"{one.times:,}", f"{100 * one.share:.1f} %") for one in largest]
    return ["most frequent confusions", *_aligned(rows, "<<>>")]


def _aligned(rows: Sequence[Sequence[str]], sides: str) -> Iterator[str]:
    """Columns, each as wide as its widest cell, to the left (`<`) or the right (`>`)."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)]
        yield "  ".join(cells).rstrip()


def short(name: str) -> str:
    """A class name on one line, and not too long."""
    shown = "".join(one if one.isprintable() else "?" for one in name)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 3] + "..."
