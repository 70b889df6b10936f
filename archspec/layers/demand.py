"""The memory that a layer needs in a training step of torch on the CPU: a `Demand`, computed from a `Workload`.

In: the sizes of one operation. Out: bytes for the whole batch; everything is float32 except indices. When those bytes
are alive is decided in analyses/memory, and MODEL.md there says where the numbers come from.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from archspec.graph.volume import FLOAT_BYTES, Volume

INDEX_BYTES = 8
THREADS = 2  # of the machine that the model describes

# the storage of a result or a gradient
NEW = 0  # new storage
SAME = 1  # the first input's; of a gradient: the incoming gradient itself
PART = 2  # of a gradient: a window on the incoming gradient
TURNED = 3  # of a gradient: the incoming gradient with its values in another order


class Demand(NamedTuple):
    """Bytes of one operation in one step; a spike is the most that it adds, its results included.

    `is_view`: the result is a view of another tensor. Writing into a view is allowed, but autograd then copies the
    gradient twice, so nothing is gained (`AsStridedBackward`, `CopySlices`). `scattered` is added to the backward spike
    if the gradient arrives in pieces, as a window on a larger one, or in another order. (A tuple because hundreds are
    created, each with a few of its fields.)
    """

    output: int = NEW
    gradient: int = NEW
    keeps_inputs: bool = False
    keeps_output: bool = False
    is_view: bool = False
    keeps: int = 0
    forward_spike: int = 0
    backward_spike: int = 0
    scattered: int = 0


UNKNOWN = Demand(keeps_inputs=True, keeps_output=True)  # of a layer without a rule: see `conservative`
FROM_OUTPUT = Demand(keeps_output=True)  # the derivative follows from the result
FROM_INPUT = Demand(keeps_inputs=True)  # the derivative follows from the input
IDENTITY = Demand(output=SAME, gradient=SAME)
COPY = Demand()  # keeps nothing and allocates a map each way: means, pads, shuffles, fixed factors
COPY_OR_VIEW = Demand(is_view=True)  # the same, but some sizes need no copy
ADD = Demand(gradient=SAME)  # every term receives the incoming gradient itself
CONCAT = Demand(gradient=PART)  # the gradients of the parts are windows on the incoming gradient
VIEW = Demand(output=SAME, gradient=TURNED, is_view=True)  # the values in another order
WINDOW = Demand(output=SAME, is_view=True)  # some of the values; the gradient is a whole map, zero elsewhere


class Workload:
    """What a rule may read of one operation: its volumes, the shapes of its parameters, the batch, and bytes.

    `continues`: a gradient is needed for the input. `channels_last`: the input is stored pixel by pixel, because an LN
    over the channels of a map left it so. `reads_window`: the input is a window on some of the channels of a map.
    """

    __slots__ = ("batch", "channels_last", "continues", "inputs", "made", "read", "reads_window", "shapes", "volume")

    def __init__(
        self, inputs: tuple[Volume, ...], volume: Volume, shapes: tuple[tuple[int, ...], ...] = (), batch: int = 1
    ) -> None:
        self.inputs = inputs
        self.volume = volume
        self.shapes = shapes
        self.batch = batch
        self.read = FLOAT_BYTES * batch * sum(map(prod, inputs))  # bytes of the inputs
        self.made = FLOAT_BYTES * batch * prod(volume)  # bytes of the result
        self.continues = False
        self.channels_last = False
        self.reads_window = False

    @property
    def weight(self) -> int:
        """Bytes of the first parameter."""
        return FLOAT_BYTES * prod(self.shapes[0])


def conservative(at: Workload) -> Demand:
    """Return the demand of a layer without a rule, as of a composite of several operations.

    It keeps its inputs, its result and two maps between them, and as many more are alive while it runs.
    """
    return UNKNOWN._replace(keeps=2 * at.made, forward_spike=4 * at.made, backward_spike=at.read + 3 * at.made)
