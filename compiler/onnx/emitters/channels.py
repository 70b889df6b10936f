"""Layers that move channels about: SHUFFLE, SLICE, PADCHANNELS; and merges: add, concat, mul."""

from __future__ import annotations

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.step import Step
from archspec.graph.volume import Volume
from archspec.layers.channels import PadChannels, Shuffle, Slice
from archspec.layers.merge import Add, Concat, Mul


def axis(volume: Volume) -> int:
    """Where the channels are: behind the batch in a map, last otherwise."""
    return 1 if volume.is_map else len(volume)


@emits(Shuffle)
def shuffle(step: Step) -> str:
    """Groups and the channels of a group change places."""
    height, width, channels = step.volume
    groups = step.layer.groups
    parted = step.reshape(step.x, 0, groups, channels // groups, height, width)
    return step.reshape(step.transpose(parted, 0, 2, 1, 3, 4), 0, channels, height, width)


@emits(Slice)
def slice_channels(step: Step) -> str:
    """Slice along the channels."""
    begin, end = step.integers("begin", step.layer.begin), step.integers("end", step.layer.end)
    return step.op("Slice", step.x, begin, end, step.integers("axes", axis(step.volume)))


@emits(PadChannels)
def pad_channels(step: Step) -> str:
    """Channels of zeros on both sides, an odd one behind."""
    more = step.layer.channels - step.volume.channels
    begins, ends = ([0] * (len(step.volume) + 1) for _ in range(2))
    begins[axis(step.volume)], ends[axis(step.volume)] = more // 2, more - more // 2
    return step.op("Pad", step.x, step.integers("pads", *begins, *ends))


@emits(Add)
def add(step: Step) -> str:
    """Add, or Sum of more than two."""
    return step.op("Add" if len(step.inputs) == 2 else "Sum", *step.inputs)


@emits(Concat)
def concat(step: Step) -> str:
    """Channels behind channels."""
    return step.op("Concat", *step.inputs, axis=axis(step.volume))


@emits(Mul)
def mul(step: Step) -> str:
    """The product; a vector gets the dimensions that it is repeated along."""
    largest = max(step.volumes, key=len)
    missing = {3: (2, 3), 2: (1,)}.get(len(largest), ())
    product = ""
    for name, volume in zip(step.inputs, step.volumes, strict=True):
        factor = name if len(volume) == len(largest) else step.op("Unsqueeze", name, step.integers("axes", *missing))
        product = step.op("Mul", product, factor) if product else factor
    return product
