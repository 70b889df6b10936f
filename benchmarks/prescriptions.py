"""What papers and their authors' code say of first weights, a row for each kind of weight in each family.

In: nothing. Out: `FAMILIES`. A deviation is a number, or a function of the products that are summed in one output, of
those that one input is in, without strides, and of the groups. `instead` says what is done here where the source is not
followed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import NamedTuple

from benchmarks.deviations import (
    clip,
    clip_fc,
    clip_projection,
    clip_qkv,
    glorot,
    gpt2_fc,
    he,
    he_out,
    he_whole,
    lecun,
    torchs,
)

Deviation = Callable[[float, float, float], float]


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


def efficientnet(source: str) -> tuple[Prescription, ...]:
    """EfficientNet's code, of both versions."""
    return (
        Prescription("conv", "He, by fan-out", he_out, source, "He's, by fan-in, before a SILU, otherwise Glorot's"),
        Prescription("depthwise", "He, by fan-out", he_out, source),
        Prescription("FC", "He, by fan-out", he_out, source, "He's, by fan-in, then Glorot's"),
        Prescription("head", "uniform within 1/sqrt(classes)", lambda _, o, __: 1 / sqrt(3 * o), source, GLOROT),
    )


def by_fan_out(source: str, *kinds: str) -> tuple[Prescription, ...]:
    """Code with He's variance by fan-out, of all groups together."""
    he_all = tuple(Prescription(kind, "He, by fan-out", he_whole, source, HE) for kind in kinds)
    return (*he_all, Prescription("head", "torch's Linear", torchs, source, GLOROT))


def followed(deviation: float, source: str, *kinds: str) -> tuple[Prescription, ...]:
    """A normal distribution whatever the fans, which is followed."""
    return tuple(Prescription(kind, f"{deviation:g}", deviation, source) for kind in kinds)


KRIZHEVSKY = "section 5; biases 1 in some layers"
RESNET = "section 3.4"
VIT = "vit_jax/models_vit.py"
SWIN = "swin_transformer.py, _init_weights"
CONVNEXT = "convnext.py, _init_weights; table 5 has 0.2"
MIXER = "vit_jax/models_mixer.py"
RESMLP = "resmlp_models.py, as DeiT"
DEIT = "timm's vision_transformer.py, _init_weights"
CONVNEXT_V2 = "convnextv2.py, _init_weights"
MAXVIT = "maxvit.py, kernel_initializer"
HRNET = "cls_hrnet.py, init_weights"
RESNEST = "resnest/torch/resnet.py"
REGNET = "pycls, init_weights"
REPVGG = "repvgg.py"
KOCH = "section 3.2; biases 0.5"
BERT = "modeling.py, initializer_range"
GPT2 = "src/model.py"
CLIP = "clip/model.py, initialize_parameters"
CAPTIONS, BOTH = "of captions", "that of captions for both"
QKV, PROJECTION = "queries, keys, values", "projection"

FAMILIES: dict[str, tuple[Prescription, ...]] = {
    "lenet5": tuple(
        Prescription(kind, "uniform within 2.4/fan_in", lambda i, *_: 2.4 / i / sqrt(3), "appendix A", GLOROT)
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
    "efficientnet_b0": efficientnet("efficientnet_model.py"),
    "efficientnet_v2_s": efficientnet("effnetv2_model.py"),
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
    "xception": silent("conv", "depthwise", "head"),
    "mobilenet_v3_large": silent("conv", "depthwise", "FC", "head"),
    "regnet_y_400mf": (
        *by_fan_out(REGNET, "conv", "FC")[:-1],
        Prescription("head", "0.01", 0.01, REGNET, GLOROT),
    ),
    "repvgg": (
        Prescription("conv", "torch's Conv2d", torchs, REPVGG, HE),
        Prescription("head", "torch's Linear", torchs, REPVGG, GLOROT),
    ),
    "resnest50": by_fan_out(RESNEST, "conv", "FC"),
    "hrnet_w18": by_fan_out(HRNET, "conv"),
    "fpn_resnet50": silent("conv", "head"),
    "unetpp": silent("conv", "head"),
    "siamese": (
        Prescription("conv", "0.01", 0.01, KOCH, HE),
        Prescription("FC", "0.2", 0.2, KOCH, GLOROT),
        Prescription("head", "0.2", 0.2, KOCH, GLOROT),
    ),
    "dcgan": followed(0.02, "section 4", "FC", "upconv", "head"),
    "convnext_v2": followed(0.02, CONVNEXT_V2, "patches", "conv", "depthwise", "head"),
    "maxvit_tiny": followed(0.02, MAXVIT, "conv", "depthwise", "FC", QKV, PROJECTION, "offsets", "head"),
    "deit": (
        Prescription("patches", "torch's Conv2d", torchs, DEIT),
        *followed(0.02, DEIT, "class token", "positions", QKV, PROJECTION, "FC", "head"),
    ),
    "bert_base": followed(0.02, BERT, "embedding", "positions", QKV, PROJECTION, "FC", "head"),
    "gpt2": (
        *followed(0.02, GPT2 + ", wte; tied to the head", "embedding"),
        *followed(0.01, GPT2 + ", wpe", "positions"),
        *followed(0.02, GPT2, QKV),
        Prescription(PROJECTION, "0.02/sqrt(24)", 0.02 / sqrt(24), "section 2.3", "0.02"),
        Prescription("FC", "0.02, then 0.02/sqrt(24)", gpt2_fc, f"section 2.3 and {GPT2}"),
    ),
    "clip_b32": (
        Prescription("patches", "torch's Conv2d", torchs, CLIP),
        Prescription("class token", "1/sqrt(width)", 1 / sqrt(768), CLIP),
        Prescription("positions", f"1/sqrt(width); {CAPTIONS} 0.01", lambda i, *_: clip(i, 1 / i, 1e-4), CLIP),
        *followed(0.02, CLIP, "embedding"),
        Prescription(QKV, f"Glorot, one matrix; {CAPTIONS} each", clip_qkv, CLIP, "Glorot's, each matrix"),
        Prescription(PROJECTION, f"torch's Linear; {CAPTIONS} 1/sqrt(24 width)", clip_projection, CLIP, GLOROT),
        Prescription("FC", f"torch's Linear; {CAPTIONS} 1/sqrt(2 width), then 1/sqrt(24 width)", clip_fc, CLIP, BOTH),
        Prescription("head", "1/sqrt(width)", lecun, CLIP),
    ),
    "gmlp_s16": (
        Prescription("gate", "near 0; biases 1", 1e-6, "section 2.1; the value is timm's"),
        *(Prescription(kind, SILENT, None, "the paper", GLOROT) for kind in ("patches", "head")),
        Prescription("FC", SILENT, None, "the paper", "He's, then Glorot's"),
    ),
}
