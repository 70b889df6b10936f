"""The torch modules that torch.nn lacks, for layers that are more than one of its modules.

In: a layer and the volume that enters. Out: a module whose parameters have the layer's names. Maps are [B, C, H, W],
sequences [B, N, C], vectors [B, C]. Importing this package imports every file in it, and each registers its modules
with `@lowers`.
"""

from importlib import import_module
from pkgutil import iter_modules

from archspec.compiler.lowering.modules.registry import MODULES

__all__ = ["MODULES"]

for _found in iter_modules(__path__):
    import_module(f"{__name__}.{_found.name}")
