"""Images with their masks in batches: what moves pixels moves both, what changes colours the image alone.

In: paths, the sizes of the network's input and output, the recipe. Out: bytes [B, C, H, W] and classes [B, H', W'].
A mask is resized to the nearest pixel, so that no value arises between two classes. The network's output may be smaller
than its input, where convolutions have no pads: the mask is then cropped to the centre (Ronneberger et al. 2015). What
a crop shows beyond the image is black there, and ignored in the mask.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image, ImageOps
from torch import Tensor

from archspec.compiler.data.augmentation.boxes import Box, crop_box, cropped
from archspec.compiler.data.dataset import Batch, Key
from archspec.compiler.data.decode import coloured, open_bitmap
from archspec.compiler.data.maps.masks import IGNORED, read_mask
from archspec.compiler.data.photos import (
    coloured_by,
    is_flipped,
    part_of,
    pixels_of,
    readable,
    stacked,
    upright_size,
)
from archspec.compiler.data.preprocessing import MODES, fitted, resized
from archspec.graph.volume import Volume
from archspec.recipe import Recipe

NEAREST = Image.Resampling.NEAREST


class MapVolumes(NamedTuple):
    """The network's input, and its output: a map of classes."""

    input: Volume
    output: Volume


class DecodedPair(NamedTuple):
    """An image, its mask, and for a crop the same part in the pixels of each."""

    image: Image.Image
    mask: Image.Image
    image_box: Box | None = None
    mask_box: Box | None = None


class Pairs:
    """Image files with the files of their masks. The classes of an image are known when its mask is read."""

    def __init__(self, images: Sequence[Path], masks: Sequence[Path], volumes: MapVolumes, recipe: Recipe) -> None:
        self.paths, self.masks, self.volumes, self.recipe = tuple(images), tuple(masks), volumes, recipe
        self.classes = torch.zeros(len(self.paths), dtype=torch.long)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        """Return the images and masks of a batch."""
        images: list[Tensor] = []
        masks: list[Tensor] = []
        places: list[int] = []
        damaged: list[int] = []
        for place, chance, pair in readable(keys, len(self), self._decoded, damaged):
            image, mask = self._made(pair, chance)
            images.append(image)
            masks.append(mask)
            places.append(place)
        height, width, _ = self.volumes.output
        classes = torch.stack(masks) if masks else torch.empty(0, height, width, dtype=torch.uint8)
        names = tuple(map(self.name, damaged))
        return Batch(stacked(images, self.volumes.input), classes, names, tuple(places))

    def name(self, place: int) -> str:
        """Return an image's path."""
        return str(self.paths[place])

    def augmented(self, recipe: Recipe) -> Pairs:
        """Return the same images, augmented by another recipe."""
        return Pairs(self.paths, self.masks, self.volumes, recipe)

    def _decoded(self, place: int, chance: random.Random | None) -> DecodedPair:
        """Return an image and its mask, and the part to crop. Raises ValueError where their sizes differ."""
        height, width, channels = self.volumes.input
        mode = MODES[channels]
        mask = read_mask(self.masks[place])
        with open_bitmap(self.paths[place]) as opened:
            size = upright_size(opened)
            if size != mask.size:
                raise ValueError(f"the image is {size}, its mask {mask.size}")
            if chance is not None:
                box = crop_box(size, (width, height), self.recipe, chance)
                image, image_box = part_of(opened, mode, (width, height), box)
                return DecodedPair(image, mask, image_box, box)
            opened.draft(mode, resized((width, height), self.recipe.eval_crop))
            ImageOps.exif_transpose(opened, in_place=True)
            return DecodedPair(coloured(opened, mode), mask)

    def _made(self, pair: DecodedPair, chance: random.Random | None) -> tuple[Tensor, Tensor]:
        """Return the image as bytes [C, H, W] and the classes of the output's pixels [H', W']."""
        height, width, _ = self.volumes.input
        size = (width, height)
        if chance is None or pair.image_box is None or pair.mask_box is None:
            image = fitted(pair.image, size, self.recipe.eval_crop)
            mask = fitted(pair.mask, size, self.recipe.eval_crop, NEAREST)
        else:
            image = cropped(pair.image, pair.image_box, size)
            mask = cropped(pair.mask, pair.mask_box, size, NEAREST, IGNORED)
            if is_flipped(self.recipe, chance):
                image, mask = ImageOps.mirror(image), ImageOps.mirror(mask)
            image = coloured_by(image, chance, self.recipe)
        return pixels_of(image), centre(pixels_of(mask)[0], self.volumes.output.spatial)


def centre(pixels: Tensor, size: Sequence[int]) -> Tensor:
    """Return the central pixels [..., H', W'] of a size, height and width."""
    height, width = size
    top, left = (pixels.shape[-2] - height) // 2, (pixels.shape[-1] - width) // 2
    return pixels[..., top : top + height, left : left + width].contiguous()
