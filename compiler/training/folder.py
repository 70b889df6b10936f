"""A folder of images: one folder a class, in `train` and `val` (or `validation`), or without these a tenth held out.

In: the folder and the input's volume. Out: `Data`. Images are decoded when they are needed, in workers.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from archspec.compiler.image import suffixes
from archspec.compiler.training.data import Batch, Data, Images, Key, stratified
from archspec.compiler.training.recipe import Recipe
from archspec.diagnostics import Diagnostic, SpecError
from archspec.volume import Volume

HELD_OUT = 0.1
MOST_NAMED = 10
SPLITS = ("val", "validation", "valid", "test")
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
GRAY = ((0.5,), (0.5,))


class Folder:
    """Image files with their classes, made to the size of the input."""

    def __init__(self, paths: Sequence[Path], classes: Tensor, volume: Volume, recipe: Recipe) -> None:
        self.paths, self.classes, self.volume, self.recipe = tuple(paths), classes, volume, recipe

    def __len__(self) -> int:
        return len(self.paths)

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        """The images of a batch. Raises SpecError for one that cannot be read."""
        images = [self._image(self.paths[place], seed) for place, seed in keys]
        return torch.stack(images), self.classes[torch.tensor([place for place, _ in keys])]

    def _image(self, path: Path, seed: int) -> Tensor:
        height, width, channels = self.volume
        mode = "L" if channels == 1 else "RGB"
        chance = random.Random(seed) if seed >= 0 else None
        scale = self.recipe.crop if chance else 1.0
        large = (round(width * scale), round(height * scale))
        try:
            with Image.open(path) as opened:
                opened.draft(mode, large)
                upright = ImageOps.exif_transpose(opened).convert(mode)
            where = (chance.random(), chance.random()) if chance else (0.5, 0.5)
            covered = ImageOps.fit(upright, large, Image.Resampling.BICUBIC)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            message = f"`{path}` cannot be read as an image"
            helps = ("take it out of the folder, or mend it",)
            raise SpecError([Diagnostic("E432", message, notes=(str(error),), helps=helps)]) from None
        sides = zip(where, large, (width, height), strict=True)
        left, top = (round(share * (big - small)) for share, big, small in sides)
        image = covered.crop((left, top, left + width, top + height))
        if chance:
            image = _varied(image, chance, self.recipe)
        return torch.from_numpy(np.array(image)).reshape(height, width, channels).permute(2, 0, 1).contiguous()


def _varied(image: Image.Image, chance: random.Random, recipe: Recipe) -> Image.Image:
    """Mirrored half of the time, and in changed light."""
    if recipe.flip and chance.random() < 0.5:
        image = ImageOps.mirror(image)
    if recipe.jitter:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = enhance(image).enhance(1 + recipe.jitter * (2 * chance.random() - 1))
    return image


def folder(root: Path, volume: Volume, recipe: Recipe) -> Data:
    """The images of a folder. Raises SpecError for one that nothing can be learned from."""
    if not root.is_dir():
        raise _wrong(f"there is no folder `{root}`", "--data names a folder with one folder of images a class")
    split = next((root / name for name in SPLITS if (root / name).is_dir()), None)
    train_root = root / "train" if (root / "train").is_dir() else root
    names = _class_names(train_root, {"train", *SPLITS} if train_root == root else set())
    paths, classes = _listed(train_root, names)
    held_out: Images
    if split is not None and train_root != root:
        if extra := sorted(set(_class_names(split, set(), least=0)) - set(names)):
            message = f"`{split / extra[0]}` is a class that `{train_root}` has not"
            raise _wrong(message, "both splits have one set of classes")
        held_paths, held_classes = _listed(split, names)
        held_out = Folder(held_paths, held_classes, volume, recipe)
        how = f"held out in `{split.name}`"
        chosen, chosen_classes = paths, classes
    else:
        kept, out = stratified(classes, HELD_OUT, recipe.seed)
        chosen, chosen_classes = [paths[place] for place in kept], classes[kept]
        held_out = Folder([paths[place] for place in out], classes[out], volume, recipe)
        how = f"held out (a tenth, by seed {recipe.seed})"
    mean, std = GRAY if volume.channels == 1 else IMAGENET
    text = f"`{root}`: {len(names)} classes, {len(chosen):,} images to train on, {len(held_out):,} {how}"
    return Data(Folder(chosen, chosen_classes, volume, recipe), held_out, names, mean, std, text)


def _class_names(root: Path, leave_out: set[str], least: int = 2) -> tuple[str, ...]:
    names = tuple(sorted(entry.name for entry in root.iterdir() if entry.is_dir() and entry.name not in leave_out))
    if len(names) < least:
        found = f"one class, `{names[0]}`" if names else "no folders of images"
        raise _wrong(f"`{root}` has {found}", "one folder of images a class, two classes or more")
    return names


def _listed(root: Path, names: Sequence[str]) -> tuple[list[Path], Tensor]:
    paths: list[Path] = []
    classes: list[int] = []
    for number, name in enumerate(names):
        own = sorted(path for path in (root / name).rglob("*") if path.suffix.lower() in suffixes())
        if not own:
            message = f"no image in the folder `{root / name}`"
            raise _wrong(message, "an empty class cannot be learned: take its folder out")
        paths += own
        classes += [number] * len(own)
    return paths, torch.tensor(classes)


def check_images(data: Images) -> None:
    """Look at the head of every file before hours are spent. Raises SpecError with those that are no images."""
    if not isinstance(data, Folder):
        return
    wrong = [finding for path in data.paths if (finding := _looked_at(path)) is not None]
    if wrong:
        raise SpecError(wrong[:MOST_NAMED])


def _looked_at(path: Path) -> Diagnostic | None:
    try:
        with Image.open(path) as image:
            image.size  # noqa: B018  # opening reads the head
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return Diagnostic("E432", f"`{path}` is no image", helps=("take it out of the folder",))
    return None


def _wrong(message: str, hint: str) -> SpecError:
    return SpecError([Diagnostic("E450", message, helps=(hint,))])
