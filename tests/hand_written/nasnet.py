"""NASNet-A (6 @ 4032): Zoph et al., "Learning transferable architectures for scalable image recognition" (2017).

With TensorFlow's padding: as much as makes ceil(size / stride) outputs, an odd pixel at the end.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .parts import mean_and_scores


def padded(x: Tensor, size: int, stride: int, value: float = 0.0) -> Tensor:
    high, wide = (max((-(-extent // stride) - 1) * stride + size - extent, 0) for extent in x.shape[2:])
    return functional.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2), value=value)


def largest(x: Tensor) -> Tensor:
    return functional.max_pool2d(padded(x, 3, 2, -torch.inf), 3, 2)


def mean(x: Tensor, stride: int) -> Tensor:
    """3x3; padding does not count."""
    summed, counted = (functional.avg_pool2d(padded(one, 3, stride), 3, stride) for one in (x, torch.ones_like(x)))
    return summed / counted


class Depthwise(nn.Conv2d):
    def __init__(self, channels: int, size: int, stride: int) -> None:
        super().__init__(channels, channels, size, stride, groups=channels, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(padded(input, self.kernel_size[0], self.stride[0]))


def pointwise(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs, eps=1e-3)]


def separable(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
    """ReLU, depthwise, 1x1, BN: twice."""
    return nn.Sequential(
        nn.ReLU(),
        Depthwise(inputs, size, stride),
        *pointwise(inputs, outputs),
        nn.ReLU(),
        Depthwise(outputs, size, 1),
        *pointwise(outputs, outputs),
    )


def fitted(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.ReLU(), *pointwise(inputs, outputs))


class Halved(nn.Module):
    """Half the size: the even pixels make half of the channels, the odd ones the other; zeros behind the last."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.even, self.odd = (nn.Conv2d(inputs, outputs // 2, 1, bias=False) for _ in range(2))
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        x = x.relu()
        shifted = functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        joined: Tensor = self.norm(torch.cat([self.even(x[:, :, ::2, ::2]), self.odd(shifted[:, :, ::2, ::2])], 1))
        return joined


class Normal(nn.Module):
    """Left in figure 4. `older` and `newer` are the channels of the last two outputs."""

    def __init__(self, older: int, newer: int, width: int, halves: bool) -> None:
        super().__init__()
        self.fit_old = Halved(older, width) if halves else fitted(older, width)
        self.fit_new = fitted(newer, width)
        self.separables = nn.ModuleList(separable(width, width, size) for size in (5, 3, 5, 3, 3))

    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        old, new = self.fit_old(older), self.fit_new(newer)
        a, b, c, d, e = self.separables
        sums = [a(new) + b(old), c(old) + d(old), mean(new, 1) + old, mean(old, 1) + mean(old, 1), e(new) + new]
        return torch.cat([old, *sums], 1)


class Reduction(nn.Module):
    """Right in figure 4. The very first takes the stem for its older input as it is."""

    def __init__(self, older: int, newer: int, width: int, halves: bool = False, raw: bool = False) -> None:
        super().__init__()
        fit = nn.Identity() if raw else Halved(older, width) if halves else fitted(older, width)
        entering = older if raw else width
        self.fit_old, self.fit_new = fit, fitted(newer, width)
        self.separables = nn.ModuleList(
            [
                separable(width, width, 5, 2),
                *(separable(entering, width, size, 2) for size in (7, 7, 5)),
                separable(width, width, 3),
            ]
        )

    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        old, new = self.fit_old(older), self.fit_new(newer)
        a, b, c, d, e = self.separables
        first = a(new) + b(old)
        second = largest(new) + c(old)
        return torch.cat([second, mean(new, 2) + d(old), mean(first, 1) + second, e(first) + largest(new)], 1)


class NASNet(nn.Module):
    """331x331x3 in: two reductions, then three rows of six normal cells with a reduction between two rows.

    The first cell of a row gets for its older input the output of the last cell but one before the reduction.
    """

    def __init__(self, width: int, stem: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, 2, bias=False), nn.BatchNorm2d(stem, eps=1e-3))
        quarter, half = width // 4, width // 2
        self.first = Reduction(stem, stem, quarter, raw=True)
        self.second = Reduction(stem, 4 * quarter, half, halves=True)
        rows: list[nn.ModuleList] = []
        reductions: list[nn.Module] = []
        older, newer = 4 * quarter, 4 * half
        for row in range(3):
            cells = []
            for place in range(6):
                cells.append(Normal(older, newer, width, halves=place == 0))
                older, newer = newer, 6 * width
            rows.append(nn.ModuleList(cells))
            if row < 2:
                reductions.append(Reduction(older, newer, 2 * width))
                newer, width = 8 * width, 2 * width
        self.rows, self.reductions = nn.ModuleList(rows), nn.ModuleList(reductions)
        self.classify = nn.Sequential(nn.ReLU(), *mean_and_scores(newer, 1000, 0.5))

    def forward(self, x: Tensor) -> Tensor:
        stem = self.stem(x)
        older = self.first(stem, stem)
        newer = self.second(stem, older)
        for place, row in enumerate(self.rows):
            assert isinstance(row, nn.ModuleList)
            if place:
                reduced = self.reductions[place - 1](older, newer)
                newer = reduced
            for cell in row:
                older, newer = newer, cell(older, newer)
        scores: Tensor = self.classify(newer)
        return scores


def nasnet_a_large() -> nn.Module:
    """88,753,150 parameters."""
    return NASNet(168, 96)
