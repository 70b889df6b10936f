"""A folder of images: one folder per class, in `train` and `val` (or `validation`), or without these a tenth held out.

In: the folder and the input's volume. Out: `Data`. The header of every file is read before training begins: files that
are not images are named and left out, up to a limit.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from archspec.compiler.data.damaged import first_few
from archspec.compiler.data.dataset import Data, stratified
from archspec.compiler.data.decode import GRAYS, SUFFIXES
from archspec.compiler.data.hygiene.headers import Headers, headers
from archspec.compiler.data.photos import Photos
from archspec.compiler.data.preprocessing import usual_statistics
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import plural
from archspec.graph.volume import Volume
from archspec.recipe import Recipe
from archspec.regular_file import is_folder

HELD_OUT = 0.1
ANY = Volume((1, 1, 3))  # of folders whose images are not decoded
TRAIN, VALIDATION, TEST = "train", ("val", "validation", "valid"), "test"
Listed = tuple[list[Path], Tensor]  # images and their classes
Refuse = Callable[[ArchspecError], None]


@dataclass(frozen=True)
class FolderLayout:
    """The parts of a folder that are folders; a folder with none of them has class folders only."""

    root: Path
    train: Path | None
    validation: Path | None
    test: Path | None
    unused: tuple[Path, ...] = ()  # further folders with a name of `validation`

    @classmethod
    def of(cls, root: Path) -> FolderLayout:
        """Look for the parts. Raises ArchspecError for a missing folder."""
        if not is_folder(root):
            raise _wrong(f"no such folder: `{root}`", "expected a folder with one folder of images per class")
        train, test, *validation = (root / name for name in (TRAIN, TEST, *VALIDATION))
        found = tuple(path for path in validation if is_folder(path))
        parts = (train if is_folder(train) else None, next(iter(found), None), test if is_folder(test) else None)
        return cls(root, *parts, found[1:])

    @property
    def parts(self) -> tuple[Path, ...]:
        """The folders of the parts."""
        return tuple(path for path in (self.train, self.validation, self.test) if path)

    @property
    def held_out(self) -> Path | None:
        """The folder of the images that training holds out: `test` only where there is no other."""
        return self.validation or self.test


def _end(refusal: ArchspecError) -> None:
    raise refusal


def folder(root: Path, volume: Volume, recipe: Recipe, refuse: Refuse = _end) -> Data:
    """List the images of a folder. Raises ArchspecError if it cannot be trained on; a wrong class goes to `refuse`."""
    layout = FolderLayout.of(root)
    split, train_root = layout.held_out, layout.train or root
    if (split is None) != (layout.train is None):
        there, missing = (TRAIN, VALIDATION[0]) if split is None else (split.name, TRAIN)
        message = f"`{root}` has a folder `{there}` but no `{missing}`"
        raise _wrong(message, "give both, or only the class folders: then a tenth is held out")
    images, names = part_images(layout, train_root, refuse)
    if split is None:
        chosen, held = _divided(images, recipe.seed)
        how = f"held out (a tenth, by seed {recipe.seed})"
    else:
        chosen, held = images, part_images(layout, split, refuse)[0]
        how = f"held out in `{split.name}`"
    train, held_out = (Photos(*part, volume, recipe) for part in (chosen, held))
    mean, std = usual_statistics(volume.channels)
    text = f"`{root}`: {len(names)} classes, {len(train):,} images to train on, {len(held_out):,} {how}"
    whole = fingerprint(root, train.paths + held_out.paths)
    return Data(train, held_out, names, mean, std, text, fingerprint=whole, held_out_in=split.name if split else "")


def part_images(layout: FolderLayout, part: Path, refuse: Refuse = _end) -> tuple[Listed, tuple[str, ...]]:
    """Return the images of a part, and the names of the classes, which are those of the first part, `train` if given.

    `refuse` is told of a class that the first part lacks, and of one without images.
    """
    first = next(iter(layout.parts), part)
    names = class_names(first)
    if extra := sorted(set(class_names(part, least=0)) - set(names)):
        message = f"the class `{part / extra[0]}` is missing from `{first}`"
        refuse(_wrong(message, "both parts must have the same classes"))
    return listed(part, names, refuse), names


def _divided(images: Listed, seed: int) -> tuple[Listed, Listed]:
    """Split images into those to train on and a tenth to hold out."""
    paths, classes = images
    first, second = (([paths[place] for place in part], classes[part]) for part in stratified(classes, HELD_OUT, seed))
    return first, second


def fingerprint(root: Path, paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the relative names of files in a folder."""
    names = sorted(os.fsencode(path.relative_to(root).as_posix()) for path in paths)
    return hashlib.sha256(b"\0".join(names)).hexdigest()


def class_names(root: Path, least: int = 2) -> tuple[str, ...]:
    """Return the names of the class folders, sorted. Raises ArchspecError for fewer than `least`, and for odd ones."""
    try:
        entries = [entry for entry in root.iterdir() if not entry.name.startswith(".") and entry.is_dir()]
    except OSError as error:
        raise _wrong(f"cannot read `{root}`: {error.strerror or error}", "check its permissions") from None
    names = tuple(sorted(entry.name for entry in entries))
    for name in names:
        if not _is_text(name):
            message = f"the name of the class {name!r} in {str(root)!r} is not UTF-8"
            raise _wrong(message, "rename the folder: it gives the class its name")
    if len(names) < least:
        found = f"only one class, `{names[0]}`" if names else "no folders of images"
        raise _wrong(f"`{root}` has {found}", "expected one folder of images per class, at least two")
    _need_apart(root, names)
    return names


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _need_apart(root: Path, names: Sequence[str]) -> None:
    """Raise ArchspecError where links put an image into two classes."""
    base = root.resolve()
    places = {name: (root / name).resolve() for name in names}
    owners = {place: name for name, place in places.items()}
    for name, place in places.items():
        if base.is_relative_to(place):
            raise _wrong(f"the class `{root / name}` is a link to a folder that contains it", "remove the link")
        other = next((owners[one] for one in (place, *place.parents) if owners.get(one, name) != name), None)
        if other is not None:
            message = f"the classes `{root / other}` and `{root / name}` are the same folder, or one contains the other"
            raise _wrong(message, "remove one of them")


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and below it, except hidden ones; links to folders are not followed."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in files if not name.startswith("."))


def image_files(folder: Path) -> list[Path]:
    """Return the files in a folder and below it that have the suffix of an image, sorted."""
    return sorted(path for path in _files(folder) if path.suffix.lower() in SUFFIXES)


def listed(root: Path, names: Sequence[str], refuse: Refuse = _end) -> Listed:
    """Return the images of classes, and their classes; `refuse` is told of a class without any."""
    paths: list[Path] = []
    classes: list[int] = []
    for number, name in enumerate(names):
        own = image_files(root / name)
        if not own:
            message = f"no image in the folder `{root / name}`"
            refuse(_wrong(message, "remove the folder: an empty class cannot be learned"))
        paths += own
        classes += [number] * len(own)
    if not paths:
        raise _wrong(f"none of the classes in `{root}` has an image", "images have the suffixes of PNG, JPEG, ...")
    return paths, torch.tensor(classes)


def photos_of(data: Data) -> list[Photos]:
    """Return the parts of the data that are files."""
    return [part for part in (data.train, data.held_out) if isinstance(part, Photos)]


def checked(data: Data, known: Headers | None = None) -> Data:
    """Return the data without unreadable images; headers that are `known` already are not read again.

    Raises ArchspecError for too many of them, for a class without an image to train on, and for colour images where the
    network has one channel.
    """
    parts = photos_of(data)
    read = headers(path for part in parts for path in part.paths) if known is None else known
    modes = [[one.mode if (one := read[path]) else "" for path in part.paths] for part in parts]
    seen = [
        (part, path, mode)
        for part, own in zip(parts, modes, strict=True)
        for path, mode in zip(part.paths, own, strict=True)
    ]
    damaged = tuple(str(path) for _, path, mode in seen if not mode)
    if len(damaged) > data.most_damaged:
        raise too_many_damaged(damaged, data)
    for part, path, mode in seen:
        if part.volume.channels == 1 and mode and mode not in GRAYS:
            height, width, _ = part.volume
            message = f"the network takes 1 channel, but `{path}` is in colour"
            raise failure("E457", message, helps=(f"`--input {height}x{width}x3`",))
    train, held_out = (_readable(part, own) for part, own in zip(parts, modes, strict=True))
    data = replace(data, train=train, held_out=held_out, damaged=damaged) if damaged else data
    _need_images(data)
    return data


def _need_images(data: Data) -> None:
    """Raise ArchspecError for a class without images to train on, and where none are held out."""
    learned = set(data.train.classes.tolist())
    missing = [name for number, name in enumerate(data.class_names) if number not in learned]
    if missing:
        message = f"the class `{missing[0]}` has no image to train on"
        notes = (f"{plural(len(missing) - 1, 'more class')} without one",) if len(missing) > 1 else ()
        helps = ("without a `val` folder, each class needs two readable images: at least one is held out",)
        raise failure("E450", message, notes=notes, helps=helps)
    if not len(data.held_out):
        raise _wrong("none of the held-out images can be read", "repair them: each epoch is evaluated on them")


def too_many_damaged(paths: Sequence[str], data: Data) -> ArchspecError:
    """Return the error that ends a run with too many unreadable images."""
    message = f"{len(paths)} images cannot be read; at most {data.most_damaged} may be left out"
    notes = first_few([f"`{path}`" for path in paths])
    return failure("E456", message, notes=notes, helps=("repair them, or remove them from the folder",))


def _readable(part: Photos, modes: Sequence[str]) -> Photos:
    """Return the part without unreadable images."""
    good = [place for place, mode in enumerate(modes) if mode]
    classes = part.classes[torch.tensor(good, dtype=torch.long)]
    return Photos([part.paths[place] for place in good], classes, part.volume, part.recipe)


def _wrong(message: str, hint: str) -> ArchspecError:
    return failure("E450", message, helps=(hint,))
