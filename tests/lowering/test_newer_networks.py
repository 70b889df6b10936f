"""The newer built-in networks, among them those of several inputs and outputs and of shared weights, as by hand.

In float64, with the weights of one carried over to the other: outputs, and gradients, which shared weights collect from
all their uses.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec.compiler import build
from archspec.compiler.lowering.random_inputs import random_inputs
from hand_written.attention import Distilled, cbam_resnet50, convnext_v2_tiny, dcgan, resnest50
from hand_written.resolutions import HighResolution, NestedUNet, Pyramid, Siamese
from hand_written.searched import efficientnet_v2_s, mobilenet_v3_small, regnet_y_400mf, repvgg_a0, xception
from hand_written.tokens import BERT, CLIP, GPT2
from hand_written.windows import maxvit_tiny
from support.first_uses import in_order

SMALL = {"input": "64x64x3"}
NETWORKS: dict[str, tuple[Callable[[], nn.Module], dict[str, Any]]] = {
    "siamese": (lambda: Siamese(side=1), {"input": {"left": "65x65x1", "right": "65x65x1"}}),
    "fpn_resnet50": (Pyramid, SMALL),
    "unetpp": (NestedUNet, {"input": "32x32x3"}),
    "hrnet_w18": (HighResolution, SMALL),
    "cbam_resnet50": (cbam_resnet50, SMALL),
    "resnest50": (resnest50, SMALL),
    "convnext_v2_tiny": (convnext_v2_tiny, SMALL),
    "deit_distilled_tiny": (lambda: Distilled(192), {}),
    "dcgan": (dcgan, {}),
    "gpt2": (lambda: GPT2(2, 9), {"input": "9", "set": {"depth": 2}}),
    "bert_base": (lambda: BERT(2, 9), {"input": {"words": "9", "sentences": "9"}, "set": {"depth": 2}}),
    "clip_b32": (lambda: CLIP(2), {"set": {"depth": 2}}),
    "maxvit_tiny": (maxvit_tiny, {}),
    "mobilenet_v3_small": (mobilenet_v3_small, SMALL),
    "regnet_y_400mf": (regnet_y_400mf, SMALL),
    "repvgg_a0": (repvgg_a0, SMALL),
    "xception": (xception, {"input": "67x67x3"}),
    "efficientnet_v2_s": (efficientnet_v2_s, SMALL),
}
LONG = set(NETWORKS) - {"siamese"}
DEEP = {"efficientnet_v2_s"}  # untrained, it amplifies the rounding errors of float64 a ten-millionfold


def results(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    found = module(*inputs)
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in LONG)) for one in NETWORKS])
def test_a_network_and_its_gradients_equal_the_hand_written_one(name: str) -> None:
    by_hand, changes = NETWORKS[name]
    network = archspec.load(name, **changes)
    torch.manual_seed(0)
    share = 1e-7 if name in DEEP else 1e-9
    made = build(network, seed=1, follow_init=False).double().eval()
    theirs = by_hand().double().eval()
    drawn = random_inputs(network.graph, 2, torch.Generator().manual_seed(0))
    inputs = tuple(one.double() if one.is_floating_point() else one for one in drawn)  # not token ids
    pairs = list(zip(in_order(made, inputs), in_order(theirs, inputs), strict=True))
    assert len(pairs) == len(list(made.parameters())) == len(list(theirs.parameters()))
    with torch.no_grad():
        for own, other in pairs:
            if own.dim() < 2:
                own.add_(torch.randn_like(own), alpha=0.1)
            other.copy_(own.view_as(other))
    for scores, expected in zip(results(made, inputs), results(theirs, inputs), strict=True):
        torch.testing.assert_close(scores, expected, rtol=1e-8, atol=share * expected.abs().max().item())
    for module in (made, theirs):
        sum(one.square().mean() for one in results(module, inputs)).backward()  # type: ignore[union-attr]
    for own, other in pairs:
        assert own.grad is not None
        assert other.grad is not None
        grad = other.grad.view_as(own)
        torch.testing.assert_close(own.grad, grad, rtol=1e-6, atol=100 * share * grad.abs().max().item())
