"""Times training's loop against a bare loop over the same network, in torch, on one thread.

    python -m benchmarks.training_speed --output benchmarks/results/training_speed.md

Ours is `Trainer.run_steps`, as `archspec train` has it: a loader, bytes made numbers and normalised, a schedule, the
check for values that are not finite, and counts. The bare loop has the next images ready as numbers
and does forward, cross entropy, backward and step. Both have one network's weights, and SGD with momentum, fused. A
round runs the one and then the other, the next round the other way about; the median of the rounds' ratios counts. Ends
with status 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
import time
from collections.abc import Iterable, Sequence
from statistics import median, quantiles
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import archspec
from archspec.compiler import build
from archspec.compiler.data.dataset import Batch, Data, Key
from archspec.compiler.training.loop.observer import SilentObserver
from archspec.compiler.training.loop.trainer import Trainer
from archspec.compiler.training.parallel.engine import engine
from archspec.compiler.training.parallel.processes import Group
from archspec.recipe import Recipe
from benchmarks.program import parser, run
from benchmarks.stopwatch import machine

COMMAND = "python -m benchmarks.training_speed --output benchmarks/results/training_speed.md"
LEAST = 0.95  # of the bare loop's images a second
LEAST_OF_SMALL = 1 / 1.1  # of steps of a few milliseconds: at most 10 % more time
WARM_UP = 2
CLASSES = 10


class Setting(NamedTuple):
    """A network, and how many images of which size a step takes."""

    network: str
    changes: dict[str, Any]
    batch: int
    steps: int  # of a round
    least: float = LEAST


SETTINGS = (
    Setting("lenet5", {}, 32, 200, LEAST_OF_SMALL),
    Setting("resnet20", {}, 32, 8),
    Setting("resnet18", {"input": "64x64x3"}, 32, 3),
    Setting("resnet50", {"input": "64x64x3"}, 16, 3),
    Setting("vit", {"input": "64x64x3", "set": {"width": 192, "heads": 3}}, 16, 4),
)


class Case(NamedTuple):
    """One line of the table: seconds of each round, ours and the bare loop's."""

    setting: Setting
    ours: list[float]
    bare: list[float]

    @property
    def ratios(self) -> list[float]:
        """Our images a second by the bare loop's, round by round."""
        return [bare / mine for mine, bare in zip(self.ours, self.bare, strict=True)]

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        return median(self.ratios) >= self.setting.least


class Synthetic:
    """Random images and classes that are in memory; every batch is the first one."""

    def __init__(self, count: int, batch: int, volume: Sequence[int]) -> None:
        height, width, channels = volume
        self.images = torch.randint(256, (batch, channels, height, width), dtype=torch.uint8)
        self.classes = torch.randint(CLASSES, (batch,)).repeat(max(1, count // batch))[:count]

    def __len__(self) -> int:
        return len(self.classes)

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        """As many images as keys."""
        places = tuple(place for place, _ in keys)
        return Batch(self.images[: len(keys)], self.classes[: len(keys)], places=places)

    def name(self, place: int) -> str:
        """Its number."""
        return str(place)


def synthetic(steps: int, batch: int, volume: Sequence[int]) -> Data:
    """So many steps of images, and none held out."""
    channels = volume[2]
    return Data(
        Synthetic(steps * batch, batch, volume),
        Synthetic(0, 1, volume),
        tuple(map(str, range(CLASSES))),
        (0.5,) * channels,
        (0.25,) * channels,
        "random images",
    )


def bare_epoch(model: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, classes: Tensor, steps: int) -> None:
    """What training is, and nothing else."""
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(nn.functional.cross_entropy(model(images), classes))
        optimizer.step()


def trainer(setting: Setting) -> Trainer:
    """Our loop, ready to run."""
    network = archspec.load(setting.network, **setting.changes, classes=CLASSES)
    recipe = Recipe(batch=setting.batch, lr=1e-4, reference_batch=setting.batch, schedule="constant", epochs=10**6)
    data = synthetic(setting.steps, setting.batch, network.input)
    module = build(network, seed=0)
    return Trainer(engine(network.graph, module, recipe, Group(0, 1, torch.device("cpu"))), data)


def time_case(setting: Setting, rounds: int) -> Case:
    """`rounds` pairs of times after some that warm up."""
    ours, quiet = trainer(setting), SilentObserver()
    model = build(archspec.load(setting.network, **setting.changes, classes=CLASSES), seed=0).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, weight_decay=5e-4, fused=True)
    batch = ours.data.train.__getitems__([(0, -1)] * setting.batch)
    images = batch.images.float().div(255).sub(0.5).div(0.25)
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(-WARM_UP, rounds):
        for which in (0, 1) if turn % 2 else (1, 0):
            begin = time.process_time()
            if which:
                bare_epoch(model, optimizer, images, batch.classes, setting.steps)
            else:
                ours.steps_done = 0
                ours.run_steps(quiet)
            if turn >= 0:
                times[which].append(time.process_time() - begin)
    return Case(setting, *times)


def row(case: Case) -> str:
    """The table's line."""
    setting = case.setting
    images = setting.batch * setting.steps
    ours, bare = (f"{images / median(times):,.0f}" for times in (case.ours, case.bare))
    low, _, high = quantiles(case.ratios, n=4)
    cost = 1e3 * (median(case.ours) - median(case.bare)) / setting.steps
    network = " ".join(
        [
            setting.network,
            str(setting.changes.get("input", "")),
            *(f"{name}={value}" for name, value in setting.changes.get("set", {}).items()),
        ]
    ).strip()
    return (
        f"| {network} | {setting.batch} | {ours} | {bare} | {cost:.2f} | {median(case.ratios):.3f} "
        f"| {low:.3f} to {high:.3f} | {'met' if case.holds else 'MISSED'} |"
    )


def report(cases: Iterable[Case], rounds: int) -> str:
    """The page."""
    return (
        "\n".join(
            [
                "# Training's loop against a bare one",
                "",
                f"Written by `{COMMAND}`",
                f"on {machine()}; torch {importlib.metadata.version('torch')}.",
                f"One thread, interleaved, {rounds} pairs of rounds after {WARM_UP} to warm up. Images a second, by CPU time,",
                "are medians; the cost is what a step of ours takes longer; the ratio is the median of the pairs' ratios, and",
                f"behind it is what half of them lie between. Target: at least {LEAST} of the bare loop's images a second,",
                f"{LEAST_OF_SMALL:.2f} for LeNet-5, whose step takes a few milliseconds.",
                "",
                "| network | batch | archspec, images/s | bare loop, images/s | cost, ms a step | ratio | half of the ratios "
                "| target |",
                "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
                *map(row, cases),
            ]
        )
        + "\n"
    )


def measured(of: argparse.Namespace) -> tuple[bool, str]:
    """All cases, and the page."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    cases = [time_case(one, of.rounds) for one in SETTINGS if of.only in (None, one.network)]
    return all(case.holds for case in cases), report(cases, of.rounds)


def main() -> int:
    flags = parser(__doc__, 30, "timed pairs of each case")
    flags.add_argument("--only", metavar="NETWORK", help="one network")
    return run(flags, measured)


if __name__ == "__main__":
    sys.exit(main())
