"""Processes that train together: when one is lost, the others end soon with one message, and the run resumes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from archspec.cli import main
from archspec.compiler.training.parallel.processes import Group, _seconds, _watched
from archspec.diagnostics.errors import ArchspecError
from support import processes

SPEC = "net Small\n[8x8x1] INPUT\nCONV 8 3x3 p1 -> BN -> RELU -> CONV 8 3x3 -> POOL 2x2 s2\nFC 10\n"
LONG = ("--epochs", "100000", "--batch", "8", "--save-every", "5", "--keep", "1")
PIPELINE = ("--pipeline", "2", "--accumulate", "2")
WITHIN = 30.0  # seconds
MOMENT = 0.01
LOST = re.compile(r"error\[E477\]: process (\d) of \d (.+)")


class Case(NamedTuple):
    """How many processes, which of them get which signal, and the flags of the run."""

    size: int
    victims: set[int]
    how: signal.Signals
    flags: tuple[str, ...] = ()


CASES = {
    "the first of two": Case(2, {0}, signal.SIGKILL),
    "the first of three": Case(3, {0}, signal.SIGKILL),
    "the third of four": Case(4, {2}, signal.SIGKILL),
    "the first two of four": Case(4, {0, 1}, signal.SIGKILL),
    "two others of four": Case(4, {1, 3}, signal.SIGKILL),
    "the first stage": Case(2, {0}, signal.SIGKILL, PIPELINE),
    "the last stage": Case(2, {1}, signal.SIGKILL, PIPELINE),
    "stopped": Case(2, {1}, signal.SIGSTOP),
    "the first, stopped": Case(3, {0}, signal.SIGSTOP),
    "a stage, stopped": Case(2, {1}, signal.SIGSTOP, PIPELINE),
}
Groups = list[processes.Group]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "small.arch"
    path.write_text(SPEC)
    return path


@pytest.fixture
def begun() -> Iterator[Groups]:
    """Groups that a test starts, which it cannot leave behind."""
    found: Groups = []
    yield found
    for member in [member for group in found for member in group.members]:
        member.kill()
        if not member.stderr.closed:
            member.communicate()


def lost(group: processes.Group, out: Path, victims: set[int], how: signal.Signals) -> tuple[str, float]:
    """Let a group train, signal the victims; what the others say, and the seconds until the last of them ended."""
    while not (out / "latest").exists():
        assert group.poll() is None, group.communicate()[1]
        time.sleep(MOMENT)
    for number in victims:
        group.members[number].send_signal(how)
    begun = time.monotonic()
    left = [member for number, member in enumerate(group.members) if number not in victims]
    said = "".join(member.communicate()[1] for member in left)
    assert {member.returncode for member in left} == {1}, said
    return said, time.monotonic() - begun


def assert_one_message(said: str, victims: set[int], how: str, out: Path, size: int) -> None:
    found = LOST.findall(said)
    assert len(found) == 1, said
    assert int(found[0][0]) in victims
    assert found[0][1] == how
    assert f"`archspec train --processes {size} --resume {out}` continues" in " ".join(said.split())
    assert "Traceback" not in said
    assert "gloo" not in said.lower()
    assert "tcpstore" not in said.lower()


def test_a_killed_process_ends_the_other_with_one_message(spec: Path, tmp_path: Path, begun: Groups) -> None:
    out = tmp_path / "run"
    group = processes.together(2, "train", spec, "--out", out, *LONG)
    begun.append(group)
    said, seconds = lost(group, out, {1}, signal.SIGKILL)
    assert seconds < WITHIN
    assert_one_message(said, {1}, "was killed or crashed", out, 2)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_lost_process_ends_the_others_and_the_run_resumes(
    case: str, spec: Path, tmp_path: Path, begun: Groups
) -> None:
    size, victims, how, flags = CASES[case]
    out = tmp_path / "run"
    group = processes.together(size, "train", spec, "--out", out, *LONG, *flags, ARCHSPEC_TIMEOUT="6")
    begun.append(group)
    said, seconds = lost(group, out, victims, how)
    assert seconds < WITHIN
    words = "was killed or crashed" if how == signal.SIGKILL else "has not answered for 6 seconds"
    assert_one_message(said, victims, words, out, size)
    group.kill()
    again = processes.together(size, "train", "--resume", out)
    begun.append(again)
    assert any("epoch" in line for line in again.members[0].stderr)
    assert again.poll() is None


@pytest.mark.slow
def test_processes_that_decode_images_do_not_keep_a_killed_one_connected(spec: Path, tmp_path: Path) -> None:
    """With interpreters of their own: those processes are then forked from the one that is killed."""
    out, data = tmp_path / "run", tmp_path / "photos"
    for number in range(80):
        (data / str(number % 2)).mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number).save(data / str(number % 2) / f"{number}.png")
    flags = ["--data", str(data), "--workers", "2", "--epochs", "100000", "--batch", "8", "--out", str(out)]
    command = [sys.executable, "-m", "archspec", "train", str(spec), *flags]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    places = [{**os.environ, **shared, "RANK": rank, "LOCAL_RANK": rank} for rank in "01"]
    first, second = (subprocess.Popen(command, env=one, stderr=subprocess.PIPE, text=True) for one in places)
    while not (out / "latest").exists():
        assert first.poll() is None
        time.sleep(MOMENT)
    second.kill()
    said = first.communicate(timeout=WITHIN)[1]
    second.communicate()
    assert first.returncode == 1
    assert_one_message(said, {1}, "was killed or crashed", out, 2)


@pytest.mark.slow
def test_torchrun_does_not_hide_the_message(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "3", "-m"]
    command = [*torchrun, "archspec", "train", str(spec), "--out", str(out), *LONG]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (out / "latest").exists():
        assert process.poll() is None
        time.sleep(MOMENT)
    os.kill(ranks(process.pid)[2], signal.SIGKILL)
    said = process.communicate(timeout=WITHIN)[1]
    assert process.returncode == 1
    ours = said[: said.index("torch/distributed/elastic")] + said[said.index("error[E477]") :].split("torch/", 1)[0]
    assert_one_message(ours, {2}, "was killed or crashed", out, 3)


def ranks(agent: int) -> dict[int, int]:
    """The processes that torchrun started: their numbers by rank."""
    children = Path(f"/proc/{agent}/task/{agent}/children").read_text().split()
    found = {}
    for child in children:
        environment = Path(f"/proc/{child}/environ").read_text().split("\0")
        found.update({int(line.removeprefix("RANK=")): int(child) for line in environment if line.startswith("RANK=")})
    return found


@pytest.mark.slow
@pytest.mark.parametrize("absent", [0, 1])
def test_a_process_that_never_comes_is_named_in_time(absent: int, spec: Path, tmp_path: Path, begun: Groups) -> None:
    group = processes.Group(["train", str(spec), "--out", str(tmp_path / "run")], 2, ARCHSPEC_TIMEOUT="4")
    begun.append(group)
    group.members[absent].kill()
    said = group.members[1 - absent].communicate(timeout=WITHIN)[1]
    assert group.members[1 - absent].returncode == 1
    assert "error[E473]: " in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_stranger_at_the_port_disturbs_nobody(spec: Path, tmp_path: Path, begun: Groups) -> None:
    out = tmp_path / "run"
    group = processes.together(2, "train", spec, "--out", out, *LONG)
    begun.append(group)
    while not (out / "latest").exists():
        assert group.poll() is None
        time.sleep(MOMENT)
    ports = listening(group.members[0].pid)
    assert ports
    for port in ports:
        for words in (b"", b"\0" * 10_000, b"guess 1\n", b"lost\nfailed\ndone\n" * 3):
            with socket.create_connection(("127.0.0.1", port)) as stranger:
                stranger.sendall(words)
    time.sleep(3)
    assert group.poll() is None
    said, _ = lost(group, out, {1}, signal.SIGKILL)
    assert_one_message(said, {1}, "was killed or crashed", out, 2)


def listening(process: int) -> list[int]:
    """The ports at which a process waits for connections, except the store of torch, which trusts everybody."""
    sockets = {str(path.readlink()) for path in Path(f"/proc/{process}/fd").iterdir() if path.is_symlink()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    waiting = [row for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]
    return [int(row[1].split(":")[1], 16) for row in waiting if row[1].startswith("0100007F")]


@pytest.mark.parametrize(
    "given",
    [
        {"WORLD_SIZE": "many"},
        {"WORLD_SIZE": "0"},
        {"WORLD_SIZE": "-2"},
        {"WORLD_SIZE": "9" * 5000},
        {"WORLD_SIZE": "2", "RANK": "2"},
        {"RANK": "1"},
        {"RANK": "x"},
        {"LOCAL_RANK": "\u00b2"},
        {"WORLD_SIZE": "2", "RANK": "0"},  # without an address
    ],
)
def test_an_environment_that_cannot_be_is_one_message(
    given: dict[str, str], spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(main, ["train", str(spec), "--out", str(tmp_path / "run")])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "error[E473]: " in result.stderr


class Idle:
    """A watch that misses nobody, and what it was told at the end."""

    def __init__(self) -> None:
        self.word = ""

    def settle(self) -> None:
        """Return: nobody is lost."""

    def leave(self, word: str) -> None:
        """Keep the word."""
        self.word = word


@pytest.mark.parametrize(
    ("said", "expected", "text"),
    [
        ("[gloo/transport/tcp/pair.cc:547] Connection closed by peer\nmore", ArchspecError, "E477"),
        ("NCCL error in ProcessGroupNCCL.cpp", ArchspecError, "E477"),
        ("size mismatch", RuntimeError, "size mismatch"),
    ],
)
def test_a_lost_connection_without_a_lost_process_is_one_message(
    said: str, expected: type[Exception], text: str
) -> None:
    watch: Any = Idle()
    group = Group(0, 2, torch.device("cpu"), watch=watch)
    with pytest.raises(expected, match=text), contextmanager(_watched)(group):
        raise RuntimeError(said)
    assert watch.word == "failed"


@pytest.mark.parametrize(
    ("given", "expected"), [("5", 5), ("0", 60), ("-1", 60), ("", 60), ("1.5", 60), ("\u00b2", 60), ("9" * 5000, 60)]
)
def test_a_timeout_that_is_no_number_of_seconds_is_ignored(
    given: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHSPEC_TIMEOUT", given)
    assert _seconds(60) == expected
