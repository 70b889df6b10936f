"""The page of a training run: it parses, holds what was measured, and needs nothing from elsewhere."""

import math
import re
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import precision_recall_fscore_support

from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.pages.mistake_pictures import MistakenImage
from archspec.compiler.pages.svg import number
from archspec.compiler.training.records.epoch_figures import COLUMNS, EpochFigures, columns_of
from archspec.compiler.training.records.report_page import CHARTS, versions, write_report
from archspec.compiler.training.records.run_status import RunStatus, failed, finished, in_progress, stopped
from archspec.diagnostics.errors import failure

VOID = {"meta", "br", "hr", "img", "link", "input"}
NOTES = {"network": "Net <i>1</i>", "parameters": "1,234", "time": "12 s", "device": "cpu", "versions": versions()}


class Page(HTMLParser):
    """The tags, which must be closed in order, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.source = text
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


DIVERGED = dict.fromkeys(COLUMNS, math.nan) | {"epoch": 1, "tflops": None, "mfu": None}


def rows(count: int, **fixed: float | None) -> list[EpochFigures]:
    made = []
    for epoch in range(1, count + 1):
        values = {name: (place + 1) * math.exp(-epoch / 50) for place, name in enumerate(columns_of(()))}
        made.append(EpochFigures.from_dict({**values, "epoch": epoch, **fixed}))
    return made


def evaluation(count: int, every: bool = False) -> Evaluation:
    matrix = [[5 if row == other else int(every or other == row + 1) for other in range(count)] for row in range(count)]
    names = tuple(f"<b>&{number}</b>" for number in range(count))
    return Evaluation.of_matrix(names, tuple(map(tuple, matrix)), (5,) * count)


def written(path: Path, *parts: Any, **more: Any) -> Page:
    write_report(path / "report.html", *parts, **more)
    return Page((path / "report.html").read_text(encoding="utf-8"))


def test_the_page_holds_what_was_measured(tmp_path: Path) -> None:
    recipe = {"epochs": 7, "lr": 0.02, "schedule": "cosine"}
    found = rows(7)
    page = written(tmp_path, "Net <i>1</i>", found, recipe, evaluation(4), NOTES)
    for row in (found[0], found[-1]):
        for name, value in row.to_dict().items():
            assert f">{name}<" in page.source
            assert f"<td>{number(value)}</td>" in page.source
        for name in ("top1", "top5", "train_top1", "data_wait", "mfu"):  # in the curves
            assert number(100 * row.to_dict()[name]) in page.text
    assert "86.96 % (20 of 23)" in page.text
    for text in (*recipe, "cosine", *NOTES.values(), "<b>&3</b>"):
        assert text in page.text
    assert not [tag for tag, _ in page.tags if tag in ("b", "i", "script", "link", "img", "iframe")]


def test_every_curve_is_of_a_figure_and_every_share_and_loss_has_one() -> None:
    drawn = {column for _, _, lines, _ in CHARTS for column in lines}
    assert set(COLUMNS) - drawn == {"epoch", "tflops", "skipped", "damaged", "seconds"}
    assert drawn <= set(COLUMNS)


MISTAKES = [
    MistakenImage("<i>a</i>.png", "<b>&3</b>", "dog", 0.98765, torch.full((3, 8, 8), 7, dtype=torch.uint8)),
    MistakenImage("digit 17", "1", "7", 0.5, torch.zeros(1, 300, 200, dtype=torch.uint8)),
]


def test_mistakes_are_pictures_of_the_pixels(tmp_path: Path) -> None:
    page = written(tmp_path, "Net", rows(2), {}, evaluation(4), NOTES, mistakes=MISTAKES)
    for text in ("98.77 % dog", "true class: <b>&3</b>", "<i>a</i>.png", "50.00 % 7", "true class: 1", "digit 17"):
        assert text in page.text
    assert not [tag for tag, _ in page.tags if tag in ("b", "i", "script", "link", "iframe")]
    small, large = [Image.open(BytesIO(data(attributes))) for tag, attributes in page.tags if tag == "img"]
    assert np.array_equal(np.array(small), np.full((8, 8, 3), 7))  # exactly, and 300x200 is made smaller
    assert (large.size, large.mode) == ((128, 192), "L")
    assert "Most confident mistakes" not in written(tmp_path, "Net", rows(2), {}, evaluation(4), NOTES).text


def data(attributes: dict[str, str | None]) -> bytes:
    head, _, text = (attributes["src"] or "").partition(";base64,")
    assert head in ("data:image/png", "data:image/jpeg")
    return b64decode(text)


def test_figures_by_class_are_those_of_scikit_learn(tmp_path: Path) -> None:
    matrix = ((5, 2, 0, 0), (1, 3, 0, 0), (4, 0, 0, 0), (0, 0, 0, 0))
    names = ("a", "b", "never predicted", "empty")
    page = written(tmp_path, "Net", rows(1), {}, Evaluation.of_matrix(names, matrix, (7, 4, 0, 0)), {})
    pairs = [(true, guess) for true, row in enumerate(matrix) for guess, times in enumerate(row) for _ in range(times)]
    true, guesses = zip(*pairs, strict=True)
    figures = precision_recall_fscore_support(true, guesses, labels=[0, 1, 2, 3], zero_division=np.nan)
    for name, precision, recall, f1, images in zip(names, *figures, strict=True):
        cells = [name, f"{images}", *("" if np.isnan(one) else f"{100 * one:.2f} %" for one in (precision, recall, f1))]
        assert "".join(f"<td>{cell}</td>" for cell in cells) in page.source


@pytest.mark.parametrize(
    ("status", "text", "is_loaded_again"),
    [
        (in_progress(3, 20), "in progress: 3 of 20 epochs (written on ", True),
        (
            stopped(3, 20, "archspec train --processes 2 --resume runs/<b>"),
            "stopped: 3 of 20 epochs; `archspec train --processes 2 --resume runs/<b>` continues",
            False,
        ),
        (failed(3, 20, failure("E459", "no <i>")), "failed: 3 of 20 epochs, then E459: no <i>", False),
        (finished(20), "finished: 20 of 20 epochs", False),
    ],
)
def test_the_page_says_whether_the_run_is_finished(
    tmp_path: Path, status: RunStatus, text: str, is_loaded_again: bool
) -> None:
    page = written(tmp_path, "Net", rows(3), {}, None, {}, status=status)
    assert text in page.text
    assert [dict(attributes) for _, attributes in page.tags if attributes.get("http-equiv")] == (
        [{"http-equiv": "refresh", "content": "60"}] if is_loaded_again else []
    )


def test_settings_are_shown_with_their_reasons(tmp_path: Path) -> None:
    page = written(tmp_path, "Net", [], {"lr": 0.1, "ema": 0.0}, None, {}, why={"lr": "few <b>images</b>"})
    assert "<th>setting</th><th>value</th><th>why</th>" in page.source
    assert "<td>lr</td><td>0.1</td><td>few &lt;b&gt;images&lt;/b&gt;</td>" in page.source
    assert "<td>ema</td><td>0.0</td><td></td>" in page.source
    assert "<th>why</th>" not in written(tmp_path, "Net", [], {"lr": 0.1}, None, {}).source


def test_nothing_is_fetched_from_elsewhere(tmp_path: Path) -> None:
    status = in_progress(3, 20)
    write_report(
        tmp_path / "report.html", "Net", rows(3), {}, evaluation(3), NOTES, status=status, mistakes=MISTAKES, why={}
    )
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    addresses = set(re.findall(r"https?://[^\"' )]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # a name, which nobody fetches
    assert not re.search(r"url\(|@import|<script|src=(?!\"data:image/(png|jpeg);base64,)|href=", text)
    assert "prefers-color-scheme:dark" in text
    assert "@media print" in text


@pytest.mark.parametrize("every", [False, True])
def test_a_long_run_of_many_classes_is_a_small_file(tmp_path: Path, every: bool) -> None:
    write_report(tmp_path / "report.html", "Net", rows(200), {"epochs": 200}, evaluation(100, every), NOTES)
    assert (tmp_path / "report.html").stat().st_size < 300_000


def test_unknown_figures_are_not_shown(tmp_path: Path) -> None:
    page = written(tmp_path, "Net", rows(2, tflops=None, mfu=None), {}, None, {})
    of_classes = [lines for _, _, lines, _ in CHARTS if {*lines} & {*columns_of(())}]
    assert sum(tag == "svg" for tag, _ in page.tags) == len(of_classes) == len(CHARTS) - 1  # without that of maps
    assert "tflops" not in page.text
    assert "MFU" not in page.text
    assert "Held-out images" not in page.text


def test_a_run_without_epochs_and_one_that_diverged(tmp_path: Path) -> None:
    written(tmp_path, "Net", [], {}, None, {})
    found = [
        EpochFigures.from_dict({**DIVERGED, "epoch": 1}),
        EpochFigures.from_dict({**DIVERGED, "epoch": 2, "loss": math.inf}),
    ]
    page = written(tmp_path, "Net", found, {}, None, {})
    for _, attributes in page.tags:
        assert "nan" not in (attributes.get("points") or "") + (attributes.get("d") or "")
