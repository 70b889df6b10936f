"""Why a run can be trusted with a week of GPU time: it resumes from any step to the same weights, damage is noticed,
and steps that are not finite are skipped.
"""

import json
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from torch import Tensor

import archspec
from archspec.api import Network
from archspec.cli import main
from archspec.compiler import build
from archspec.compiler.data.dataset import Batch, Data
from archspec.compiler.data.digits import digits
from archspec.compiler.training.loop.observer import SilentObserver
from archspec.compiler.training.loop.trainer import Trainer
from archspec.compiler.training.parallel.engine import Engine, engine
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.records.run_folder import RunFolder
from archspec.compiler.weights.left_overs import temporary_name
from archspec.diagnostics.errors import ArchspecError
from archspec.recipe import Recipe
from support import processes
from support.processes import Started

MOMENT = 0.002  # seconds between two looks at a run's folder
SMALL = "net Small\n[8x8x1] INPUT\nCONV 8 3x3 p1 -> BN -> RELU -> POOL 2x2 s2\nDROPOUT 0.2 -> FC 10\n"
# all that a state must hold: an average, a plateau, mixtures, momentum, dropout, batch statistics
FLAGS = (
    "--epochs",
    "3",
    "--batch",
    "16",
    "--ema",
    "0.99",
    "--schedule",
    "plateau",
    "--mixup",
    "0.2",
    "--cutmix",
    "1",
    "--cutout",
    "0.3",
    "--save-every",
    "23",
    "--seed",
    "5",
)


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "small.arch"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module")
def undisturbed(spec: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """The weights of a run that nobody stops, and those of its best epoch."""
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    process = begin(spec, "--out", out, *FLAGS)
    said = process.communicate()[1]
    assert process.returncode == 0, said
    return weights(out)


def train(*arguments: str | Path) -> int:
    return CliRunner().invoke(main, ["train", *map(str, arguments)]).exit_code


def begin(*arguments: str | Path) -> Started:
    return processes.begin("train", *arguments)


def weights(out: Path) -> dict[str, Tensor]:
    names = ("weights", "best")
    return {f"{name} {key}": value for name in names for key, value in load_file(out / f"{name}.safetensors").items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def killed_until_done(spec: Path, out: Path, kills: int, chance: random.Random) -> int:
    """A run that is killed again and again, each time a moment after it began to train. How often it was."""
    done = 0
    process = begin(spec, "--out", out, *FLAGS)
    while True:
        before = written(out)
        while process.poll() is None and written(out) == before:
            time.sleep(MOMENT)
        if done < kills and process.poll() is None:
            time.sleep(chance.uniform(0, 0.15))
            process.kill()
        process.communicate()
        if process.returncode == 0:
            return done
        done += 1
        assert process.returncode == -signal.SIGKILL
        process = begin("--resume", out, "--save-every", "23")


def written(out: Path) -> list[str]:
    """What tells that a run has begun to train: another checkpoint."""
    return sorted(path.name for path in out.glob("checkpoint-*.pt"))


@pytest.mark.parametrize("kills", [2, pytest.param(25, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_anywhere_ends_with_the_same_weights(
    kills: int, spec: Path, undisturbed: dict[str, Tensor], tmp_path: Path
) -> None:
    chance = random.Random(kills)
    times = 0
    while times < kills:
        out = tmp_path / f"run{times}"
        times += max(1, killed_until_done(spec, out, kills - times, chance))
        assert equal(weights(out), undisturbed)
        rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        assert [row["epoch"] for row in rows] == [1, 2, 3]


def test_a_signal_writes_a_checkpoint_within_an_epoch(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = begin(spec, "--out", out, *FLAGS[2:], "--batch", "1", "--epochs", "2000", "--save-every", "0")
    wait_for(process, "writing to ")
    time.sleep(1)
    process.send_signal(signal.SIGUSR1)
    while not (out / "latest").exists():
        assert process.poll() is None
        time.sleep(MOMENT)
    assert not (out / "metrics.csv").exists()  # the first epoch goes on
    wait_for(process, "epoch ")
    process.send_signal(signal.SIGTERM)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert f"stopped; `archspec train --resume {out}` continues from here" in said
    assert 2 <= len(list(out.glob("checkpoint-*.pt"))) <= 3


def wait_for(process: Started, word: str) -> None:
    while not (line := process.stderr.readline()).startswith(word):
        assert line, "it ended too soon"


# ---- damage
@pytest.fixture
def halfway(spec: Path, tmp_path: Path) -> Path:
    """A run's folder as a kill in the middle of the last epoch leaves it."""
    out = tmp_path / "halfway"
    assert train(spec, "--out", out, *FLAGS, "--keep", "9") == 0
    for name in ("weights.safetensors", "summary.json"):
        (out / name).unlink()
    last = sorted(out.glob("checkpoint-*.pt"))[-1]
    last.unlink()
    return out


def cut(data: bytes) -> bytes:
    return data[:-100]


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def nothing(_data: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [cut, flip, nothing])
def test_a_damaged_checkpoint_is_replaced_by_the_one_before(
    halfway: Path, undisturbed: dict[str, Tensor], damage: Callable[[bytes], bytes]
) -> None:
    before, last = sorted(halfway.glob("checkpoint-*.pt"))[-2:]
    last.write_bytes(damage(last.read_bytes()))
    result = CliRunner().invoke(main, ["train", "--resume", str(halfway)])
    assert result.exit_code == 0, result.output
    assert f"`{last.name}`: damaged: its checksum differs; using `{before.name}` instead" in result.stderr
    assert equal(weights(halfway), undisturbed)


def test_a_full_disk_stops_a_run_and_leaves_the_last_checkpoint_intact(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = begin(spec, "--out", out, *FLAGS[2:], "--epochs", "5000")
    while not (out / "latest").exists():
        assert process.poll() is None
        time.sleep(MOMENT)
    # from now on no file may have more than 4 KiB: less than a checkpoint has
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, 4096))
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert "cannot write" in said
    assert "Traceback" not in said
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
    kept = RunFolder(out).load().trainer  # raises where no checkpoint is whole
    assert f"checkpoint-{kept.epoch * (1438 // 16) + kept.steps_done:09}.pt\n" == (out / "latest").read_text()


# ---- steps that are not finite
class Poisoned(Trainer):
    """Some steps see images that are no numbers."""

    bad: frozenset[int] = frozenset()

    def __init__(self, engine: Engine, data: Data, workers: int = 0) -> None:
        super().__init__(engine, data, workers)
        self.step_images.normalise = self._poisoned

    def _poisoned(self, batch: Batch) -> tuple[Tensor, Tensor]:
        images, classes = self.normalise(batch)
        return (images * float("nan") if self.steps_done in self.bad else images), classes


class Watched(Poisoned):
    """Looks at the state after each step."""

    def _step(self, batches: list[Batch]) -> float:
        lr = super()._step(batches)
        states = self.__dict__.setdefault("states", [])
        average = {} if self.update.average is None else self.update.average.values
        states.append(
            (
                {name: value.clone() for name, value in self.module.state_dict().items()},
                {name: value.clone() for name, value in average.items()},
                lr,
            )
        )
        return lr


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "rmsprop"])
@pytest.mark.parametrize("first", [False, True])
def test_a_step_that_is_not_finite_changes_nothing(optimizer: str, first: bool) -> None:
    network = archspec.loads(SMALL)
    recipe = Recipe(epochs=1, batch=64, optimizer=optimizer, lr=1e-3, ema=0.9, warmup=0.5)
    trainer = Watched(alone(network, recipe), digits(network.input, 0))
    trainer.bad = frozenset({0} if first else {3, 4})
    begun = {name: value.clone() for name, value in trainer.module.state_dict().items()}
    row = trainer.run_epoch(SilentObserver())
    states = trainer.__dict__["states"]
    assert row is not None
    assert row.skipped == len(trainer.bad)
    assert trainer.update.done == trainer.steps - len(trainer.bad)
    for bad in trainer.bad:
        before = states[bad - 1] if bad else (begun, begun, None)
        for now, then in zip(states[bad][:2], before[:2], strict=True):
            assert all(torch.equal(now[name], then[name]) for name in now if "num_batches" not in name)
    rates = [lr for _, _, lr in states]
    if not first:  # the schedule waits
        assert rates[2] < rates[3] == rates[4] == rates[5] < rates[6]
    assert all(torch.isfinite(value).all() for value in states[-1][0].values())


def test_many_skipped_steps_end_a_run_and_name_the_layer() -> None:
    network = archspec.loads(SMALL)
    trainer = Poisoned(alone(network, Recipe(batch=32)), digits(network.input, 0))
    trainer.bad = frozenset(range(5, 99))
    with pytest.raises(ArchspecError) as raised:
        trainer.run_epoch(SilentObserver())
    text = str(raised.value)
    assert "the loss or the gradients were not finite in 10 steps in a row" in text
    assert "epoch 1, step 15 of 44" in text
    assert "`conv1`" in text


def test_a_far_too_high_learning_rate_is_reported(spec: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["train", str(spec), "--out", str(tmp_path / "run"), "--lr", "1e30"])
    assert result.exit_code == 1
    assert "the loss or the gradients were not finite in 10 steps" in result.stderr
    assert "a lower `--lr`" in result.stderr


def alone(network: Network, recipe: Recipe) -> Engine:
    return engine(network.graph, build(network, seed=0), recipe, Group(0, 1, torch.device("cpu")))


# ---- one process or several
MIXED = ("--mixup", "0.2", "--cutmix", "1", "--cutout", "0.3", "--erasing", "0.3")  # the same in any part of a step
PLAIN = "net Plain\n[8x8x1] INPUT\nCONV 8 3x3 p1 -> RELU -> POOL 2x2 s2\nFC 10\n"


def test_accumulated_batches_equal_the_whole_batch(tmp_path: Path) -> None:
    spec = tmp_path / "plain.arch"  # no BN and no dropout, whose values belong to a batch
    spec.write_text(PLAIN)
    flags = ("--epochs", "2", "--clip", "1", *MIXED)
    assert train(spec, "--out", tmp_path / "whole", "--batch", "32", *flags) == 0
    assert train(spec, "--out", tmp_path / "parts", "--batch", "8", "--accumulate", "4", *flags) == 0
    whole, parts = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "parts"))
    for name in whole:
        torch.testing.assert_close(whole[name], parts[name], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_two_processes_mix_and_erase_as_one_does(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    spec = tmp_path / "plain.arch"
    spec.write_text(PLAIN)
    flags = ("--epochs", "1", *MIXED)
    assert train(spec, "--out", tmp_path / "one", "--batch", "32", *flags) == 0
    process = together(spec, "--out", tmp_path / "two", "--batch", "16", *flags)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    one, two = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two"))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-3, atol=1e-4)
    record_property("sweep", "mixup, cutmix, cutout and erasing: one epoch on 2 processes equals one process")


def together(*arguments: str | Path) -> processes.Group:
    return processes.together(2, "train", *arguments)


def by_torchrun(*arguments: str | Path) -> subprocess.Popen[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    command = [*torchrun, "archspec", "train", *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_a_pipeline_trains_as_one_process_does_and_resumes(tmp_path: Path) -> None:
    spec = tmp_path / "plain.arch"  # dropout's values belong to a process; batch statistics to a part of a step
    spec.write_text("net Plain\n[8x8x1] INPUT\nCONV 8 3x3 p1 -> BN -> RELU -> CONV 8 3x3 -> POOL 2x2 s2\nFC 10\n")
    flags = (
        "--epochs",
        "2",
        "--batch",
        "8",
        "--accumulate",
        "4",
        "--clip",
        "1",
        "--ema",
        "0.9",
        "--mixup",
        "0.2",
        "--optimizer",
        "adamw",
        "--lr",
        "2e-3",
    )
    assert train(spec, "--out", tmp_path / "one", *flags) == 0
    process = together(spec, "--out", tmp_path / "two", "--pipeline", "2", *flags)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    assert "stage  first layer" in said
    one, two = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-2, atol=1e-3)
    for name in ("weights.safetensors", "summary.json"):
        (tmp_path / "two" / name).unlink()
    sorted((tmp_path / "two").glob("checkpoint-*.pt"))[-1].unlink()
    process = together("--resume", tmp_path / "two")
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    again = load_file(tmp_path / "two" / "weights.safetensors")
    assert equal(two, again)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--pipeline", "2"), "`--pipeline 2` requires 2 processes, one per stage, but there is only 1"),
        (("--pipeline", "99", "--dry-run"), "99"),
    ],
)
def test_a_pipeline_that_cannot_be_is_refused(spec: Path, tmp_path: Path, flags: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(main, ["train", str(spec), "--out", str(tmp_path / "run"), *flags])
    assert result.exit_code == 1
    assert said in result.stderr


@pytest.mark.slow
def test_two_processes_never_abort_on_exit(spec: Path, tmp_path: Path) -> None:
    for number in range(12):
        more = ("--pipeline", "2") if number % 3 == 2 else ("--ema", "0.9")
        process = by_torchrun(spec, "--out", tmp_path / str(number), "--epochs", "1", "--batch", "64", *more)
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 0, said
        assert "terminate called" not in said


def test_two_killed_processes_resume_to_the_same_weights(spec: Path, tmp_path: Path) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    process = together(spec, "--out", whole, *FLAGS)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    judged = CliRunner().invoke(main, ["eval", str(whole), "--json"])  # by the statistics that are in the file
    assert json.loads(judged.stdout)["top1"] == json.loads((whole / "summary.json").read_text())["top1"]
    process = together(spec, "--out", torn, *FLAGS)
    while len(list(torn.glob("checkpoint-*.pt"))) < 2:
        assert process.poll() is None
        time.sleep(MOMENT)
    process.kill()
    process.communicate()
    kept = tmp_path / "kept"
    shutil.copytree(torn, kept)
    process = together("--resume", torn, "--save-every", "23")
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    assert equal(weights(torn), weights(whole))
    rows = [[json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()] for out in (whole, torn)]
    for one, other in zip(*rows, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-12)
        assert one["held_out_loss"] == other["held_out_loss"]
    result = CliRunner().invoke(main, ["train", "--resume", str(kept)])
    assert result.exit_code == 1
    assert "the run began with 2 processes, but there is 1 now" in result.stderr


LEFT = tuple(map(temporary_name, ("latest", "metrics.csv", "checkpoint-000000090.pt", "report.html")))


def test_resuming_a_folder_that_is_not_a_run_deletes_nothing(tmp_path: Path) -> None:
    names = (".env.2024", ".notes.1", LEFT[0], LEFT[1], "checkpoint-5.pt", "checkpoint-000000009.pt")
    for name in names:
        (tmp_path / name).write_bytes(b"mine")
    result = CliRunner().invoke(main, ["train", "--resume", str(tmp_path)])
    assert result.exit_code == 1
    assert "E452" in result.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict.fromkeys(names, b"mine")


def test_resuming_a_run_removes_only_its_half_written_files(halfway: Path) -> None:
    others = (".env.2024", ".notes.1", ".latest.backup", temporary_name("mine.pt"))
    for name in (*LEFT, *others):
        (halfway / name).write_bytes(b"")
    assert CliRunner().invoke(main, ["train", "--resume", str(halfway)]).exit_code == 0
    there = {path.name for path in halfway.iterdir()}
    assert there >= set(others)
    assert there.isdisjoint(LEFT)
