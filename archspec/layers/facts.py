"""What a layer's rules answer with: parameter tensors, windows, and the names of what runs it in torch and ONNX.

In: numbers and names. Out: records. Neither torch nor onnx is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from archspec.record import Record


class Tensor(Record):
    """A parameter tensor in torch's layout.

    `formula` is its size as a lecture writes it, `(3*3*64)*128`; empty if the size speaks for itself.
    """

    name: str
    shape: tuple[int, ...]
    formula: str = ""

    @property
    def size(self) -> int:
        """The number of values."""
        return prod(self.shape)

    @property
    def is_bias(self) -> bool:
        """Whether a lecture leaves it out ("not counting biases")."""
        return self.name.endswith("bias")


class Window(Record):
    """What one output sees along height and width: the receptive field's step.

    The output at position o sees `kernel` positions starting at o*stride - pad, `dilation` apart. They are positions of
    a grid `scale` times finer than the input's (2 for an UPCONV at stride 2): pixel i lies at i*scale, and there are no
    values between pixels. If `is_tiled` (Swin's windows), tiles of `kernel` pixels lie side by side, one of them
    starting at -pad, and o sees the tile that contains it. If `is_global`, every output sees the whole input.
    """

    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    scale: tuple[int, int] = (1, 1)
    is_tiled: bool = False
    is_global: bool = False


class TorchModule(Record):
    """A torch.nn class by name, with its arguments."""

    name: str
    arguments: dict[str, Any]


class OnnxNode(Record):
    """One ONNX operator that computes the layer.

    Its inputs are the layer's own, then the parameters named in `weights`, then `constants`: a float is stored as a
    float32, an int as an int64, a tuple of ints as a vector of int64.
    """

    operator: str
    attributes: Mapping[str, Any] = {}
    weights: tuple[str, ...] = ()
    constants: Mapping[str, float | int | tuple[int, ...]] = {}


class Example(Record):
    """A use of a layer for the contract and the reference: the step, and the volumes that enter."""

    text: str
    inputs: tuple[tuple[int, ...], ...]


POINTWISE = Window()
