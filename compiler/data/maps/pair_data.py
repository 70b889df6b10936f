"""The pairs of a folder as data to train on: their files are read once, and wrong ones are refused or left out.

In: a listed folder, the volumes of a network, the recipe. Out: `PairFiles`, what the files say, and `Data`. The number
of classes is that of `classes.txt`, or else one more than the largest value of a mask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from archspec.compiler.data.damaged import first_few
from archspec.compiler.data.dataset import Data, stratified
from archspec.compiler.data.decode import GRAYS
from archspec.compiler.data.folder import HELD_OUT, fingerprint, too_many_damaged
from archspec.compiler.data.hygiene.headers import Header, Headers, header, headers, upright_header
from archspec.compiler.data.maps.masks import IGNORED, MaskFile, mask_file
from archspec.compiler.data.maps.pair_folder import MASKS, NAMES, PairFolder, wrong_pairs
from archspec.compiler.data.maps.pairs import MapVolumes, Pairs
from archspec.compiler.data.preprocessing import usual_statistics
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import plural
from archspec.graph.volume import Volume
from archspec.recipe import Recipe


@dataclass(frozen=True)
class PairFiles:
    """What the files of a folder of pairs say, by their paths; None for one that cannot be read."""

    folder: PairFolder
    headers: Headers
    masks: Mapping[Path, MaskFile | None]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes: those given, or their numbers."""
        if self.folder.class_names:
            return self.folder.class_names
        largest = max((one.largest for one in self.masks.values() if one), default=-1)
        return tuple(map(str, range(largest + 1)))

    def pixels(self, masks: Sequence[Path]) -> tuple[int, ...]:
        """Return how many pixels of some masks are of each class."""
        counts = torch.zeros(IGNORED + 1, dtype=torch.long)
        for path in masks:
            if (one := self.masks[path]) and one.pixels:
                counts += torch.tensor(one.pixels)
        return tuple(counts[: len(self.class_names)].tolist())

    def is_readable(self, image: Path, mask: Path) -> bool:
        """Whether both files of a pair can be read."""
        return self.headers[image] is not None and self.masks[mask] is not None


def pair_files(
    folder: PairFolder, read: Callable[[Path], Header | None] = header, seen: Callable[[], None] = lambda: None
) -> PairFiles:
    """Read the headers of images by `read`, and all masks; `seen` is called after each file."""
    found = headers(folder.images, partial(upright_header, read=read), seen)
    masks: dict[Path, MaskFile | None] = {}
    with ThreadPoolExecutor() as pool:
        for path, one in zip(folder.masks, pool.map(mask_file, folder.masks), strict=True):
            masks[path] = one
            seen()
    return PairFiles(folder, found, masks)


def pair_data(files: PairFiles, volumes: MapVolumes, recipe: Recipe) -> Data:
    """Return the pairs to train on and to hold out. Raises ArchspecError for files that cannot be trained on."""
    return checked_pairs(files, listed_pairs(files, volumes, recipe))


def listed_pairs(files: PairFiles, volumes: MapVolumes, recipe: Recipe) -> Data:
    """Return the pairs to train on and to hold out that can be read."""
    listed = divided(files.folder, recipe.seed)
    readable = tuple([pair for pair in part if files.is_readable(*pair)] for part in listed)
    damaged = tuple(
        str(mask if files.headers[image] else image)
        for part in listed
        for image, mask in part
        if not files.is_readable(image, mask)
    )
    train, held_out = (Pairs([one for one, _ in part], [one for _, one in part], volumes, recipe) for part in readable)
    return _described(files, train, held_out, damaged, recipe.seed)


def checked_pairs(files: PairFiles, data: Data) -> Data:
    """Return the data. Raises ArchspecError for files that cannot be trained on."""
    if len(data.damaged) > data.most_damaged:
        raise too_many_damaged(data.damaged, data)
    parts = [part for part in (data.train, data.held_out) if isinstance(part, Pairs)]
    for part, use in zip(parts, ("to train on", "to hold out"), strict=True):
        if not len(part):
            raise wrong_pairs(f"`{files.folder.root}` has no readable pair {use}", "repair the files, or add some")
    listed = [pair for part in parts for pair in zip(part.paths, part.masks, strict=True)]
    need_pairs(files, listed, parts[0].volumes.input)
    return data


def _described(files: PairFiles, train: Pairs, held_out: Pairs, damaged: tuple[str, ...], seed: int) -> Data:
    folder, names = files.folder, files.class_names
    how = f"held out in `{folder.held_out_in}`" if folder.held_out_in else f"held out (a tenth, by seed {seed})"
    source = f"named in `{NAMES}`" if folder.class_names else "the largest value of a mask plus 1"
    text = f"{len(names)} classes ({source}), {len(train):,} images with masks to train on, {len(held_out):,} {how}"
    return Data(
        train,
        held_out,
        names,
        *usual_statistics(train.volumes.input.channels),
        f"`{folder.root}`: {text}",
        damaged=damaged,
        fingerprint=fingerprint(folder.root, (*folder.images, *folder.masks)),
        held_out_in=folder.held_out_in,
        pixels=files.pixels(train.masks),
    )


Listed = list[tuple[Path, Path]]  # images with their masks


def divided(folder: PairFolder, seed: int) -> tuple[Listed, Listed]:
    """Return the pairs to train on and to hold out: a tenth, if there is one part."""
    listed = [list(zip(part.images, part.masks, strict=True)) for part in folder.parts]
    if len(listed) > 1:
        return listed[0], listed[1]
    (own,) = listed
    if len(own) < 2:
        raise wrong_pairs(f"`{folder.root}` has only one image", "a tenth is held out: give at least two")
    train, held = stratified(torch.zeros(len(own), dtype=torch.long), HELD_OUT, seed)
    return [own[place] for place in sorted(train.tolist())], [own[place] for place in sorted(held.tolist())]


# ---- what is refused
def need_pairs(files: PairFiles, pairs: Listed, taken: Volume) -> None:
    """Raise ArchspecError for a mask that is not one or not of its image's size, and for values without a class."""
    for found in (wrong_masks(files, pairs), wrong_sizes(files, pairs), wrong_values(files, pairs)):
        if found is not None:
            raise found
    for image, _ in pairs:
        header = files.headers[image]
        if taken.channels == 1 and header and header.mode not in GRAYS:
            message = f"the network takes 1 channel, but `{image}` is in colour"
            raise failure("E457", message, helps=(f"`--input {taken[0]}x{taken[1]}x3`",))
    _need_classes(files, [mask for _, mask in pairs])


def wrong_masks(files: PairFiles, pairs: Listed) -> ArchspecError | None:
    """Return the error for images that are not masks."""
    wrong = [f"`{mask}`: {one.wrong}" for _, mask in pairs if (one := files.masks[mask]) and one.wrong]
    if not wrong:
        return None
    message = f"{plural(len(wrong), 'file')} in `{MASKS}` {_be(wrong)} not {'a mask' if len(wrong) == 1 else 'masks'}"
    return wrong_pairs(
        message, "a mask is a PNG of one channel, or with a palette: one value a class", first_few(wrong)
    )


def wrong_sizes(files: PairFiles, pairs: Listed) -> ArchspecError | None:
    """Return the error for masks of another size than their images."""
    wrong = []
    for image, mask in pairs:
        header, one = files.headers[image], files.masks[mask]
        if header and one and not one.wrong and header.size != one.size:
            sizes = ("x".join(map(str, size)) for size in (header.size, one.size))
            wrong.append(f"`{image}` is {next(sizes)} pixels, `{mask}` is {next(sizes)}")
    if not wrong:
        return None
    verb = "differs in size from its image" if len(wrong) == 1 else "differ in size from their images"
    return wrong_pairs(f"{plural(len(wrong), 'mask')} {verb}", "a mask has a value for each pixel", first_few(wrong))


def wrong_values(files: PairFiles, pairs: Listed) -> ArchspecError | None:
    """Return the error for values beyond the classes that `classes.txt` names."""
    count = len(files.class_names)
    wrong = [
        f"`{mask}` has the value {one.largest}"
        for _, mask in pairs
        if (one := files.masks[mask]) and one.largest >= count
    ]
    if not wrong:
        return None
    message = f"{plural(len(wrong), 'mask')} {_have(wrong)} values beyond the {count} classes in `{NAMES}`"
    return wrong_pairs(
        message,
        f"values are 0 to {count - 1}, and {IGNORED} for pixels to ignore; or name the others too",
        first_few(wrong),
    )


def _need_classes(files: PairFiles, masks: Sequence[Path]) -> None:
    """Raise ArchspecError for fewer than two classes."""
    names = files.class_names
    if len(names) >= 2:
        return
    are_ignored = any(one.pixels[IGNORED] for path in masks if (one := files.masks[path]) and one.pixels)
    if are_ignored:
        hint = f"{IGNORED} means `ignored`: divide the values by {IGNORED}, so that the object has the value 1"
        raise wrong_pairs(f"the masks have no values but 0 and {IGNORED}, which is ignored", hint)
    raise wrong_pairs("all pixels of the masks are of one class, 0", "there is nothing to learn: check the masks")


def _be(counted: Sequence[str]) -> str:
    return "is" if len(counted) == 1 else "are"


def _have(counted: Sequence[str]) -> str:
    return "has" if len(counted) == 1 else "have"
