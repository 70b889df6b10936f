"""The number of threads: by the work of a layer, the environment's or the user's, the same after a resume."""

import json
import os
from functools import partial
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import archspec
from archspec.cli import main
from archspec.compiler import threads
from archspec.compiler.threads import LEAST_WORK, Threads, computing_with, threads_for, work_per_layer
from archspec.compiler.training import run

TWO = "net Two\n[8x8x1] INPUT\nCONV 4 3x3 p1 -> RELU\nGAP -> FC 10\n"


def note(seen: list[int], *_: object) -> None:
    """Note the number of threads, and end."""
    seen.append(torch.get_num_threads())
    raise SystemExit


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 4)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.5, 0.5, 0.5))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


@pytest.mark.usefixtures("four_cores")
def test_a_network_with_little_work_per_layer_gets_one_thread() -> None:
    network = archspec.load("lenet5")
    found = threads_for(network, 32)
    assert found.number == 1
    assert found.reason == "LeNet-5 has too little work per layer for more (2,665,728 MACs a batch)"
    assert threads_for(archspec.load("vgg11", input="32x32x3"), 32) == Threads(4, "one per core")
    assert threads_for(network, LEAST_WORK) == Threads(4, "one per core")


@pytest.mark.usefixtures("four_cores")
def test_busy_cores_are_mentioned_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (9.0, 1.0, 1.0))
    reason = "one per core, but their load is 9.0: `--threads 1` may be faster"
    assert threads_for(archspec.load("vgg16"), 8) == Threads(4, reason)


@pytest.mark.usefixtures("four_cores")
def test_processes_of_a_machine_share_its_cores() -> None:
    network = archspec.load("vgg16")
    assert [threads_for(network, 8, processes).number for processes in (1, 2, 3, 8)] == [4, 2, 1, 1]


def test_the_work_of_a_layer_is_its_multiplications() -> None:
    convolution, classifier = 8 * 8 * 4 * 9, 4 * 10
    assert work_per_layer(archspec.loads(TWO), 6) == 6 * (convolution + classifier) // 2


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    with computing_with(3):  # what torch makes of it
        assert threads_for(archspec.load("vgg16"), 8) == Threads(3, "OMP_NUM_THREADS=3")


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize(
    ("flags", "line"), [((), "threads         1: Two has too little"), (("--threads", "3"), "threads         3\n")]
)
def test_the_plan_says_how_many_threads_and_why(flags: tuple[str, ...], line: str, tmp_path: Path) -> None:
    (tmp_path / "two.arch").write_text(TWO)
    result = CliRunner().invoke(main, ["train", str(tmp_path / "two.arch"), "--dry-run", *flags])
    assert line in result.stdout, result.stderr
    found = CliRunner().invoke(main, ["train", str(tmp_path / "two.arch"), "--dry-run", "--json", *flags])
    assert json.loads(found.stdout)["recipe"]["threads"] == int(line.split()[1].rstrip(":"))


@pytest.mark.usefixtures("four_cores")
def test_many_more_threads_than_cores_are_refused(tmp_path: Path) -> None:
    (tmp_path / "two.arch").write_text(TWO)
    for flags in (("--dry-run",), ()):
        result = CliRunner().invoke(main, ["train", str(tmp_path / "two.arch"), "--threads", "1000", *flags])
        assert result.exit_code == 2
        assert "`--threads 1,000`: this machine has 4 cores" in result.stderr
        assert "`--threads 4`" in result.stderr


@pytest.mark.usefixtures("four_cores")
def test_a_run_computes_with_them_and_keeps_their_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(run, "train", partial(note, seen))
    spec, out = tmp_path / "two.arch", tmp_path / "run"
    spec.write_text(TWO)
    before = torch.get_num_threads()
    for flags in ((), ("--threads", "3")):
        CliRunner().invoke(main, ["train", str(spec), "--out", str(tmp_path / str(len(flags))), *flags])
    assert (seen, torch.get_num_threads()) == ([1, 3], before)
    monkeypatch.undo()
    short = ["--epochs", "1", "--batch", "64", "--warmup", "0", "--threads", "2"]
    assert CliRunner().invoke(main, ["train", str(spec), "--out", str(out), *short]).exit_code == 0
    (out / "summary.json").unlink()
    monkeypatch.setattr(run, "train", partial(note, seen))
    CliRunner().invoke(main, ["train", "--resume", str(out)])
    assert seen[2:] == [2]


def test_an_evaluation_takes_the_number_that_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, out = tmp_path / "two.arch", tmp_path / "run"
    spec.write_text(TWO)
    flags = ["--epochs", "1", "--batch", "64", "--warmup", "0"]
    assert CliRunner().invoke(main, ["train", str(spec), "--out", str(out), *flags]).exit_code == 0
    seen: list[int] = []
    place = "archspec.compiler.evaluation.evaluate.evaluate"
    monkeypatch.setattr(place, partial(note, seen))
    CliRunner().invoke(main, ["eval", str(out), "--threads", "3"])
    assert seen == [3]
