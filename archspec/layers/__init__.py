"""One class per layer with all its facts; importing this package imports every file in it, which registers them.

In: arguments and input volumes. Out: output volumes, parameters, costs, and torch's and ONNX's names for the layer, as
data. `base.py` says what a layer is. No graph is read here, and neither torch nor onnx is imported.
"""

from importlib import import_module
from os import listdir

from archspec.layers.base import MERGES, REGISTRY, Layer

__all__ = ["MERGES", "REGISTRY", "Layer"]

for _file in sorted(listdir(__path__[0])):  # noqa: PTH208  # pathlib and pkgutil take milliseconds to import
    if _file.endswith(".py") and _file not in ("__init__.py", "reference.py", "attention_parts.py"):
        import_module(f"{__name__}.{_file[:-3]}")
