"""A folder of images and masks: `images` and `masks` in it, or in its parts `train` and `val`.

In: the folder. Out: the pairs of each part, by the names of their files, and the names of the classes. Nothing is
decoded here; `pair_data` looks into the files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archspec.compiler.data.damaged import first_few
from archspec.compiler.data.folder import TRAIN, VALIDATION, FolderLayout, image_files
from archspec.compiler.data.maps.masks import IGNORED
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import plural
from archspec.regular_file import is_file, is_folder, read_regular

IMAGES, MASKS, NAMES = "images", "masks", "classes.txt"
LONGEST = 2**20  # bytes of the names of classes
EXPECTED = "expected `images` and `masks`, whose files have the same names: images/a.jpg and masks/a.png"


@dataclass(frozen=True)
class PairPart:
    """The pairs of a folder, in the order of their names, and the masks without an image."""

    root: Path
    images: tuple[Path, ...]
    masks: tuple[Path, ...]
    lonely: tuple[Path, ...] = ()


@dataclass(frozen=True)
class PairFolder:
    """A folder of pairs: its parts, the one to train on first, and the names of classes that `classes.txt` gives.

    A folder that is not divided has one part. A further part `test` is for evaluation only.
    """

    root: Path
    parts: tuple[PairPart, ...]
    class_names: tuple[str, ...]
    held_out_in: str = ""
    test: Path | None = None
    unused: tuple[Path, ...] = ()

    @property
    def images(self) -> tuple[Path, ...]:
        """All images."""
        return tuple(path for part in self.parts for path in part.images)

    @property
    def masks(self) -> tuple[Path, ...]:
        """All masks of images."""
        return tuple(path for part in self.parts for path in part.masks)


def is_of_pairs(root: Path) -> bool:
    """Whether a folder is laid out as pairs."""
    return any(is_folder(part / IMAGES) and is_folder(part / MASKS) for part in (root, root / TRAIN))


def pair_folder(root: Path) -> PairFolder:
    """List a folder of pairs. Raises ArchspecError for one that is not laid out so."""
    layout = FolderLayout.of(root)
    names = class_names_of(root)
    if layout.train is None and layout.held_out is None:
        return PairFolder(root, (pair_part(root),), names)
    if layout.train is None or layout.held_out is None:
        there, missing = (TRAIN, VALIDATION[0]) if layout.train else ((layout.held_out or root).name, TRAIN)
        raise wrong_pairs(
            f"`{root}` has a folder `{there}` but no `{missing}`",
            "give both, or only `images` and `masks`: then a tenth is held out",
        )
    parts = pair_part(layout.train), pair_part(layout.held_out)
    test = layout.test if layout.test != layout.held_out else None
    return PairFolder(root, parts, names, layout.held_out.name, test, layout.unused)


def pair_part(root: Path) -> PairPart:
    """List the pairs of a folder. Raises ArchspecError for an image without a mask."""
    for name in (IMAGES, MASKS):
        if not is_folder(root / name):
            raise wrong_pairs(f"`{root}` has no folder `{name}`", EXPECTED)
    images, masks = (_by_stem(root / name) for name in (IMAGES, MASKS))
    if not images:
        raise wrong_pairs(f"no image in the folder `{root / IMAGES}`", EXPECTED)
    if missing := [f"`{path}`" for stem, path in images.items() if stem not in masks]:
        message = f"{plural(len(missing), 'image')} in `{root / IMAGES}` {_have(missing)} no mask"
        raise wrong_pairs(message, f"add the masks to `{root / MASKS}`, or remove the images", first_few(missing))
    stems = sorted(images)
    lonely = tuple(path for stem, path in masks.items() if stem not in images)
    return PairPart(root, tuple(images[one] for one in stems), tuple(masks[one] for one in stems), lonely)


def class_names_of(root: Path) -> tuple[str, ...]:
    """Return the lines of `classes.txt`, or nothing without it. Raises ArchspecError for names that cannot be used."""
    path = root / NAMES
    if not is_file(path):
        return ()
    try:
        text = read_regular(path, LONGEST).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise wrong_pairs(f"cannot read `{path}`: {error}", "expected one name a line, in UTF-8") from None
    names = tuple(line.strip() for line in text.rstrip().splitlines())
    if "" in names:
        raise wrong_pairs(
            f"line {names.index('') + 1} of `{path}` is empty", "give each class a name: a line is a value"
        )
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise wrong_pairs(f"`{path}` has the class `{twice}` twice", "give each class its own name")
    if not 2 <= len(names) <= IGNORED:
        message = f"`{path}` names {plural(len(names), 'class')}; expected 2 to {IGNORED}"
        raise wrong_pairs(message, "one name a line: the first is that of value 0, usually the background")
    return names


def wrong_pairs(message: str, hint: str, notes: Sequence[str] = ()) -> ArchspecError:
    """Return the error for a folder of pairs that cannot be trained on."""
    return failure("E450", message, notes=tuple(notes), helps=(hint,))


def _by_stem(root: Path) -> dict[str, Path]:
    """Return the image files below a folder by their relative names without suffixes. Raises ArchspecError for two of
    one name."""
    found: dict[str, Path] = {}
    for path in image_files(root):
        stem = path.relative_to(root).with_suffix("").as_posix()
        if stem in found:
            message = f"`{found[stem]}` and `{path}` have the same name"
            raise wrong_pairs(message, "rename one of them: an image and its mask are matched by name")
        found[stem] = path
    return found


def _have(counted: Sequence[str]) -> str:
    return "has" if len(counted) == 1 else "have"
