"""The device that torch uses.

In: `auto`, `cpu` or `cuda`. Out: torch's device, or one clear error if CUDA is unavailable.
"""

from __future__ import annotations

import torch

from archspec.diagnostics.errors import failure


def chosen(device: str) -> torch.device:
    """Return the device of a `--device` flag. Raises ArchspecError if CUDA is asked for and unavailable."""
    has_cuda = torch.cuda.is_available()
    if device == "cuda" and not has_cuda:
        reason = "this torch was built without it" if torch.version.cuda is None else "torch finds no GPU"
        helps = ("`--device cpu`", "`archspec doctor` checks the installation")
        raise failure("E434", f"CUDA cannot be used: {reason}", helps=helps)
    return torch.device("cuda" if device != "cpu" and has_cuda else "cpu")
