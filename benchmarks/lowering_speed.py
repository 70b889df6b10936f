"""Times networks that archspec builds against the same networks written by hand, in torch, on one thread.

    python -m benchmarks.lowering_speed --output benchmarks/results/lowering_speed.md

Both have the same weights and get the same images. A round runs the one and then the other, the next round the other
way about, so that a busy moment meets both; the median of the rounds' ratios counts. Ends with status 1 where a target
is missed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
import time
from collections.abc import Callable, Iterable
from statistics import median, quantiles
from typing import NamedTuple

import torch
from torch import Tensor, nn

import archspec
from archspec.compiler import build
from benchmarks.program import parser, run
from benchmarks.reference import INPUT_SIZES, MODELS
from benchmarks.stopwatch import machine

COMMAND = "python -m benchmarks.lowering_speed --output benchmarks/results/lowering_speed.md"
NETWORKS = ("resnet50", "googlenet")
MOST = 1.03  # times the hand-written network's time, eager
WARM_UP = 3


class Case(NamedTuple):
    """One line of the table: seconds of each round, ours and theirs."""

    network: str
    work: str
    compiled: bool
    ours: list[float]
    theirs: list[float]

    @property
    def ratios(self) -> list[float]:
        """Ours by theirs, round by round."""
        return [mine / other for mine, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def quartiles(self) -> tuple[float, float]:
        """What half of the ratios lie between."""
        low, _, high = quantiles(self.ratios, n=4)
        return low, high

    @property
    def holds(self) -> bool:
        """Eager: at most MOST. Compiled: 1.00 is within half of the ratios, or above them."""
        return self.quartiles[0] <= 1 if self.compiled else median(self.ratios) <= MOST


def twins(name: str) -> tuple[nn.Module, nn.Module]:
    """The network from its spec and the hand-written one, with the same weights."""
    ours, theirs = build(archspec.load(name), seed=0), MODELS[name]()
    with torch.no_grad():
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            other.copy_(mine)
    return ours, theirs


def forward(model: nn.Module, images: Tensor) -> None:
    """Class scores, in use."""
    with torch.no_grad():
        model(images)


def forward_backward(model: nn.Module, images: Tensor) -> None:
    """Gradients of all parameters, auxiliary classifiers taking part."""
    scores = model(images)
    sum(part.sum() for part in (scores if isinstance(scores, tuple) else (scores,))).backward()
    model.zero_grad()


WORK: dict[str, tuple[bool, Callable[[nn.Module, Tensor], None]]] = {
    "forward": (False, forward),
    "forward + backward": (True, forward_backward),
}


def time_case(network: str, work: str, compiled: bool, rounds: int, batch: int) -> Case:
    """`rounds` pairs of times after some that warm up (and compile)."""
    torch.compiler.reset()
    training, run = WORK[work]
    pair = [model.train(training) for model in twins(network)]
    if compiled:
        for model in pair:
            model.compile()
    images = torch.randn(batch, *INPUT_SIZES[network])
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(-WARM_UP, rounds):
        for which in (0, 1) if turn % 2 else (1, 0):
            begin = time.perf_counter()
            run(pair[which], images)
            if turn >= 0:
                times[which].append(time.perf_counter() - begin)
    return Case(network, work, compiled, *times)


def row(case: Case) -> str:
    """The table's line."""
    ours, theirs = (f"{median(times) * 1e3:,.1f}" for times in (case.ours, case.theirs))
    low, high = case.quartiles
    kind = "compiled" if case.compiled else "eager"
    spread = f"{median(case.ratios):.3f} | {low:.3f} to {high:.3f} | {'met' if case.holds else 'MISSED'}"
    return f"| {case.network} | {case.work} | {kind} | {ours} | {theirs} | {spread} |"


def report(cases: Iterable[Case], rounds: int, batch: int) -> str:
    """The page."""
    return (
        "\n".join(
            [
                "# Networks from specs against hand-written ones",
                "",
                f"Written by `{COMMAND}`",
                f"on {machine()}; torch {importlib.metadata.version('torch')}.",
                f"One thread, batch {batch}, interleaved, {rounds} pairs after {WARM_UP} to warm up. Milliseconds are medians;",
                "the ratio is the median of the pairs' ratios, and behind it is what half of them lie between. Targets: eager,",
                f"a ratio of at most {MOST}; compiled, 1.00 lies within that half of the ratios, or above it.",
                "",
                "| network | work | | archspec, ms | by hand, ms | ratio | half of the ratios | target |",
                "| --- | --- | --- | ---: | ---: | ---: | ---: | --- |",
                *map(row, cases),
            ]
        )
        + "\n"
    )


def measured(of: argparse.Namespace) -> tuple[bool, str]:
    """All cases, and the page."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    cases = [
        time_case(network, work, compiled, of.rounds, of.batch)
        for compiled in ((False,) if of.eager else (False, True))
        for network in NETWORKS
        for work in WORK
    ]
    return all(case.holds for case in cases), report(cases, of.rounds, of.batch)


def main() -> int:
    flags = parser(__doc__, 40, "timed pairs of each case")
    flags.add_argument("--batch", type=int, default=1, help="images; few show what calls cost")
    flags.add_argument("--eager", action="store_true", help="leave torch.compile out")
    return run(flags, measured)


if __name__ == "__main__":
    sys.exit(main())
