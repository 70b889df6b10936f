"""The torch module of one layer.

In: a layer and the volumes that enter. Out: the torch.nn module that the layer names, or the one registered for it.
"""

from __future__ import annotations

from torch import nn

from archspec.compiler.lowering.modules import MODULES
from archspec.graph.volume import Volume
from archspec.layers.base import Layer


def module_of(layer: Layer, volumes: tuple[Volume, ...]) -> nn.Module:
    """The module of a layer that is not an expression. Raises NotImplementedError for a layer without one."""
    named = layer.module(volumes)
    if named is not None:
        # `in_place.py` decides which layers overwrite their input: a RELU6 may read a value that others read too
        arguments = {name: value for name, value in named.arguments.items() if name != "inplace"}
        module: nn.Module = getattr(nn, named.name)(**arguments)
        return module
    if type(layer) not in MODULES:
        raise NotImplementedError(f"{layer.keyword} has no torch module")
    return MODULES[type(layer)](layer, *volumes)
