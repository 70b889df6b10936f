"""Normalisations: NORM (AlexNet's), BN, LN, GN, IN, GRN."""

from __future__ import annotations

from math import prod

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import FLOAT_BYTES, Volume
from archspec.layers.arguments import COUNT, REAL, VALUE, Respelling, argument, flag
from archspec.layers.base import Example, Layer, Tensor, TorchModule, Window
from archspec.layers.demand import Demand, Workload
from archspec.layers.needs import need_divisor, need_map
from archspec.layers.weighted import SCALE_INIT_DOC

EPS_DOC = "added to the variance"
INSTEAD = (Respelling("`{}` normalises each vector", "LN"),)  # of a map's normalisations


def _scale_and_shift(volume: Volume) -> tuple[Tensor, ...]:
    return (Tensor("weight", (volume.channels,)), Tensor("bias", (volume.channels,)))


class LocalResponseNorm(Layer):
    """AlexNet's local response normalisation over n channels (Krizhevsky et al. 2012, section 3.3).

    Alpha is divided by n, as torch, ONNX and Caffe do and the paper's formula does not.
    """

    keyword = "NORM"
    aliases = ("LRN",)
    known_as = ("localresponsenorm", "localresponsenormalization")
    examples = (
        Example("NORM", ((5, 5, 8),)),
        Example("NORM n=3 k=1", ((4, 4, 6),)),
        Example("NORM n=4 alpha=1", ((4, 5, 6),)),
    )

    n: int = argument(COUNT, "the number of neighbouring channels", default=5)
    alpha: float = argument(REAL, "the weight of their squares", default=1e-4)
    beta: float = argument(REAL, "the exponent", default=0.75)
    k: float = argument(REAL, "the constant term", default=2.0)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        return need_map(inputs[0], self.keyword)

    def demand(self, at: Workload) -> Demand:
        # a composite of square, pad, average pool, affine, power, division; three intermediates are kept
        size, channels = at.read, at.volume.channels
        padded = size // channels * (channels + self.n - 1)
        keeps, forward = padded + 2 * size, padded + 3 * size
        return Demand(keeps_inputs=True, keeps=keeps, forward_spike=forward, backward_spike=4 * size)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        arguments = {"size": self.n, "alpha": self.alpha, "beta": self.beta, "k": self.k}
        return TorchModule("LocalResponseNorm", arguments)


class BatchNorm(Layer):
    """Batch normalisation over the batch, per channel. Its running statistics are not parameters.

    Ioffe & Szegedy 2015.
    """

    keyword = "BN"
    known_as = ("batchnorm", "batchnorm2d", "batchnormalization", "batchnorm1d", "bnorm")
    is_linear = True
    role = "normalisation"
    absorbs_bias = True
    has_statistics = True
    examples = (
        Example("BN", ((5, 6, 4),)),
        Example("BN eps=1e-3 momentum=0.01", ((4,),)),
        Example("BN init=0", ((6, 4),)),
    )

    eps: float = argument(REAL, EPS_DOC, default=1e-5)
    momentum: float = argument(REAL, "the weight of a new batch in the running statistics", default=0.1)
    init: float | None = argument(VALUE, SCALE_INIT_DOC, default=None)

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        return _scale_and_shift(inputs[0])

    def demand(self, at: Workload) -> Demand:
        # the backward kernel copies the gradient unless it is a window or a sequence's
        statistics = 2 * FLOAT_BYTES * at.volume.channels
        copies = 0 if len(at.volume) == 2 else at.read
        spike = at.read + copies + statistics
        return Demand(keeps_inputs=True, keeps=statistics, backward_spike=spike, scattered=-copies)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule | None:
        if len(inputs[0]) == 2:
            return None  # torch wants the channels of a sequence before its vectors
        name = "BatchNorm2d" if inputs[0].is_map else "BatchNorm1d"
        arguments = {"num_features": inputs[0].channels, "eps": self.eps, "momentum": self.momentum}
        return TorchModule(name, arguments)


class LayerNorm(Layer):
    """Layer normalisation of each vector: of each pixel of a map, each vector of a sequence (Ba et al. 2016).

    Its eps is 1e-6 as in ViT, ConvNeXt and MLP-Mixer; torch's default, and Swin's, is `eps=1e-5`.
    """

    keyword = "LN"
    known_as = ("layernorm",)
    role = "normalisation"
    examples = (Example("LN", ((5, 6, 4),)), Example("LN eps=1e-5", ((6, 4),)), Example("LN", ((7,),)))
    leaves_channels_last = True

    eps: float = argument(REAL, EPS_DOC, default=1e-6)
    init: float | None = argument(VALUE, SCALE_INIT_DOC, default=None)

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        return _scale_and_shift(inputs[0])

    def demand(self, at: Workload) -> Demand:
        # two statistics a vector; on the pixels of a map, a copy pixel by pixel each way
        keeps = 2 * FLOAT_BYTES * at.batch * prod(at.volume.spatial)
        spike = 2 * at.read + keeps if at.volume.is_map and not at.channels_last else 0
        return Demand(keeps_inputs=True, keeps=keeps, forward_spike=spike, backward_spike=spike)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule | None:
        if inputs[0].is_map:
            return None  # torch wants the channels of a map last
        return TorchModule("LayerNorm", {"normalized_shape": (inputs[0].channels,), "eps": self.eps})


class GroupNorm(Layer):
    """Group normalisation of a map: over its pixels and the channels of a group (Wu & He 2018).

    Its statistics, and so its receptive field, cover every pixel.
    """

    keyword = "GN"
    known_as = ("groupnorm",)
    role = "normalisation"
    examples = (Example("GN 2", ((5, 6, 8),)), Example("GN 4 eps=1e-6", ((3, 3, 4),)))

    groups: int = argument(COUNT, "the number of groups of channels", positional=True)
    eps: float = argument(REAL, EPS_DOC, default=1e-5)
    init: float | None = argument(VALUE, SCALE_INIT_DOC, default=None)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume = need_map(inputs[0], self.keyword, INSTEAD)
        need_divisor(self.groups, "groups", {"channel": volume.channels})
        if volume.values == self.groups:
            helps = (Respelling("`{}` normalises across the channels of a pixel", "LN"),)
            raise Finding("E205", f"GN has only 1 value per group to normalise in {volume}", helps=helps)
        return volume

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        return _scale_and_shift(inputs[0])

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        return Window(is_global=True)

    def demand(self, at: Workload) -> Demand:
        # two statistics a group and image
        return Demand(keeps_inputs=True, keeps=2 * FLOAT_BYTES * at.batch * self.groups)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        arguments = {"num_groups": self.groups, "num_channels": inputs[0].channels, "eps": self.eps}
        return TorchModule("GroupNorm", arguments)


class InstanceNorm(Layer):
    """Instance normalisation: each channel over the pixels of its image (Ulyanov et al. 2016).

    Its statistics, and so its receptive field, cover every pixel.
    """

    keyword = "IN"
    known_as = ("instancenorm2d", "instancenorm")
    role = "normalisation"
    examples = (Example("IN", ((5, 6, 4),)), Example("IN affine eps=1e-6", ((5, 6, 4),)))

    eps: float = argument(REAL, EPS_DOC, default=1e-5)
    affine: bool = flag("a learned scale and shift of each channel", affine=True)
    init: float | None = argument(VALUE, SCALE_INIT_DOC, default=None)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume = need_map(inputs[0], self.keyword, INSTEAD)
        if volume.spatial == (1, 1):
            helps = (Respelling("`{}` normalises across the channels of a pixel", "LN"),)
            raise Finding("E205", f"IN has only 1 value per channel to normalise in {volume}", helps=helps)
        if self.init is not None and not self.affine:
            scaled = Respelling("`{}` has a scale", affine=True)
            message = "`init` requires `affine`: without it an IN has no scale"
            raise Finding("E205", message, helps=(scaled, Respelling("`{}`", init=None)))
        return volume

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        return _scale_and_shift(inputs[0]) if self.affine else ()

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        return Window(is_global=True)

    def demand(self, at: Workload) -> Demand:
        # two statistics a channel and image; backward, two sums and a gradient
        statistics = 2 * FLOAT_BYTES * at.batch * at.volume.channels
        return Demand(keeps_inputs=True, keeps=statistics, backward_spike=at.read + statistics)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        # groups of one channel: the gradients of torch's InstanceNorm2d are wrong in a batch of 1 if they arrive
        # channels-last, as from an LN (torch 2.13; tests/lowering/test_gradients_of_one_image.py)
        channels = inputs[0].channels
        arguments = {"num_groups": channels, "num_channels": channels, "eps": self.eps, "affine": self.affine}
        return TorchModule("GroupNorm", arguments)


class ResponseNorm(Layer):
    """Global response normalisation of a map: x + weight * x * N + bias (ConvNeXt V2, Woo et al. 2023).

    N is the norm of a channel over all pixels, divided by the mean of these norms. The scale starts at 0.
    """

    keyword = "GRN"
    known_as = ("globalresponsenorm", "globalresponsenormalization")
    role = "normalisation"
    examples = (Example("GRN", ((16, 16, 8),)), Example("GRN eps=1e-3", ((5, 6, 4),)))

    eps: float = argument(REAL, "added to the mean of the norms", default=1e-6)
    init: float | None = argument(VALUE, SCALE_INIT_DOC + ", 0 by default", default=None)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        return need_map(inputs[0], self.keyword, INSTEAD)

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        return _scale_and_shift(inputs[0])

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        return Window(is_global=True)

    def demand(self, at: Workload) -> Demand:
        # x * factor + bias, where the factor is a number for each channel: the product dies after the sum
        norms = 5 * FLOAT_BYTES * at.batch * at.volume.channels
        return Demand(keeps_inputs=True, keeps=norms, forward_spike=2 * at.read, backward_spike=2 * at.read)
