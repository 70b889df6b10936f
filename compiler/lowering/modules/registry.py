"""Which module computes which layer.

In: a layer's class. Out: what builds its module from the layer and the volume that enters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from torch import nn

from archspec.layers.base import Layer

Maker = Callable[..., nn.Module]  # of a layer and the volumes that enter
M = TypeVar("M", bound=Maker)
MODULES: dict[type[Layer], Maker] = {}


def lowers(*layers: type[Layer]) -> Callable[[M], M]:
    """Register the module of these layers. Raises ValueError for a layer that already has one."""

    def register(maker: M) -> M:
        for layer in layers:
            if layer in MODULES:
                raise ValueError(f"two modules for {layer.keyword}: {_name(MODULES[layer])}, {_name(maker)}")
            MODULES[layer] = maker
        return maker

    return register


def _name(maker: Maker) -> str:
    return getattr(maker, "__name__", repr(maker))
