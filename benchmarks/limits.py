"""Holds `archspec check` to its limits: all built-in specs in one process, and the two largest graphs.

    python -m benchmarks.limits --output benchmarks/results/limits.md

Each round runs every command once as a whole process; the median counts. Each run must exit with status 0 and print
a table for each spec. Ends with status 1 where a limit is missed.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path
from statistics import median

from benchmarks.program import parser, run
from benchmarks.stopwatch import Reading, archspec_command, machine, measure

SPECS = Path(__file__).parents[1] / "specs"
VERSIONED = ("lark", "click")
ALL = "archspec check, all {} specs"
SECONDS = {"archspec check nasnet_a_large": 0.4, "archspec check resnet1202": 0.4}
ALL_SECONDS = 5.0


def commands() -> dict[str, tuple[list[str], float]]:
    """The commands and their limits in seconds, by the name they have in the table."""
    specs = sorted(path.stem for path in SPECS.glob("*.arch"))
    found = {name: ([archspec_command(), *name.split()[1:]], limit) for name, limit in SECONDS.items()}
    return {ALL.format(len(specs)): ([archspec_command(), "check", *specs], ALL_SECONDS), **found}


def read(rounds: int) -> dict[str, list[Reading]]:
    """`rounds` readings of each command after one that warms the file cache."""
    readings: dict[str, list[Reading]] = {name: [] for name in commands()}
    for turn in range(rounds + 1):
        for name, (command, _) in commands().items():
            reading = measure(command)
            if reading.output.count("\nMACs ") != len(command) - 2:
                raise RuntimeError(f"{name} does not print a table for each spec")
            if turn:
                readings[name].append(reading)
    return readings


def report(readings: dict[str, list[Reading]], rounds: int) -> tuple[bool, str]:
    """Whether all limits hold, and the page."""
    lines, all_hold = [], True
    for name, (_, limit) in commands().items():
        times = [reading.seconds for reading in readings[name]]
        holds = median(times) <= limit
        all_hold &= holds
        spread = " | ".join(f"{one * 1e3:,.0f}" for one in (median(times), min(times), max(times), limit))
        lines.append(f"| `{name}` | {spread} | {'met' if holds else 'MISSED'} |")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONED)
    page = [
        "# Limits of `archspec check`",
        "",
        f"Written by `python -m benchmarks.limits` on {machine()}; {versions}.",
        f"Whole processes, interleaved, {rounds} rounds after one to warm up; every run exited with status 0",
        "and printed the table of each spec.",
        "",
        "| command | median ms | fastest | slowest | limit | |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
        *lines,
    ]
    return all_hold, "\n".join(page) + "\n"


def main() -> int:
    return run(parser(__doc__, 15, "timed runs of each command"), lambda of: report(read(of.rounds), of.rounds))


if __name__ == "__main__":
    sys.exit(main())
