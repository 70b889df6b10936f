"""Networks found by search, and those of separate and of parallel filters.

Howard et al. 2019, Radosavovic et al. 2020, Tan & Le 2021, Ding et al. 2021, Chollet 2016.
"""

from torch import Tensor, nn

from .parts import SqueezeExcite, mean_and_scores
from .resolutions import conv_bn


class Residual(nn.Module):
    """The sum of a body and its input."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x) + x
        return y


def norm(channels: int, momentum: float = 0.1) -> nn.Module:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=momentum)


class Weigh(nn.Module):
    """Squeeze and excitation with any gate."""

    def __init__(self, channels: int, middle: int, activation: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.narrow, self.widen = nn.Linear(channels, middle), nn.Linear(middle, channels)
        self.activation, self.gate = activation, gate

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.gate(self.widen(self.activation(self.narrow(x.mean((2, 3))))))
        return x * weights[:, :, None, None]


# window, expanded, output, squeeze-excite, h-swish, stride; and the middle of the squeeze-excite
SMALL = (
    (3, 16, 16, 8, False, 2),
    (3, 72, 24, 0, False, 2),
    (3, 88, 24, 0, False, 1),
    (5, 96, 40, 24, True, 2),
    (5, 240, 40, 64, True, 1),
    (5, 240, 40, 64, True, 1),
    (5, 120, 48, 32, True, 1),
    (5, 144, 48, 40, True, 1),
    (5, 288, 96, 72, True, 2),
    (5, 576, 96, 144, True, 1),
    (5, 576, 96, 144, True, 1),
)


def bneck(inputs: int, row: tuple[int, int, int, int, bool, int]) -> nn.Module:
    window, expanded, outputs, middle, swish, stride = row
    activation = nn.Hardswish() if swish else nn.ReLU()
    parts: list[nn.Module] = []
    if expanded != inputs:
        parts += [nn.Conv2d(inputs, expanded, 1, bias=False), norm(expanded, 0.01), activation]
    depthwise = nn.Conv2d(expanded, expanded, window, stride, window // 2, groups=expanded, bias=False)
    parts += [depthwise, norm(expanded, 0.01), activation]
    if middle:
        parts.append(Weigh(expanded, middle, nn.ReLU(), nn.Hardsigmoid()))
    body = nn.Sequential(*parts, nn.Conv2d(expanded, outputs, 1, bias=False), norm(outputs, 0.01))
    return Residual(body) if inputs == outputs and stride == 1 else body


def mobilenet_v3_small() -> nn.Module:
    """2,542,856 parameters."""
    parts: list[nn.Module] = [nn.Conv2d(3, 16, 3, 2, 1, bias=False), norm(16, 0.01), nn.Hardswish()]
    channels = 16
    for row in SMALL:
        parts.append(bneck(channels, row))
        channels = row[2]
    parts += [nn.Conv2d(96, 576, 1, bias=False), norm(576, 0.01), nn.Hardswish(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*parts, nn.Linear(576, 1024), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(1024, 1000))


class RegNetUnit(nn.Module):
    """Figure 13 of RegNet with groups of 8 channels, and Y's squeeze-excite."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = conv_bn(inputs, width, 1)
        filters = nn.Conv2d(width, width, 3, stride, 1, groups=width // 8, bias=False)
        self.middle = nn.Sequential(filters, nn.BatchNorm2d(width), nn.ReLU())
        self.weigh = SqueezeExcite(width, inputs // 4, nn.ReLU())
        self.last = conv_bn(width, width, 1)
        self.skip = conv_bn(inputs, width, 1, stride) if inputs != width or stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.last(self.weigh(self.middle(self.first(x).relu())))
        z: Tensor = (y + self.skip(x)).relu()
        return z


def regnet_y_400mf() -> nn.Module:
    """4,344,144 parameters."""
    parts: list[nn.Module] = [conv_bn(3, 32, 3, 2), nn.ReLU()]
    before = 32
    for width, count in ((48, 1), (104, 3), (208, 6), (440, 6)):
        parts += [RegNetUnit(before, width, 2), *(RegNetUnit(width, width, 1) for _ in range(count - 1))]
        before = width
    return nn.Sequential(*parts, *mean_and_scores(440, 1000))


class RepUnit(nn.Module):
    """Figure 2b of RepVGG."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.large, self.small = conv_bn(inputs, outputs, 3, stride), conv_bn(inputs, outputs, 1, stride)
        self.same = nn.BatchNorm2d(inputs) if inputs == outputs and stride == 1 else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.large(x) + self.small(x)
        z: Tensor = (y + self.same(x) if self.same else y).relu()
        return z


def repvgg_a0() -> nn.Module:
    """9,108,968 parameters while it is trained."""
    parts: list[nn.Module] = [RepUnit(3, 48, 2)]
    before = 48
    for width, count in ((48, 2), (96, 4), (192, 14), (1280, 1)):
        parts += [RepUnit(before, width, 2), *(RepUnit(width, width, 1) for _ in range(count - 1))]
        before = width
    return nn.Sequential(*parts, *mean_and_scores(1280, 1000))


def separable(inputs: int, outputs: int) -> nn.Sequential:
    depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
    return nn.Sequential(depthwise, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


class XceptionUnit(nn.Module):
    """A row of figure 5: separable convolutions of some widths, and what is added to them."""

    def __init__(self, inputs: int, widths: tuple[int, ...], halves: bool, begins: bool = True) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for before, width in zip((inputs, *widths), widths, strict=False):
            parts += [nn.ReLU(), separable(before, width)]
        if halves:
            parts.append(nn.MaxPool2d(3, 2, 1))
        self.body = nn.Sequential(*parts[not begins :])
        self.skip = conv_bn(inputs, widths[-1], 1, 2) if halves else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x) + self.skip(x)
        return y


def xception() -> nn.Module:
    """22,855,952 parameters."""
    stem = (nn.Conv2d(3, 32, 3, 2, bias=False), nn.BatchNorm2d(32), nn.ReLU())
    wider = (nn.Conv2d(32, 64, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU())
    down = (XceptionUnit(64, (128, 128), True, begins=False), XceptionUnit(128, (256, 256), True))
    middle = [XceptionUnit(728, (728, 728, 728), False) for _ in range(8)]
    top = (XceptionUnit(728, (728, 1024), True), separable(1024, 1536), nn.ReLU(), separable(1536, 2048), nn.ReLU())
    units = (*down, XceptionUnit(256, (728, 728), True), *middle, *top)
    return nn.Sequential(*stem, *wider, *units, *mean_and_scores(2048, 1000, dropout=0.5))


class Fused(nn.Module):
    """EfficientNetV2's units: fused while maps are large, else MBConv; a squeeze-excite has a quarter of the inputs."""

    def __init__(self, inputs: int, outputs: int, expand: int, stride: int, fused: bool) -> None:
        super().__init__()
        wide = expand * inputs
        if expand == 1:
            parts: list[nn.Module] = [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), norm(outputs), nn.SiLU()]
        elif fused:
            parts = [nn.Conv2d(inputs, wide, 3, stride, 1, bias=False), norm(wide), nn.SiLU()]
        else:
            parts = [nn.Conv2d(inputs, wide, 1, bias=False), norm(wide), nn.SiLU()]
            parts += [nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False), norm(wide), nn.SiLU()]
            parts.append(SqueezeExcite(wide, inputs // 4, nn.SiLU()))
        if expand > 1:
            parts += [nn.Conv2d(wide, outputs, 1, bias=False), norm(outputs)]
        self.body = nn.Sequential(*parts)
        self.adds = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return y + x if self.adds else y


def efficientnet_v2_s() -> nn.Module:
    """21,458,488 parameters."""
    parts: list[nn.Module] = [nn.Conv2d(3, 24, 3, 2, 1, bias=False), norm(24), nn.SiLU()]
    before = 24
    table = ((1, 24, 2, 1), (4, 48, 4, 2), (4, 64, 4, 2), (4, 128, 6, 2), (6, 160, 9, 1), (6, 256, 15, 2))
    for place, (expand, width, count, stride) in enumerate(table):
        for number in range(count):
            parts.append(Fused(before, width, expand, 1 if number else stride, place < 3))
            before = width
    parts += [nn.Conv2d(256, 1280, 1, bias=False), norm(1280), nn.SiLU()]
    return nn.Sequential(*parts, *mean_and_scores(1280, 1000, dropout=0.2))
