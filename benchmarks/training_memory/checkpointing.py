"""The memory of a training step with activation checkpointing and without, predicted and measured: CHECKPOINTING.md.

    python -m benchmarks.training_memory.checkpointing

Measured as `measure` does, on the module that `archspec train` trains.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

import archspec
from archspec.api import Network
from archspec.compiler import build
from archspec.compiler.lowering.checkpointed import checkpoint_segments
from archspec.layers.demand import THREADS
from benchmarks.stopwatch import machine
from benchmarks.training_memory.measure import peak_within, trace_events, train_two_steps

COMMAND = "python -m benchmarks.training_memory.checkpointing"
PAGE = Path(__file__).with_name("CHECKPOINTING.md")
DECAY = 1e-4
MOST = 2.0  # percent that a prediction may be off


class Setting(NamedTuple):
    """A network, and how many images a step takes."""

    network: str
    changes: dict[str, Any]
    batch: int

    @property
    def loaded(self) -> Network:
        """The network."""
        return archspec.load(self.network, **self.changes, classes=10)

    @property
    def title(self) -> str:
        """As the table names it."""
        settings = [f"{name}={value}" for name, value in self.changes.get("set", {}).items()]
        return " ".join([self.network, self.changes["input"], *settings])


SETTINGS = (
    Setting("resnet18", {"input": "64x64x3"}, 32),
    Setting("vgg11", {"input": "32x32x3"}, 96),
    Setting("vit", {"input": "64x64x3", "set": {"width": 192, "heads": 3}}, 32),
)


def measured(setting: Setting, checkpoint: bool) -> int:
    """The peak of the second step, in bytes."""
    torch.set_num_threads(THREADS)
    gc.collect()  # so that nothing of an earlier case is alive
    network = setting.loaded

    def made() -> torch.nn.Module:
        module = build(network, seed=0)
        if checkpoint:
            checkpoint_segments(module, network.graph, setting.batch)
        return module

    height, width, channels = network.input
    events = trace_events(lambda: train_two_steps(made, (channels, height, width), setting.batch, DECAY))
    return peak_within(events, "second step")


def rows() -> Iterator[tuple[str, float]]:
    """The lines of the table, and how far the worse prediction of each is off, in percent."""
    for setting in SETTINGS:
        network = setting.loaded
        predicted = (network.training_bytes(setting.batch), network.checkpointed_bytes(setting.batch))
        found = [measured(setting, checkpoint) for checkpoint in (False, True)]
        errors = [100 * (one / other - 1) for one, other in zip(predicted, found, strict=True)]
        cells = [setting.title, str(setting.batch)]
        for one, other, error in zip(predicted, found, errors, strict=True):
            cells += [f"{other:,}", f"{one:,}", f"{error:+.3f} %"]
        yield f"| {' | '.join(cells)} | {found[1] / found[0]:.2f} |", max(map(abs, errors))


def main() -> int:
    parser = argparse.ArgumentParser(description="compare measured and predicted memory with activation checkpointing")
    parser.add_argument("--out", type=Path, default=PAGE)
    arguments = parser.parse_args()
    found = list(rows())
    head = [
        "# Activation checkpointing, measured and predicted",
        "",
        f"Written by `{COMMAND}`",
        f"on {machine()}; torch {torch.__version__}. Peak bytes of the second training step of the lowered",
        f"network on {THREADS} threads, with SGD, momentum and weight decay, without and with",
        f'checkpointing; "share" is the second peak by the first. Target: predictions within {MOST:g} %.',
        "",
        "| network | batch | measured | predicted | error | measured, checkpointed | predicted, checkpointed | error | share |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    arguments.out.write_text("\n".join([*head, *(line for line, _ in found)]) + "\n", encoding="utf-8")
    return 0 if all(error <= MOST for _, error in found) else 1


if __name__ == "__main__":
    sys.exit(main())
