"""The packages that the back end requires and the front end does not."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from archspec.diagnostics.errors import failure

ALL = "`pip install 'archspec-nn[all]'` installs everything"
ELSEWHERE = "`cd` into another folder"
# packages whose distribution has another name
DISTRIBUTIONS = {"PIL": "pillow", "onnxruntime": "onnxruntime-gpu", "sklearn": "scikit-learn"}
# what each command imports; `train` and `eval` use sklearn's digits only without --data
NEEDS = {
    "check": ("lark", "click"),
    "data": ("torch", "numpy", "PIL"),
    "train": ("torch", "numpy", "safetensors", "PIL"),
    "eval": ("torch", "numpy", "safetensors", "PIL"),
    "probe": ("torch", "numpy"),
    "export": ("torch", "numpy", "onnx", "onnxruntime", "safetensors", "PIL"),
    "run": ("numpy", "onnxruntime", "PIL"),
}
DIGITS = "sklearn"


def missing_for(command: str, *more: str) -> list[str]:
    """Return the distributions that a command lacks. Imports none of its modules."""
    missing = [module for module in (*NEEDS[command], *more) if find_spec(module) is None]
    return [DISTRIBUTIONS.get(module, module) for module in missing]


def need(command: str, *more: str, whose: str = "this command") -> None:
    """Raise ArchspecError, with what to install, unless all modules of a command are installed.

    `whose` is what requires them, for the message. Also in a working directory that was deleted, in which the libraries
    of the back end cannot be loaded.
    """
    if reason := working_directory():
        message = f"the working directory cannot be used: {reason}"
        raise failure("E478", message, helps=(ELSEWHERE,))
    names = missing_for(command, *more)
    if names:
        listed = ", ".join(f"`{name}`" for name in names)
        helps = (f"`pip install {' '.join(names)}`", ALL)
        verb = "is" if len(names) == 1 else "are"
        raise failure("E424", f"{whose} requires {listed}, which {verb} not installed", helps=helps)


def working_directory() -> str | None:
    """Return why the working directory cannot be used, or None."""
    try:
        Path.cwd()
    except OSError as error:
        return error.strerror or str(error)
    return None
