"""One class per layer. Importing this package imports every file in it, and with that registers every layer.

In: nothing. Out: `REGISTRY` and `MERGES`, the layers by name. `base.py` says what a layer is. No layer is run here:
compiler/lowering and compiler/onnx do that.
"""

from importlib import import_module
from os import listdir

from archspec.layers.base import MERGES, REGISTRY, Layer

__all__ = ["MERGES", "REGISTRY", "Layer"]

for _file in sorted(listdir(__path__[0])):  # noqa: PTH208  # pathlib and pkgutil take milliseconds to import
    if _file.endswith(".py") and _file not in ("__init__.py", "reference.py"):
        import_module(f"{__name__}.{_file[:-3]}")
