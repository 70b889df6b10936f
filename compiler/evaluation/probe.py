"""How activations and gradients scale through a network before training.

In: a network, a batch size, a seed. Out: for each weight layer the standard deviation of its activations and the norm
of its weight's gradient, for one batch of Gaussian noise with random classes. Where they shrink or grow by a constant
factor per layer, deep networks do not train (Glorot & Bengio 2010; He et al. 2015).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from archspec.api import Network
from archspec.compiler.lowering.lower import Lowered, build
from archspec.compiler.lowering.one_image import need_one_image
from archspec.compiler.lowering.random_inputs import random_inputs
from archspec.compiler.memory import CPU, less, memory_of, need_memory
from archspec.diagnostics.errors import failure
from archspec.graph.extent import upto
from archspec.graph.volume import FLOAT_BYTES

LEAST_BATCH = 2  # batch normalisation of one image may have no variance


@dataclass(frozen=True)
class LayerSignal:
    """A layer with weights: the standard deviation of its activations and the norm of its weight's gradient."""

    name: str
    layer: str
    activation_std: float
    gradient_norm: float

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON data, with null for infinity and NaN."""
        found = asdict(self)
        return {key: None if isinstance(one, float) and not math.isfinite(one) else one for key, one in found.items()}


def probe(network: Network, batch: int, seed: int) -> list[LayerSignal]:
    """Run one batch forward and backward; of several outputs without losses, only the first is looked at.

    Raises ArchspecError for a network without class scores or weights, for one that takes more than an image, and for
    one too large for the memory.
    """
    need_one_image(network.title, network.graph, "`archspec probe`")
    if len(network.output) != 1:
        message = f"{network.title} outputs {network.output}, which are not class scores"
        raise failure("E454", message, helps=("probe a spec that ends in `FC` or `GAP`",))
    graph = network.graph if network.graph.losses else upto(network.graph, network.graph.output)
    weighted = [node for node in graph.trained if node.layer.is_weight_layer and not node.head]
    names = [node.name for node in weighted if graph.maker(node) is node]  # shared weights once
    if not names:
        helps = ("probe a spec with a `CONV` or an `FC`",)
        raise failure("E454", f"{network.title} has no layer with weights", helps=helps)
    _need_memory(network, batch)
    module = build(graph, seed=seed).train()
    generator = torch.Generator().manual_seed(seed)
    spreads: dict[str, float] = {}
    for name in names:
        module.get_submodule(name).register_forward_hook(_note(spreads, name))
    _backward(module, network, batch, generator)
    return [_signal(module, network, name, spreads[name]) for name in names]


def _need_memory(network: Network, batch: int) -> None:
    """Require memory for a forward and a backward pass. Training keeps momentum too, one value a weight."""
    momentum = FLOAT_BYTES * network.params
    smaller = batch
    while smaller > LEAST_BATCH and network.training_bytes(smaller) - momentum > memory_of(CPU):
        smaller = max(LEAST_BATCH, smaller // 2)
    needs = network.training_bytes(batch) - momentum
    fits = network.training_bytes(smaller) - momentum <= memory_of(CPU)
    first = f"`--batch {smaller}`" if fits else less(2 * momentum, CPU)  # the weights and their gradients
    need_memory(needs, f"a batch of {batch} images", CPU, (first, "`archspec check` shows the largest layers"))


def _note(spreads: dict[str, float], name: str) -> Any:
    def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        spreads[name] = output.detach().float().std().item()

    return hook


def _backward(module: Lowered, network: Network, batch: int, generator: torch.Generator) -> None:
    inputs = random_inputs(network.graph, batch, generator)
    classes = torch.randint(network.output[0], (batch,), generator=generator)
    torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))  # for dropout
    outputs = module(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    losses = [functional.cross_entropy(output, classes) for output in outputs]
    weighted = [weight * loss for weight, loss in zip(module.loss_weights, losses, strict=True)]
    torch.autograd.backward(torch.stack(weighted).sum())


def _signal(module: nn.Module, network: Network, name: str, spread: float) -> LayerSignal:
    gradients = [one.grad for key, one in module.get_submodule(name).named_parameters() if key.endswith("weight")]
    norm = torch.stack([gradient.norm() for gradient in gradients if gradient is not None]).norm().item()
    return LayerSignal(name, network[name].node.layer.describe(), spread, norm)
