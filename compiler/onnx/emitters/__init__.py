"""The emitters of layers that are more than one ONNX node. A layer that is a single node says so in its class.

In: a `NodeWriter` for a layer. Out: nodes and constants. Importing this package imports every file in it, and each
registers its emitters with `@emits`. Nothing is assembled or written to a file here.
"""

from importlib import import_module
from pkgutil import iter_modules

from archspec.compiler.onnx.emitters.registry import EMITTERS, emit_layer

__all__ = ["EMITTERS", "emit_layer"]

for _found in iter_modules(__path__):
    import_module(f"{__name__}.{_found.name}")
