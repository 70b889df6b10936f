"""`--processes N`: signals reach all processes, none is left behind, and their exit status is the command's."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from archspec.cli import main
from archspec.compiler.training.loop.signals import caught_signals
from archspec.compiler.training.parallel.command_line import command_line
from archspec.compiler.training.parallel.launch import PARENT, launch, status_of

SPEC = "net Small\n[8x8x1] INPUT\nCONV 8 3x3 p1 -> BN -> RELU -> CONV 8 3x3 -> POOL 2x2 s2\nFC 10\n"
MOMENT = 0.01
NAMES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", PARENT)
# a process that says when it is ready, and then waits for a signal
WAITING = """
import os, pathlib, signal, sys, time
place = pathlib.Path(sys.argv[1], os.environ["RANK"])
def stop(number, frame):
    place.write_text(signal.Signals(number).name)
    sys.exit(130)
for name in ("SIGINT", "SIGTERM", "SIGUSR1"):
    signal.signal(getattr(signal, name), stop)
place.write_text("ready")
time.sleep(60)
"""


def python(script: str, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", script, *map(str, arguments)]


def test_each_process_finds_its_place_among_the_others(tmp_path: Path) -> None:
    script = f"import os, sys; found = [os.environ[name] for name in {NAMES}]\n"
    script += "print(*found, file=open(sys.argv[1] + os.environ['RANK'], 'w'))"
    assert launch(2, python(script, f"{tmp_path}/")) == 0
    rows = [(tmp_path / str(rank)).read_text().split() for rank in range(2)]
    assert [row[:5] for row in rows] == [[str(rank), str(rank), "2", "2", "127.0.0.1"] for rank in range(2)]
    assert rows[0][5:] == rows[1][5:]
    assert rows[0][6] == str(os.getpid())


@pytest.mark.parametrize(("codes", "status"), [("00", 0), ("01", 1), ("22", 2), ("70 1", 1), ("130 130", 130)])
def test_the_exit_status_is_that_of_the_processes(codes: str, status: int) -> None:
    each = codes.split() if " " in codes else list(codes)
    assert launch(2, python(f"import os, sys; sys.exit(int({each}[int(os.environ['RANK'])]))")) == status
    assert status_of([*map(int, each)]) == status


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGUSR1"])
def test_a_signal_reaches_all_processes(name: str, tmp_path: Path) -> None:
    outer = f"import sys; sys.path[:0] = {sys.path}\n"
    outer += "from archspec.compiler.training.parallel.launch import launch\n"
    outer += f"sys.exit(launch(2, {python(WAITING, tmp_path)}))"
    process = subprocess.Popen([sys.executable, "-c", outer])
    files = [tmp_path / str(rank) for rank in range(2)]
    while not all(file.exists() and file.read_text() for file in files):
        assert process.poll() is None
        time.sleep(MOMENT)
    process.send_signal(getattr(signal, name))
    assert process.wait(timeout=60) == 130
    assert [file.read_text() for file in files] == [name] * 2


def test_processes_that_cannot_meet_are_ended_and_the_lost_one_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    script = "import os, time; os.environ['RANK'] == '1' and os.kill(os.getpid(), 9); time.sleep(60)"
    began = time.monotonic()
    assert launch(2, python(script), grace=0.1) == 1
    assert time.monotonic() - began < 30
    assert "error[E477]: process 1 of 2 was killed or crashed" in capfd.readouterr().err


def test_a_failure_that_was_explained_is_not_explained_again(capfd: pytest.CaptureFixture[str]) -> None:
    script = "import os, sys, time; os.environ['RANK'] == '1' and sys.exit('mine'); time.sleep(60)"
    assert launch(2, python(script), grace=0.1) == 1
    assert capfd.readouterr().err == "mine\n"


def test_the_command_that_is_recommended_fits_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert command_line(1, "--resume a") == "archspec train --resume a"
    assert command_line(4, "--resume a") == "archspec train --processes 4 --resume a"
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert command_line(4, "lenet5") == "archspec train --processes 4 lenet5"
    assert command_line(8, "lenet5") == "torchrun --nnodes 2 --nproc-per-node 4 -m archspec train lenet5"


def test_other_processes_than_those_that_were_started_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    result = CliRunner().invoke(main, ["train", "lenet5", "--processes", "4"])
    assert result.exit_code == 2
    assert "--processes 4 starts processes, but 2 were started" in result.stderr


def test_a_signal_from_scheduler_and_parent_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PARENT, "1")
    with caught_signals() as flags:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
        assert flags.to_stop
    monkeypatch.delenv(PARENT)
    with caught_signals(), pytest.raises(KeyboardInterrupt):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.slow
def test_a_stopped_run_of_two_processes_exits_with_130_and_resumes(tmp_path: Path) -> None:
    process, out = begun(tmp_path)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 130, said
    assert f"stopped; `archspec train --processes 2 --resume {out}` continues from here" in said
    assert "torch" not in said
    assert "Traceback" not in said
    again = subprocess.Popen(
        [sys.executable, "-m", "archspec", "train", "--processes", "2", "--resume", str(out)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert again.stderr is not None
    assert any(line.startswith("epoch") for line in again.stderr)  # after the plan: signals are acted on
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=120)
    assert again.returncode == 130


@pytest.mark.slow
def test_a_killed_process_ends_the_run_with_one_message(tmp_path: Path) -> None:
    process, out = begun(tmp_path)
    os.kill(children(process.pid)[1], signal.SIGKILL)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert re.findall(r"error\[E477\]: process (\d) of 2 was killed", said) == ["1"]
    assert f"`archspec train --processes 2 --resume {out}` continues" in " ".join(said.split())


@pytest.mark.slow
def test_a_killed_parent_leaves_no_processes_and_a_checkpoint(tmp_path: Path) -> None:
    process, out = begun(tmp_path)
    left = children(process.pid)
    process.kill()
    assert "stopped; " in process.communicate(timeout=120)[1]  # which ends with the last of them
    until = time.monotonic() + 60
    while any(is_running(one) for one in left):
        assert time.monotonic() < until
        time.sleep(MOMENT)
    assert torch.load(next(out.glob("checkpoint-*.pt")), weights_only=False)


def begun(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """A run of two processes that has written a checkpoint."""
    spec, out = folder / "small.arch", folder / "run"
    spec.write_text(SPEC)
    flags = ["--epochs", "100000", "--batch", "8", "--save-every", "5", "--keep", "1"]
    command = [sys.executable, "-m", "archspec", "train", str(spec), "--processes", "2", "--out", str(out), *flags]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (out / "latest").exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(MOMENT)
    return process, out


def children(parent: int) -> list[int]:
    """The processes that the parent started, in their order."""
    return [*map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())]


def is_running(process: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def test_a_pipeline_takes_as_many_processes_also_in_a_dry_run() -> None:
    result = CliRunner().invoke(main, ["train", "lenet5", "--dry-run", "--pipeline", "2", "--processes", "3"])
    assert result.exit_code == 2
    assert "--pipeline 2 takes as many processes: --processes 2" in result.stderr
