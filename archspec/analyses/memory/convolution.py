"""What convolutions ask of memory: oneDNN works on copies in a layout of its own.

In: an `Operation`. Out: its `Demand`. The constants belong to machines with AVX-512; MODEL.md says what was seen there
and what differs elsewhere.
"""

from __future__ import annotations

from math import prod

from archspec.analyses.memory.demand import Demand, Operation
from archspec.layers.channels import Slice
from archspec.layers.conv import Convolution

CHANNEL_BLOCK = 16  # maps have their channels in blocks, the floats of one AVX-512 register (8 with AVX2)
WIDEST_DIRECT_FILTER = 14  # the weight's gradient of wider ones is a matrix product
THREADS = 2  # each with buffers of its own for that product


def _blocked(channels: int) -> int:
    return -(-channels // CHANNEL_BLOCK) * CHANNEL_BLOCK


def _copies(at: Operation, weight: int, channels: int, groups: int) -> tuple[int, int, int, int]:
    """Bytes of input, output and weight in oneDNN's layout, channels filled up to whole blocks.

    Groups that do not fill their blocks stay as they are. Few input channels are read where they lie: the last number
    is the input's copy for the forward pass and the weight's gradient.
    """
    depthwise = groups == channels
    if groups > 1 and not depthwise and channels // groups % CHANNEL_BLOCK:
        return at.read, at.made, weight, at.read
    filters = at.volume.channels
    inside, outside = _blocked(channels), _blocked(filters)
    read, made = at.read // channels * inside, at.made // filters * outside
    filled = weight // filters * outside
    if channels < CHANNEL_BLOCK:
        return read, made, filled, 0
    return read, made, filled if depthwise else filled // channels * inside, read


def convolution(at: Operation) -> Demand:
    """Copies of input, weight and output in oneDNN's layout stand beside torch's own."""
    weight, channels = at.weight, at.sources[0].volume.channels
    groups = channels // at.shapes[0][1]
    if at.channels_last:
        return _channels_last_convolution(at, weight, groups == channels)
    read, made, filled, seen = _copies(at, weight, channels, groups)
    forward = made + max(seen + filled, at.made)
    if at.shapes[0][3] > WIDEST_DIRECT_FILTER:  # over unrolled images, with four weights a thread
        unrolled = weight // at.volume.channels * prod(at.volume.spatial)
        backward = filled + THREADS * (unrolled + 4 * weight)
    else:
        backward = filled + max(seen + made, weight)
    if at.continues:
        assert isinstance(at.layer, Convolution)
        strided = groups < channels and max(at.layer.stride) > 1
        to_input = read + max(made + filled, (2 if strided else 1) * at.read)
        backward = max(to_input, at.read + backward)
    if isinstance(at.sources[0].layer, Slice) and at.batch > 1:  # a window on other channels is copied out
        forward, backward = forward + at.read, backward + at.read
    return Demand(keeps_inputs=True, forward_spike=forward, backward_spike=backward, scattered=at.made)


def _channels_last_convolution(at: Operation, weight: int, is_depthwise: bool) -> Demand:
    """Channels-last maps are read where they lie, but each group of the weight's gradient fills a block."""
    filled = weight * CHANNEL_BLOCK**2 if is_depthwise else weight
    gradient = at.read if at.continues else 0
    return Demand(keeps_inputs=True, forward_spike=weight + at.made, backward_spike=gradient + filled + 2 * weight)


def transposed_convolution(at: Operation) -> Demand:
    """As a convolution with the roles exchanged; the result is copied once more on its way out."""
    read, made, weight = at.read, at.made, at.weight
    forward = max(3 * made, 2 * read + weight + made)
    backward = 2 * read + made + weight
    return Demand(keeps_inputs=True, forward_spike=forward, backward_spike=backward, scattered=made)
