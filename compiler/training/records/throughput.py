"""How fast a run computes: TFLOP/s from the spec's own count, and their share of the GPU's peak (MFU).

In: a network, images a second, a device. Out: two figures. A training step of an image counts as three passes: forward,
backward to the activations and backward to the weights, each of 2 x MACs (Narayanan et al. 2021, no recomputation).
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from archspec.api import Network

PASSES = 3
# dense peaks in TFLOP/s from NVIDIA's data sheets: 16-bit tensor cores, and TF32 for float32
PEAKS = {
    "H200": (989.4, 494.7),
    "H100 PCIe": (756.0, 378.0),
    "H100": (989.4, 494.7),
    "A100": (312.0, 156.0),
    "L40S": (362.1, 183.2),
    "L4": (121.0, 60.0),
    "A10": (125.0, 62.5),
    "V100": (125.0, 15.7),
    "T4": (65.0, 8.1),
    "RTX 4090": (165.2, 82.6),
    "RTX 3090": (71.0, 35.6),
}


def step_flops(network: Network) -> int:
    """Return the floating-point operations of a training step for one image, including auxiliary classifiers."""
    heads = sum(totals.flops for totals in network.auxiliary)
    return PASSES * (network.flops + heads)


def peak_tflops(device: torch.device, amp: str) -> float | None:
    """Return the peak of a GPU in TFLOP/s, or None if it is not in the table."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    found = next((peaks for part, peaks in PEAKS.items() if part in name), None)
    return found and found[amp == "off"]


class Throughput(NamedTuple):
    """TFLOP/s of one process, and their share of the GPU's peak, or None if that is unknown."""

    tflops: float
    mfu: float | None


def throughput(network: Network, images_per_second: float, processes: int, peak: float | None) -> Throughput:
    """Return the throughput of one of `processes`, which train `images_per_second` together; `peak` is in TFLOP/s."""
    tflops = step_flops(network) * images_per_second / processes / 1e12
    return Throughput(tflops, tflops / peak if peak else None)
