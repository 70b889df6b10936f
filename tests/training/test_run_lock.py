"""One process writes into a run's folder at a time, and the lock ends with its process."""

import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from archspec.cli import main
from archspec.compiler.training.records.run_folder import RunFolder
from archspec.compiler.training.records.run_lock import LOCK, locked
from archspec.diagnostics.errors import ArchspecError
from support import processes
from support.processes import Started

SPEC = "net Small\n[8x8x1] INPUT\nCONV 8 3x3 p1 -> RELU -> POOL 2x2 s2\nFC 10\n"
LONG = ("--epochs", "100000", "--batch", "8", "--save-every", "5")
MOMENT = 0.01
# holds the lock of a folder, with a child that has the same files open, until it is killed
HOLDER = """
import os, sys, time
from pathlib import Path
from archspec.compiler.training.records.run_lock import locked
with locked(Path(sys.argv[1])):
    child = os.fork()
    if child:
        print(child, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "small.arch"
    path.write_text(SPEC)
    return path


def refused(folder: Path) -> str:
    with pytest.raises(ArchspecError) as raised, locked(folder):
        pass
    (finding,) = raised.value.diagnostics
    assert finding.code == "E476"
    return finding.message


def train(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["train", *map(str, arguments)])
    return result.exit_code, result.stderr


def running(out: Path, *arguments: str | Path) -> Started:
    """A run that has written a checkpoint."""
    process = processes.begin("train", *arguments)
    while not (out / "latest").exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(MOMENT)
    return process


def test_a_second_run_in_a_folder_names_the_first_and_changes_nothing(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = running(out, spec, "--out", out, *LONG)
    for arguments in ((spec, "--out", out, "--epochs", "1"), ("--resume", out)):
        status, said = train(*arguments)
        assert status == 1
        assert f"error[E476]: `{out}` is in use by another run: process {first.pid} on {socket.gethostname()}" in said
    first.send_signal(signal.SIGSTOP)  # it keeps its lock
    assert train("--resume", out)[0] == 1
    first.send_signal(signal.SIGCONT)
    assert not list(out.glob("*.damaged"))
    first.kill()
    first.communicate()
    again = processes.begin("train", "--resume", out)  # at once
    assert any("epoch" in line for line in again.stderr)
    again.kill()
    again.communicate()


def test_a_lock_ends_with_its_process_though_a_child_lives(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        try:
            assert f"process {holder.pid} on " in refused(tmp_path)
            holder.kill()
            holder.wait()
            with locked(tmp_path):
                assert (tmp_path / LOCK).read_text().startswith(f"process {os.getpid()} on ")
        finally:
            os.kill(child, signal.SIGKILL)
    assert not (tmp_path / LOCK).exists()


@pytest.mark.slow
def test_of_fresh_runs_into_one_folder_one_goes_on(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    started = [processes.begin("train", spec, "--out", out, "--epochs", "3") for _ in range(4)]
    ends = [(process.communicate()[1], process.returncode) for process in started]
    assert sorted(code or 0 for _, code in ends) == [0, 1, 1, 1]
    for said, code in ends:
        assert code == 0 or "error[E476]" in said or "error[E451]" in said
        assert "Traceback" not in said
    assert (out / "weights.safetensors").exists()
    assert not (out / LOCK).exists()


@pytest.mark.slow
def test_processes_of_one_run_share_its_lock_and_others_are_refused(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    group = processes.together(2, "train", spec, "--out", out, *LONG)
    while not (out / "latest").exists():
        assert group.poll() is None
        time.sleep(MOMENT)
    second = processes.together(2, "train", "--resume", out)
    said = second.communicate()[1]
    assert {member.returncode for member in second.members} == {1}
    assert said.count("error[E476]") == 1
    evaluated = CliRunner().invoke(main, ["eval", str(out / "best.safetensors")])
    assert evaluated.exit_code == (0 if (out / "best.safetensors").exists() else 1)
    assert group.poll() is None
    group.kill()
    group.communicate()


@pytest.mark.slow
def test_a_running_folder_may_be_read(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert train(spec, "--out", out, "--epochs", "1")[0] == 0
    assert not (out / LOCK).exists()
    with locked(out):
        for arguments in (["eval", str(out)], ["export", str(out), "-o", str(tmp_path / "net.onnx")]):
            assert CliRunner().invoke(main, arguments).exit_code == 0


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_file_system_without_locks_is_used_without(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "lockf", refuse)
    with locked(tmp_path):
        pass


def test_nothing_in_a_folder_is_written_to_find_out_whether_it_can_be(tmp_path: Path) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "run"
    victim.write_text("kept")
    folder.mkdir()
    (folder / ".writable").symlink_to(victim)
    with ExitStack() as held:
        RunFolder.new(folder, "net", 3, held)
    assert victim.read_text() == "kept"
    assert [path.name for path in folder.iterdir()] == [".writable"]


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_refused_as_a_lock(make: Any, tmp_path: Path) -> None:
    make(tmp_path / LOCK)
    with pytest.raises(ArchspecError, match=r"E422.*cannot write into") as raised, locked(tmp_path):
        pass
    assert f"`rm {tmp_path / LOCK}` removes it" in " ".join(str(raised.value).split())


OWN = (
    "latest",
    "metrics.csv",
    "report.html",
    "trace.json",
    "best.safetensors",
    "checkpoint-000000088.pt",
    "samples",
    "samples/3.png",
)


@pytest.mark.parametrize("name", OWN)
def test_a_link_in_a_folder_is_refused_before_a_run_writes_through_it(name: str, tmp_path: Path) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "run"
    victim.mkdir()
    (folder / name).parent.mkdir(parents=True)
    (folder / name).symlink_to(victim)
    with ExitStack() as held, pytest.raises(ArchspecError, match=f"E422.*`{name}` is a link"):
        RunFolder.new(folder, "net", 3, held)
    assert list(victim.iterdir()) == []


def test_a_fifo_in_a_folder_is_refused_before_the_first_step(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "metrics.csv")
    with ExitStack() as held, pytest.raises(ArchspecError, match=r"E422.*`metrics.csv` is not a regular file"):
        RunFolder.new(tmp_path, "net", 3, held)
