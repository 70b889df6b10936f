"""One random network through everything: figures, torch, gradients, export with proof, onnxruntime.

In: a spec. Out: an `Outcome`; a failure names the step. What is right is said by `reference_network.py`, in float64.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import archspec
from archspec.compiler import build
from archspec.compiler.inference.runtime import cpu_session
from archspec.compiler.lowering.random_inputs import random_inputs
from archspec.compiler.onnx.checks.sensitivity import sensitivity, together
from archspec.compiler.onnx.export import Unproven, export
from archspec.compiler.onnx.proof import TIMES_TORCH, Bounds
from archspec.compiler.weights.model_metadata import ModelMetadata
from archspec.diagnostics.errors import ArchspecError
from archspec.graph.extent import part, upto
from archspec.graph.ir import Graph
from benchmarks.sweeps.random_networks.reference_network import Forward, forward
from benchmarks.sweeps.random_networks.reference_windows import Array
from benchmarks.sweeps.random_networks.specs import network

CLOSE = 1e-9  # of the largest value on the way: float64 in another order
STEPS = (1e-6, 1e-8, 1e-4)  # of a difference quotient: one of them lies on no kink and has few rounding errors
SLOPE = 1e-4
Inputs = tuple[Tensor, ...]
ROUNDED = 1e-13  # of the largest value: a difference of two sums in float64


class Failure(Exception):
    """A step that does not agree with the reference."""


@dataclass(frozen=True)
class Outcome:
    """What a seed's network was and how it went; `share` is onnxruntime's largest error, as a share of its bound."""

    seed: int
    layers: Counter[str]
    heads: int
    inputs: int
    outputs: int
    share: float
    seconds: float
    failure: str


def check(seed: int) -> Outcome:
    """Check the network of a seed."""
    begin = time.perf_counter()
    layers: Counter[str] = Counter()
    heads, inputs, outputs, share, failure = 0, 0, 0, 0.0, ""
    try:
        net = archspec.loads(network(seed))
        layers.update(node.layer.keyword for node in net.graph.nodes if node.inputs)
        heads, inputs, outputs = len(net.graph.heads), len(net.graph.sources), len(net.graph.outputs)
        share = check_network(net, seed)
    except (Failure, ArchspecError) as error:
        failure = str(error)
    except Exception as error:  # an unforeseen one is what the sweep looks for
        failure = f"{type(error).__name__}: {error}"
    return Outcome(seed, layers, heads, inputs, outputs, share, time.perf_counter() - begin, failure)


def check_network(net: archspec.Network, seed: int) -> float:
    """Return onnxruntime's largest error as a share of its bound. Raises Failure for what does not agree."""
    module = filled(build(net, seed=seed), seed)
    weights = {name: tensor.double().numpy() for name, tensor in module.state_dict().items()}
    inputs = random_inputs(net.graph, 3, torch.Generator().manual_seed(seed))
    doubles = tuple(one.double() if one.is_floating_point() else one for one in inputs)
    told = forward(net.graph, weights, [one.numpy() for one in doubles])
    _figures(net, module, told)
    share = _onnx(net.graph, module, inputs, told)
    module.double()
    _torch(net.graph, module, doubles, told)
    _gradients(net.graph, module, doubles, weights, _scale(told))
    return share


def filled(module: nn.Module, seed: int) -> nn.Module:
    """Return the module with random weights of a size that keeps values in scale, running statistics too."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        if not tensor.is_floating_point():
            continue
        normal = torch.randn(tensor.shape, generator=generator)
        if name.endswith("running_var"):
            tensor.copy_(0.5 + normal.abs())
        elif tensor.dim() > 1:
            tensor.copy_(normal * (tensor.numel() / len(tensor)) ** -0.5)
        else:
            tensor.copy_(0.3 * normal + name.endswith("weight"))
    return module.eval()


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise Failure(message)


def _figures(net: archspec.Network, module: nn.Module, told: Forward) -> None:
    params = sum(one.numel() for name, one in module.named_parameters() if not _is_head(net.graph, name))
    _require(net.params == params, f"params: {net.params} said, {params} in torch")
    _require(net.macs == told.macs, f"macs: {net.macs} said, {told.macs} counted")
    _require(
        net.attention_macs == told.attention_macs, f"attention: {net.attention_macs}, {told.attention_macs} counted"
    )
    for node, value in zip(net.graph.nodes, told.values, strict=True):
        shape = node.volume.laid_out
        _require(value.shape[1:] == shape, f"volume of {node.name}: {shape} said, {value.shape[1:]} found")


def _scale(told: Forward) -> float:
    return float(np.max([np.abs(value).max() for value in told.values]))


def _near(name: str, found: Array, right: Array, told: Forward) -> None:
    _require(found.shape == right.shape, f"{name}: {found.shape}, {right.shape} in the reference")
    apart, allowed = float(np.abs(found - right).max()), CLOSE * _scale(told)
    _require(apart <= allowed, f"{name}: {apart:.1e} from the reference, allowed {allowed:.1e}")


def _torch(graph: Graph, module: nn.Module, inputs: Inputs, told: Forward) -> None:
    """The network, and the part that leads to each auxiliary classifier."""
    with torch.no_grad():
        for output, found in zip(graph.outputs, together(module(*inputs)), strict=True):
            _near(f"torch, {output.name}", found.numpy(), told.values[output.node], told)
        for head in graph.heads:
            own, given = _of_part(graph, upto(graph, head.output), module, inputs)
            _near(f"aux {head.number}", own.double()(*given).numpy(), told.values[head.output], told)


def _of_part(whole: Graph, graph: Graph, module: nn.Module, inputs: Inputs) -> tuple[nn.Module, Inputs]:
    """The module of a part of a network, with its weights, and the part's own inputs."""
    own, state = build(graph).eval(), module.state_dict()
    own.load_state_dict({name: state[name] for name in own.state_dict()})
    given = dict(zip((source.name for source in whole.sources), inputs, strict=True))
    return own, tuple(given[source.name] for source in graph.sources)


def _gradients(graph: Graph, module: nn.Module, inputs: Inputs, weights: dict[str, Array], scale: float) -> None:
    """torch's slope along a random direction of the weights and the inputs, against difference quotients."""
    rng = np.random.default_rng(0)
    own = {f"/{place}": one[:1].clone() for place, one in enumerate(inputs)}  # no parameter's name
    floats = {name: one.requires_grad_() for name, one in own.items() if one.is_floating_point()}
    parameters = {name: one for name, one in module.named_parameters() if not _is_head(graph, name)}
    outputs = together(module(*own.values()))
    factors = [torch.linspace(-1, 1, one.numel(), dtype=torch.float64).view_as(one) for one in outputs]
    torch.stack([(one * each).sum() for one, each in zip(outputs, factors, strict=True)]).sum().backward()
    leaves = {**floats, **parameters}
    directions = {name: rng.standard_normal(tuple(one.shape)) for name, one in leaves.items()}
    zero = {name: torch.zeros_like(one) if one.grad is None else one.grad for name, one in leaves.items()}
    _require(all(one.isfinite().all() for one in zero.values()), "a gradient is not finite")
    parts = [(zero[name].numpy() * directions[name]).sum() for name in leaves]
    largest = max(float(one.detach().abs().max()) for one in outputs)
    slope, allowed = float(np.sum(parts)), SLOPE * float(np.sum(np.abs(parts)) + largest)

    def at(step: float) -> float:
        moved = {name: one + step * directions[name] if name in parameters else one for name, one in weights.items()}
        given = [one.detach().numpy() + (step * directions[name] if name in floats else 0) for name, one in own.items()]
        values = forward(graph, moved, given).values
        pairs = zip(graph.outputs, factors, strict=True)
        return float(sum((values[output.node] * each.numpy()).sum() for output, each in pairs))

    errors = [(abs((at(step) - at(-step)) / (2 * step) - slope), allowed + ROUNDED * scale / step) for step in STEPS]
    apart, most = min(errors, key=lambda one: one[0] / one[1] if one[1] else one[0])
    _require(apart <= most, f"gradient: slope {slope:.6g} in torch is {apart:.1e} off, allowed {most:.1e}")


def _is_head(graph: Graph, name: str) -> bool:
    return any(node.head and name.startswith(f"{node.name}.") for node in graph.nodes)


def _onnx(graph: Graph, module: nn.Module, inputs: Inputs, told: Forward) -> float:
    """The export's proof, and onnxruntime's own error against the reference, the largest of all outputs."""
    with torch.inference_mode():
        single = together(module(*inputs))
        summed = sensitivity(module, [one[:1] for one in inputs], [one[:1] for one in single])
    names = [output.name for output in graph.outputs]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        own = part(graph, None)
        built, given = _of_part(graph, own, module, inputs)
        try:
            export(own, built, path, ModelMetadata("Random", "features"))
        except Unproven as unproven:
            failed = next(one for one in unproven.proof.checks if not one.passed)
            raise Failure(f"export: {failed.name}: {failed.found}") from None
        fed = {source.name: one.numpy() for source, one in zip(own.sources, given, strict=True)}
        found = cpu_session(path).run(names, fed)
    shares = [0.0]
    for place, output in enumerate(graph.outputs):
        right = told.values[output.node]
        own_error = float(np.abs(single[place].numpy() - right).max())
        bound = Bounds(own_error, float(np.abs(right).max()), summed[place]).of(TIMES_TORCH)
        error = float(np.abs(found[place] - right).max())
        _require(error <= bound, f"onnxruntime, {output.name}: {error:.1e} from the reference, allowed {bound:.1e}")
        shares.append(error / bound if bound else 0.0)
    return max(shares)
