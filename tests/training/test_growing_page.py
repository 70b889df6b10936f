"""What can be seen of a run while it trains, and after it was stopped or has failed."""

import json
import math
import os
import re
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import fields
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import archspec
from archspec.cli import main
from archspec.compiler import build
from archspec.compiler.data.dataset import Batch
from archspec.compiler.data.digits import Digits, digits
from archspec.compiler.data.folder import folder
from archspec.compiler.onnx.proof import prove
from archspec.compiler.progress import Progress
from archspec.compiler.training.loop.observer import SilentObserver
from archspec.compiler.training.loop.trainer import Trainer
from archspec.compiler.training.parallel.engine import engine
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.records.peak_memory import peak_memory
from archspec.compiler.training.records.summary import RunSummary
from archspec.graph.volume import Volume
from archspec.recipe import Recipe
from support.event_files import scalars
from support.processes import begin

SPEC = "net Tiny\n[8x8x1] INPUT\nPOOL 2x2 s2\nFC 10\n"


def train(*arguments: str | Path) -> Any:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A finished run, and its page as it was when each epoch began."""
    out = tmp_path_factory.mktemp("seen")
    (out / "tiny.arch").write_text(SPEC)
    pages = []
    with pytest.MonkeyPatch.context() as patch:
        original = Digits.__getitems__

        def watched(images: Digits, keys: Any) -> Batch:
            page = out / "run" / "report.html"
            if page.exists() and (text := page.read_text()) not in pages:
                pages.append(text)
            return original(images, keys)

        patch.setattr(Digits, "__getitems__", watched)
        assert train(out / "tiny.arch", "--out", out / "run", "--epochs", "3", "--batch", "64").exit_code == 0
    return out / "run", pages


def test_the_page_grows_with_each_epoch(run: tuple[Path, list[str]]) -> None:
    out, pages = run
    assert [re.findall(r"(?:in progress|finished): \d of \d epochs", page) for page in pages] == [
        ["in progress: 0 of 3 epochs"],
        ["in progress: 1 of 3 epochs"],
        ["in progress: 2 of 3 epochs"],
    ]
    whole = (out / "report.html").read_text()
    assert "finished: 3 of 3 epochs" in whole
    assert "http-equiv" not in whole
    assert [page.count("Most confident mistakes") for page in (*pages, whole)] == [0, 1, 1, 1]
    assert all(page.rstrip().endswith("</html>") for page in pages)


def test_the_page_shows_mistakes_of_the_last_evaluation(run: tuple[Path, list[str]]) -> None:
    page = (run[0] / "report.html").read_text()
    data = digits(Volume((8, 8, 1)), 0)
    assert isinstance(data.held_out, Digits)
    held_out = {
        f"digit {number}": int(true) for number, true in zip(data.held_out.numbers, data.held_out.classes, strict=True)
    }
    found = re.findall(
        r"<span>([\d.]+) % (\d)</span><span>true class: (\d)</span><span class=\"file\">(.*?)</span>", page
    )
    assert len(found) == 12
    for _, predicted, true, name in found:
        assert held_out[name] == int(true) != int(predicted)
    shares = [float(share) for share, *_ in found]
    assert shares == sorted(shares, reverse=True)
    assert page.count('src="data:image/png;base64,') == 12


def test_memory_is_predicted_and_measured(run: tuple[Path, list[str]]) -> None:
    summary = json.loads((run[0] / "summary.json").read_text())
    assert 0 < summary["memory_predicted"] < 2**20
    assert summary["memory_measured"] > 2**26  # Python and torch are more than 64 MiB
    page = (run[0] / "report.html").read_text()
    assert "of tensors in a step, per process, in float32" in page
    assert summary["memory_measured_is"] == "of the process at its peak, with Python, torch and images"
    assert summary["memory_measured_is"] in page
    scores = {"top1", "top5", "images", "right", "best_top1"}  # instead of the evaluation and the best epoch's
    own = {field.name for field in fields(RunSummary)} - {"evaluation", "best"}
    assert set(summary) == {*own, *scores, "omitted"}


def test_the_measured_memory_is_a_peak() -> None:
    block = torch.ones(2**25)  # 128 MiB
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    del block
    found = peak_memory(torch.device("cpu"))
    assert found is not None
    assert 0.99 * resident < found.size < resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 * 1.01


def test_tensorboard_reads_the_figures_of_each_epoch(run: tuple[Path, list[str]]) -> None:
    rows = [json.loads(line) for line in (run[0] / "metrics.jsonl").read_text().splitlines()]
    found = scalars(run[0])
    assert set(found) == {*rows[0]} - {"epoch"}
    for name, values in found.items():
        assert [step for step, _ in values] == [1, 2, 3]
        assert [value for _, value in values] == pytest.approx([row[name] for row in rows], rel=1e-6)


def test_a_stopped_run_has_its_page(tmp_path: Path) -> None:
    (tmp_path / "tiny.arch").write_text(SPEC)
    out = tmp_path / "run"
    process = begin("train", tmp_path / "tiny.arch", "--out", out, "--epochs", "100000")
    while not (out / "metrics.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.002)
    assert "in progress: " in (out / "report.html").read_text()  # complete at any time
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 130
    page = (out / "report.html").read_text()
    done = len((out / "metrics.jsonl").read_text().splitlines())
    assert f"stopped: {done} of 100000 epochs; `archspec train --resume {out}` continues" in page
    assert "http-equiv" not in page
    assert math.isfinite(scalars(out)["loss"][done - 1][1])


def test_a_run_that_fails_says_so_in_its_page(tmp_path: Path) -> None:
    (tmp_path / "tiny.arch").write_text(SPEC)
    result = train(tmp_path / "tiny.arch", "--out", tmp_path / "run", "--lr", "1e38", "--warmup", "0")
    assert result.exit_code == 1
    assert "E459" in result.stderr
    assert re.search(r"failed: \d+ of 30 epochs, then E459: ", (tmp_path / "run" / "report.html").read_text())


def test_images_are_called_by_their_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(10):
            Image.new("RGB", (9, 9)).save(tmp_path / name / f"{number}.png")
    held_out = folder(tmp_path, Volume((9, 9, 3)), Recipe()).held_out
    batch = held_out.__getitems__([(0, -1), (1, -1)])
    assert batch.places == (0, 1)
    assert [Path(held_out.name(place)).parent.name for place in batch.places] == ["a", "b"]


class Shown(SilentObserver):
    """Prints into a pipe, on a clock that is 31 seconds later each time it is read."""

    def __init__(self) -> None:
        self.pipe = StringIO()
        seconds = count(step=31)
        self.progress = Progress(quiet=False, stream=self.pipe, now=lambda: float(next(seconds)))

    def show_progress(self, line: Callable[[], str]) -> None:
        self.progress.step(line)


def test_lines_in_a_pipe_say_how_far_training_and_evaluation_are() -> None:
    network, recipe = archspec.loads(SPEC), Recipe(epochs=3, batch=512, lr=0.01)
    made = engine(network.graph, build(network, seed=0), recipe, Group(0, 1, torch.device("cpu")))
    observer = Shown()
    Trainer(made, digits(network.input, 0), 0).run_epoch(observer)
    first, second, held_out = observer.pipe.getvalue().splitlines()
    figures = r"loss \d\.\d{4}  top-1 \d+\.\d %  lr \S+  [\d,]+ images/s  \S+ \S+ left"
    assert re.fullmatch(rf"epoch 1/3 step 1/2  {figures}", first)
    assert re.fullmatch(rf"epoch 1/3 step 2/2  {figures}", second)
    assert held_out == "held-out images: 359 of 359 evaluated"


def test_lines_in_a_pipe_say_how_far_a_proof_is(tmp_path: Path) -> None:
    network, observer = archspec.loads(SPEC), Shown()
    module = build(network, seed=0)
    archspec.export(network, tmp_path / "net.onnx", module=module)
    assert prove(tmp_path / "net.onnx", network.graph, module, observer.progress).passed
    assert observer.pipe.getvalue().splitlines() == [
        "proof: onnx's checker",
        "proof: inferred shapes",
        "proof: onnxruntime",
        "proof: torch in float32 and float64",
    ]
