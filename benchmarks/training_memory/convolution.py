"""What convolutions ask of memory: oneDNN works on copies in a layout of its own.

Comes in: a `Site`. Goes out: its `Demand`. The constants belong to machines with AVX-512; MODEL.md says what
was seen there and what differs elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from .demand import FLOAT, Demand, Site

#: maps have their channels in blocks of 16, the floats of one AVX-512 register (8 with AVX2)
CHANNEL_BLOCK = 16
#: for wider filters the weight's gradient is a matrix product, for which each thread has its own buffers
WIDEST_DIRECT_FILTER = 14
THREADS = 2


def _blocked(channels: int) -> int:
    return -(-channels // CHANNEL_BLOCK) * CHANNEL_BLOCK


@dataclass(frozen=True, slots=True)
class Copies:
    """Bytes of a convolution's tensors in oneDNN's layout, channels filled up to whole blocks."""

    read: int
    made: int
    weight: int
    seen: int
    """of the input as the forward pass and the weight's gradient read it: 0 if they take torch's own"""


def _copies(site: Site) -> Copies:
    """Groups that do not fill their blocks stay as they are; few input channels are read where they lie."""
    node, source = site.node, site.inputs[0]
    read, made, weight = site.input_bytes, site.output_bytes, FLOAT * node.parameters[0]
    depthwise = node.groups == source.channels
    if node.groups > 1 and not depthwise and source.channels // node.groups % CHANNEL_BLOCK:
        return Copies(read, made, weight, read)
    inside, outside = _blocked(source.channels), _blocked(node.channels)
    inside_bytes, outside_bytes = read // source.channels * inside, made // node.channels * outside
    if source.channels < CHANNEL_BLOCK:
        return Copies(inside_bytes, outside_bytes, weight // node.channels * outside, 0)
    filled = weight // node.channels * outside
    weight_bytes = filled if depthwise else filled // source.channels * inside
    return Copies(inside_bytes, outside_bytes, weight_bytes, inside_bytes)


def convolution(site: Site) -> Demand:
    """Copies of input, weight and output in oneDNN's layout stand beside torch's own (see MODEL.md)."""
    if site.channels_last:
        return _channels_last_convolution(site)
    node, read, copies = site.node, site.input_bytes, _copies(site)
    strided = node.stride > 1 and node.groups < site.inputs[0].channels
    forward = max(copies.seen + copies.weight + copies.made, copies.made + site.output_bytes)
    to_input = max(copies.made + copies.weight + copies.read, copies.read + (2 if strided else 1) * read)
    gradient = read if site.continues else 0
    to_weight = _weight_gradient(site, copies)
    backward = max(to_input if site.continues else 0, gradient + to_weight)
    return Demand(keeps_inputs=True, forward_spike=forward, backward_spike=backward)


def _weight_gradient(site: Site, copies: Copies) -> int:
    """Over the copies; for the widest filters over unrolled images, with four weights a thread."""
    node, weight = site.node, FLOAT * site.node.parameters[0]
    if node.kernel > WIDEST_DIRECT_FILTER:
        unrolled = weight // node.channels * (node.values // node.channels)
        return copies.weight + THREADS * (unrolled + 4 * weight)
    return max(copies.seen + copies.made + copies.weight, copies.weight + weight)


def _channels_last_convolution(site: Site) -> Demand:
    """Channels-last maps are read where they lie, but each group of the weight's gradient fills a block."""
    weight = FLOAT * site.node.parameters[0]
    depthwise = site.node.groups == site.inputs[0].channels
    filled = weight * CHANNEL_BLOCK**2 if depthwise else weight
    gradient = site.input_bytes if site.continues else 0
    return Demand(
        keeps_inputs=True,
        forward_spike=weight + site.output_bytes,
        backward_spike=gradient + filled + 2 * weight,
    )


def transposed_convolution(site: Site) -> Demand:
    """As a convolution with the roles exchanged; the result is copied once more on its way out."""
    read, made, weight = site.input_bytes, site.output_bytes, FLOAT * site.node.parameters[0]
    forward = max(3 * made, 2 * read + weight + made)
    return Demand(keeps_inputs=True, forward_spike=forward, backward_spike=read + made + read + weight)
