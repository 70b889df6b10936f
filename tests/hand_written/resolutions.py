"""Networks with several inputs or outputs: Koch et al. 2015, Lin et al. 2016, Zhou et al. 2018, Wang et al. 2019."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Siamese(nn.Module):
    """One tower for both images; `side` is that of its last maps."""

    def __init__(self, side: int = 6) -> None:
        super().__init__()
        self.tower = nn.Sequential(
            *(nn.Conv2d(1, 64, 10), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(64, 128, 7), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(128, 128, 4), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(128, 256, 4), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(256 * side * side, 4096), nn.Sigmoid()),
        )
        self.score = nn.Linear(4096, 1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return torch.sigmoid(self.score((self.tower(left) - self.tower(right)).abs()))


def conv_bn(inputs: int, outputs: int, size: int, stride: int = 1, bias: bool = False) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=bias)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Bottleneck(nn.Module):
    """ResNet's, with its stride on the 3x3."""

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.narrow, self.filter = conv_bn(inputs, width, 1), conv_bn(width, width, 3, stride)
        self.widen = conv_bn(width, 4 * width, 1)
        self.skip = conv_bn(inputs, 4 * width, 1, stride) if inputs != 4 * width or stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.widen(self.filter(self.narrow(x).relu()).relu())
        return functional.relu(y + self.skip(x))


class Basic(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = conv_bn(width, width, 3), conv_bn(width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.second(self.first(x).relu()) + x)


def bottlenecks(inputs: int, width: int, count: int, stride: int) -> nn.Sequential:
    rest = (Bottleneck(4 * width, width) for _ in range(count - 1))
    return nn.Sequential(Bottleneck(inputs, width, stride), *rest)


class Pyramid(nn.Module):
    """A feature pyramid on ResNet-50: its figure 3."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_bn(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        rows = ((64, 64, 3, 1), (256, 128, 4, 2), (512, 256, 6, 2), (1024, 512, 3, 2))
        self.stages = nn.ModuleList(bottlenecks(*row) for row in rows)
        self.lateral = nn.ModuleList(nn.Conv2d(width, 256, 1) for width in (256, 512, 1024, 2048))
        self.smooth = nn.ModuleList(nn.Conv2d(256, 256, 3, padding=1) for _ in range(4))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.stem(x)
        found = [x := stage(x) for stage in self.stages]
        merged = [self.lateral[3](found[3])]
        for level in (2, 1, 0):
            above = functional.interpolate(merged[0], scale_factor=2)
            merged.insert(0, above + self.lateral[level](found[level]))
        return tuple(smooth(one) for smooth, one in zip(self.smooth, merged, strict=True))


def double(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(conv_bn(inputs, outputs, 3), nn.ReLU(), conv_bn(outputs, outputs, 3), nn.ReLU())


class NestedUNet(nn.Module):
    """The grid of figure 1: a node takes all before it in its row, and the one below, enlarged."""

    def __init__(self) -> None:
        super().__init__()
        widths = (32, 64, 128, 256, 512)
        self.first = nn.ModuleList(map(double, (3, *widths), widths))
        self.nodes = nn.ModuleDict(
            {
                f"{row},{column}": double(column * widths[row] + widths[row + 1], widths[row])
                for column in range(1, 5)
                for row in range(5 - column)
            }
        )
        self.masks = nn.ModuleList(nn.Conv2d(32, 1, 1) for _ in range(4))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        rows: list[list[Tensor]] = []
        for row, part in enumerate(self.first):
            x = part(functional.max_pool2d(x, 2) if row else x)
            rows.append([x])
        for column in range(1, 5):
            for row in range(5 - column):
                below = functional.interpolate(rows[row + 1][-1], scale_factor=2, mode="bilinear")
                rows[row].append(self.nodes[f"{row},{column}"](torch.cat([*rows[row], below], 1)))
            del rows[5 - column]
        return tuple(mask(one) for mask, one in zip(self.masks, rows[0][1:], strict=True))


class Exchange(nn.Module):
    """Figure 3 of HRNet: units at each resolution, then each takes the sum of all."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        widths = [width * 2**place for place in range(count)]
        self.units = nn.ModuleList(nn.Sequential(*(Basic(one) for _ in range(4))) for one in widths)
        self.paths = nn.ModuleDict(
            {f"{a},{b}": path(widths[a], widths[b], b - a) for a in range(count) for b in range(count) if a != b}
        )

    def forward(self, *maps: Tensor) -> list[Tensor]:
        seen = [units(one) for units, one in zip(self.units, maps, strict=True)]
        places = range(len(seen))
        sums = {}
        for to in (*places[1:], 0):  # the order in which a spec writes them
            terms = [one if place == to else self.paths[f"{place},{to}"](one) for place, one in enumerate(seen)]
            sums[to] = torch.stack(terms).sum(0).relu()
        return [sums[place] for place in places]


def path(inputs: int, outputs: int, halvings: int) -> nn.Sequential:
    """From one resolution to another, larger if `halvings` is negative."""
    if halvings < 0:
        return nn.Sequential(conv_bn(inputs, outputs, 1), nn.Upsample(scale_factor=2**-halvings))
    first = [part for _ in range(halvings - 1) for part in (conv_bn(inputs, inputs, 3, 2), nn.ReLU())]
    return nn.Sequential(*first, conv_bn(inputs, outputs, 3, 2))


class HighResolution(nn.Module):
    """HRNet-W18 with its classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_bn(3, 64, 3, 2), nn.ReLU(), conv_bn(64, 64, 3, 2), nn.ReLU())
        self.first = bottlenecks(64, 64, 4, 1)
        self.to_a = conv_bn(256, 18, 3)
        self.lower = nn.ModuleList([conv_bn(256, 36, 3, 2), conv_bn(36, 72, 3, 2), conv_bn(72, 144, 3, 2)])
        self.stages = nn.ModuleList(
            nn.ModuleList(Exchange(18, resolutions) for _ in range(count))
            for resolutions, count in ((2, 1), (3, 4), (4, 3))
        )
        self.widen = nn.ModuleList(Bottleneck(18 * 2**place, 32 * 2**place) for place in range(4))
        self.join = nn.ModuleList(conv_bn(128 * 2**place, 256 * 2**place, 3, 2, bias=True) for place in range(3))
        self.last = conv_bn(1024, 2048, 1, bias=True)
        self.scores = nn.Linear(2048, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.stem(x))
        maps = [self.to_a(x).relu()]
        for lower, stage in zip(self.lower, self.stages, strict=True):
            maps.append(lower(x if len(maps) == 1 else maps[-1]).relu())
            for module in stage:
                maps = module(*maps)
        y = self.widen[0](maps[0])
        for place, join in enumerate(self.join, 1):
            y = self.widen[place](maps[place]) + join(y).relu()
        scores: Tensor = self.scores(self.last(y).relu().mean((2, 3)))
        return scores
