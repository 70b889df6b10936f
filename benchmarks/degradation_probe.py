"""Gradients at the first weights of plain and residual networks for CIFAR-10: part one of the degradation experiment.

    python -m benchmarks.degradation_probe --output benchmarks/results/degradation_probe.md

In: nothing. Out: a page with what `archspec probe` prints for each network, and its picture beside the page. Not done
here: training, which alone shows the degradation of He et al. 2015 (figure 1).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.stopwatch import archspec_command

NETWORKS = ("plain20", "resnet20", "plain56", "resnet56")
SEEDS = (0, 1, 2)


def probe(network: str, *flags: str) -> str:
    """What the command prints."""
    command = [archspec_command(), "probe", network, *flags]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def convolutions(network: str, seed: int) -> list[float]:
    """The norms of the gradients of all convolutions, the first layer's first."""
    found: dict[str, Any] = json.loads(probe(network, "--seed", str(seed), "--json"))
    return [layer["gradient_norm"] for layer in found["layers"] if layer["layer"].startswith("CONV")]


def rows(network: str) -> list[str]:
    """A line for each seed; the factor is the mean growth from one convolution to the one before it."""
    lines = []
    for seed in SEEDS:
        norms = convolutions(network, seed)
        ratio = norms[0] / norms[-1]
        factor = ratio ** (1 / (len(norms) - 1))
        lines.append(f"| {network} | {seed} | {norms[0]:.3g} | {norms[-1]:.3g} | {ratio:,.3g} | {factor:.3f} |")
    return lines


def page(pictures: Path) -> str:
    """The page; pictures are written into a folder beside it."""
    outputs = []
    for network in NETWORKS:
        picture = pictures / f"{network}.svg"
        printed = probe(network, "--plot", str(picture))
        outputs += ["", f"## `archspec probe {network}`", "", f"![{network}]({pictures.name}/{picture.name})", ""]
        outputs += ["```text", printed.rstrip(), "```"]
    return (
        "\n".join(
            [
                "# Degradation, part one: gradients before training",
                "",
                "Written by `python -m benchmarks.degradation_probe`: one batch of 16 normal images with random classes,",
                "forward and backward at the first weights (He's variance, BN in training).",
                "",
                "| network | seed | gradient of the first CONV | of the last | first / last | factor a layer |",
                "| --- | ---: | ---: | ---: | ---: | ---: |",
                *(line for network in NETWORKS for line in rows(network)),
                "",
                "Activations stay within a power of ten in all four, and no gradient vanishes: without shortcuts gradients",
                "grow with every layer on their way to the first, over 56 layers a thousandfold, as batch normalisation is",
                "known to make them (Yang et al. 2019, *A mean field theory of batch normalization*), and with shortcuts those",
                "of the convolutions stay within about a power of ten at either depth. This may be why plain-56 is harder to",
                "train than plain-20; that it is, only training can show.",
                *outputs,
            ]
        )
        + "\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="the page; pictures go into a folder beside it")
    output: Path = parser.parse_args().output
    pictures = output.with_suffix("")
    pictures.mkdir(exist_ok=True)
    output.write_text(page(pictures), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
