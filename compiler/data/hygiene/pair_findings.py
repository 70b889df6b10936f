"""What is found in a folder of images and masks that can be trained on: copies, odd images, missing classes.

In: what its files say. Out: a `FolderFinding` for each thing to know. What cannot be trained on is an error of
`maps/pair_data`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from archspec.compiler.data.dataset import Data
from archspec.compiler.data.hygiene.findings import (
    FolderFinding,
    ImagePart,
    ImageSet,
    be,
    colours,
    it,
    leaks,
    tiny,
    unreadable,
    unused,
)
from archspec.compiler.data.maps.masks import IGNORED
from archspec.compiler.data.maps.pair_data import PairFiles
from archspec.compiler.data.maps.pairs import Pairs
from archspec.diagnostics.findings import named, plural
from archspec.graph.volume import Volume

MOST_NAMED = 10


def pair_findings(files: PairFiles, data: Data, size: Volume | None = None) -> tuple[FolderFinding, ...]:
    """Return what is worth knowing before training, the worst first; `size` is the network's input."""
    assert isinstance(data.train, Pairs)
    assert isinstance(data.held_out, Pairs)
    parts = {"the training part": data.train, "the held-out part": data.held_out}
    if data.held_out_in:
        parts = {"`train`": data.train, f"`{data.held_out_in}`": data.held_out}
    shown = tuple(ImagePart(name, dict.fromkeys(part.paths, "")) for name, part in parts.items())
    images = ImageSet(files.folder.root, shown, files.headers, size, bool(data.held_out_in), files.folder.unused)
    own = [one for kind in (leaks, unreadable, colours, tiny, unused) for one in kind(images)]
    return (*own, *_unreadable_masks(files), *_lonely(files), *_absent(files, parts), *_ignored(files, parts))


def _unreadable_masks(files: PairFiles) -> Iterator[FolderFinding]:
    paths = tuple(path for path, one in files.masks.items() if one is None)
    if paths:
        message = f"{plural(len(paths), 'mask')} cannot be read: training leaves {it(paths)} out"
        advice = f"repair or remove {it(paths)}, with {'its image' if len(paths) == 1 else 'their images'}"
        yield FolderFinding.of_files("unreadable", "W431", paths, message, advice)


def _lonely(files: PairFiles) -> Iterator[FolderFinding]:
    paths = tuple(path for part in files.folder.parts for path in part.lonely)
    if paths:
        message = f"{plural(len(paths), 'mask')} {be(paths)} without an image: training does not read {it(paths)}"
        advice = f"add the images, or remove {it(paths)}"
        yield FolderFinding.of_files("lonely", "W442", paths, message, advice)


def _absent(files: PairFiles, parts: Mapping[str, Pairs]) -> Iterator[FolderFinding]:
    for name, part in parts.items():
        counts = zip(files.class_names, files.pixels(part.masks), strict=True)
        absent = [one for one, pixels in counts if not pixels]
        if absent:
            is_one = len(absent) == 1
            message = f"no pixel in {name} is of {'the class' if is_one else 'the classes'} {named(absent, MOST_NAMED)}"
            learned = "it cannot be learned" if is_one else "they cannot be learned"
            scored = "it has no IoU there unless it is predicted, which counts as 0"
            advice = f"add masks with {it(absent)}: {learned if part is parts[next(iter(parts))] else scored}"
            yield FolderFinding("absent", "W441", len(absent), message, advice)


def _ignored(files: PairFiles, parts: Mapping[str, Pairs]) -> Iterator[FolderFinding]:
    paths: list[Path] = []
    for part in parts.values():
        for path in part.masks:
            one = files.masks[path]
            if one and one.pixels and one.pixels[IGNORED] == sum(one.pixels):
                paths.append(path)
    if paths:
        message = f"{plural(len(paths), 'mask')} {be(paths)} ignored altogether: all pixels have the value {IGNORED}"
        advice = f"remove {it(paths)}: nothing is learned from {it(paths)}"
        yield FolderFinding.of_files("ignored", "W442", paths, message, advice)
