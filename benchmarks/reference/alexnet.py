"""AlexNet (Krizhevsky et al. 2012) and ZFNet (Zeiler & Fergus 2013), as Stanford's CS231n lists them."""

from __future__ import annotations

from torch import nn

__all__ = ["alexnet", "alexnet_2gpu", "zfnet"]


def _response_norm() -> nn.Module:
    """Local response normalisation with the constants of section 3.3.

    torch, like Caffe, divides alpha by the window's size; the paper's formula does not.
    """
    return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)


def _classifier(features: int) -> list[nn.Module]:
    """FC6, FC7 and the class scores, with dropout behind each hidden ReLU (section 4.2)."""
    return [
        nn.Flatten(),
        nn.Linear(features, 4096),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(4096, 4096),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(4096, 1000),
    ]


def _tail(groups: int) -> list[nn.Module]:
    """CONV3 to the scores; CONV4 and CONV5 in groups."""
    return [
        nn.Conv2d(256, 384, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 384, 3, padding=1, groups=groups),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=1, groups=groups),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        *_classifier(256 * 6 * 6),
    ]


def alexnet() -> nn.Module:
    """AlexNet in one tower: 3x227x227 in, 1000 class scores out, 62,378,344 parameters.

    The lecture's order, CONV - ReLU - MAX POOL - NORM.
    """
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, stride=4),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        _response_norm(),
        nn.Conv2d(96, 256, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        _response_norm(),
        *_tail(groups=1),
    )


def alexnet_2gpu() -> nn.Module:
    """AlexNet over two GPUs: CONV2, CONV4 and CONV5 see their own half of the maps; 60,965,224 parameters.

    The paper's order (section 3.5): CONV - ReLU - NORM - MAX POOL.
    """
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, stride=4),
        nn.ReLU(inplace=True),
        _response_norm(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(96, 256, 5, padding=2, groups=2),
        nn.ReLU(inplace=True),
        _response_norm(),
        nn.MaxPool2d(3, 2),
        *_tail(groups=2),
    )


def zfnet() -> nn.Module:
    """ZFNet with the lecture's 512, 1024, 512 maps: 3x224x224 in, 107,627,624 parameters."""
    return nn.Sequential(
        nn.Conv2d(3, 96, 7, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, padding=1),
        _response_norm(),
        nn.Conv2d(96, 256, 5, stride=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, padding=1),
        _response_norm(),
        nn.Conv2d(256, 512, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(512, 1024, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(1024, 512, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        *_classifier(512 * 6 * 6),
    )
