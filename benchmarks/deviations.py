"""Deviations of first weights from 0, as papers and authors' code have them.

In: the products that are summed in one output, those that one input is in, without strides, and the groups. Out: the
deviation.
"""

from __future__ import annotations

from math import sqrt


def he(fan_in: float, _fan_out: float, _groups: float) -> float:
    """He et al. 2015."""
    return sqrt(2 / fan_in)


def he_out(_fan_in: float, fan_out: float, _groups: float) -> float:
    """He et al. 2015, for the backward pass."""
    return sqrt(2 / fan_out)


def he_whole(_fan_in: float, fan_out: float, groups: float) -> float:
    """He's for the backward pass, with the outputs of all groups, as torch's kaiming_normal_ counts them."""
    return sqrt(2 / (fan_out * groups))


def glorot(fan_in: float, fan_out: float, _groups: float) -> float:
    """Glorot & Bengio 2010."""
    return sqrt(2 / (fan_in + fan_out))


def lecun(fan_in: float, _fan_out: float, _groups: float) -> float:
    """LeCun's variance, the default of flax."""
    return sqrt(1 / fan_in)


def torchs(fan_in: float, _fan_out: float, _groups: float) -> float:
    """The default of torch's Conv2d and Linear, uniform."""
    return sqrt(1 / (3 * fan_in))


def clip(width: float, of_picture: float, of_caption: float) -> float:
    """Return the root of one of two variances: a picture's encoder has 768 channels, a caption's 512."""
    return sqrt(of_picture if width == 768 else of_caption)


def clip_qkv(fan_in: float, *_: float) -> float:
    """torch's MultiheadAttention, whose three matrices count as one; of captions each has Glorot's variance."""
    return clip(fan_in, 1 / (2 * fan_in), 1 / fan_in)


def clip_projection(fan_in: float, *_: float) -> float:
    """torch's Linear; of captions less, as 24 projections add up."""
    return clip(fan_in, 1 / (3 * fan_in), 1 / (24 * fan_in))


def clip_fc(fan_in: float, fan_out: float, _groups: float) -> float:
    """torch's Linear; of captions, the second less, as 24 projections add up."""
    caption = 1 / (2 * fan_in) if fan_in < fan_out else 1 / (24 * fan_out)
    return clip(min(fan_in, fan_out), 1 / (3 * fan_in), caption)


def gpt2_fc(fan_in: float, fan_out: float, _groups: float) -> float:
    """The second less, as 24 projections add up."""
    return 0.02 if fan_in < fan_out else 0.02 / sqrt(24)
