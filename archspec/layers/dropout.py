"""DROPOUT: regularisation that is the identity when the network is used."""

from __future__ import annotations

from archspec.layers.arguments import PROBABILITY, argument
from archspec.layers.base import Example, Layer, Module
from archspec.volume import Volume


class Dropout(Layer):
    """Zeroes each value with probability p while training, and scales the others by 1/(1-p) (Srivastava et al. 2014)."""

    keyword = "DROPOUT"
    in_place = True
    examples = (Example("DROPOUT 0.5", ((10,),)), Example("DROPOUT 0.1", ((4, 5, 6),)))

    p: float = argument(PROBABILITY, "the probability of a zero", positional=True)

    def module(self, inputs: tuple[Volume, ...]) -> Module:
        return Module("Dropout", {"p": self.p})
