"""Each layer as a torch module, for the layer contract.

A layer that is one torch.nn class names it; the others are written here by hand, from their papers and not from their
rules, modules or emitters. Maps are [B, C, H, W], sequences [B, N, C], vectors [B, C]. A module computes what its layer
does in inference.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from archspec.graph.volume import Volume
from archspec.layers.base import Layer
from support.layer_attention import attention

Inputs = tuple[Volume, ...]


class Function(nn.Module):
    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)


class Weighted(nn.Module):
    """A function of a learned tensor and the input."""

    def __init__(self, shape: Iterable[int], function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(*shape))
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.weight, x)


class Affine(Weighted):
    def __init__(self, channels: int) -> None:
        super().__init__((channels,), lambda w, x: x * _wide(w, x) + _wide(self.bias, x))
        self.bias = nn.Parameter(torch.zeros(channels))


class SequencePrelu(nn.PReLU):
    def forward(self, input: Tensor) -> Tensor:
        return torch.where(input > 0, input, input * self.weight)


class PaperResponseNorm(nn.Module):
    """Woo et al. 2023, algorithm 1 with the residual of the authors' code, on [B, H, W, C]."""

    def __init__(self, layer: Any, channels: int) -> None:
        super().__init__()
        self.eps = layer.eps
        self.weight, self.bias = (nn.Parameter(torch.zeros(channels)) for _ in range(2))

    def forward(self, input: Tensor) -> Tensor:
        x = input.permute(0, 2, 3, 1)
        gx = (x**2).sum(dim=(1, 2), keepdim=True) ** 0.5
        nx = gx / (gx.mean(dim=-1, keepdim=True) + self.eps)
        result: Tensor = self.weight * (x * nx) + self.bias + x
        return result.permute(0, 3, 1, 2)


def _wide(channels: Tensor, x: Tensor) -> Tensor:
    return channels[:, None, None] if x.dim() == 4 else channels


class FlatLinear(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.flatten(1))


class SequenceBatchNorm(nn.BatchNorm1d):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


class PixelNorm(nn.LayerNorm):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class PaddedConv(nn.Conv2d):
    """A convolution that pads its ends separately, and for `ceil` pads until the last window fits."""

    def __init__(self, layer: Any, channels: int, filters: int, groups: int) -> None:
        arguments = {"stride": layer.stride, "dilation": layer.dilation, "groups": groups}
        super().__init__(channels, filters, layer.kernel, bias=layer.bias is not False, **arguments)
        self.layer = layer

    def forward(self, input: Tensor) -> Tensor:
        return _begin_inside(self.layer, input, super().forward(_padded(self.layer, input, 0.0)))


def _padded(layer: Any, x: Tensor, value: float) -> Tensor:
    (top, bottom), (left, right) = layer.pads
    down, across = (layer.stride[0] - 1, layer.stride[1] - 1) if layer.rounding == "ceil" else (0, 0)
    return functional.pad(x, (left, right + across, top, bottom + down), value=value)


def _begin_inside(layer: Any, x: Tensor, y: Tensor) -> Tensor:
    """Drop the windows that begin after the last pixel."""
    rows, columns = (-(-(x.shape[a] + layer.pads[a - 2][0]) // layer.stride[a - 2]) for a in (2, 3))
    return y[:, :, :rows, :columns]


def _max_pool(layer: Any, inputs: Inputs) -> nn.Module:
    def forward(x: Tensor) -> Tensor:
        pooled = functional.max_pool2d(_padded(layer, x, -torch.inf), layer.kernel, layer.stride)
        return _begin_inside(layer, x, pooled)

    return Function(forward)


def _avg_pool(layer: Any, inputs: Inputs) -> nn.Module:
    assert not layer.count_pad
    assert not layer.rounding

    def mean(x: Tensor) -> Tensor:
        return functional.avg_pool2d(_padded(layer, x, 0.0), layer.kernel, layer.stride)

    def forward(x: Tensor) -> Tensor:
        return mean(x) / mean(torch.ones_like(x))

    return Function(forward)


def _global_pool(of_axes: Callable[[Tensor, tuple[int, ...], bool], Tensor]) -> Callable[[Any, Inputs], nn.Module]:
    def module(layer: Any, inputs: Inputs) -> nn.Module:
        channels = 1 if inputs[0].is_map else 2
        places = (2, 3) if inputs[0].is_map else (1,)
        return Function(lambda x: of_axes(x, (channels,), True) if layer.channels else of_axes(x, places, False))

    return module


def _map(layer: Any, inputs: Inputs) -> nn.Module:
    """Pixel by pixel of a sequence, channel by channel of a vector."""
    high, wide = layer.size
    if len(inputs[0]) == 1:
        return Function(lambda x: x.view(len(x), -1, high, wide))
    return Function(lambda x: x.view(len(x), high, wide, -1).permute(0, 3, 1, 2))


def _space_to_depth(layer: Any, inputs: Inputs) -> nn.Module:
    n = layer.block
    places = [(a, b) if layer.order == "rows" else (b, a) for a in range(n) for b in range(n)]
    return Function(lambda x: torch.cat([x[:, :, row::n, column::n] for row, column in places], dim=1))


def _shift(x: Tensor) -> Tensor:
    down, up, right, left = x.chunk(4, dim=1)
    down = torch.cat([down[:, :, :1], down[:, :, :-1]], dim=2)
    up = torch.cat([up[:, :, 1:], up[:, :, -1:]], dim=2)
    right = torch.cat([right[..., :1], right[..., :-1]], dim=3)
    left = torch.cat([left[..., 1:], left[..., -1:]], dim=3)
    return torch.cat([down, up, right, left], dim=1)


def _pad_channels(layer: Any, inputs: Inputs) -> nn.Module:
    more = layer.channels - inputs[0].channels
    ends = (more // 2, more - more // 2)
    return Function(lambda x: functional.pad(x, (0, 0, 0, 0, *ends) if x.dim() == 4 else ends))


def _pixels(x: Tensor) -> tuple[slice, ...]:
    """Everything after the channels."""
    return (slice(None), slice(None)) if x.dim() == 4 else ()


def _multiply(x: Tensor, factor: Tensor) -> Tensor:
    if x.dim() == factor.dim():
        return x * factor
    return x * (factor[:, :, None, None] if x.dim() == 4 else factor[:, None])


BY_HAND: dict[str, Callable[[Any, Inputs], nn.Module]] = {
    "CONV": lambda layer, v: PaddedConv(layer, v[0].channels, layer.filters, layer.groups),
    "DWCONV": lambda layer, v: PaddedConv(layer, v[0].channels, v[0].channels, v[0].channels),
    "POOL": _max_pool,
    "AVGPOOL": _avg_pool,
    "GAP": _global_pool(torch.mean),
    "GMP": _global_pool(torch.amax),
    "FC": lambda layer, v: FlatLinear(v[0].values, layer.features, bias=layer.bias is not False),
    "BN": lambda layer, v: SequenceBatchNorm(v[0].channels),
    "LN": lambda layer, v: PixelNorm(v[0].channels, layer.eps),
    "GRN": lambda layer, v: PaperResponseNorm(layer, v[0].channels),
    "PRELU": lambda layer, v: SequencePrelu(v[0].channels),
    "AFFINE": lambda layer, v: Affine(v[0].channels),
    "SCALE": lambda layer, v: (
        Function(lambda x: x * layer.value) if layer.fixed else Weighted(v[0][-1:], lambda w, x: x * _wide(w, x))
    ),
    "DROPPATH": lambda layer, v: Function(lambda x: x),
    "SLICE": lambda layer, v: Function(lambda x: x[(..., slice(layer.begin, layer.end), *_pixels(x))]),
    "PADCHANNELS": _pad_channels,
    "SPACE2DEPTH": _space_to_depth,
    "SHIFT": lambda layer, v: Function(_shift),
    "TOKENS": lambda layer, v: Function(lambda x: x.flatten(2).transpose(1, 2)),
    "MAP": _map,
    "CLS": lambda layer, v: Weighted(v[0][-1:], lambda w, x: torch.cat([w.expand(len(x), 1, -1), x], dim=1)),
    "POSEMBED": lambda layer, v: Weighted((v[0][-1], *v[0][:-1]) if v[0].is_map else v[0], torch.add),
    "TAKE": lambda layer, v: Function(lambda x: x[:, layer.place]),
    "TRANSPOSE": lambda layer, v: Function(lambda x: x.transpose(1, 2)),
    "MHSA": attention,
    "add": lambda layer, v: Function(lambda *xs: torch.stack(xs).sum(0)),
    "concat": lambda layer, v: Function(lambda *xs: torch.cat(xs, dim=-1 if xs[0].dim() == 3 else 1)),
    "mul": lambda layer, v: Function(_multiply),
}


def torch_module(layer: Layer, inputs: Inputs) -> nn.Module:
    """The layer in torch. A layer that names no torch.nn class and is not in BY_HAND has none: KeyError."""
    named = layer.module(inputs)
    if named is None:
        return BY_HAND[layer.keyword](layer, inputs).eval()
    module: nn.Module = getattr(nn, named.name)(**named.arguments)
    return module.eval()
