"""Laws of the sliding window: its places are torch's, and it refuses exactly what drops real pixels."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.layers.arguments import Pads, Pair, Respelling
from archspec.layers.base import Layer
from archspec.layers.conv import Conv
from archspec.layers.pool import MaxPool
from archspec.layers.upconv import TransposedConv
from archspec.layers.window import padding, slide
from archspec.record import replace


def pairs(least: int, most: int) -> st.SearchStrategy[Pair]:
    return st.tuples(st.integers(least, most), st.integers(least, most))


SIZES, KERNELS, STRIDES, PADS = pairs(1, 24), pairs(1, 7), pairs(1, 5), pairs(0, 4)
many = settings(max_examples=250, deadline=None)


def torch_places(module: type[nn.Module], size: Pair, *arguments: object, **options: object) -> Pair | None:
    """Height and width that torch's module makes, or nothing where it refuses."""
    with torch.device("meta"):
        try:
            height, width = module(*arguments, **options)(torch.empty(1, 2, *size)).shape[-2:]
        except RuntimeError:
            return None
    return (height, width) if height > 0 and width > 0 else None


def places(layer: Layer, size: Pair) -> Pair | None:
    """Height and width that our layer makes, or nothing where it refuses."""
    try:
        height, width, _ = layer.output((Volume((*size, 2)),))
    except Finding:
        return None
    return height, width


def both_sides(pad: Pair) -> Pads:
    return ((pad[0], pad[0]), (pad[1], pad[1]))


@many
@given(SIZES, KERNELS, STRIDES, PADS, pairs(1, 3))
def test_a_convolution_has_torchs_places(size: Pair, kernel: Pair, stride: Pair, pad: Pair, dilation: Pair) -> None:
    layer = Conv(kernel, stride, both_sides(pad), dilation, rounding="floor", filters=1)
    assert places(layer, size) == torch_places(nn.Conv2d, size, 2, 1, kernel, stride, pad, dilation)


@many
@given(SIZES, KERNELS, STRIDES, PADS, st.booleans())
def test_a_pool_has_torchs_places(size: Pair, kernel: Pair, stride: Pair, pad: Pair, ceil: bool) -> None:
    layer = MaxPool(kernel, stride, both_sides(pad), "ceil" if ceil else "floor")
    expected = torch_places(nn.MaxPool2d, size, kernel, stride, pad, ceil_mode=ceil)
    if any(n + 2 * p < k for n, p, k in zip(size, pad, kernel, strict=True)):
        expected = None  # torch's `ceil` takes windows that are larger than the map; we do not
    assert places(layer, size) == expected


@many
@given(SIZES, KERNELS, STRIDES, PADS, st.data())
def test_a_transposed_convolution_has_torchs_places(
    size: Pair, kernel: Pair, stride: Pair, pad: Pair, data: st.DataObject
) -> None:
    more = tuple(data.draw(st.integers(0, min(p, s - 1))) for p, s in zip(pad, stride, strict=True))
    ends = ((pad[0], pad[0] - more[0]), (pad[1], pad[1] - more[1]))
    layer = TransposedConv(filters=1, kernel=kernel, stride=stride, pad=ends)
    assert places(layer, size) == torch_places(nn.ConvTranspose2d, size, 2, 1, kernel, stride, pad, more)


@many
@given(SIZES, KERNELS, STRIDES, PADS, pairs(1, 3))
def test_unsaid_rounding_refuses_exactly_what_drops_pixels(
    size: Pair, kernel: Pair, stride: Pair, pad: Pair, dilation: Pair
) -> None:
    layer = Conv(kernel, stride, both_sides(pad), dilation, filters=1)
    floored = places(replace(layer, rounding="floor"), size)
    if floored is None:
        assert places(layer, size) is None
        return
    drops = False
    for axis in (0, 1):
        width = dilation[axis] * (kernel[axis] - 1) + 1
        last = (floored[axis] - 1) * stride[axis] - pad[axis] + width - 1  # the last pixel that a window sees
        drops = drops or (last < size[axis] - 1 and width >= stride[axis])
    assert places(layer, size) == (None if drops else floored)


@many
@given(pairs(1, 60), pairs(1, 11), pairs(2, 6), pairs(0, 3), st.booleans())
def test_every_proposal_fits_along_both_axes_and_gives_what_it_says(
    size: Pair, kernel: Pair, stride: Pair, pad: Pair, pools: bool
) -> None:
    assume(all(2 * p <= k for p, k in zip(pad, kernel, strict=True)))
    pads = both_sides(pad)
    layer = MaxPool(kernel, stride, pads) if pools else Conv(kernel, stride, pads, filters=1)
    try:
        layer.output((Volume((*size, 1)),))
    except Finding as finding:
        proposals = finding.helps
    else:
        return
    assert proposals
    for proposal in proposals:
        assert isinstance(proposal, Respelling)
        mended = replace(layer, **{field: value or (1, 1) for field, value in proposal.fields.items()})
        height, width, _ = mended.output((Volume((*size, 1)),))
        assert f"gives {height}x{width}" in proposal


def test_a_flat_window_gets_flat_pads() -> None:
    with pytest.raises(Finding) as caught:
        Conv((1, 4), (4, 4), filters=8).output((Volume((1, 17, 8)),))
    first = caught.value.helps[0]
    assert isinstance(first, Respelling)
    assert first.fields == {"pad": ((0, 0), (2, 2))}


def test_a_misfit_along_both_axes_is_one_finding_with_both_formulas() -> None:
    with pytest.raises(Finding) as caught:
        Conv((3, 3), (2, 2), filters=8).output((Volume((30, 32, 8)),))
    assert len(caught.value.notes) == 2
    assert any("gives 15x16" in proposal for proposal in caught.value.helps)


@given(KERNELS, pairs(1, 3))
def test_same_keeps_the_size_and_names_the_pads_where_it_cannot(kernel: Pair, dilation: Pair) -> None:
    try:
        pads = padding("same", kernel, dilation)
    except Finding as finding:
        (hint,) = finding.helps
        assert any(size % 2 == 0 for size in kernel)
        assert isinstance(hint, Respelling)
        pads = hint.fields["pad"]
    else:
        assert all(begin == end for begin, end in pads)
    assert slide(Volume((30, 40, 1)), kernel, (1, 1), pads, dilation, "") == (30, 40)


@pytest.mark.parametrize(("size", "gives"), [(227, 55), (224, None)])
def test_alexnet_fits_227_and_not_224(size: int, gives: int | None) -> None:
    expected = None if gives is None else (gives, gives)
    assert places(Conv((11, 11), (4, 4), filters=96), (size, size)) == expected
