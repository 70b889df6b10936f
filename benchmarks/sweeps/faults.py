"""What commands do when the machine fails them: each row of the table is run as a real process.

    python -m benchmarks.sweeps.faults --output benchmarks/results/faults.md

A row says which exit status is expected, what standard error says, and which files the command leaves, changes or
removes. No row ends in a traceback. `--only photos` runs the rows whose command contains this, and keeps the others of
the page. Ends with status 1 where a row differs.
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
from benchmarks.sweeps.fault_row import Row
from benchmarks.sweeps.fault_table import TABLE
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


def page(only: str | None, old: Path | None) -> tuple[bool, str]:
    """Whether all rows are met, and the page. With `only`, rows whose command lacks it are taken from the old page."""
    begun, lines = time.monotonic(), []
    kept = _lines(old) if only and old else {}
    with tempfile.TemporaryDirectory() as name:
        world = Path(name) / "world"
        prepare(world)
        for number, row in enumerate(TABLE):
            if only is None or only in row.command:
                lines.append(_line(row, met(row, world, Path(name) / str(number))))
                print(lines[-1], file=sys.stderr, flush=True)
            elif key(row) in kept:
                lines.append(kept[key(row)])
    seconds = f"{time.monotonic() - begun:.0f} s"
    took = f"in {seconds}" if only is None else f"those with `{only}` once more, in {seconds}"
    head = [
        "# Faults",
        "",
        f"Written by `python -m benchmarks.sweeps.faults` on {machine()}:",
        f"{len(lines)} real processes, each in a fresh folder, {took}. `differs` names the files and folders",
        "that were left, changed or removed, also by the command itself before it meets the fault; no process may print a traceback.",
        "",
        "| fault | command | exit status | standard error | differs | |",
        "| --- | --- | ---: | --- | --- | --- |",
    ]
    are_all_met = len(lines) == len(TABLE) and all(line.endswith("| met |") for line in lines)
    return are_all_met, "\n".join([*head, *lines]) + "\n"


def key(row: Row) -> str:
    """What the line of a row begins with."""
    return f"| {row.fault} | `{_cell(row.command)}` | "


def _line(row: Row, outcome: Outcome) -> str:
    wrong = "; ".join(differences(row, outcome)) or "met"
    said = next((line for line in outcome.errors.splitlines() if "error" in line), "")
    left = ", ".join(sorted({path.split("/")[0] for path in outcome.left})) or "nothing"
    return f"{key(row)}{outcome.status} | {_cell(said)} | {left} | {wrong} |"


def _lines(page: Path) -> dict[str, str]:
    """The lines of a page by the keys of their rows."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return {key(row): line for row in TABLE for line in lines if line.startswith(key(row))}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\u00e9", "e")


def main() -> int:
    """Run the rows."""
    parser = flags(__doc__)
    parser.add_argument("--only", metavar="TEXT", help="run only rows whose command contains this, and keep the others")
    return run(parser, lambda given: page(given.only, given.output))


if __name__ == "__main__":
    sys.exit(main())
