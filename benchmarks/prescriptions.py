"""What papers and their authors' code say of first weights, a row for each kind of weight in each family.

In: nothing. Out: `FAMILIES`. A deviation is a number, or a function of the products that are summed in one output and
of those that one input is in, without strides. `instead` says what is done here where the source is not followed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import NamedTuple

Deviation = Callable[[float, float], float]


def he(fan_in: float, _fan_out: float) -> float:
    """He et al. 2015."""
    return sqrt(2 / fan_in)


def he_out(_fan_in: float, fan_out: float) -> float:
    """He et al. 2015, for the backward pass."""
    return sqrt(2 / fan_out)


def glorot(fan_in: float, fan_out: float) -> float:
    """Glorot & Bengio 2010."""
    return sqrt(2 / (fan_in + fan_out))


def lecun(fan_in: float, _fan_out: float) -> float:
    """LeCun's variance, the default of flax."""
    return sqrt(1 / fan_in)


def torchs(fan_in: float, _fan_out: float) -> float:
    """The default of torch's Conv2d and Linear, uniform."""
    return sqrt(1 / (3 * fan_in))


class Prescription(NamedTuple):
    """What a source says of one kind of weight; without a deviation it says nothing."""

    kind: str
    text: str
    deviation: Deviation | float | None
    source: str
    instead: str = ""


HE = "He's before a rectifier, otherwise Glorot's"
GLOROT = "Glorot's"
SILENT = "not stated"


def as_he(source: str, head: str = SILENT) -> tuple[Prescription, ...]:
    """A network whose convolutions start with He's variance, and of whose head nothing is said."""
    return (Prescription("conv", "He", he, source), Prescription("head", head, None, source, GLOROT))


def silent(*kinds: str) -> tuple[Prescription, ...]:
    """A paper that says nothing of first weights."""
    return tuple(Prescription(kind, SILENT, None, "the paper", GLOROT if kind == "head" else HE) for kind in kinds)


def as_conv() -> tuple[Prescription, ...]:
    """A paper that says nothing, of a network whose head is a convolution before a RELU."""
    return (*silent("conv"), Prescription("head", SILENT, None, "the paper", HE))


def normal(deviation: float, source: str, *kinds: str) -> tuple[Prescription, ...]:
    """A normal distribution whatever the fans; where deep networks do not train with it, this is not followed."""
    text = f"{deviation:g}"
    return tuple(
        Prescription(kind, text, deviation, source, GLOROT if kind == "head" else HE) for kind in (*kinds, "head")
    )


KRIZHEVSKY = "section 5; biases 1 in some layers"
RESNET = "section 3.4"
EFFICIENTNET = "efficientnet_model.py"
VIT = "vit_jax/models_vit.py"
SWIN = "swin_transformer.py, _init_weights"
CONVNEXT = "convnext.py, _init_weights; table 5 has 0.2"
MIXER = "vit_jax/models_mixer.py"
RESMLP = "resmlp_models.py, as DeiT"

FAMILIES: dict[str, tuple[Prescription, ...]] = {
    "lenet5": tuple(
        Prescription(kind, "uniform within 2.4/fan_in", lambda i, _: 2.4 / i / sqrt(3), "appendix A", GLOROT)
        for kind in ("conv", "FC", "head")
    ),
    "alexnet": normal(0.01, KRIZHEVSKY, "conv", "FC"),
    "zfnet": normal(0.01, "section 3", "conv", "FC"),
    "vgg16": normal(0.1, "section 3.1, a variance of 0.01; or Glorot's", "conv", "FC"),
    "nin": as_conv(),
    "googlenet": silent("conv", "head"),
    "inception_v4": silent("conv", "head"),
    "squeezenet": as_conv(),
    "resnet20": as_he(RESNET),
    "resnet50": as_he(RESNET),
    "preresnet50": as_he("as ResNet"),
    "resnext_50": as_he("as ResNet"),
    "wrn50_2": as_he("as ResNet"),
    "se_resnet50": (*as_he("as ResNet"), Prescription("FC", SILENT, None, "the paper", "He's, then Glorot's")),
    "densenet_121": as_he("section 4.2"),
    "mobilenet_v1": silent("conv", "depthwise", "head"),
    "mobilenet_v2": silent("conv", "depthwise", "head"),
    "shufflenet_v1": silent("conv", "depthwise", "head"),
    "shufflenet_v2": silent("conv", "depthwise", "head"),
    "efficientnet_b0": (
        Prescription(
            "conv", "He, by fan-out", he_out, EFFICIENTNET, "He's, by fan-in, before a SILU, otherwise Glorot's"
        ),
        Prescription("depthwise", "He, by fan-out", he_out, EFFICIENTNET),
        Prescription("FC", "He, by fan-out", he_out, EFFICIENTNET, "He's, by fan-in, then Glorot's"),
        Prescription("head", "uniform within 1/sqrt(classes)", lambda _, o: 1 / sqrt(3 * o), EFFICIENTNET, GLOROT),
    ),
    "nasnet_a_large": silent("conv", "depthwise", "head"),
    "unet": (
        Prescription("conv", "He", he, "section 3"),
        Prescription("upconv", "He", he, "section 3", GLOROT),
        Prescription("head", "He", he, "section 3", GLOROT),
    ),
    "convnext_tiny": (
        *(Prescription(kind, "0.02", 0.02, CONVNEXT) for kind in ("patches", "conv", "depthwise", "head")),
        Prescription("scale", "1e-6", 1e-6, CONVNEXT),
    ),
    "swin_t": (
        Prescription("patches", "torch's Conv2d", torchs, SWIN),
        *(Prescription(kind, "0.02", 0.02, SWIN) for kind in ("queries, keys, values", "projection", "offsets")),
        Prescription("conv", "0.02", 0.02, SWIN),
        Prescription("head", "0.02", 0.02, SWIN),
    ),
    "vit_b16": (
        Prescription("patches", "LeCun", lecun, VIT),
        Prescription("class token", "0", 0.0, VIT),
        Prescription("positions", "0.02", 0.02, VIT),
        Prescription("queries, keys, values", "Glorot, each matrix", lecun, VIT),
        Prescription("projection", "Glorot", glorot, VIT),
        Prescription("FC", "Glorot; biases 1e-6, here 0", glorot, VIT),
        Prescription("head", "0", 0.0, VIT),
    ),
    "mixer_b16": (
        Prescription("patches", "LeCun", lecun, MIXER),
        Prescription("FC", "LeCun", lecun, MIXER),
        Prescription("head", "0", 0.0, MIXER),
    ),
    "resmlp12": (
        Prescription("patches", "torch's Conv2d", torchs, RESMLP),
        Prescription("FC", "0.02", 0.02, RESMLP),
        Prescription("head", "0.02", 0.02, RESMLP),
        Prescription("scale", "0.1", 0.1, RESMLP),
    ),
    "gmlp_s16": (
        Prescription("gate", "near 0; biases 1", 1e-6, "section 2.1; the value is timm's"),
        *(Prescription(kind, SILENT, None, "the paper", GLOROT) for kind in ("patches", "head")),
        Prescription("FC", SILENT, None, "the paper", "He's, then Glorot's"),
    ),
}
