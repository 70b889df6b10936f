"""`archspec data`: what is in a folder of images, and what is wrong with it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.commands.data_pairs import class_document, class_lines
from archspec.commands.findings import show, status
from archspec.commands.packages import need
from archspec.diagnostics.errors import ArchspecError
from archspec.diagnostics.findings import plural, printable

if TYPE_CHECKING:
    from archspec.compiler.data.hygiene.pair_survey import PairSurvey
    from archspec.compiler.data.hygiene.survey import FolderSurvey

KINDS = ("leaks", "labels", "duplicates", "unreadable", "colours", "tiny", "lonely", "ignored")
NAMES = 14  # columns
EPILOG = """\b
Examples:
  archspec data photos/                          images, classes, and what is wrong
  archspec data photos/ --input 224x224x3        which images are smaller than this input
  archspec data photos/ --decode                 find images that are cut short
  archspec data photos/ --json | jq '.findings[].message'
  archspec data photos/ --list duplicates | tr '\\n' '\\0' | xargs -0 rm

\b
A folder of images has one folder per class, in `train` and `val` (or `validation`, `valid`,
`test`), or directly: then training holds out a tenth. With `train`, `validation` and `test`,
`validation` is held out and `test` is for `archspec eval --split test`. For a network whose
output is a map of classes, it has `images` and `masks` instead, see `archspec train --help`.

\b
--list prints the paths of one kind, one per line:
  leaks       images in `train` that are also in `validation` or `test`
  labels      images that are in two classes
  duplicates  copies in one class and part, but the first
  unreadable  files that are not images; with --decode also those cut short
  colours     images that are not RGB: gray, CMYK, palette, transparent, 16 bit
  tiny        images smaller than --input, or than 32x32 pixels
  lonely      masks without an image
  ignored     masks whose pixels are all ignored

Copies have the same bytes; the same picture in another size or format is not found.

\b
Exit status: 0, also with warnings; 1 if training would refuse the folder; 2 for a usage error.
"""


@click.command("data", epilog=EPILOG)
@click.argument("root", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--input", "size", metavar="HxWxC", help="The network's input.")
@click.option("--decode", is_flag=True, help="Decode every image, instead of reading its header.")
@click.option("--list", "kind", type=click.Choice(KINDS), help="Print only the paths of one kind.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(root: Path, size: str | None, decode: bool, kind: str | None, as_json: bool) -> None:
    """Check a folder of images before training: copies, leaks, labels, unreadable and odd images, uneven classes.

    DIR is as for `archspec train --data`. Nothing is changed. `archspec train` warns of the same before its first step.
    """
    if kind and as_json:
        raise click.UsageError("--list prints paths: leave out --json")
    try:
        need("data")
        found = _survey(root, size, decode, quiet=as_json)
    except ArchspecError as error:
        if as_json:
            diagnostics = [finding.to_dict() for finding in error.diagnostics]
            click.echo(json.dumps({"folder": str(root), "diagnostics": diagnostics}, indent=2))
        show(error.diagnostics)
        sys.exit(status(error.diagnostics))
    if kind:
        paths = (path for one in found.findings if one.kind == kind for path in one.listed)
        for path in dict.fromkeys(paths):
            click.echo(os.fsencode(path))
        return
    if as_json:
        click.echo(json.dumps(_document(found, decode), indent=2))
    else:
        for line in _text(found, decode):
            click.echo(printable(line))
    show([*(one.diagnostic() for one in found.findings), *found.refusals])
    sys.exit(status(found.refusals))


def _survey(root: Path, size: str | None, decode: bool, quiet: bool) -> FolderSurvey | PairSurvey:
    """Survey the folder. Raises UsageError for an input that is not of images."""
    from archspec.api import overrides
    from archspec.compiler.data.hygiene.headers import decoded, header
    from archspec.compiler.data.hygiene.pair_survey import pair_survey
    from archspec.compiler.data.hygiene.survey import survey
    from archspec.compiler.data.maps.pair_folder import is_of_pairs
    from archspec.compiler.data.preprocessing import COLOURS
    from archspec.compiler.progress import Progress

    given = overrides(input=size, classes=None, variant=None, values={}).input
    if given is not None and (len(given) != 3 or given[-1] not in COLOURS):
        raise click.UsageError(f"`--input {size}`: expected an input of images, such as 224x224x3")
    progress = Progress(quiet)
    look = pair_survey if is_of_pairs(root) else survey
    return look(
        root,
        given,
        decoded if decode else header,
        lambda done, of: progress.step(lambda: f"{done:,} of {of:,} files"),
    )


# ---- output
def _text(found: FolderSurvey | PairSurvey, decode: bool) -> list[str]:
    from archspec.compiler.data.hygiene.survey import FolderSurvey

    lines = _class_lines(found) if isinstance(found, FolderSurvey) else class_lines(found, NAMES)
    rows = []
    if found.sides:
        smallest, largest = ("x".join(map(str, size)) for size in (found.sides.smallest, found.sides.largest))
        rows.append(("sizes", f"{smallest} to {largest} pixels; the median short side is {found.sides.median:,}"))
        rows.append(("colours", ", ".join(f"{count:,} {name}" for name, count in found.colours.most_common())))
    rows.append(("checked", "every pixel" if decode else "headers; `--decode` also finds images that are cut short"))
    return [*lines, *(f"{name:{NAMES}}  {fact}" for name, fact in rows)]


def _class_lines(found: FolderSurvey) -> list[str]:
    """Return a line for each part, and the smallest and the largest class."""
    classes = len(found.parts[0].classes)
    rows = [(part.path.name, f"{plural(part.classes.total(), 'image')} {part.use}") for part in found.parts]
    (small, fewest), (large, most) = found.fewest, found.most
    sizes = f"from {plural(fewest, 'image')} (`{small}`) to {most:,} (`{large}`)"
    if fewest == most:
        sizes = f"{plural(most, 'image')} of each"
    rows.append(("classes", f"{sizes} to train on"))
    head = f"`{found.root}`: {plural(found.images, 'image')} of {classes:,} classes"
    return [head, *(f"{name:{NAMES}}  {fact}" for name, fact in rows)]


def _document(found: FolderSurvey | PairSurvey, decode: bool) -> dict[str, Any]:
    from archspec.compiler.data.damaged import LISTED
    from archspec.compiler.data.hygiene.survey import FolderSurvey

    sides = found.sides
    return {
        **(_class_document(found) if isinstance(found, FolderSurvey) else class_document(found)),
        "sizes": sides and {"smallest": sides.smallest, "largest": sides.largest, "median_short_side": sides.median},
        "colours": dict(found.colours.most_common()),
        "decoded": decode,
        "findings": [
            {
                "kind": one.kind,
                "code": one.code,
                "count": one.count,
                "message": printable(one.message),
                "help": printable(one.advice),
                "files": [[str(path) for path in group] for group in one.groups[:LISTED]],
                "omitted": max(0, len(one.groups) - LISTED),
            }
            for one in found.findings
        ],
        "would_train": not found.refusals,
        "diagnostics": [finding.to_dict() for finding in found.refusals],
    }


def _class_document(found: FolderSurvey) -> dict[str, Any]:
    (small, fewest), (large, most) = found.fewest, found.most
    return {
        "folder": str(found.root),
        "images": found.images,
        "parts": [
            {"folder": str(part.path), "use": part.use, "images": part.classes.total(), "classes": dict(part.classes)}
            for part in found.parts
        ],
        "smallest_class": {"name": small, "images": fewest},
        "largest_class": {"name": large, "images": most},
    }
