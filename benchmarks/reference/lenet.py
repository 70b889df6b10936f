"""LeNet-5: LeCun et al., "Gradient-based learning applied to document recognition" (1998)."""

from __future__ import annotations

from torch import nn

__all__ = ["lenet5"]


def lenet5() -> nn.Module:
    """LeNet-5 as it is taught: 1x32x32 in, 10 class scores out, 61,706 parameters.

    Simpler than the paper, as every modern version is: C3 sees all six maps of S2, pooling has no
    coefficients, and the output is a plain linear layer where the paper has radial basis functions.
    """
    return nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.Tanh(),
        nn.AvgPool2d(2, 2),
        nn.Conv2d(6, 16, 5),
        nn.Tanh(),
        nn.AvgPool2d(2, 2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.Tanh(),
        nn.Linear(120, 84),
        nn.Tanh(),
        nn.Linear(84, 10),
    )
