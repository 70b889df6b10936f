"""The figures of an epoch: every field is a column of metrics.csv, of the page and of TensorBoard."""

import csv
import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from archspec.cli import main
from archspec.compiler.training.recorder import epoch_line
from archspec.compiler.training.records.checkpoint import REQUIRED, Checkpoint, RunDescription, TrainerState
from archspec.compiler.training.records.epoch_figures import (
    COLUMNS,
    OF_CLASSES,
    OF_MAPS,
    EpochFigures,
    columns_of,
)
from archspec.compiler.training.records.report_page import write_report
from archspec.compiler.training.records.run_folder import RunFolder
from archspec.compiler.training.records.tensorboard import ScalarWriter
from archspec.recipe import Recipe
from support.event_files import scalars

FIGURES = EpochFigures(
    epoch=3,
    lr=0.5,
    loss=1.25,
    train_top1=0.5,
    held_out_loss=1.5,
    top1=0.625,
    top5=0.875,
    images_per_second=1234.0,
    data_wait=0.25,
    tflops=2.5,
    mfu=0.375,
    skipped=7,
    damaged=9,
    seconds=11.0,
)
OF_PIXELS = replace(
    FIGURES, train_top1=None, top1=None, top5=None, train_pixel_accuracy=0.5, pixel_accuracy=0.75, mean_iou=0.625
)
NAMES = list(columns_of([FIGURES]))


@pytest.mark.parametrize("figures", [FIGURES, OF_PIXELS], ids=["of classes", "of maps"])
def test_every_figure_is_a_column_everywhere(tmp_path: Path, figures: EpochFigures) -> None:
    names = [field.name for field in fields(EpochFigures) if getattr(figures, field.name) is not None]
    assert {*names, *OF_CLASSES, *OF_MAPS} == {*COLUMNS}
    RunFolder(tmp_path).add(figures)
    with (tmp_path / "metrics.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row == {name: str(getattr(figures, name)) for name in names}
    assert json.loads((tmp_path / "metrics.jsonl").read_text()) == {name: getattr(figures, name) for name in names}
    ScalarWriter(tmp_path).add(figures)
    known: dict[str, list[tuple[int, Any]]] = {
        name: [(3, pytest.approx(getattr(figures, name)))] for name in names if name != "epoch"
    }
    assert scalars(tmp_path) == known  # in float32
    write_report(tmp_path / "report.html", "Net", [figures], {}, None, {})
    page = (tmp_path / "report.html").read_text()
    assert "".join(f"<th>{name}</th>" for name in names) in page
    assert EpochFigures.from_dict(figures.to_dict()) == figures


def test_an_unknown_figure_is_an_empty_cell_and_a_missing_key(tmp_path: Path) -> None:
    RunFolder(tmp_path).add(replace(FIGURES, mfu=None))
    with (tmp_path / "metrics.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["mfu"] == ""
    assert "mfu" not in json.loads((tmp_path / "metrics.jsonl").read_text())


def test_the_terminal_shows_the_figures_of_an_epoch() -> None:
    assert epoch_line(FIGURES, 90) == (
        "epoch   3/90  loss 1.2500  held-out 1.5000  top-1 62.50 %  top-5 87.50 %  lr 0.5  1,234 images/s"
        "  waiting 25 %  MFU 38 %  7 skipped"
    )
    assert "  mean IoU 62.50 %  pixels 75.00 %  lr 0.5" in epoch_line(OF_PIXELS, 90)
    usual = replace(FIGURES, data_wait=0.1, mfu=None, skipped=0)
    assert len(epoch_line(usual, 90)) <= 100


def test_a_run_writes_a_scalar_for_every_epoch(tmp_path: Path) -> None:
    (tmp_path / "small.arch").write_text("net Small\n[8x8x1] INPUT\nFC 10\n")
    assert train(tmp_path / "small.arch", "--out", tmp_path / "run", "--epochs", "2").exit_code == 0
    assert {name: [step for step, _ in pairs] for name, pairs in scalars(tmp_path / "run").items()} == {
        name: [1, 2] for name in NAMES if name not in ("epoch", "mfu")
    }


def train(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def checkpoint() -> Checkpoint:
    weights = {"fc1.weight": torch.ones(2, 3)}
    state = TrainerState(weights, None, {}, {}, {}, 1, 2, 3, 0, 0, torch.zeros(3), ["a.png"], 1)
    description = RunDescription({"name": "small"}, Recipe(seed=7), (0.5,), (0.25,), ("cat", "dog"))
    return Checkpoint(state, description, "photos", "f00d", 0.5, 0, (FIGURES,))


def test_a_checkpoint_is_the_same_after_it_was_written(tmp_path: Path) -> None:
    written = checkpoint()
    assert written.to_dict().keys() == REQUIRED
    RunFolder(tmp_path).save(written, 12)
    found = RunFolder(tmp_path).load()
    assert torch.equal(found.trainer.module.pop("fc1.weight"), written.trainer.module.pop("fc1.weight"))
    assert torch.equal(found.trainer.seen, written.trainer.seen)
    assert (found.description, found.rows, found.data, found.best) == (
        written.description,
        (FIGURES,),
        "photos",
        0.5,
    )
    assert replace(found.trainer, seen=written.trainer.seen) == written.trainer


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_checkpoint_that_lacks_a_part_is_refused(name: str) -> None:
    data = checkpoint().to_dict()
    del data[name]
    with pytest.raises(ValueError, match=f"`{name}` is missing"):
        Checkpoint.from_dict(data)


def test_figures_that_are_not_finite_are_still_columns(tmp_path: Path) -> None:
    RunFolder(tmp_path).add(replace(FIGURES, loss=math.nan))
    assert ",nan," in (tmp_path / "metrics.csv").read_text()
