"""Batches on their way into the network.

In: images as bytes. Out: normalised images on the device, in the recipe's memory layout.
"""

from __future__ import annotations

import torch
from torch import Tensor

from archspec.compiler.data.dataset import Batch, Data
from archspec.recipe import Recipe


class Normaliser:
    """Moves batches to a device and normalises them by the data's mean and standard deviation."""

    def __init__(self, data: Data, recipe: Recipe, device: torch.device) -> None:
        self.device, self.channels_last = device, recipe.channels_last
        self.mean, self.std = (torch.tensor(one, device=device)[:, None, None] for one in (data.mean, data.std))

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return images [B, C, H, W] in float32 and classes [B] or [B, H, W]. Images without values stay so."""
        if batch.images.is_meta:
            return batch.images.float(), batch.classes.to(self.device, non_blocking=True)
        pixels = batch.images.to(self.device, non_blocking=True).float().div_(255).sub_(self.mean).div_(self.std)
        if self.channels_last:
            pixels = pixels.contiguous(memory_format=torch.channels_last)
        return pixels, batch.classes.to(self.device, non_blocking=True).long()
