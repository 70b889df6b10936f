"""Which images of a folder weights are evaluated on: those that no run was trained on, unless others are asked for.

In: a folder as `archspec train` takes it, or of class folders; the weights; the part asked for, if any. Out:
`PhotoExamples`. What a run was trained on is known by the fingerprint in its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from archspec.compiler.data.dataset import Images
from archspec.compiler.data.folder import ANY, TRAIN, FolderLayout, fingerprint, folder, part_images
from archspec.compiler.data.photos import Photos
from archspec.compiler.evaluation.examples import PhotoExamples, Split, by_seeds, in_all, seeds_of
from archspec.compiler.weights.metadata import TrainedOn
from archspec.compiler.weights.trained import Trained
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import Diagnostic, plural
from archspec.recipe import Recipe

Labelled = dict[Path, int]  # the class of each image


def folder_examples(root: Path, trained: Sequence[Trained], split: Split | None) -> PhotoExamples:
    """Return the images of a folder to evaluate on. Raises ArchspecError where there are none."""
    layout = FolderLayout.of(root)
    if split == "all":
        found = [part_images(layout, part) for part in layout.parts or (root,)]
        images, names = _labelled(*(one for one, _ in found)), found[0][1]
        return _described(root, images, names, f"all {_count(images, names)}, including training images")
    if layout.parts:
        return _part(layout, chosen_part(layout, split), trained)
    if split == "test":
        raise no_images(f"`{root}` has no folder `test`", "without `--split`, the images in its class folders are used")
    return _of_class_folders(layout, trained, split)


def chosen_part(layout: FolderLayout, split: Split | None) -> Path:
    """Return the folder of a part, by default of the images held out. Raises ArchspecError for one that is missing."""
    parts = {"train": layout.train, "validation": layout.validation, "test": layout.test}
    found = parts[split] if split else layout.held_out
    if found is None:
        there = " and ".join(f"`--split {name}`" for name, path in parts.items() if path)
        missing = f"no folder `{split}`" if split else "only a folder `train`"
        raise no_images(f"`{layout.root}` has {missing}", f"{there} can be used")
    return found


def _part(layout: FolderLayout, part: Path, trained: Sequence[Trained]) -> PhotoExamples:
    """Return the images of a folder that is a part."""
    found, names = part_images(layout, part)
    use = _use_in_training(layout, part) if _are_of(layout.root, trained) else ""
    images = _labelled(found)
    return _described(layout.root, images, names, f"{_count(images, names)} in `{part.name}`{use}")


def _use_in_training(layout: FolderLayout, part: Path) -> str:
    if part == layout.train:
        return ", used in training"
    return ", held out in training" if part == layout.held_out else ", not used in training"


def _are_of(root: Path, trained: Sequence[Trained]) -> bool:
    """Whether all runs were trained on a folder."""
    try:
        whole = folder(root, ANY, Recipe()).fingerprint
    except ArchspecError:  # it cannot be trained on
        return False
    return all(_fingerprint(one) == whole for one in trained)


def _fingerprint(one: Trained) -> str:
    return one.metadata.data.fingerprint if one.metadata.data else ""


# ---- class folders only
def _of_class_folders(layout: FolderLayout, trained: Sequence[Trained], split: Split | None) -> PhotoExamples:
    """Return the tenths of the runs that were trained on this folder; all images if none was."""
    root = layout.root
    listed, names = part_images(layout, root)
    images, whole = _labelled(listed), fingerprint(root, listed[0])
    own = [one for one in trained if split or one.metadata.data is None or _fingerprint(one) == whole]
    if not own:
        return _whole(root, images, names, trained)
    seeds = seeds_of(own, f"`{root}`")
    data = [folder(root, ANY, Recipe(seed=seed)) for seed in seeds]
    parts = [_files(one.train if split == "train" else one.held_out) for one in data]
    kept = {path: images[path] for path in in_all(parts, f"`{root}`")}
    which = f"{len(kept):,} of {_count(images, names)}, {_why(own, seeds, whole, split)}"
    return replace(_described(root, kept, names, which), findings=changed_files(root, trained, whole))


def _files(images: Images) -> list[Path]:
    assert isinstance(images, Photos)
    return sorted(images.paths)


def _why(own: Sequence[Trained], seeds: Sequence[int], whole: str, split: Split | None) -> str:
    """Return why these images were chosen."""
    if all(_fingerprint(one) == whole for one in own):
        use = "used" if split == "train" else "held out"
        return f"{use} in training (a tenth is held out, {by_seeds(seeds)})"
    unknown = next((f" (`{one.path}` does not say on which files)" for one in own if one.metadata.data is None), "")
    part = "all but a tenth" if split == "train" else "a tenth"
    return f"{part} {by_seeds(seeds)}, as in training{unknown}"


def _whole(root: Path, images: Labelled, names: tuple[str, ...], trained: Sequence[Trained]) -> PhotoExamples:
    """Return all images of a folder that no run was trained on as it is; it may be a part of a run's folder."""
    place, count = root.resolve(), f"all {_count(images, names)}"
    above = FolderLayout.of(place.parent)
    if place in above.parts and _are_of(above.root, trained):
        return _described(root, images, names, count + _use_in_training(above, place))
    runs = "the run was" if len(trained) == 1 else "the runs were"
    found = _described(root, images, names, f"{count} ({runs} trained on other files)")
    return replace(found, findings=changed_files(root, trained, ""))


def changed_files(root: Path, trained: Sequence[Trained], whole: str) -> tuple[Diagnostic, ...]:
    """Warn of weights that held out a tenth of a folder of other files, of which this may be a changed copy."""
    notes = (f"if `{root}` is a changed copy of that folder, it contains training images",)
    helps = (f"train on a folder with `{TRAIN}` and `val`: it keeps held-out images apart",)
    return tuple(
        Diagnostic("W432", f"the files in `{root}` differ from those that `{path}` was trained on", (), notes, helps)
        for path, data in ((one.path, one.metadata.data) for one in trained)
        if data and _is_tenth(data) and data.fingerprint != whole
    )


def _is_tenth(data: TrainedOn) -> bool:
    """Whether a run held out a part of its own choice, or its file does not say."""
    return data.source == "folder" and bool(data.fingerprint) and not data.held_out_in


# ---- images
def _labelled(*parts: tuple[list[Path], Tensor]) -> Labelled:
    found = {path: one for paths, classes in parts for path, one in zip(paths, classes.tolist(), strict=True)}
    return dict(sorted(found.items()))


def _count(images: Labelled, names: Sequence[str]) -> str:
    return f"{plural(len(images), 'image')} of {len(names):,} classes"


def _described(root: Path, images: Labelled, names: tuple[str, ...], which: str) -> PhotoExamples:
    return PhotoExamples(tuple(images), tuple(images.values()), names, f"`{root}`", f"`{root}`: {which}")


def no_images(message: str, hint: str) -> ArchspecError:
    """Return the error for a folder without images to evaluate on."""
    return failure("E462", message, helps=(hint,))
