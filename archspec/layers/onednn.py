"""The memory of convolutions: oneDNN works on copies in its own layout.

In: a `Workload`. Out: its `Demand`. The constants are those of machines with AVX-512; analyses/memory/MODEL.md says
what was measured there and what differs elsewhere.
"""

from __future__ import annotations

from math import prod

from archspec.layers.demand import THREADS, Demand, Workload

CHANNEL_BLOCK = 16  # maps have their channels in blocks, the floats of one AVX-512 register (8 with AVX2)
WIDEST_DIRECT_FILTER = 14  # the weight's gradient of wider ones is a matrix product, with buffers for each thread


def _blocked(channels: int) -> int:
    return -(-channels // CHANNEL_BLOCK) * CHANNEL_BLOCK


def _copies(at: Workload, weight: int, channels: int, groups: int) -> tuple[int, int, int, int]:
    """Bytes of input, output and weight in oneDNN's layout, channels filled up to whole blocks.

    Groups that do not fill their blocks stay as they are. An input of few channels is read without a copy: the last
    number is the input's copy for the forward pass and the weight's gradient.
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


def convolution(at: Workload, stride: tuple[int, int]) -> Demand:
    """Copies of input, weight and output in oneDNN's layout, besides torch's own."""
    weight, channels = at.weight, at.inputs[0].channels
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
        strided = groups < channels and max(stride) > 1
        to_input = read + max(made + filled, (2 if strided else 1) * at.read)
        backward = max(to_input, at.read + backward)
    if at.reads_window and at.batch > 1:  # it is copied
        forward, backward = forward + at.read, backward + at.read
    return Demand(keeps_inputs=True, forward_spike=forward, backward_spike=backward, scattered=at.made)


def _channels_last_convolution(at: Workload, weight: int, is_depthwise: bool) -> Demand:
    """Channels-last maps are read without a copy, but each group of the weight's gradient fills a block."""
    filled = weight * CHANNEL_BLOCK**2 if is_depthwise else weight
    gradient = at.read if at.continues else 0
    return Demand(keeps_inputs=True, forward_spike=weight + at.made, backward_spike=gradient + filled + 2 * weight)


def transposed_convolution(at: Workload) -> Demand:
    """As a convolution with the roles exchanged; the result is copied once more on its way out."""
    read, made, weight = at.read, at.made, at.weight
    forward = max(3 * made, 2 * read + weight + made)
    backward = 2 * read + made + weight
    return Demand(keeps_inputs=True, forward_spike=forward, backward_spike=backward, scattered=made)
