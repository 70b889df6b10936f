"""DROPOUT, DROPPATH: regularisation in training, the identity in inference."""

from __future__ import annotations

from archspec.graph.volume import FLOAT_BYTES, Volume
from archspec.layers.arguments import PROBABILITY, argument
from archspec.layers.base import Example, Layer, TorchModule
from archspec.layers.demand import IDENTITY, Demand, Workload
from archspec.record import replace


class Dropout(Layer):
    """Zeroes each value with probability p while training, and scales the others by 1/(1-p).

    Srivastava et al. 2014.
    """

    keyword = "DROPOUT"
    is_linear = True
    in_place = True
    is_identity = True
    examples = (Example("DROPOUT 0.5", ((10,),)), Example("DROPOUT 0.1", ((4, 5, 6),)))

    p: float = argument(PROBABILITY, "the probability of a zero", positional=True)

    def demand(self, at: Workload) -> Demand:
        # a mask as large as the map, in its float type, already divided by 1 - p; with p = 0 the map itself
        return Demand(keeps=at.made) if self.p else IDENTITY

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        return TorchModule("Dropout", {"p": self.p})


class DropPath(Layer):
    """Zeroes all of a branch, image by image, with probability p while training; scales by 1/(1-p) otherwise.

    Stochastic depth (Huang et al. 2016), at the end of a branch of `add`. `DROPPATH 0 to 0.2` is a range
    over the blocks that contain it: the first instance gets 0, the last 0.2, and those between are spaced evenly.
    A graph has no ranges: `at` gives each layer its probability.
    """

    keyword = "DROPPATH"
    known_as = ("stochasticdepth",)
    is_linear = True
    in_place = True
    is_identity = True
    examples = (Example("DROPPATH 0.1", ((4, 5, 6),)), Example("DROPPATH 0 to 0.2", ((6, 4),)))

    p: float = argument(PROBABILITY, "the probability, or the first of a range", positional=True)
    to: float | None = argument(PROBABILITY, "the last of a range", default=None)

    def at(self, index: int, count: int) -> DropPath:
        """The layer with the probability in the `index`th block, from 0, of `count` that share its range."""
        if self.to is None or count < 2:
            return replace(self, to=None)
        share = index / (count - 1)
        return replace(self, p=self.p + (self.to - self.p) * share, to=None)

    def demand(self, at: Workload) -> Demand:
        # a mask of one number per image, already divided by 1 - p; with p = 0 the map itself
        return Demand(keeps=FLOAT_BYTES * at.batch) if self.p or self.to else IDENTITY
