"""A training run as one self-contained page: curves, the confusion matrix, mistakes, the recipe, the figures.

In: the figures of the epochs, the recipe and its reasons, an evaluation, mistakes, a few notes. Out: `report.html`,
readable in light and dark, on paper, and without a network connection or a script.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from archspec import __version__
from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.evaluation.confusion_tables import figure_rows, share
from archspec.compiler.evaluation.maps.map_evaluation import MapEvaluation
from archspec.compiler.evaluation.maps.map_tables import IOU, map_rows
from archspec.compiler.pages.confusion_picture import confusion_picture
from archspec.compiler.pages.line_chart import line_chart
from archspec.compiler.pages.map_pictures import STYLE as MAPS_STYLE
from archspec.compiler.pages.map_pictures import PredictedMap, map_figures
from archspec.compiler.pages.mistake_pictures import STYLE as MISTAKES_STYLE
from archspec.compiler.pages.mistake_pictures import MistakenImage, mistake_figures
from archspec.compiler.pages.svg import number, shown_text
from archspec.compiler.training.records.epoch_figures import EpochFigures, columns_of
from archspec.compiler.training.records.run_status import RunStatus
from archspec.compiler.weights.atomic import replace_file

PERCENT = 100.0
AGAIN = 60  # seconds after which the page of a run in progress is loaded again
CHARTS = (  # title, unit, what each line shows by its column, and a factor
    ("Loss", "cross-entropy", {"loss": "training", "held_out_loss": "held out"}, 1.0),
    ("Accuracy", "%", {"train_top1": "top-1, training", "top1": "top-1, held out", "top5": "top-5, held out"}, PERCENT),
    (
        "Pixels",
        "%",
        {
            "train_pixel_accuracy": "accuracy, training",
            "pixel_accuracy": "accuracy, held out",
            "mean_iou": "mean IoU, held out",
        },
        PERCENT,
    ),
    ("Learning rate", "", {"lr": "learning rate"}, 1.0),
    ("Speed", "images/s", {"images_per_second": "images/s"}, 1.0),
    ("Time", "%", {"data_wait": "waiting for images", "mfu": "MFU"}, PERCENT),
)
STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin:2rem 0 .6rem}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:.7rem;margin:0}
dl div{border:1px solid #ccc;border-radius:8px;padding:.5rem .8rem}dt{color:#666;font-size:.85rem}
dd{margin:0;font-weight:600;overflow-wrap:anywhere}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(440px,100%),1fr));gap:1rem}
figure{margin:0;break-inside:avoid}svg{width:100%;height:auto}.matrix svg{max-width:820px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}.wide{overflow-x:auto}
th,td{padding:.15rem .7rem;text-align:right;border-bottom:1px solid #ddd}
th:first-child,td:first-child,.text td,.text th{text-align:left}
summary{cursor:pointer;margin:.6rem 0}
@media screen and (prefers-color-scheme:dark){body{color:#e4e4e4;background:#16181d}dt{color:#a0a0a0}
dl div{border-color:#444}th,td{border-color:#333}}
@media print{body{margin:0;max-width:none}.charts{grid-template-columns:1fr 1fr}}
"""


def write_report(  # noqa: PLR0913, PLR0917  # the parts of the page
    path: Path,
    title: str,
    epochs: Sequence[EpochFigures],
    recipe: Mapping[str, Any],
    evaluation: Evaluation | MapEvaluation | None,
    notes: Mapping[str, str],
    *,
    status: RunStatus | None = None,
    mistakes: Sequence[MistakenImage] = (),
    maps: Sequence[PredictedMap] = (),
    why: Mapping[str, str] | None = None,
) -> None:
    """Write the page; `why` has reasons for settings of the recipe. Figures that no epoch has are not shown.

    Raises ArchspecError.
    """
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
        *([f'<meta http-equiv="refresh" content="{AGAIN}">'] if status and status.is_in_progress else []),
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{shown_text(title)}</title><style>{STYLE}{MISTAKES_STYLE}{MAPS_STYLE}</style></head><body><h1>{shown_text(title)}</h1>",
        *_status(status),
        *_figures(_summary(epochs, evaluation) | dict(notes)),
        *_charts(epochs),
        *_evaluation(title, evaluation),
        *_mistakes(mistakes),
        *_maps(maps, evaluation),
        "<h2>Recipe</h2>",
        *_recipe(recipe, why or {}),
        "<h2>Epochs</h2><details><summary>results by epoch</summary>",
        *_epochs(epochs),
        "</details></body></html>",
    ]
    replace_file(path, ("\n".join(parts) + "\n").encode(errors="replace"))


def versions() -> str:
    """Return the versions behind a run: `archspec 0.1.0, torch 2.13.0, Python 3.11.8`."""
    try:
        torch = f"torch {version('torch')}, "
    except PackageNotFoundError:
        torch = ""
    return f"archspec {__version__}, {torch}Python {platform.python_version()}"


def _status(status: RunStatus | None) -> Iterator[str]:
    if status is not None:
        more = f"; this page is loaded again every {AGAIN} seconds" if status.is_in_progress else ""
        written = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        yield f"<p>{shown_text(status.text)} (written on {written}{more})</p>"


def _summary(epochs: Sequence[EpochFigures], evaluation: Evaluation | MapEvaluation | None) -> dict[str, str]:
    found: dict[str, str] = {}
    if isinstance(evaluation, MapEvaluation):
        found["mean IoU"] = f"{PERCENT * evaluation.mean_iou:.2f} %"
        found["pixel accuracy"] = share(evaluation.right, evaluation.pixels)
    elif evaluation is not None:
        found["top-1"] = share(evaluation.right, evaluation.images)
        found["top-5"] = share(sum(evaluation.right_in_5), evaluation.images)
    if epochs:
        best = max(epochs, key=lambda one: (one.score, -one.epoch))
        found["best epoch"] = f"{best.epoch} of {len(epochs)}: {PERCENT * best.score:.2f} %"
    return found


def _figures(figures: Mapping[str, str]) -> Iterator[str]:
    yield "<dl>"
    for name, value in figures.items():
        yield f"<div><dt>{shown_text(name)}</dt><dd>{shown_text(value)}</dd></div>"
    yield "</dl>"


def _charts(epochs: Sequence[EpochFigures]) -> Iterator[str]:
    yield '<h2>Curves</h2><div class="charts">'
    for title, unit, lines, factor in CHARTS:
        series = {}
        for column, name in lines.items():
            values = [(float(one.epoch), getattr(one, column)) for one in epochs]
            if any(value is not None for _, value in values):
                series[name] = [(x, math.nan if value is None else factor * value) for x, value in values]
        if series:
            yield f"<figure>{line_chart(title, series, x_label='epoch', y_label=unit)}</figure>"
    yield "</div>"


def _evaluation(title: str, found: Evaluation | MapEvaluation | None) -> Iterator[str]:
    if found is None:
        return
    if isinstance(found, MapEvaluation):
        yield f"<h2>Held-out images</h2><p>{shown_text(IOU)}</p>"
        yield from _table(map_rows(found))
        return
    yield f'<h2>Held-out images</h2><figure class="matrix">{confusion_picture(title, found)}</figure>'
    yield "<details><summary>results by class</summary>"
    yield from _table(figure_rows(found))
    yield "</details>"


def _mistakes(found: Sequence[MistakenImage]) -> Iterator[str]:
    if found:
        yield "<h2>Most confident mistakes</h2><p>Held-out images with the highest probability of a wrong class, at the"
        yield "size that the network sees.</p>"
        yield from mistake_figures(found)


def _maps(found: Sequence[PredictedMap], evaluation: Evaluation | MapEvaluation | None) -> Iterator[str]:
    if found and evaluation is not None:
        yield "<h2>Predictions</h2><p>Image, mask and prediction: images spread over all held-out ones, then those with"
        yield "the most wrong pixels. Ignored pixels are gray.</p>"
        yield from map_figures(found, evaluation.class_names)


def _recipe(recipe: Mapping[str, Any], why: Mapping[str, str]) -> Iterator[str]:
    rows = [(name, str(value), why.get(name, "")) for name, value in recipe.items()]
    head = ("setting", "value", "why")
    yield from _table([head, *rows] if why else [row[:2] for row in (head, *rows)], "text")


def _epochs(epochs: Sequence[EpochFigures]) -> Iterator[str]:
    rows = [one.to_dict() for one in epochs]
    columns = [column for column in columns_of(epochs) if any(column in row for row in rows)]
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    yield from _table([columns, *cells])


def _cell(value: float | None) -> str:
    return "" if value is None else number(value)


def _table(rows: Sequence[Sequence[str]], kind: str = "") -> Iterator[str]:
    """Yield a table whose first row is the head."""
    head, *body = rows
    yield f'<div class="wide"><table class="{kind}">{_row(head, "th")}'
    yield from (_row(row, "td") for row in body)
    yield "</table></div>"


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{shown_text(one)}</{tag}>" for one in cells) + "</tr>"
