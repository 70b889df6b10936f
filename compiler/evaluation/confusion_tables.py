"""An evaluation as text of at most 100 columns: totals, classes, the confusion matrix.

In: an `Evaluation`. Out: lines, and their parts for the pages. A matrix that is too wide becomes a list of its largest
entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from archspec.compiler.evaluation.confusion import Evaluation
from archspec.diagnostics.findings import printable

WIDTH = 100
MOST_CLASSES = 12  # of a matrix
MOST_CONFUSIONS = 20
LONGEST = 28  # characters of a class name
FEW = 5  # classes, all of which are among the first five guesses


def share(part: int, whole: int) -> str:
    """Return a share as text: `92.31 % (312 of 338)`."""
    return f"{100 * part / max(1, whole):.2f} % ({part:,} of {whole:,})"


def short(name: str, longest: int = LONGEST) -> str:
    r"""Return a class name on one line, cut to `longest` characters.

    >>> short("a\tb"), short("barometer", 8)
    ('a⇥b', 'barom...')
    """
    shown = printable(name)
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


def totals(found: Evaluation, published: Mapping[int, float]) -> list[str]:
    """Return top-1, and top-5 for more than five classes, with the `published` percentages by k beside them."""
    right = {1: found.right} | ({5: sum(found.right_in_5)} if len(found.class_names) > FEW else {})
    beside = {k: f"; published: {percentage:g} %" for k, percentage in published.items()}
    return [f"top-{k}  {share(count, found.images)}{beside.get(k, '')}" for k, count in right.items()]


def class_rows(found: Evaluation) -> list[tuple[str, str, str, str, str]]:
    """Return a head and a row for each class."""
    rows = [("class", "images", "right", "top-1", "most often confused with")]
    for one in found.classes():
        top1 = "" if one.top1 is None else f"{100 * one.top1:.2f} %"
        confused = "" if one.confused_with is None else f"{short(one.confused_with)} ({one.confused:,})"
        rows.append((short(one.name), f"{one.images:,}", f"{one.right:,}", top1, confused))
    return rows


def figure_rows(found: Evaluation) -> list[tuple[str, ...]]:
    """Return a head and a row for each class, with the names in full: its figures and its most frequent confusion."""
    rows: list[tuple[str, ...]] = [("class", "images", "precision", "recall", "F1", "most often confused with")]
    for one in found.classes():
        shares = ("" if share is None else f"{100 * share:.2f} %" for share in (one.precision, one.top1, one.f1))
        confused = "" if one.confused_with is None else f"{one.confused_with} ({one.confused:,})"
        rows.append((one.name, f"{one.images:,}", *shares, confused))
    return rows


def class_table(found: Evaluation) -> list[str]:
    """Return a line for each class, under a head."""
    return list(aligned(class_rows(found), "<>>><"))


def matrix_table(found: Evaluation) -> list[str]:
    """Return the matrix, or where that is too wide its largest entries."""
    names = [short(name) for name in found.class_names]
    numbers = [str(number) for number in range(1, len(names) + 1)]
    numbered = [f"{number} {name}" for number, name in zip(numbers, names, strict=True)]
    if len(names) <= MOST_CLASSES:
        for head, labels in ((names, names), (numbers, numbered)):
            lines = list(aligned([("", *head), *_matrix_rows(found, labels)], "<" + ">" * len(names)))
            if max(map(len, lines)) <= WIDTH:
                return ["confusion matrix: rows are true classes, columns predicted ones", *lines]
    return _confusion_list(found)


def _matrix_rows(found: Evaluation, labels: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for label, row in zip(labels, found.matrix, strict=True):
        yield label, *(f"{times:,}" if times else "." for times in row)


def _confusion_list(found: Evaluation) -> list[str]:
    largest = found.confusions(MOST_CONFUSIONS)
    if not largest:
        return ["no confusions"]
    rows = [("true class", "confused with", "images", "of the class")]
    for one in largest:
        rows.append((short(one.name), short(one.confused_with), f"{one.times:,}", f"{100 * one.share:.1f} %"))
    return ["most frequent confusions", *aligned(rows, "<<>>")]


def aligned(rows: Sequence[Sequence[str]], sides: str) -> Iterator[str]:
    """Yield lines whose columns are as wide as their widest cell, aligned to the left (`<`) or the right (`>`)."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)]
        yield "  ".join(cells).rstrip()
