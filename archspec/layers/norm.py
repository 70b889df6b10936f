"""Normalisations: NORM (AlexNet's), BN."""

from __future__ import annotations

from archspec.layers.arguments import COUNT, REAL, argument
from archspec.layers.base import Example, Layer, Module, Tensor, need_map
from archspec.volume import Volume


class LocalResponseNorm(Layer):
    """AlexNet's local response normalisation over n channels (Krizhevsky et al. 2012, section 3.3)."""

    keyword = "NORM"
    aliases = ("LRN",)
    role = "normalisation"
    examples = (Example("NORM", ((5, 5, 8),)), Example("NORM n=3 k=1", ((4, 4, 6),)))

    n: int = argument(COUNT, "how many neighbouring channels", default=5)
    alpha: float = argument(REAL, "the weight of their squares", default=1e-4)
    beta: float = argument(REAL, "the exponent", default=0.75)
    k: float = argument(REAL, "what is added", default=2.0)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        return need_map(inputs[0], self.keyword)

    def module(self, inputs: tuple[Volume, ...]) -> Module:
        return Module("LocalResponseNorm", {"size": self.n, "alpha": self.alpha, "beta": self.beta, "k": self.k})


class BatchNorm(Layer):
    """Batch normalisation over the batch, per channel (Ioffe & Szegedy 2015). Running statistics are no parameters."""

    keyword = "BN"
    role = "normalisation"
    absorbs_bias = True
    examples = (Example("BN", ((5, 6, 4),)), Example("BN eps=1e-3 momentum=0.01", ((4,),)))

    eps: float = argument(REAL, "added to the variance", default=1e-5)
    momentum: float = argument(REAL, "the share of a new batch in the running statistics", default=0.1)

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        channels = inputs[0].channels
        return (Tensor("weight", (channels,)), Tensor("bias", (channels,)))

    def module(self, inputs: tuple[Volume, ...]) -> Module | None:
        if len(inputs[0]) == 2:
            return None  # torch wants the channels of a sequence before its vectors
        name = "BatchNorm2d" if inputs[0].is_map else "BatchNorm1d"
        arguments = {"num_features": inputs[0].channels, "eps": self.eps, "momentum": self.momentum}
        return Module(name, arguments)
