"""The page of a training run: it parses, holds what was measured, and needs nothing from elsewhere."""

import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.pages.svg import number
from archspec.compiler.training.records.epoch_figures import COLUMNS, EpochFigures
from archspec.compiler.training.records.report_page import CHARTS, versions, write_report

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
        values = {name: (place + 1) * math.exp(-epoch / 50) for place, name in enumerate(COLUMNS)}
        made.append(EpochFigures.from_dict({**values, "epoch": epoch, **fixed}))
    return made


def evaluation(count: int, every: bool = False) -> Evaluation:
    matrix = [[5 if row == other else int(every or other == row + 1) for other in range(count)] for row in range(count)]
    names = tuple(f"<b>&{number}</b>" for number in range(count))
    return Evaluation.of_matrix(names, tuple(map(tuple, matrix)), (5,) * count)


def written(path: Path, *parts: Any) -> Page:
    write_report(path / "report.html", *parts)
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


def test_nothing_is_fetched_from_elsewhere(tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", "Net", rows(3), {}, evaluation(3), NOTES)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    addresses = set(re.findall(r"https?://[^\"' )]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # a name, which nobody fetches
    assert not re.search(r"url\(|@import|<script|src=|href=", text)
    assert "prefers-color-scheme:dark" in text
    assert "@media print" in text


@pytest.mark.parametrize("every", [False, True])
def test_a_long_run_of_many_classes_is_a_small_file(tmp_path: Path, every: bool) -> None:
    write_report(tmp_path / "report.html", "Net", rows(200), {"epochs": 200}, evaluation(100, every), NOTES)
    assert (tmp_path / "report.html").stat().st_size < 300_000


def test_unknown_figures_are_not_shown(tmp_path: Path) -> None:
    page = written(tmp_path, "Net", rows(2, tflops=None, mfu=None), {}, None, {})
    assert sum(tag == "svg" for tag, _ in page.tags) == len(CHARTS)
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
