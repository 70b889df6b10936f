"""Which of onnxruntime's packages are installed, found without importing one.

In: the installation. Out: names, and what is wrong with having both.
"""

from __future__ import annotations

import importlib.metadata

PACKAGES = ("onnxruntime", "onnxruntime-gpu")
CONFLICT_HINT = "`pip uninstall onnxruntime onnxruntime-gpu`, then `pip install onnxruntime-gpu`"


def installed_packages() -> tuple[str, ...]:
    """Return which of onnxruntime's packages are installed. Two of them overwrite each other's files."""
    found = {str(one.metadata["Name"]).lower().replace("_", "-") for one in importlib.metadata.distributions()}
    return tuple(name for name in PACKAGES if name in found)


def conflict() -> str | None:
    """Return what is wrong if both packages are installed, else None."""
    if set(installed_packages()) >= set(PACKAGES):
        return "onnxruntime and onnxruntime-gpu are both installed and overwrite each other's files"
    return None
