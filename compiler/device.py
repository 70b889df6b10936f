"""The device that torch works on.

In: `auto`, `cpu` or `cuda`. Out: torch's device, or one clear error where CUDA is unavailable.
"""

from __future__ import annotations

import torch

from archspec.diagnostics.errors import failure


def chosen(device: str) -> torch.device:
    """Return the device of a flag. Raises ArchspecError for unavailable CUDA."""
    has_cuda = torch.cuda.is_available()
    if device == "cuda" and not has_cuda:
        built = "this torch is built without it" if torch.version.cuda is None else "torch finds no GPU"
        helps = ("`--device cpu` works without CUDA; `archspec doctor` checks the installation",)
        raise failure("E434", f"CUDA cannot be used: {built}", helps=helps)
    return torch.device("cuda" if device != "cpu" and has_cuda else "cpu")
