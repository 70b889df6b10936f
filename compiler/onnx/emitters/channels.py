"""SHUFFLE and mul."""

from __future__ import annotations

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.node_writer import NodeWriter
from archspec.layers.channels import Shuffle
from archspec.layers.merge import Mul


@emits(Shuffle)
def shuffle(writer: NodeWriter) -> str:
    """Swap the groups with the channels of a group."""
    height, width, channels = writer.volume
    groups = writer.layer.groups
    parted = writer.reshape(writer.x, 0, groups, channels // groups, height, width)
    return writer.reshape(writer.transpose(parted, 0, 2, 1, 3, 4), 0, channels, height, width)


@emits(Mul)
def mul(writer: NodeWriter) -> str:
    """Multiply; a vector gets the dimensions that it is repeated along."""
    largest = max(writer.volumes, key=len)
    missing = {3: (2, 3), 2: (1,)}.get(len(largest), ())
    product = ""
    for name, volume in zip(writer.inputs, writer.volumes, strict=True):
        factor = (
            name if len(volume) == len(largest) else writer.op("Unsqueeze", name, writer.integers("axes", *missing))
        )
        product = writer.op("Mul", product, factor) if product else factor
    return product
