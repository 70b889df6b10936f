"""Random valid networks over all layers through check, torch, gradients, export and onnxruntime.

    python -m benchmarks.sweeps.networks --count 1000 --seed 0 --output benchmarks/results/sweep_networks.md
    python -m benchmarks.sweeps.networks --only 4711     # one network again

Each network (random_networks/specs.py) is compared with a numpy reference in float64 (reference_network.py beside it):
its figures, torch's outputs and those of its auxiliary classifiers, a slope, its export's proof, onnxruntime's output.
The network of a seed is always the same. Ends with status 1 if one fails, or if a layer does not occur.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from benchmarks.program import run, sweep_parser
from benchmarks.stopwatch import machine
from benchmarks.sweeps.random_networks.checks import Outcome, check
from benchmarks.sweeps.random_networks.specs import KEYWORDS, network


@dataclass(frozen=True)
class Sweep:
    """What a sweep met."""

    outcomes: tuple[Outcome, ...]

    @property
    def layers(self) -> Counter[str]:
        """How often each layer occurred."""
        return sum((one.layers for one in self.outcomes), Counter())

    @property
    def ends(self) -> list[tuple[int, int]]:
        """How many inputs and outputs each network has."""
        return [(one.inputs, one.outputs) for one in self.outcomes]

    @property
    def missing(self) -> list[str]:
        """Registered layers and merges that did not occur."""
        return [word for word in KEYWORDS if not self.layers[word]]

    @property
    def failures(self) -> list[Outcome]:
        """The networks that failed."""
        return [one for one in self.outcomes if one.failure]

    @property
    def worst(self) -> Outcome:
        """The network with onnxruntime's largest error, as a share of the bound."""
        return max(self.outcomes, key=lambda one: one.share)

    @property
    def slowest(self) -> Outcome:
        """The network that took longest."""
        return max(self.outcomes, key=lambda one: one.seconds)

    def summary(self) -> str:
        """One line."""
        layers, heads = sum(self.layers.values()), sum(one.heads for one in self.outcomes)
        inputs, outputs = (sum(count > 1 for count in counts) for counts in zip(*self.ends, strict=True))
        return (
            f"{len(self.outcomes):,} random networks of {layers:,} layers and {heads:,} auxiliary classifiers,"
            f" {inputs:,} with several inputs and {outputs:,} with several outputs:"
            f" {len(self.failures)} failed, largest error {self.worst.share:.0%} of its bound (seed {self.worst.seed}),"
            f" slowest {self.slowest.seconds:.1f} s (seed {self.slowest.seed})"
        )


def sweep(seeds: Iterable[int], processes: int = 2) -> Sweep:
    """Check the networks of the seeds."""
    with multiprocessing.get_context("spawn").Pool(processes, torch.set_num_threads, (1,)) as pool:
        return Sweep(tuple(pool.imap(check, seeds, chunksize=4)))


def page(found: Sweep, seed: int) -> str:
    """The result as Markdown."""
    count = len(found.outcomes)
    lines = [
        "# Random networks",
        "",
        f"Written by `python -m benchmarks.sweeps.networks --count {count} --seed {seed}` on {machine()}.",
        "",
        found.summary(),
        "",
        "| layer | times | networks |",
        "| --- | ---: | ---: |",
    ]
    networks = Counter(word for one in found.outcomes for word in one.layers)
    lines += [f"| {word} | {found.layers[word]:,} | {networks[word]:,} |" for word in KEYWORDS]
    for one in found.failures:
        lines += ["", f"Seed {one.seed} failed:", "", "```", one.failure, "", network(one.seed).rstrip("\n"), "```"]
    return "\n".join(lines) + "\n"


def show(seed: str) -> None:
    """Show the network of a seed, and how it goes."""
    print(network(int(seed)))
    print(check(int(seed)))


def _measured(of: argparse.Namespace) -> tuple[bool, str]:
    found = sweep(range(of.seed, of.seed + of.count), of.processes)
    return not found.failures and not found.missing, page(found, of.seed)


if __name__ == "__main__":
    sys.exit(run(sweep_parser(__doc__, 1000, "networks", ("SEED",)), _measured, show))
