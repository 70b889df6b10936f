"""Every built-in network from its spec to a proven file: checked, lowered, trained for a step, exported.

Inputs are small where a network allows it. What would not fit into a small machine's memory runs at its own size on
torch's meta device, which knows shapes and computes nothing. `make thorough` writes down what was done with which.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import archspec
from archspec.api import Network
from archspec.compiler import build
from archspec.compiler.lowering.lower import Lowered
from archspec.compiler.lowering.modules.drop_path import StochasticDepth
from archspec.compiler.lowering.random_inputs import random_inputs
from archspec.compiler.onnx.export import export
from archspec.compiler.onnx.network_with_weights import network_with_weights
from archspec.graph.volume import Volume
from support.networks import every_network, small_input

# one of each family
FAMILIES = {
    "lenet5",
    "alexnet_2gpu",
    "zfnet_onnx512",
    "vgg11",
    "nin",
    "squeezenet",
    "googlenet",
    "inception_naive",
    "inception_v4",
    "resnet18",
    "resnet20",
    "plain20",
    "preresnet50",
    "resnext_50",
    "wrn28_10",
    "se_resnet50",
    "densenet_121",
    "mobilenet_v1",
    "mobilenet_v2",
    "shufflenet_v1",
    "shufflenet_v2",
    "efficientnet_b0",
    "convnext_tiny",
    "vit_b32",
    "mixer_s16",
    "resmlp12",
    "gmlp_s16",
    "swin_t",
    "unet",
    "siamese",
}
# families whose networks take long, with fewer blocks or narrower ones
FEWER = {
    "vit_b32": {"depth": 2},
    "mixer_s16": {"depth": 2},
    "convnext_tiny": {"n": 2},
    "resnext_50": {"n4": 2},
    "densenet_121": {"n3": 4, "n4": 4},
    "swin_t": {"width": 32, "heads": 1, "n": 1},
    "unet": {"width": 16},
    "clip_b32": {"depth": 2},  # at its own size it has more than MOST
}
# repeat what shorter ones show: of wide layers, squeeze-excites, groups, modules of branches, layers across patches
LONG = {"alexnet_2gpu", "clip_b32", "gmlp_s16", "inception_v4", "se_resnet50", "wrn28_10"}
MOST = 150_000_000  # parameters: in training and in a proof some 30 bytes each
BATCH = 2

Record = Callable[[str, object], None]


def outputs_are_volumes(network: Network, module: Lowered) -> None:
    """From now on, what leaves a layer must have the shape that the compiler says."""

    def hook(volume: Volume) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def look(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
            assert output.shape[1:] == volume.laid_out

        return look

    parts = dict(module.named_modules())
    for node in network.graph.nodes:
        if node.name in parts:
            parts[node.name].register_forward_hook(hook(node.volume))


def loss(scores: Tensor) -> Tensor:
    """Of scores and random classes, of an image, a pixel or a token; of one score, and a random number."""
    if scores.dim() == 3:  # a sequence
        scores = scores.mT
    batch, classes, *pixels = scores.shape
    if classes == 1:
        return functional.mse_loss(scores, torch.rand(scores.shape, device=scores.device))
    return functional.cross_entropy(scores, torch.randint(classes, (batch, *pixels), device=scores.device))


def step(network: Network, module: Lowered, device: str) -> Tensor:
    """One step of SGD on random inputs; the loss."""
    torch.manual_seed(0)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.01, momentum=0.9)
    results = module.train()(*(one.to(device) for one in random_inputs(network.graph, BATCH)))
    results = results if isinstance(results, tuple) else (results,)
    losses = []
    for scores, term in zip(results, network.graph.training_results, strict=True):
        assert scores.shape == (BATCH, *network.graph.nodes[term.node].volume.laid_out)
        losses.append(term.weight * loss(scores))
    total = torch.stack(losses).sum()
    total.backward()
    optimiser.step()
    return total.detach()


def trained(network: Network) -> None:
    module = build(network, seed=0, follow_init=False)  # gradients pass no head of zeros
    outputs_are_volumes(network, module)
    for part in module.modules():
        if isinstance(part, StochasticDepth):
            part.p = 0  # with two images it often leaves a whole branch out
    before = {name: weight.clone() for name, weight in module.named_parameters()}
    assert step(network, module, "cpu").isfinite()
    for name, weight in module.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        assert weight.grad.any(), name
    assert any(not weight.equal(before[name]) for name, weight in module.named_parameters())


def on_meta(network: Network) -> None:
    with torch.device("meta"):
        module = build(network)
        outputs_are_volumes(network, module)
        assert step(network, module, "meta").is_meta
    assert sum(weight.numel() for weight in module.parameters()) == network.params
    for name, weight in module.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.shape == weight.shape, name


def names(chosen: Iterable[str]) -> list[Any]:
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in chosen]


@pytest.mark.parametrize("name", names(sorted(FAMILIES - FEWER.keys())))
def test_a_network_is_checked_lowered_trained_and_exported(name: str, tmp_path: Path, record_property: Record) -> None:
    runs(name, {}, tmp_path, record_property)


@pytest.mark.slow
@pytest.mark.parametrize("name", [one for one in every_network() if one not in FAMILIES - FEWER.keys()])
def test_any_network_is_checked_lowered_trained_and_exported(
    name: str, tmp_path: Path, record_property: Record
) -> None:
    runs(name, {}, tmp_path, record_property)


@pytest.mark.parametrize("name", names(FEWER))
def test_fewer_blocks_are_checked_lowered_trained_and_exported(name: str, tmp_path: Path) -> None:
    runs(name, FEWER[name], tmp_path, lambda _key, _value: None)


def runs(name: str, values: dict[str, int], folder: Path, record: Record) -> None:
    checked = archspec.load(name, set=values)
    changes: dict[str, Any] = {"input": small_input(name), "set": values}
    network = archspec.load(name, **changes)
    if network.params > MOST:
        network = checked
        on_meta(network)
        done = "checked, lowered, a step on meta"
    else:
        trained(network)
        exported = network_with_weights(name, changes, None, 0)
        proof = export(exported.graph, exported.module, folder / "net.onnx", exported.about)
        assert proof.passed, proof
        done = "checked, lowered, a step, exported with proof"
    told = {
        "network": name,
        "input": " ".join(str(volume) for _, volume in network.inputs),
        "done": done,
        "parameters": checked.params,
    }
    for key, value in told.items():
        record(key, value)


def test_the_families_are_built_in() -> None:
    assert set(every_network()) >= FAMILIES
