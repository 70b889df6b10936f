"""Times `archspec check` on chains of 1,000 to 100,000 layers, each in a process of its own.

    python -m benchmarks.long_chain --output benchmarks/results/long_chain.md

Two ways to write the same chain: every layer on a line of its own, and a block repeated. Time and memory
should grow in proportion to the layers, so the lengths in between should lie on the straight line from the
shortest to the longest; below it lies what grows faster. Ends with status 1 where a target is missed.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.program import parser, run
from benchmarks.stopwatch import Reading, archspec_command, machine, measure

LAYERS = (1_000, 3_000, 10_000, 30_000, 100_000)
MOST_SECONDS = 6.0  # for the longest chain
MOST_BEND = 1.3
HEAD = "net Chain\n\n[32x32x8] INPUT\n"


def lines(layers: int) -> str:
    """A convolution or a ReLU on each line."""
    return HEAD + "CONV 8 3x3 p1\nRELU\n" * (layers // 2)


def repeat(layers: int) -> str:
    """A block of two layers, repeated."""
    return f"block unit()\n    CONV 8 3x3 p1 -> RELU\n\n{HEAD}{layers // 2} x unit()\n"


WRITTEN: dict[str, Callable[[int], str]] = {"a line each": lines, "a block repeated": repeat}


class Cost(NamedTuple):
    """The median of some runs."""

    seconds: float
    peak: float


def cost(spec: str, rounds: int) -> Cost:
    """What `archspec check` on this text costs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chain.arch"
        path.write_text(spec, encoding="utf-8")
        runs: list[Reading] = [measure([archspec_command(), "check", str(path)]) for _ in range(rounds)]
    return Cost(median(run.seconds for run in runs), median(run.peak for run in runs))


def bend(values: dict[int, float]) -> float:
    """How far the lengths in between lie below the line from the shortest to the longest; 1 is on it.

    2 means half of what the line says. Costs with a part that grows with the square of the length lie there.
    """
    (shortest, low), *between, (longest, high) = values.items()
    slope = (high - low) / (longest - shortest)
    return max((low + slope * (layers - shortest)) / value for layers, value in between)


def row(name: str, layers: int, costs: dict[int, Cost]) -> str:
    """One line of the table; the cost of a layer is over the shortest chain, whose start-up it leaves out."""
    here, base = costs[layers], costs[LAYERS[0]]
    more = max(layers - LAYERS[0], 1)
    micro, kilo = (here.seconds - base.seconds) / more * 1e6, (here.peak - base.peak) / more / 1e3
    each = f"{micro:.0f} | {kilo:.2f}" if layers > LAYERS[0] else " | "
    return f"| {name} | {layers:,} | {here.seconds:.2f} | {here.peak / 1e6:,.0f} | {each} |"


def verdicts(name: str, costs: dict[int, Cost]) -> list[tuple[bool, str]]:
    """Each target: whether it holds, and the line that says so."""
    longest = costs[LAYERS[-1]].seconds
    time = bend({layers: cost.seconds for layers, cost in costs.items()})
    memory = bend({layers: cost.peak for layers, cost in costs.items()})
    return [
        (
            longest <= MOST_SECONDS,
            f"{name}: {LAYERS[-1]:,} layers in {longest:.1f} s, target {MOST_SECONDS:.0f} s",
        ),
        (time <= MOST_BEND, f"{name}: time bends {time:.2f} from a straight line, target {MOST_BEND}"),
        (
            memory <= MOST_BEND,
            f"{name}: memory bends {memory:.2f} from a straight line, target {MOST_BEND}",
        ),
    ]


def report(measured: dict[str, dict[int, Cost]], rounds: int) -> tuple[bool, str]:
    """Whether all targets hold, and the page."""
    checked = [verdict for name, costs in measured.items() for verdict in verdicts(name, costs)]
    page = [
        "# `archspec check` on long chains",
        "",
        f"Written by `python -m benchmarks.long_chain` on {machine()}.",
        f"Whole processes, median of {rounds} runs. The last two columns are what one more layer costs,",
        "counted from the shortest chain.",
        "",
        "| written as | layers | seconds | peak MB | microseconds a layer | KB a layer |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(row(name, layers, costs) for name, costs in measured.items() for layers in LAYERS),
        "",
        *(f"- {'met' if holds else 'MISSED'}: {line}" for holds, line in checked),
    ]
    return all(holds for holds, _ in checked), "\n".join(page) + "\n"


def measured(rounds: int) -> tuple[bool, str]:
    """All chains, and the page."""
    costs = {name: {layers: cost(spec(layers), rounds) for layers in LAYERS} for name, spec in WRITTEN.items()}
    return report(costs, rounds)


def main() -> int:
    return run(parser(__doc__, 5, "runs of each chain"), lambda of: measured(of.rounds))


if __name__ == "__main__":
    sys.exit(main())
