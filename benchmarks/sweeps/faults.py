"""What commands do when the machine fails them: each row of the table is run as a real process.

    python -m benchmarks.sweeps.faults --output benchmarks/results/faults.md

A row says which exit status is expected, what standard error says, and which files the command leaves, changes or
removes. No row ends in a traceback. Ends with status 1 where a row differs.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.program import flags, run
from benchmarks.stopwatch import machine
from benchmarks.sweeps.fault_table import TABLE, Row
from benchmarks.sweeps.fault_world import Outcome, prepare, ran

TRACEBACK = "Traceback (most recent call last)"


def met(row: Row, world: Path, folder: Path) -> Outcome:
    """What the command of a row does, in a fresh copy of the world."""
    shutil.copytree(world, folder, symlinks=True)
    return ran(row.command, folder, is_ordinary=row.is_ordinary)


def differences(row: Row, outcome: Outcome) -> list[str]:
    """How an outcome differs from what the row expects."""
    found = []
    if outcome.status != row.status:
        found.append(f"exit status {outcome.status}, not {row.status}")
    if TRACEBACK in outcome.errors or "archspec-bug" in outcome.errors:
        found.append("a traceback")
    if row.says and not re.search(row.says, " ".join(outcome.errors.split())):
        found.append(f"it does not say `{row.says}`")
    strange = sorted(path for path in outcome.left if not re.fullmatch(row.left, path))
    if strange:
        found.append(f"it leaves {', '.join(strange)}")
    if row.left and not outcome.left:
        found.append(f"it leaves nothing like `{row.left}`")
    return found


def page() -> tuple[bool, str]:
    """Whether all rows are met, and the page."""
    begun, lines, all_met = time.monotonic(), [], True
    with tempfile.TemporaryDirectory() as name:
        world = Path(name) / "world"
        prepare(world)
        for number, row in enumerate(TABLE):
            outcome = met(row, world, Path(name) / str(number))
            wrong = differences(row, outcome)
            all_met &= not wrong
            said = next((line for line in outcome.errors.splitlines() if "error" in line), "")
            left = ", ".join(sorted({path.split("/")[0] for path in outcome.left})) or "nothing"
            cells = (
                row.fault,
                f"`{_cell(row.command)}`",
                str(outcome.status),
                _cell(said),
                left,
                "; ".join(wrong) or "met",
            )
            lines.append(f"| {' | '.join(cells)} |")
            print(row.fault, row.command, wrong or "met", sep=": ", file=sys.stderr, flush=True)
    head = [
        "# Faults",
        "",
        f"Written by `python -m benchmarks.sweeps.faults` on {machine()}:",
        f"{len(TABLE)} real processes, each in a fresh folder, in {time.monotonic() - begun:.0f} s. `differs` names the files and folders",
        "that were left, changed or removed, also by the command itself before it meets the fault; no process may print a traceback.",
        "",
        "| fault | command | exit status | standard error | differs | |",
        "| --- | --- | ---: | --- | --- | --- |",
    ]
    return all_met, "\n".join([*head, *lines]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\u00e9", "e")


if __name__ == "__main__":
    sys.exit(run(flags(__doc__), lambda _: page()))
