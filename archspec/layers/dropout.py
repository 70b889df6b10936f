"""DROPOUT, DROPPATH: regularisation that is the identity when the network is used."""

from __future__ import annotations

from archspec.graph.volume import Volume
from archspec.layers.arguments import PROBABILITY, argument
from archspec.layers.base import Example, Layer, Module
from archspec.record import replace


class Dropout(Layer):
    """Zeroes each value with probability p while training, and scales the others by 1/(1-p).

    Srivastava et al. 2014.
    """

    keyword = "DROPOUT"
    is_linear = True
    in_place = True
    examples = (Example("DROPOUT 0.5", ((10,),)), Example("DROPOUT 0.1", ((4, 5, 6),)))

    p: float = argument(PROBABILITY, "the probability of a zero", positional=True)

    def module(self, inputs: tuple[Volume, ...]) -> Module:
        return Module("Dropout", {"p": self.p})


class DropPath(Layer):
    """Zeroes all of a branch, image by image, with probability p while training; scales by 1/(1-p) otherwise.

    Stochastic depth (Huang et al. 2016), at the end of a branch of `add`. `DROPPATH 0 to 0.2` is a range: of
    the layers of the network that have it the first gets 0, the last 0.2, those between the steps between.
    `at` gives each its own, so that no range is left in a graph.
    """

    keyword = "DROPPATH"
    is_linear = True
    in_place = True
    examples = (Example("DROPPATH 0.1", ((4, 5, 6),)), Example("DROPPATH 0 to 0.2", ((6, 4),)))

    p: float = argument(PROBABILITY, "the probability, or the first of a range", positional=True)
    to: float | None = argument(PROBABILITY, "the last of a range", default=None)

    def at(self, index: int, count: int) -> DropPath:
        """The layer with the probability of the `index`th, from 0, of `count` that share its range."""
        if self.to is None or count < 2:
            return replace(self, to=None)
        share = index / (count - 1)
        return replace(self, p=self.p + (self.to - self.p) * share, to=None)
