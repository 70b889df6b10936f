"""An evaluation of pixels as text of at most 100 columns: totals, and a line for each class.

In: a `MapEvaluation`. Out: lines, and their parts for the pages.
"""

from __future__ import annotations

from collections.abc import Sequence

from archspec.compiler.evaluation.confusion_tables import aligned, share, short
from archspec.compiler.evaluation.maps.map_evaluation import MapEvaluation

IOU = (
    "IoU: right pixels over those of the class or predicted as it, over all images; the mean leaves out absent classes."
)


def map_totals(found: MapEvaluation) -> list[str]:
    """Return mean IoU and pixel accuracy."""
    absent = [one.name for one in found.classes() if one.iou is None]
    note = f" of {len(found.class_names) - len(absent)} classes; absent: {', '.join(map(short, absent))}"
    return [
        f"mean IoU        {100 * found.mean_iou:.2f} %{note if absent else ''}",
        f"pixel accuracy  {share(found.right, found.pixels)}",
    ]


def map_rows(found: MapEvaluation) -> list[tuple[str, ...]]:
    """Return a head and a row for each class, with the names in full."""
    rows: list[tuple[str, ...]] = [("class", "pixels", "of all", "IoU", "precision", "recall")]
    for one in found.classes():
        shares = ("" if part is None else f"{100 * part:.2f} %" for part in (one.iou, one.precision, one.recall))
        rows.append((one.name, f"{one.pixels:,}", f"{100 * one.pixels / max(1, found.pixels):.2f} %", *shares))
    return rows


def map_table(found: MapEvaluation) -> list[str]:
    """Return a line for each class, under a head."""
    rows: Sequence[Sequence[str]] = [(short(name), *rest) for name, *rest in map_rows(found)]
    return list(aligned(rows, "<>>>>>"))
