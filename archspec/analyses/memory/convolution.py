"""What convolutions ask of memory: oneDNN works on copies in a layout of its own.

In: a `Site`. Out: its `Demand`. The constants belong to machines with AVX-512; MODEL.md says what was seen there and
what differs elsewhere.
"""

from __future__ import annotations

from math import prod

from archspec.analyses.memory.demand import FLOAT, Demand, Site
from archspec.layers.conv import Convolution
from archspec.record import Record

CHANNEL_BLOCK = 16  # maps have their channels in blocks, the floats of one AVX-512 register (8 with AVX2)
WIDEST_DIRECT_FILTER = 14  # the weight's gradient of wider ones is a matrix product
THREADS = 2  # each with buffers of its own for that product


class Copies(Record):
    """Bytes of a convolution's tensors in oneDNN's layout, channels filled up to whole blocks.

    `seen` are those of the input as the forward pass and the weight's gradient read it: 0 if they take torch's own.
    """

    read: int
    made: int
    weight: int
    seen: int


def _blocked(channels: int) -> int:
    return -(-channels // CHANNEL_BLOCK) * CHANNEL_BLOCK


def _groups(site: Site) -> int:
    return site.operation.volumes[0].channels // site.operation.shapes[0][1]


def _copies(site: Site) -> Copies:
    """Groups that do not fill their blocks stay as they are; few input channels are read where they lie."""
    channels, filters, groups = site.operation.volumes[0].channels, site.volume.channels, _groups(site)
    read, made, weight = site.read, site.made, site.weight
    depthwise = groups == channels
    if groups > 1 and not depthwise and channels // groups % CHANNEL_BLOCK:
        return Copies(read, made, weight, read)
    inside, outside = _blocked(channels), _blocked(filters)
    inside_bytes, outside_bytes = read // channels * inside, made // filters * outside
    filled = weight // filters * outside
    if channels < CHANNEL_BLOCK:
        return Copies(inside_bytes, outside_bytes, filled, 0)
    weight_bytes = filled if depthwise else filled // channels * inside
    return Copies(inside_bytes, outside_bytes, weight_bytes, inside_bytes)


def convolution(site: Site) -> Demand:
    """Copies of input, weight and output in oneDNN's layout stand beside torch's own."""
    if site.channels_last:
        return _channels_last_convolution(site)
    assert isinstance(site.layer, Convolution)
    read, copies = site.read, _copies(site)
    strided = max(site.layer.stride) > 1 and _groups(site) < site.operation.volumes[0].channels
    forward = max(copies.seen + copies.weight + copies.made, copies.made + site.made)
    to_input = max(copies.made + copies.weight + copies.read, copies.read + (2 if strided else 1) * read)
    gradient = read if site.learns else 0
    backward = max(to_input if site.learns else 0, gradient + _weight_gradient(site, copies))
    return Demand(keeps_inputs=True, forward_spike=forward, backward_spike=backward, scattered=site.made)


def _weight_gradient(site: Site, copies: Copies) -> int:
    """Over the copies; for the widest filters over unrolled images, with four weights a thread."""
    weight = site.weight
    if site.operation.shapes[0][3] > WIDEST_DIRECT_FILTER:
        unrolled = weight // site.volume.channels * prod(site.volume.spatial)
        return copies.weight + THREADS * (unrolled + 4 * weight)
    return max(copies.seen + copies.made + copies.weight, copies.weight + weight)


def _channels_last_convolution(site: Site) -> Demand:
    """Channels-last maps are read where they lie, but each group of the weight's gradient fills a block."""
    weight = site.weight
    depthwise = _groups(site) == site.operation.volumes[0].channels
    filled = weight * CHANNEL_BLOCK**2 if depthwise else weight
    gradient = site.read if site.learns else 0
    return Demand(keeps_inputs=True, forward_spike=weight + site.made, backward_spike=gradient + filled + 2 * weight)


def transposed_convolution(site: Site) -> Demand:
    """As a convolution with the roles exchanged; the result is copied once more on its way out."""
    read, made, weight = site.read, site.made, site.weight
    forward = max(3 * made, 2 * read + weight + made)
    backward = read + made + read + weight
    return Demand(keeps_inputs=True, forward_spike=forward, backward_spike=backward, scattered=made)
