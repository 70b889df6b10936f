"""The bundled data: 1,797 handwritten digits, 8x8, from scikit-learn (Alpaydin & Kaynak 1998, UCI).

In: the input's volume. Out: `Data`: the digits resized to it, a fifth of each class held out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from archspec.compiler.data.dataset import Batch, Data, Key, stratified
from archspec.graph.volume import Volume

WHAT = "scikit-learn's digits"
HELD_OUT = 0.2
SHIFT = 1 / 16  # at most, of the side


class Digits:
    """Some of the digits, as bytes [N, C, H, W], and which of all they are, [N].

    For training they are shifted by up to `SHIFT` of their side.
    """

    def __init__(self, images: Tensor, classes: Tensor, numbers: Tensor) -> None:
        self.images, self.classes, self.numbers = images, classes, numbers

    def __len__(self) -> int:
        return len(self.classes)

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        """Return the images of a batch, shifted as their seeds decide."""
        places = torch.tensor([place for place, _ in keys])
        images = self.images[places]
        if keys[0][1] >= 0:
            images = _shifted(images, torch.tensor([seed for _, seed in keys]))
        return Batch(images, self.classes[places], places=tuple(places.tolist()))

    def name(self, place: int) -> str:
        """Return which of scikit-learn's digits an image is, from 0."""
        return f"digit {self.numbers[place]}"


def _shifted(images: Tensor, seeds: Tensor) -> Tensor:
    count, _, height, width = images.shape
    most = max(1, round(SHIFT * min(height, width)))
    span = 2 * most + 1
    mixed = (seeds * 2_654_435_761) % 2**32  # Knuth's multiplicative hash
    down, right = (mixed >> 8) % span, (mixed >> 20) % span
    padded = functional.pad(images, (most,) * 4)
    rows = down[:, None] + torch.arange(height)
    columns = right[:, None] + torch.arange(width)
    return padded[torch.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def digits(volume: Volume, seed: int) -> Data:
    """Return the digits at the size of a network's input."""
    images, classes, names = scaled(volume)
    train, held_out = split(classes, seed)
    pixels = images[train].float() / 255
    return Data(
        train=Digits(images[train], classes[train], train),
        held_out=Digits(images[held_out], classes[held_out], held_out),
        class_names=names,
        mean=(pixels.mean().item(),) * volume.channels,
        std=(pixels.std().item(),) * volume.channels,
        description=f"{WHAT} at {volume}: {len(train):,} to train on, {len(held_out):,} held out",
        variation=f"shifts of up to {SHIFT:.1%} of the side",
        source="digits",
    )


def scaled(volume: Volume) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Return all digits as bytes [N, C, H, W], their classes, and the names of the classes."""
    from sklearn.datasets import load_digits

    found = load_digits()
    small = torch.from_numpy(found.images).float()[:, None] / 16
    large = functional.interpolate(small, volume.spatial, mode="bilinear", antialias=True)
    images = (large.clamp(0, 1) * 255).round().byte().expand(-1, volume.channels, -1, -1).contiguous()
    return images, torch.from_numpy(found.target).long(), tuple(map(str, found.target_names))


def split(classes: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return the numbers of the digits to train on and to hold out."""
    return stratified(classes, HELD_OUT, seed)
