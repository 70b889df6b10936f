"""When the machine fails a command: each row of the table is a real process with the exit status it should have."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.sweeps.fault_row import Row
from benchmarks.sweeps.fault_table import FRONT_END, TABLE
from benchmarks.sweeps.fault_world import prepare, ran
from benchmarks.sweeps.faults import differences, key, met

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "benchmarks" / "results" / "faults.md"
REPRESENTATIVE = ("full standard output", "all streams closed", "closed pipe", "no permission")
QUICK = {one.fault: one for one in FRONT_END if one.fault in REPRESENTATIVE}


@pytest.mark.parametrize("fault", QUICK)
def test_a_fault_of_the_front_end_has_its_exit_status(fault: str, tmp_path: Path) -> None:
    world = tmp_path / "world"
    prepare(world, is_whole=False)
    row = QUICK[fault]
    outcome = met(row, world, tmp_path / "copy")
    assert differences(row, outcome) == [], outcome.errors


@pytest.mark.slow
def test_every_fault_has_its_exit_status_and_leaves_what_it_should(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    world = tmp_path / "world"
    prepare(world)
    wrong = {}
    for number, row in enumerate(TABLE):
        outcome = met(row, world, tmp_path / str(number))
        if found := differences(row, outcome):
            wrong[row.fault, row.command] = (found, outcome.errors)
    faults = len({row.fault for row in TABLE})
    record_property("sweep", f"{len(TABLE)} commands under {faults} faults: {len(wrong)} differ from the table")
    assert wrong == {}


@pytest.mark.parametrize(
    ("command", "row", "expected"),
    [
        ("exit 3", Row("", "", 0), "exit status 3, not 0"),
        ("echo 'Traceback (most recent call last)' >&2", Row("", "", 0), "a traceback"),
        ("touch more", Row("", "", 0), "it leaves more"),
        ("rm net.arch", Row("", "", 0), "it leaves net.arch"),
        ("true", Row("", "", 0, left="more"), "it leaves nothing like `more`"),
        ("echo said >&2", Row("", "", 0, "other"), "it does not say `other`"),
    ],
)
def test_a_difference_is_found(command: str, row: Row, expected: str, tmp_path: Path) -> None:
    prepare(tmp_path / "world", is_whole=False)
    assert differences(row, ran(command, tmp_path / "world")) == [expected]


def test_every_command_meets_faults() -> None:
    commands = "check", "specs", "train", "eval", "probe", "export", "run", "doctor", "explain", "data"
    for command in commands:
        faults = {row.fault for row in TABLE if f"archspec {command}" in row.command}
        assert faults, command


def test_the_committed_page_has_every_row_and_no_difference() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(TABLE) + 1  # with the line under the head
    assert {row.split(" | ")[0].removeprefix("| ") for row in rows[1:]} == {row.fault for row in TABLE}
    assert all(row.endswith("| met |") for row in rows[1:])


def test_some_rows_can_be_run_again_and_the_page_keeps_the_others() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for row in TABLE:
        assert sum(line.startswith(key(row)) for line in lines) == 1, row.command
