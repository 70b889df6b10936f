"""What is written to a terminal fits into it, and is coloured unless the environment says otherwise."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from archspec.commands.terminal import columns, has_colours

LONG = "a_name_" * 12
SPEC = f"""\
block {LONG}(f)
    CONV f 3x3 -> RELU

[8x8x3] INPUT
add
    | CONV 4 1x1 -> CONV 5 1x1 -> CONV 6 1x1 -> CONV 7 1x1 -> CONV 8 1x1 -> CONV 9 1x1 -> CONV 10 1x1 -> CONV 11 1x1
    | CONV 12 1x1
CONVV 4 3x3
{LONG}(4, colour=3)
"""
COLOURED = "\x1b[1;31merror[E206]\x1b[0m"
ROOT = Path(__file__).parents[2]
VARIABLES = ("NO_COLOR", "FORCE_COLOR", "TERM")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.arch"
    path.write_text(SPEC)
    return path


def in_terminal(width: int, *arguments: str, **variables: str) -> str:
    """What a command writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    process = subprocess.Popen(
        [sys.executable, "-m", "archspec", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environment, "TERM": "xterm", **variables},
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux: the other end was closed
            break
        if not part:
            break
        written += part
    process.wait()
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def piped(*arguments: str, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run(
        [sys.executable, "-m", "archspec", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**environment, **variables},
    )
    return done.stderr


def test_findings_are_coloured_and_fit_into_the_terminal(spec: Path) -> None:
    text = in_terminal(45, "check", os.path.relpath(spec))
    assert COLOURED in text
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    assert max(len(line) for line in lines if not any(name in line for name in (LONG, spec.name))) <= 45
    message = next(line for line in piped("check", str(spec)).splitlines() if "error[E206]" in line)
    assert len(message) > 45
    assert message not in lines
    assert message in " ".join(" ".join(lines).split())


def test_colours_without_a_terminal_are_forced_or_absent(spec: Path) -> None:
    assert COLOURED in piped("check", str(spec), FORCE_COLOR="1")
    assert "\x1b" not in piped("check", str(spec), FORCE_COLOR="1", NO_COLOR="1")


# ---- the decision, without processes
class Stream:
    """A stream that is a terminal or not, of no columns that anybody knows."""

    def __init__(self, is_terminal: bool) -> None:
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal

    def fileno(self) -> int:
        raise OSError("no file")


@pytest.mark.parametrize(
    ("variables", "in_a_terminal", "elsewhere"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, True, True),
        ({"FORCE_COLOR": ""}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    ],
    ids=str,
)
def test_which_variable_decides(
    variables: dict[str, str], in_a_terminal: bool, elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert has_colours(Stream(True)) == in_a_terminal  # type: ignore[arg-type]
    assert has_colours(Stream(False)) == elsewhere  # type: ignore[arg-type]


def test_a_stream_without_a_terminal_has_no_columns() -> None:
    assert columns(Stream(False)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(("width", "used"), [(0, None), (10, 40), (80, 80), (400, 140)])
def test_columns_have_bounds(width: int, used: int | None) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    with os.fdopen(theirs, "w") as stream:
        assert columns(stream) == used
    os.close(ours)


def test_only_one_file_decides_about_colours() -> None:
    """No other file reads the variables, or asks whether a stream is a terminal in order to colour it."""
    places = [path for top in ("archspec", "compiler") for path in (ROOT / top).rglob("*.py")]
    found = {path.name for path in places if any(name in path.read_text(encoding="utf-8") for name in VARIABLES[:2])}
    assert found == {"terminal.py"}


@pytest.mark.parametrize("arguments", [(), ("E201",), ("x",), ("E424",)])
def test_explanations_wrap_at_the_terminals_width(arguments: tuple[str, ...]) -> None:
    text = in_terminal(40, "explain", *arguments).replace("\r", "")
    lines = [line for line in text.split("\n") if not line.startswith("    ")]
    assert max(map(len, lines)) <= 40
    wide = in_terminal(200, "explain", *arguments).replace("\r", "")
    assert max(map(len, wide.split("\n"))) > 60
    assert wide.split() == text.split()
