"""The packages that the back end requires and the front end does not."""

from __future__ import annotations

from importlib.util import find_spec

from archspec.diagnostics.errors import failure

ALL = "`pip install 'archspec-nn[all]'` installs everything"
DISTRIBUTIONS = {"PIL": "pillow", "onnxruntime": "onnxruntime-gpu"}  # packages whose distribution has another name


def need(*modules: str) -> None:
    """Raise ArchspecError, with what to install, unless all modules are installed. Imports none of them."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        names = [DISTRIBUTIONS.get(module, module) for module in missing]
        listed = ", ".join(f"`{name}`" for name in names)
        helps = (f"`pip install {' '.join(names)}`", ALL)
        verb = "is" if len(missing) == 1 else "are"
        raise failure("E424", f"this command requires {listed}, which {verb} not installed", helps=helps)
