"""archspec: a declarative language for neural-network architectures, and its compiler.

>>> import archspec
>>> archspec.load("vgg16").params
138357544

`load` and `loads` read a spec and return a `Network`; they raise `ArchspecError` if it is wrong. Submodules are
imported on first use: `import archspec` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archspec.api import Network, load, loads
    from archspec.diagnostics.errors import ArchspecError

__all__ = ["ArchspecError", "Network", "load", "loads"]
__version__ = "0.1.0"

_HOMES = {"Network": "api", "load": "api", "loads": "api", "ArchspecError": "diagnostics.errors"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archspec' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"archspec.{_HOMES[name]}"), name)
