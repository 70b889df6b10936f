"""The lecture's networks written by hand in torch, the way an experienced user would write them.

They are the yardstick for the compiler: nothing here is generated from a spec or imports `archspec`, so
that agreement in parameters, multiply-accumulates, memory or speed means something. Comes in: a name. Goes
out: a fresh `nn.Module` with torch's default initialisation, and the size of one input image. Not done
here: weights, data, training.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from .alexnet import alexnet, alexnet_2gpu, zfnet
from .convnext import convnext_tiny
from .densenet import densenet121
from .googlenet import googlenet
from .lenet import lenet5
from .mobilenet import mobilenet_v1, mobilenet_v2
from .resnet import resnet18, resnet34, resnet50, resnet101, resnet152, resnext50, se_resnet50
from .vgg import vgg11, vgg13, vgg16, vgg19
from .vit import vit_b16

__all__ = ["INPUT_SIZES", "MODELS"]

MODELS: dict[str, Callable[[], nn.Module]] = {
    "lenet5": lenet5,
    "alexnet": alexnet,
    "alexnet_2gpu": alexnet_2gpu,
    "zfnet": zfnet,
    "vgg11": vgg11,
    "vgg13": vgg13,
    "vgg16": vgg16,
    "vgg19": vgg19,
    "googlenet": googlenet,
    "resnet18": resnet18,
    "resnet34": resnet34,
    "resnet50": resnet50,
    "resnet101": resnet101,
    "resnet152": resnet152,
    "resnext50": resnext50,
    "se_resnet50": se_resnet50,
    "densenet121": densenet121,
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v2": mobilenet_v2,
    "vit_b16": vit_b16,
    "convnext_tiny": convnext_tiny,
}

#: channels, height, width of one image; 224x224 in colour unless the paper says otherwise
INPUT_SIZES: dict[str, tuple[int, int, int]] = dict.fromkeys(MODELS, (3, 224, 224)) | {
    "lenet5": (1, 32, 32),
    "alexnet": (3, 227, 227),
    "alexnet_2gpu": (3, 227, 227),
}
