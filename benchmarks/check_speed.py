"""Times `archspec check` against torchinfo and torch's flop counter, all as whole processes.

    python -m benchmarks.check_speed --output benchmarks/results/check_speed.md

Each round runs every contender once, so that a busy moment meets them all; the median counts. Each run must
exit with status 0 and print the right number of parameters. Ends with status 1 where a target is missed. The
peers' models are hand-written (`benchmarks/reference`), which imports faster than a library of models would.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Sequence
from statistics import median

from benchmarks.program import parser, run
from benchmarks.stopwatch import Reading, archspec_command, machine, measure

PARAMETERS = {"vgg16": 138_357_544, "resnet152": 60_192_808}
PEERS = ("torchinfo", "flop_counter")
VERSIONED = ("torch", "torchinfo", "lark", "click")
IDLE = "python -c pass"

TIMES_FASTER = 20
MOST_SECONDS = 0.120
IDLE_SECONDS = 0.020
SCALE = f"{MOST_SECONDS * 1e3:.0f} where `{IDLE}` takes {IDLE_SECONDS * 1e3:.0f}"
MOST_BYTES = 40e6

Readings = dict[str, list[Reading]]


def contenders(network: str) -> dict[str, list[str]]:
    """The commands by the name they have in the table."""
    ours = {f"archspec check {network}": [archspec_command(), "check", network]}
    peers = {peer: [sys.executable, "-m", "benchmarks.peers", peer, network] for peer in PEERS}
    return {IDLE: [sys.executable, "-c", "pass"], **ours, **peers}


def read(network: str, rounds: int) -> Readings:
    """`rounds` readings of each contender after one that warms the file cache."""
    commands = contenders(network)
    readings: Readings = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            reading = measure(command)
            if name != IDLE and f"{PARAMETERS[network]:,}" not in reading.output:
                raise RuntimeError(f"{name} does not print {PARAMETERS[network]:,} parameters")
            if turn:
                readings[name].append(reading)
    return readings


def seconds(readings: Sequence[Reading]) -> float:
    """The median time."""
    return median(reading.seconds for reading in readings)


def peak(readings: Sequence[Reading]) -> int:
    """The largest memory of any of them, in bytes."""
    return max(reading.peak for reading in readings)


def rows(network: str, readings: Readings) -> list[str]:
    """The table's lines for one network."""
    ours = seconds(readings[f"archspec check {network}"])
    lines = []
    for name, runs in readings.items():
        times = [reading.seconds * 1e3 for reading in runs]
        ratio = "" if name == IDLE else f"{seconds(runs) / ours:.1f}"
        spread = f"{median(times):,.0f} | {min(times):,.0f} | {max(times):,.0f}"
        lines.append(f"| {network} | `{name}` | {spread} | {peak(runs) / 1e6:,.1f} | {ratio} |")
    return lines


def verdicts(network: str, readings: Readings) -> list[tuple[bool, str]]:
    """Each target: whether it holds, and the line that says so."""
    ours = readings[f"archspec check {network}"]
    took, held, idle = seconds(ours), peak(ours), seconds(readings[IDLE])
    times = min(seconds(readings[peer]) for peer in PEERS) / took
    limit = MOST_SECONDS * idle / IDLE_SECONDS
    return [
        (
            times >= TIMES_FASTER,
            f"{network}: {times:.1f} times as fast as the faster peer, target {TIMES_FASTER}",
        ),
        (took <= limit, f"{network}: {took * 1e3:.0f} ms, target {limit * 1e3:.0f} ms ({SCALE})"),
        (held <= MOST_BYTES, f"{network}: {held / 1e6:.1f} MB, target {MOST_BYTES / 1e6:.0f} MB"),
    ]


def report(measured: dict[str, Readings], rounds: int) -> tuple[bool, str]:
    """Whether all targets hold, and the page."""
    checked = [verdict for network, readings in measured.items() for verdict in verdicts(network, readings)]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONED)
    page = [
        "# `archspec check` against its peers",
        "",
        f"Written by `python -m benchmarks.check_speed` on {machine()}; {versions}.",
        f"Whole processes, interleaved, {rounds} rounds after one to warm up; every run exited with status 0",
        "and printed the right number of parameters. The peers work on the meta device, on hand-written",
        "models. Memory is the largest resident set of any run.",
        "",
        "| network | command | median ms | fastest | slowest | peak MB | times archspec |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
        *(line for network, readings in measured.items() for line in rows(network, readings)),
        "",
        *(f"- {'met' if holds else 'MISSED'}: {line}" for holds, line in checked),
    ]
    return all(holds for holds, _ in checked), "\n".join(page) + "\n"


def main() -> int:
    return run(
        parser(__doc__, 15, "timed runs of each contender"),
        lambda of: report({network: read(network, of.rounds) for network in PARAMETERS}, of.rounds),
    )


if __name__ == "__main__":
    sys.exit(main())
