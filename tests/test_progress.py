"""What a command says while it works, and how a time is written."""

from io import StringIO

import pytest

from archspec.compiler.progress import Progress, clock


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (9.94, "9.9 s"),
        (48, "48 s"),
        (59.4, "59 s"),
        (60, "1:00 min"),
        (185, "3:05 min"),
        (3600, "1:00:00 h"),
        (7620, "2:07:00 h"),
    ],
)
def test_a_time_is_written_as_people_read_it(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_a_pipe_gets_a_plain_line_every_30_seconds() -> None:
    clock, pipe = Clock(), StringIO()
    progress = Progress(quiet=False, stream=pipe, now=clock)
    for second in range(100):
        clock.seconds = 1000.0 + second
        progress.step(f"after {second} s".format)
    assert pipe.getvalue() == "after 30 s\nafter 60 s\nafter 90 s\n"


def test_in_a_pipe_other_lines_count_as_signs_of_life() -> None:
    clock, pipe = Clock(), StringIO()
    progress = Progress(quiet=False, stream=pipe, now=clock)
    clock.seconds += 29
    progress.line("epoch 1")
    clock.seconds += 29
    progress.step("too soon".format)
    clock.seconds += 1
    progress.step("step 7".format)
    progress.clear()
    assert pipe.getvalue() == "epoch 1\nstep 7\n"


def test_the_text_is_only_made_when_it_is_shown() -> None:
    """It reads the loss, which waits for the device."""
    clock, made = Clock(), list[float]()

    def text() -> str:
        made.append(clock.seconds)
        return "text"

    progress = Progress(quiet=False, stream=StringIO(), now=clock)
    for second in range(59):
        clock.seconds = 1000.0 + second
        progress.step(text)
    assert made == [1030.0]


def test_a_terminal_rewrites_one_line_twice_a_second() -> None:
    clock, terminal = Clock(), Terminal()
    progress = Progress(quiet=False, stream=terminal, now=clock)
    for tenth in range(11):
        clock.seconds = 1000.0 + tenth / 10
        progress.step(f"step {tenth}".format)
    assert terminal.getvalue() == "\rstep 0\rstep 5\rstep 10"
    progress.line("epoch 1")
    assert terminal.getvalue().endswith("\r       \repoch 1\n")


def test_a_quiet_command_says_nothing() -> None:
    for stream in (StringIO(), Terminal()):
        clock = Clock()
        progress = Progress(quiet=True, stream=stream, now=clock)
        clock.seconds += 100
        progress.step("step".format)
        progress.line("line")
        progress.clear()
        assert stream.getvalue() == ""
