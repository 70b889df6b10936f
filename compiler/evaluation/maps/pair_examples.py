"""Which images and masks of a folder weights are evaluated on: those that the run was not trained on, unless others are
asked for.

In: a folder of pairs as `archspec train` takes it, or one of its parts; the weights; the part asked for, if any. Out:
`PairExamples`. What the run was trained on is known by the fingerprint in its weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from archspec.compiler.data.folder import FolderLayout, fingerprint
from archspec.compiler.data.maps.pair_data import divided
from archspec.compiler.data.maps.pair_folder import NAMES, PairFolder, PairPart, class_names_of, pair_folder, pair_part
from archspec.compiler.evaluation.examples import Split, seeds_of
from archspec.compiler.evaluation.folder_examples import changed_files, chosen_part, no_images
from archspec.compiler.weights.trained import Trained
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import Diagnostic, plural


@dataclass(frozen=True)
class PairExamples:
    """Pairs to evaluate on, as a folder of one part, and which they are."""

    folder: PairFolder
    description: str
    findings: tuple[Diagnostic, ...] = ()


def pair_examples(root: Path, trained: Trained, split: Split | None) -> PairExamples:
    """Return the pairs of a folder to evaluate on. Raises ArchspecError where there are none, or of other classes."""
    layout = FolderLayout.of(root)
    names = class_names_of(root)
    if names and names != trained.class_names:
        message = f"`{root / NAMES}` and `{trained.path}` have different classes"
        helps = ("the values of masks are numbers: the names must be those of the weights, in their order",)
        raise failure("E460", message, helps=helps)
    if not layout.parts:
        return _undivided(root, trained, split)
    if split == "all":
        parts = [pair_part(part) for part in layout.parts]
        images, masks = (tuple(path for part in parts for path in getattr(part, kind)) for kind in ("images", "masks"))
        whole = PairPart(root, images, masks)
        return _examples(root, whole, names, f"all {_count(whole)}, including training images")
    chosen = chosen_part(layout, split)
    part, use = pair_part(chosen), ""
    if _is_of(root, trained):
        used = {layout.train: ", used in training", layout.held_out: ", held out in training"}
        use = used.get(chosen, ", not used in training")
    return _examples(root, part, names, f"{_count(part)} in `{chosen.name}`{use}")


def _undivided(root: Path, trained: Trained, split: Split | None) -> PairExamples:
    """Return the tenth that a run on this folder held out; all pairs of any other."""
    if split == "test":
        raise no_images(f"`{root}` has no folder `test`", "without `--split`, the pairs in it are used")
    folder = pair_folder(root)
    (part,) = folder.parts
    if split == "all":
        return _examples(root, part, folder.class_names, f"all {_count(part)}, including training images")
    if not _is_of(root, trained) and split is None:
        found = _examples(root, part, folder.class_names, f"all {_count(part)} (the run was trained on other files)")
        return replace(found, findings=changed_files(root, [trained], ""))
    (seed,) = seeds_of([trained], f"`{root}`")
    chosen, held = divided(folder, seed)
    pairs, use = (chosen, "used") if split == "train" else (held, "held out")
    kept = PairPart(root, tuple(image for image, _ in pairs), tuple(mask for _, mask in pairs))
    which = f"{len(pairs):,} of {_count(part)}, {use} in training (a tenth is held out, by seed {seed})"
    return _examples(root, kept, folder.class_names, which)


def _is_of(root: Path, trained: Trained) -> bool:
    """Whether the run was trained on a folder."""
    try:
        folder = pair_folder(root)
    except ArchspecError:  # it cannot be trained on
        return False
    data = trained.metadata.data
    return data is not None and data.fingerprint == fingerprint(root, (*folder.images, *folder.masks))


def _examples(root: Path, part: PairPart, names: tuple[str, ...], which: str) -> PairExamples:
    return PairExamples(PairFolder(root, (part,), names), f"`{root}`: {which}")


def _count(part: PairPart) -> str:
    return f"{plural(len(part.images), 'image')} with masks"
