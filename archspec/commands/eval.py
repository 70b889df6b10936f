"""`archspec eval`: how often trained networks, alone or together, are right."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.commands.findings import show, status
from archspec.commands.packages import need
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import Diagnostic, plural

if TYPE_CHECKING:
    from archspec.compiler.evaluation.ensemble_member import Member
    from archspec.compiler.evaluation.evaluate import Judged
    from archspec.compiler.evaluation.examples import Examples
    from archspec.compiler.weights.trained import Trained

VIEWS = ("flip", "10-crop", "scales")
AT_LEAST = 10  # damaged images that are left out of however few
EPILOG = """\b
Examples:
  archspec eval runs/lenet5-1                            the digits that it held out
  archspec eval runs/resnet18-1 --data photos/           the images that it held out
  archspec eval runs/a runs/b runs/c --data photos/      an ensemble: the mean of three networks
  archspec eval runs/resnet18-1 --data photos/ --tta 10-crop --tta scales
  archspec eval runs/resnet18-1 --data photos/ --plot confusion.svg
  archspec eval runs/resnet18-1 --data photos/ --json | jq .top1

\b
Of a folder with `train` and `val` it takes `val`, of another the tenth that training holds out;
--all takes every image. Classes go by name. Without --data it takes the bundled digits.

\b
--tta averages over views of each image:
  flip      the image and its mirror image
  10-crop   corners and centre of an image of 8/7 the input, and mirrored (Krizhevsky 2012)
  scales    five scales of the input, x1, 8/7, 12/7, 15/7 and 20/7 (He 2015)

\b
Exit status: 0, or 1 where weights or data are wrong, or 2 where the command line is.
"""


def _number_or_share(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> tuple[float, bool] | None:
    """`12` or `5%` as a number, and whether it is a share."""
    if text is None:
        return None
    is_share = text.strip().endswith("%")
    try:
        number = float(text.strip()[:-1]) / 100 if is_share else int(text)
    except ValueError:
        number = math.nan
    if math.isnan(number) or number < 0 or number > (1 if is_share else 2**31):
        raise click.BadParameter(f"`{text}` is no number of images, as 12, and no share of them, as 5%")
    return number, is_share


@dataclass(frozen=True)
class Settings:
    """What the flags say."""

    data: Path | None
    tta: tuple[str, ...]
    everything: bool
    max_damaged: tuple[float, bool] | None
    device: str
    batch: int
    workers: int
    quiet: bool


@click.command("eval", epilog=EPILOG)
@click.argument("weights", nargs=-1, required=True, metavar="WEIGHTS...", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="A folder of images.")
@click.option("--tta", multiple=True, type=click.Choice(VIEWS), help="Average over views; may be given again.")
@click.option("--all", "everything", is_flag=True, help="Take every image, those that were trained on too.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE.svg", help="Draw the confusion matrix.")
@click.option("--max-damaged", callback=_number_or_share, metavar="N|N%", help="Images left out; 1 %, at least 10.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True, help="Images or views at once.")
@click.option("--workers", type=click.IntRange(0, 256), help="Processes that decode images; 2 with --data.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, the whole matrix in it.")
def command(
    weights: tuple[Path, ...],
    data: Path | None,
    tta: tuple[str, ...],
    everything: bool,
    plot: Path | None,
    max_damaged: tuple[float, bool] | None,
    device: str,
    batch: int,
    workers: int | None,
    as_json: bool,
) -> None:
    """Judge trained WEIGHTS by images: top-1, top-5, every class, and what is taken for what.

    WEIGHTS are files that `archspec train` wrote, or folders of its runs. Several are an ensemble, of one spec or of
    different ones: the mean of their probabilities counts. Each knows its own spec and preprocessing.
    """
    workers = workers if workers is not None else 2 if data else 0
    settings = Settings(data, tta, everything, max_damaged, device, batch, workers, as_json)
    try:
        need("torch", "numpy", "safetensors", "PIL", *(() if data else ("sklearn",)))
        members, examples, judged = _judge(weights, settings, plot)
    except ArchspecError as error:
        if as_json:
            found = [finding.to_dict() for finding in error.diagnostics]
            click.echo(json.dumps({"weights": list(map(str, weights)), "diagnostics": found}, indent=2))
        show(error.diagnostics)
        sys.exit(status(error.diagnostics))
    if as_json:
        click.echo(json.dumps(_document(members, examples, judged, tta), indent=2))
    else:
        for line in _text(members, examples, judged, tta):
            click.echo(line)
    show(_findings(examples, judged))


def _judge(weights: tuple[Path, ...], settings: Settings, plot: Path | None) -> tuple[list[Member], Examples, Judged]:
    """Evaluate, and draw. The weights are read, and matched with the data, before any image is."""
    from archspec.compiler.device import chosen
    from archspec.compiler.evaluation.ensemble_member import member, need_same
    from archspec.compiler.evaluation.evaluate import Work, evaluate
    from archspec.compiler.progress import Progress
    from archspec.compiler.weights.destination import need_place
    from archspec.compiler.weights.trained import open_trained

    if plot is not None:
        need_place(plot, "--plot", "confusion.svg")
    device = chosen(settings.device)
    trained = [open_trained(path) for path in weights]
    for other in trained[1:]:
        need_same(trained[0].class_names, f"`{trained[0].path}`", other.class_names, f"`{other.path}`")
    examples = _examples(trained, settings)
    names = examples.class_names
    need_same(trained[0].class_names, f"`{trained[0].path}`", names, examples.source)
    members = [member(one, names, settings.tta, device, settings.batch) for one in trained]
    limit = _limit(settings.max_damaged, len(examples.classes))
    work = Work(device, settings.batch, settings.workers, limit)
    judged = evaluate(members, examples, work, Progress(settings.quiet))
    if plot is not None:
        _draw(plot, _titles(members), judged)
    return members, examples, judged


def _examples(trained: list[Trained], settings: Settings) -> Examples:
    from archspec.compiler.evaluation.examples import digit_examples, folder_examples, is_of_digits

    if settings.data is not None:
        return folder_examples(settings.data, trained, settings.everything)
    other = next((one for one in trained if not is_of_digits(one)), None)
    if other is not None:
        message = f"`{other.path}` was not trained on the bundled digits"
        helps = ("`--data DIR` names a folder with one folder of images a class",)
        raise failure("E462", message, helps=helps)
    return digit_examples(trained, settings.everything)


def _limit(given: tuple[float, bool] | None, images: int) -> int:
    """How many images may be damaged."""
    if given is None:
        return max(AT_LEAST, images // 100)
    number, is_share = given
    return int(number * images) if is_share else int(number)


def _draw(path: Path, titles: list[str], judged: Judged) -> None:
    from archspec.compiler.pages.picture import confusion_picture
    from archspec.compiler.weights.files import replace_file

    title = titles[0] if len(titles) == 1 else f"{len(titles)} networks together"
    replace_file(path, confusion_picture(title, judged.together).encode())


def _findings(examples: Examples, judged: Judged) -> list[Diagnostic]:
    from archspec.compiler.evaluation.evaluate import named

    found = list(examples.findings)
    if judged.damaged:
        message = f"{plural(len(judged.damaged), 'image')} could not be read, and nothing above counts them"
        found.append(Diagnostic("W431", message, notes=named(judged.damaged)))
    return found


# ---- output
def _titles(members: list[Member]) -> list[str]:
    return [one.trained.network.title for one in members]


def _text(members: list[Member], examples: Examples, judged: Judged, tta: tuple[str, ...]) -> list[str]:
    from archspec.compiler.evaluation.confusion_tables import class_table, matrix_table, share, totals

    lines = []
    for one, alone in zip(members, judged.alone, strict=True):
        trained = one.trained
        about = f"{trained.network.title} {trained.network.input}, {trained.path}"
        lines.append(f"{about}: alone {share(alone.right, alone.images)}" if len(members) > 1 else about)
    views = sorted({len(one.views) for one in members})
    lines.append(examples.description)
    if tta:
        each = " or ".join(map(str, views))
        lines.append(f"the mean over {each} views of each image ({', '.join(dict.fromkeys(tta))})")
    found = judged.together
    return [*lines, "", *totals(found), "", *class_table(found), "", *matrix_table(found)]


def _document(members: list[Member], examples: Examples, judged: Judged, tta: tuple[str, ...]) -> dict[str, Any]:
    models = [
        {
            "network": one.trained.network.title,
            "weights": str(one.trained.path),
            "views": len(one.views),
            "top1": alone.top1,
            "right": alone.right,
        }
        for one, alone in zip(members, judged.alone, strict=True)
    ]
    damaged = [{"message": one.message, "notes": list(one.notes)} for one in judged.damaged]
    return {
        "models": models,
        "data": examples.description,
        "tta": list(dict.fromkeys(tta)),
        **judged.together.to_dict(),
        "damaged": damaged,
        "diagnostics": [finding.to_dict() for finding in _findings(examples, judged)],
    }
