"""The back end: networks in torch, their training, and ONNX. It needs `archspec-nn[all]`.

In: networks of the front end, images, weights. Out: torch modules (`build`), weights, ONNX files, classes of images.
Imports are late: running an ONNX file needs no torch. No spec is parsed or checked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archspec.compiler.lowering.lower import Lowered, build

__all__ = ["Lowered", "build"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'archspec.compiler' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("archspec.compiler.lowering.lower"), name)
