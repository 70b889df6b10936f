"""A map of height 1 computes what torch's layers of one dimension compute."""

import torch
from torch import Tensor, nn

import archspec
from archspec.compiler import build

SPEC = """\
[1x200x1] INPUT
CONV 8 1x20 s1x4 bias -> BN -> RELU
POOL 1x4 s1x4 floor
CONV 6 1x3 p0x2:0 -> RELU
CONV 6 1x3 p0x2 d1x2 g2 -> RELU
UPCONV 4 1x2 s1x2 -> RELU
AVGPOOL 1x2 s1x2
GAP -> FC 3
"""


class OneDimension(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv1d(1, 8, 20, stride=4), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(4)),
            *(nn.ConstantPad1d((2, 0), 0.0), nn.Conv1d(8, 6, 3), nn.ReLU()),
            *(nn.Conv1d(6, 6, 3, padding=2, dilation=2, groups=2), nn.ReLU()),
            *(nn.ConvTranspose1d(6, 4, 2, stride=2), nn.ReLU(), nn.AvgPool1d(2)),
            *(nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 3)),
        )

    def forward(self, signal: Tensor) -> Tensor:
        found: Tensor = self.layers(signal)
        return found


def test_a_signal_as_a_map_of_height_1_gives_what_conv1d_gives() -> None:
    mine, theirs = build(archspec.loads(SPEC), seed=1).eval(), OneDimension().eval()
    state = mine.state_dict()
    own = theirs.state_dict()
    assert [tensor.numel() for tensor in state.values()] == [tensor.numel() for tensor in own.values()]
    values = [tensor.reshape(other.shape) for tensor, other in zip(state.values(), own.values(), strict=True)]
    theirs.load_state_dict(dict(zip(own, values, strict=True)))
    signal = torch.randn(5, 1, 200, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        assert torch.allclose(mine(signal[:, :, None]), theirs(signal), atol=1e-6)
