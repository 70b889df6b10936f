"""Times training steps with one thread and with one per core, for networks with little and much work per layer.

    python -m benchmarks.threads --output benchmarks/results/threads.md

A step is forward, cross entropy, backward and SGD on random images. A round runs it with one thread and then with one
per core, the next round the other way about; medians of the wall time count. `compiler/threads.py` chooses by the work
of a layer, and the last column shows what it chooses.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys
import time
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import nn

import archspec
from archspec.compiler import build
from archspec.compiler.threads import LEAST_WORK, computing_with, cores, threads_for, work_per_layer
from benchmarks.program import parser, run
from benchmarks.stopwatch import machine

COMMAND = "python -m benchmarks.threads --output benchmarks/results/threads.md"
SECONDS = 0.15  # of a round, at least one step


class Setting(NamedTuple):
    """A network, and how many images a batch has."""

    name: str
    changes: dict[str, Any]
    batch: int


SETTINGS = (
    Setting("lenet5", {}, 32),
    Setting("lenet5", {}, 256),
    Setting("resnet20", {}, 8),
    Setting("resnet20", {}, 32),
    Setting("resnet20", {}, 128),
    Setting("resnet18", {"input": "64x64x3"}, 8),
    Setting("resnet18", {"input": "64x64x3"}, 32),
    Setting("vgg11", {"input": "32x32x3"}, 32),
)


class Case(NamedTuple):
    """One line of the table: the work of a layer in MACs, images/s with one thread and with all, and the choice."""

    setting: Setting
    work: int
    one: float
    all: float
    chosen: int


def time_case(setting: Setting, rounds: int) -> Case:
    """Both speeds, by the median of the rounds."""
    network = archspec.load(setting.name, classes=10, **setting.changes)
    module = build(network, seed=0).train()
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-4, momentum=0.9, fused=True)
    images = torch.randn(setting.batch, *network.input.laid_out)
    classes = torch.arange(setting.batch) % 10

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(nn.functional.cross_entropy(module(images), classes))
        optimizer.step()

    taken: dict[int, list[float]] = {1: [], cores(): []}
    for turn in range(-1, rounds):
        for count in sorted(taken, reverse=turn % 2 == 0):
            with computing_with(count):
                begin, steps = time.perf_counter(), 0
                while not steps or time.perf_counter() < begin + SECONDS:
                    step()
                    steps += 1
                if turn >= 0:
                    taken[count].append((time.perf_counter() - begin) / steps)
    one, all_cores = (setting.batch / median(taken[count]) for count in (1, cores()))
    choice = threads_for(network, setting.batch).number
    return Case(setting, work_per_layer(network, setting.batch), one, all_cores, choice)


def row(case: Case) -> str:
    """The table's line."""
    setting = case.setting
    name = f"{setting.name} {setting.changes.get('input', '')}".strip()
    return (
        f"| {name} | {setting.batch} | {case.work / 1e6:,.1f} | {case.one:,.0f} | {case.all:,.0f} "
        f"| {case.all / case.one:.2f} | {case.chosen} |"
    )


def measured(of: argparse.Namespace) -> tuple[bool, str]:
    """The page."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    rows = [row(time_case(setting, of.rounds)) for setting in SETTINGS]
    return True, "\n".join(
        [
            "# One thread or one per core",
            "",
            f"Written by `{COMMAND}`",
            f"on {machine()}; torch {importlib.metadata.version('torch')}.",
            f"Load average before (1, 5 and 15 minutes): {load}. Images a second of training steps, medians of",
            f"{of.rounds} rounds. The work is that of a layer with weights on average, for a batch. From {LEAST_WORK / 1e6:g} M MACs on,",
            "`archspec train` uses a thread per core, below one.",
            "",
            f"| network | batch | M MACs a layer | 1 thread | {cores()} threads | ratio | chosen |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
            *rows,
        ]
    ) + "\n"


def main() -> int:
    return run(parser(__doc__, 5, "rounds of each case"), measured)


if __name__ == "__main__":
    sys.exit(main())
