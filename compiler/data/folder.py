"""A folder of images: one folder a class, in `train` and `val` (or `validation`), or without these a tenth held out.

In: the folder and the input's volume. Out: `Data`. The head of every file is looked at before hours are spent: files
that are no images are left out up to a limit, and named.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from archspec.compiler.data.dataset import Data, stratified
from archspec.compiler.data.decode import SUFFIXES, open_bitmap
from archspec.compiler.data.photos import Photos
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.graph.volume import Volume
from archspec.recipe import Recipe

HELD_OUT = 0.1
MOST_NAMED = 10
SPLITS = ("val", "validation", "valid", "test")
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
GRAY = ((0.5,), (0.5,))
GRAYS = frozenset(("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N", "F"))  # Pillow's modes of one colour


def folder(root: Path, volume: Volume, recipe: Recipe) -> Data:
    """The images of a folder. Raises ArchspecError for one that nothing can be learned from."""
    if not root.is_dir():
        raise _wrong(f"there is no folder `{root}`", "--data names a folder with one folder of images a class")
    split = next((root / name for name in SPLITS if (root / name).is_dir()), None)
    train_root = root / "train" if (root / "train").is_dir() else root
    if (split is None) != (train_root == root):
        there, missing = ("train", "val") if split is None else (split.name, "train")
        message = f"`{root}` has `{there}` and no `{missing}`"
        raise _wrong(message, "give it both, or the folders of the classes alone: then a tenth is held out")
    names = _class_names(train_root)
    paths, classes = _listed(train_root, names)
    if split is not None:
        if extra := sorted(set(_class_names(split, least=0)) - set(names)):
            message = f"`{split / extra[0]}` is a class that `{train_root}` has not"
            raise _wrong(message, "both splits have one set of classes")
        held_paths, held_classes = _listed(split, names)
        held_out = Photos(held_paths, held_classes, volume, recipe)
        how = f"held out in `{split.name}`"
        chosen, chosen_classes = paths, classes
    else:
        kept, out = stratified(classes, HELD_OUT, recipe.seed)
        chosen, chosen_classes = [paths[place] for place in kept], classes[kept]
        held_out = Photos([paths[place] for place in out], classes[out], volume, recipe)
        how = f"held out (a tenth, by seed {recipe.seed})"
    mean, std = GRAY if volume.channels == 1 else IMAGENET
    text = f"`{root}`: {len(names)} classes, {len(chosen):,} images to train on, {len(held_out):,} {how}"
    train = Photos(chosen, chosen_classes, volume, recipe)
    return Data(train, held_out, names, mean, std, text, fingerprint=fingerprint(root, train.paths + held_out.paths))


def fingerprint(root: Path, paths: Iterable[Path]) -> str:
    """SHA-256 of the names of files under a folder: the same files in the same places have the same."""
    names = sorted(os.fsencode(path.relative_to(root).as_posix()) for path in paths)
    return hashlib.sha256(b"\0".join(names)).hexdigest()


def _class_names(root: Path, least: int = 2) -> tuple[str, ...]:
    try:
        entries = [entry for entry in root.iterdir() if not entry.name.startswith(".") and entry.is_dir()]
    except OSError as error:
        raise _wrong(f"`{root}` cannot be read: {error.strerror or error}", "it must be a folder of yours") from None
    names = tuple(sorted(entry.name for entry in entries))
    for name in names:
        if not _is_text(name):
            message = f"the name of the class {name!r} in {str(root)!r} is no UTF-8"
            raise _wrong(message, "give the folder another name: a class is called as its folder is")
    if len(names) < least:
        found = f"one class, `{names[0]}`" if names else "no folders of images"
        raise _wrong(f"`{root}` has {found}", "one folder of images a class, two classes or more")
    _need_apart(root, names)
    return names


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _need_apart(root: Path, names: Sequence[str]) -> None:
    """Raise ArchspecError where links make one image part of two classes."""
    base = root.resolve()
    places = {name: (root / name).resolve() for name in names}
    owners = {place: name for name, place in places.items()}
    for name, place in places.items():
        if base.is_relative_to(place):
            raise _wrong(f"the class `{root / name}` is a link to a folder around it", "take the link out")
        other = next((owners[one] for one in (place, *place.parents) if owners.get(one, name) != name), None)
        if other is not None:
            message = f"the classes `{root / other}` and `{root / name}` are one folder, or one is in the other"
            raise _wrong(message, "take one of them out")


def _files(folder: Path) -> Iterator[Path]:
    """The files in a folder and those below it, but for hidden ones; links to folders are not followed."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in files if not name.startswith("."))


def _listed(root: Path, names: Sequence[str]) -> tuple[list[Path], Tensor]:
    paths: list[Path] = []
    classes: list[int] = []
    for number, name in enumerate(names):
        own = sorted(path for path in _files(root / name) if path.suffix.lower() in SUFFIXES)
        if not own:
            message = f"no image in the folder `{root / name}`"
            raise _wrong(message, "an empty class cannot be learned: take its folder out")
        paths += own
        classes += [number] * len(own)
    return paths, torch.tensor(classes)


def checked(data: Data) -> Data:
    """The data without unreadable images.

    Raises ArchspecError for too many of them, for a class without an image to train on, and for colour images where the
    network has one channel.
    """
    parts = [one for one in (data.train, data.held_out) if isinstance(one, Photos)]
    looks = [_looks(part.paths) for part in parts]
    bad = tuple(
        str(path)
        for part, seen in zip(parts, looks, strict=True)
        for path, mode in zip(part.paths, seen, strict=True)
        if not mode
    )
    if len(bad) > data.most_damaged:
        raise too_many_damaged(bad, data)
    for part, seen in zip(parts, looks, strict=True):
        coloured = next((path for path, mode in zip(part.paths, seen, strict=True) if mode and mode not in GRAYS), None)
        if part.volume.channels == 1 and coloured is not None:
            height, width, _ = part.volume
            message = f"the network takes 1 colour, and `{coloured}` has more"
            raise failure("E457", message, helps=(f"`--input {height}x{width}x3`",))
    kept = [_without(part, seen) for part, seen in zip(parts, looks, strict=True)]
    data = replace(data, train=kept[0], held_out=kept[1], damaged=bad) if bad else data
    _need_images(data)
    return data


def _need_images(data: Data) -> None:
    """Raise ArchspecError for a class that nothing is learned of, and where nothing is held out."""
    learned = set(data.train.classes.tolist())
    missing = [name for number, name in enumerate(data.class_names) if number not in learned]
    if missing:
        message = f"the class `{missing[0]}` has no image to train on"
        notes = (f"{len(missing) - 1} other classes have none either",) if len(missing) > 1 else ()
        helps = ("without a folder `val`, one image of each class is held out: it needs two that can be read",)
        raise failure("E450", message, notes=notes, helps=helps)
    if not len(data.held_out):
        raise _wrong("none of the held-out images can be read", "mend them: a run is judged by them")


def too_many_damaged(paths: Sequence[str], data: Data) -> ArchspecError:
    """What ends a run whose images cannot be read."""
    message = f"{len(paths)} images cannot be read; a run goes on without up to {data.most_damaged}"
    notes = tuple(f"`{path}`" for path in list(paths)[:MOST_NAMED])
    helps = ("mend them, or take them out of the folder",)
    return failure("E456", message, notes=notes, helps=helps)


def _looks(paths: Sequence[Path]) -> list[str]:
    """The colour mode of each file, or nothing for what is no image."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_look, paths))


def _look(path: Path) -> str:
    try:
        with open_bitmap(path) as image:
            return image.mode
    except Exception:  # a decoder raises anything of a damaged file
        return ""


def _without(part: Photos, modes: Sequence[str]) -> Photos:
    """The part without what is no image."""
    good = [place for place, mode in enumerate(modes) if mode]
    classes = part.classes[torch.tensor(good, dtype=torch.long)]
    return Photos([part.paths[place] for place in good], classes, part.volume, part.recipe)


def _wrong(message: str, hint: str) -> ArchspecError:
    return failure("E450", message, helps=(hint,))
