"""Inception-v4 and Inception-ResNet-v2 (Szegedy et al. 2016): figures 3 to 9 and 15 to 19, widths as published."""

from torch import Tensor, nn

from .parts import Concat, Pair, mean_and_scores


def conv(inputs: int, outputs: int, size: int | Pair, stride: int = 1, pad: int | str = 0) -> list[nn.Module]:
    """As TensorFlow's slim: no bias, BN with eps 1e-3, ReLU."""
    made = nn.Conv2d(inputs, outputs, size, stride, pad, bias=False)
    return [made, nn.BatchNorm2d(outputs, eps=1e-3), nn.ReLU()]


def chain(inputs: int, *steps: tuple[int, int | Pair]) -> nn.Sequential:
    """Convolutions that keep the size; a step is its filters and their size."""
    layers: list[nn.Module] = []
    for outputs, size in steps:
        layers += conv(inputs, outputs, size, pad="same")
        inputs = outputs
    return nn.Sequential(*layers)


def then_halve(inputs: int, *steps: tuple[int, int | Pair], last: int) -> nn.Sequential:
    """A chain, and a 3x3 at stride 2 behind it."""
    width = steps[-1][0] if steps else inputs
    return nn.Sequential(chain(inputs, *steps), *conv(width, last, 3, 2))


def mean_then(inputs: int, outputs: int) -> nn.Sequential:
    """A mean that counts no padding."""
    return nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), *conv(inputs, outputs, 1))


def pool() -> nn.Module:
    return nn.MaxPool2d(3, 2)


def inception_c() -> nn.Module:
    def fork(inputs: int) -> nn.Module:
        return Concat(chain(inputs, (256, (1, 3))), chain(inputs, (256, (3, 1))))

    return Concat(
        chain(1536, (256, 1)),
        nn.Sequential(chain(1536, (384, 1)), fork(384)),
        nn.Sequential(chain(1536, (384, 1), (448, (3, 1)), (512, (1, 3))), fork(512)),
        mean_then(1536, 256),
    )


def inception_v4() -> nn.Module:
    """42,679,816 parameters."""
    wide, high = (1, 7), (7, 1)
    a = [
        Concat(
            chain(384, (96, 1)),
            chain(384, (64, 1), (96, 3)),
            chain(384, (64, 1), (96, 3), (96, 3)),
            mean_then(384, 96),
        )
        for _ in range(4)
    ]
    b = [
        Concat(
            chain(1024, (384, 1)),
            chain(1024, (192, 1), (224, wide), (256, high)),
            chain(1024, (192, 1), (192, high), (224, wide), (224, high), (256, wide)),
            mean_then(1024, 128),
        )
        for _ in range(7)
    ]
    return nn.Sequential(
        *conv(3, 32, 3, 2),
        *conv(32, 32, 3),
        *conv(32, 64, 3, pad=1),
        Concat(pool(), nn.Sequential(*conv(64, 96, 3, 2))),
        Concat(
            nn.Sequential(chain(160, (64, 1)), *conv(64, 96, 3)),
            nn.Sequential(chain(160, (64, 1), (64, wide), (64, high)), *conv(64, 96, 3)),
        ),
        Concat(then_halve(192, last=192), pool()),
        *a,
        Concat(then_halve(384, last=384), then_halve(384, (192, 1), (224, 3), last=256), pool()),
        *b,
        Concat(
            then_halve(1024, (192, 1), last=192),
            then_halve(1024, (256, 1), (256, wide), (320, high), last=320),
            pool(),
        ),
        *(inception_c() for _ in range(3)),
        *mean_and_scores(1536, 1000, 0.2),
    )


class Residual(nn.Module):
    """x + scale * module(x), the module closed by a 1x1 with biases and no activation."""

    def __init__(self, module: nn.Module, made: int, channels: int, scale: float, activated: bool = True) -> None:
        super().__init__()
        self.module, self.join = module, nn.Conv2d(made, channels, 1)
        self.scale, self.activated = scale, activated

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.scale * self.join(self.module(x))
        return y.relu() if self.activated else y


def inception_resnet_v2() -> nn.Module:
    """55,843,464 parameters."""

    def block35() -> nn.Module:
        branches = chain(320, (32, 1)), chain(320, (32, 1), (32, 3)), chain(320, (32, 1), (48, 3), (64, 3))
        return Residual(Concat(*branches), 128, 320, 0.17)

    def block17() -> nn.Module:
        branches = chain(1088, (192, 1)), chain(1088, (128, 1), (160, (1, 7)), (192, (7, 1)))
        return Residual(Concat(*branches), 384, 1088, 0.1)

    def block8(scale: float, activated: bool = True) -> nn.Module:
        branches = chain(2080, (192, 1)), chain(2080, (192, 1), (224, (1, 3)), (256, (3, 1)))
        return Residual(Concat(*branches), 448, 2080, scale, activated)

    return nn.Sequential(
        *conv(3, 32, 3, 2),
        *conv(32, 32, 3),
        *conv(32, 64, 3, pad=1),
        pool(),
        *conv(64, 80, 1),
        *conv(80, 192, 3),
        pool(),
        Concat(
            chain(192, (96, 1)),
            chain(192, (48, 1), (64, 5)),
            chain(192, (64, 1), (96, 3), (96, 3)),
            mean_then(192, 64),
        ),
        *(block35() for _ in range(10)),
        Concat(then_halve(320, last=384), then_halve(320, (256, 1), (256, 3), last=384), pool()),
        *(block17() for _ in range(20)),
        Concat(
            then_halve(1088, (256, 1), last=384),
            then_halve(1088, (256, 1), last=288),
            then_halve(1088, (256, 1), (288, 3), last=320),
            pool(),
        ),
        *(block8(0.2) for _ in range(9)),
        block8(1, activated=False),
        *conv(2080, 1536, 1),
        *mean_and_scores(1536, 1000, 0.2),
    )
