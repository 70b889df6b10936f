"""IN is GroupNorm with groups of one channel: torch's InstanceNorm2d has wrong gradients in a batch of 1."""

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec.compiler import build
from archspec.compiler.lowering.modules.norms import PixelNorm
from archspec.layers.norm import LayerNorm

STEP = 1e-6


def slopes(module: nn.Module, batch: int) -> tuple[float, float]:
    """The slope of a weighted sum of the outputs along a direction: by torch, and as a difference quotient."""
    generator = torch.Generator().manual_seed(0)
    image, factors, direction = (
        torch.randn(batch, 4, 5, 6, generator=generator, dtype=torch.float64) for _ in range(3)
    )
    image.requires_grad_()

    def value(x: Tensor) -> Tensor:
        return (module(x) * factors.view(batch, -1)[:, : module(x)[0].numel()].view_as(module(x))).sum()

    value(image).backward()  # type: ignore[no-untyped-call]  # torch leaves it so
    assert image.grad is not None
    with torch.no_grad():
        quotient = (value(image + STEP * direction) - value(image - STEP * direction)) / (2 * STEP)
    return (image.grad * direction).sum().item(), quotient.item()


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("rest", ["LN", "TOKENS -> FC 3", "MHSA 1 window=1", "RELU -> LN -> GAP"])
@pytest.mark.parametrize("norm", ["IN", "IN affine"])
def test_gradients_through_instance_normalisation_are_right(norm: str, rest: str, batch: int) -> None:
    module = build(archspec.loads(f"[5x6x4] INPUT\n{norm} -> {rest}\n"), seed=0).double().train()
    slope, quotient = slopes(module, batch)
    assert slope == pytest.approx(quotient, rel=1e-6)


def test_torchs_own_are_still_wrong_in_a_batch_of_1() -> None:
    """If this fails, torch is mended: IN may be InstanceNorm2d again where that version is required."""
    volume = archspec.loads("[5x6x4] INPUT\nLN\n").input
    module = nn.Sequential(nn.InstanceNorm2d(4), PixelNorm(LayerNorm(), volume)).double()
    slope, quotient = slopes(module, 1)
    assert slope != pytest.approx(quotient, rel=0.1)
    slope, quotient = slopes(module, 2)
    assert slope == pytest.approx(quotient, rel=1e-6)
