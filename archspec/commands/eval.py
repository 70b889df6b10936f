"""`archspec eval`: the accuracy of trained networks, alone or as an ensemble."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.commands.eval_flags import EvalFlags
from archspec.commands.eval_maps import EvaluatedMap, evaluated_map
from archspec.commands.eval_output import EvaluatedEnsemble, titles_of
from archspec.commands.findings import show, status
from archspec.commands.max_damaged import most_damaged_of, number_or_share
from archspec.commands.packages import DIGITS, need
from archspec.commands.train_flags import CENTRE
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import printable
from archspec.library import need_kind

if TYPE_CHECKING:
    import torch

    from archspec.compiler.evaluation.evaluate import EnsembleEvaluation
    from archspec.compiler.evaluation.examples import Examples, Split
    from archspec.compiler.weights.trained import Trained

SPLITS = ("train", "validation", "test")
VIEWS = ("flip", "10-crop", "scales")
EPILOG = """\b
Examples:
  archspec eval runs/lenet5-1                            on the digits that it held out
  archspec eval runs/resnet18-1 --data photos/           on the images that it held out
  archspec eval runs/resnet18-1 --data photos/ --split test
  archspec eval runs/a runs/b runs/c --data photos/      an ensemble of three networks
  archspec eval runs/resnet18-1 --data photos/ --tta 10-crop --tta scales
  archspec eval runs/resnet18-1 --data photos/ --eval-crop 0.875
  archspec eval runs/resnet18-1 --data photos/ --plot confusion.svg
  archspec eval runs/resnet18-1 --data photos/ --json | jq .top1
  archspec eval runs/unet-1 --data shapes/               IoU of classes, on images with masks

\b
Which images: in a folder with `train` and `val` (or `validation`), `val`; in one with class
folders only, all images, or if the weights were trained on this folder, the tenth that was held
out. --split chooses another part, --all every image. The first line says which images were used.
Classes are matched by name. Without --data: the bundled digits. Weights whose output is a map
of classes are evaluated on a folder of images and masks, as for `archspec train`.

\b
--tta averages over views of each image:
  flip      the image and its horizontal flip
  10-crop   corners and centre of an image of 8/7 the input, and their flips (Krizhevsky 2012)
  scales    1, 8/7, 12/7, 15/7 and 20/7 times the input (He 2015), as far as training showed them

\b
Exit status: 0; 1 for invalid weights or data; 2 for a usage error.
"""


@click.command("eval", epilog=EPILOG)
@click.argument("weights", nargs=-1, required=True, metavar="WEIGHTS...", type=click.Path(path_type=Path))
@click.option(
    "--data", type=click.Path(path_type=Path), metavar="DIR", help="A folder with one folder of images per class."
)
@click.option("--tta", multiple=True, type=click.Choice(VIEWS), help="Average over views of each image; repeatable.")
@click.option(
    "--eval-crop",
    type=CENTRE,
    metavar="SHARE",
    help="Evaluate on a centre crop of this share of the short side, as in 0.875.  [default: as in training]",
)
@click.option("--split", type=click.Choice(SPLITS), help="The part of the images to use.  [default: see below]")
@click.option("--all", "everything", is_flag=True, help="Use every image, including training images.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE.svg", help="Draw the confusion matrix.")
@click.option(
    "--max-damaged",
    callback=number_or_share,
    metavar="N|N%",
    help="Unreadable images to tolerate.  [default: 1%, at least 10]",
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where to run."
)
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True, help="Images or views at once.")
@click.option(
    "--workers", type=click.IntRange(0, 256), help="Processes that decode images.  [default: 2 with --data, else 0]"
)
@click.option("--threads", type=click.IntRange(1, 1024), help="Threads on the CPU; torch's number by default.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, including all confusions and the matrix of up to 100 classes."
)
def command(weights: tuple[Path, ...], plot: Path | None, as_json: bool, **given: Any) -> None:
    """Evaluate trained WEIGHTS on images: top-1, top-5, results by class, confusions.

    WEIGHTS are files written by `archspec train`, or folders of its runs. Several form an ensemble, whose probabilities
    are averaged; their specs may differ. Each file contains its spec and preprocessing.
    """
    flags = EvalFlags(**given, quiet=as_json)
    if flags.eval_crop is not None and flags.data is None:
        raise click.UsageError("--eval-crop requires --data: the bundled digits are not cropped")
    if flags.split and flags.everything:
        raise click.UsageError("--all uses every image: leave out --split")
    try:
        need_kind(weights, ".safetensors", "E401")
        need("eval", *(() if flags.data else (DIGITS,)))
        found = _evaluate(weights, flags, plot)
    except ArchspecError as error:
        if as_json:
            wrong = [finding.to_dict() for finding in error.diagnostics]
            click.echo(json.dumps({"weights": list(map(str, weights)), "diagnostics": wrong}, indent=2))
        show(error.diagnostics)
        sys.exit(status(error.diagnostics))
    if as_json:
        click.echo(json.dumps(found.document(), indent=2))
    else:
        for line in found.text():
            click.echo(printable(line))
    show(found.findings)


def _evaluate(weights: tuple[Path, ...], flags: EvalFlags, plot: Path | None) -> EvaluatedMap | EvaluatedEnsemble:
    """Evaluate, and draw. All weights are read and matched with the data before any image is."""
    from archspec.compiler.device import chosen
    from archspec.compiler.threads import need_sensible
    from archspec.compiler.weights.destination import need_writable
    from archspec.compiler.weights.trained import open_trained

    need_sensible(flags.threads or 0)
    if plot is not None:
        need_writable(plot, "--plot", "confusion.svg")
    device = chosen(flags.device)
    trained = [open_trained(path) for path in weights]
    if flags.eval_crop is not None:
        trained = [one.with_crop(flags.eval_crop) for one in trained]
    if any(one.network.output.is_map for one in trained):
        return evaluated_map(trained, flags, plot, device)
    found = _ensemble(trained, flags, device)
    if plot is not None:
        _draw(plot, titles_of(found.members), found.result)
    return found


def _ensemble(trained: list[Trained], flags: EvalFlags, device: torch.device) -> EvaluatedEnsemble:
    """Evaluate classifiers."""
    from archspec.compiler.evaluation.ensemble_member import ensemble_member, need_same
    from archspec.compiler.evaluation.evaluate import EvaluationSettings, evaluate
    from archspec.compiler.progress import Progress
    from archspec.compiler.threads import computing_with

    for other in trained[1:]:
        need_same(trained[0].class_names, f"`{trained[0].path}`", other.class_names, f"`{other.path}`")
    examples = _examples(trained, flags)
    names = examples.class_names
    need_same(trained[0].class_names, f"`{trained[0].path}`", names, examples.source)
    members = [ensemble_member(one, names, flags.tta, device, flags.batch) for one in trained]
    limit = most_damaged_of(flags.max_damaged, len(examples.classes))
    settings = EvaluationSettings(device, flags.batch, flags.decoding_processes, limit)
    with computing_with(flags.threads or 0):
        result = evaluate(members, examples, settings, Progress(flags.quiet))
    return EvaluatedEnsemble(members, examples, result, flags.tta)


def _examples(trained: list[Trained], flags: EvalFlags) -> Examples:
    from archspec.compiler.evaluation.examples import digit_examples, is_of_digits
    from archspec.compiler.evaluation.folder_examples import folder_examples

    split: Split | None = "all" if flags.everything else flags.split
    if flags.data is not None:
        return folder_examples(flags.data, trained, split)
    other = next((one for one in trained if not is_of_digits(one)), None)
    if other is not None:
        message = f"`{other.path}` was not trained on the bundled digits"
        helps = ("`--data DIR` names a folder with one folder of images per class",)
        raise failure("E462", message, helps=helps)
    return digit_examples(trained, split)


def _draw(path: Path, titles: list[str], result: EnsembleEvaluation) -> None:
    from archspec.compiler.pages.confusion_picture import confusion_picture
    from archspec.compiler.weights.atomic import replace_file

    title = titles[0] if len(titles) == 1 else f"an ensemble of {len(titles)} networks"
    replace_file(path, confusion_picture(title, result.together).encode())
