"""What people use today for a table of a network's sizes: `python -m benchmarks.peers torchinfo vgg16`.

In: a tool and a network of `benchmarks.reference`. Out: the tool's figures on standard output. The model is
built on the meta device, so no weight is allocated and nothing is computed. Not done here: taking the time.
"""

from __future__ import annotations

import sys

import torch
from torch import nn

from benchmarks.reference import INPUT_SIZES, MODELS


def torchinfo(model: nn.Module, size: tuple[int, ...]) -> None:
    """torchinfo's summary: volumes, parameters, multiply-adds."""
    import torchinfo as tool

    tool.summary(model, input_size=(1, *size), device="meta")


def flop_counter(model: nn.Module, size: tuple[int, ...]) -> None:
    """torch's own counter of floating-point operations; it has no parameters, so they are added up."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.empty(1, *size, device="meta"))
    print(f"operations: {counter.get_total_flops():,}")
    print(f"parameters: {sum(parameter.numel() for parameter in model.parameters()):,}")


TOOLS = {"torchinfo": torchinfo, "flop_counter": flop_counter}

if __name__ == "__main__":
    tool, network = sys.argv[1:]
    with torch.device("meta"):
        built = MODELS[network]().eval()
    TOOLS[tool](built, INPUT_SIZES[network])
