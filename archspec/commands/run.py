"""`archspec run`: images classified by an exported network."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.commands.findings import show
from archspec.commands.packages import need
from archspec.diagnostics.errors import ArchspecError
from archspec.diagnostics.findings import Diagnostic, printable
from archspec.library import need_kind

if TYPE_CHECKING:
    from archspec.compiler.inference.classify import Classifier, Outcome

ONNX = ".onnx"
LONGEST = 80  # characters of a class name, in text
EPILOG = """\b
Examples:
  archspec run lenet5.onnx digit.png
  archspec run resnet50.onnx photos/ --top 3      every image in a folder, recursively
  archspec run resnet50.onnx photos/ --json | jq '.images[].top[0].name'
  archspec run fc7.onnx cat.jpg --features        the output vector of a truncated model
<<<<<<< HEAD
  archspec run deit.onnx cat.jpg --output teacher another output than the first
=======
  archspec run unet.onnx cells.png                which share of the pixels is of which class
>>>>>>> merge

\b
Exit status: 0; 1 if the model fails or an image cannot be read (the others are classified);
2 for a usage error.
"""


@click.command("run", epilog=EPILOG)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, metavar="IMAGE|DIR...", type=click.Path(path_type=Path))
@click.option(
    "--top", type=click.IntRange(1), default=5, metavar="K", show_default=True, help="How many classes to show."
)
@click.option("--features", is_flag=True, help="Print the raw output.")
@click.option("--output", metavar="NAME", help="The output of a model that has several; by default the first.")
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where to run."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(  # a parameter for each flag
    model: Path,
    images: tuple[Path, ...],
    top: int,
    features: bool,
    output: str | None,
    device: str,
    as_json: bool,
) -> None:
    """Classify each IMAGE, and each image in a DIR, with a MODEL written by `archspec export`.

    The model's metadata contains its preprocessing and class names. `--device auto` uses CUDA if every part of the
    model can run on it, and says which device was used.
    """
    if model.suffix != ONNX and (given := next((one for one in images if one.suffix == ONNX), None)):
        raise click.UsageError(f"the model comes first: `archspec run {given} {model}`")
    try:
        need_kind((model,), ONNX, "E430")
        need("run")
        from archspec.compiler.inference.model_process import ModelProcess

        with ModelProcess() as process:  # it imports onnxruntime while this one imports numpy
            from archspec.compiler.inference.classify import open_classifier

            classifier = open_classifier(process, model, device, features, output)
            sys.exit(_run(classifier, images, None if features else top, as_json))
    except ArchspecError as error:
        if as_json:
            click.echo(json.dumps({"model": str(model), "diagnostics": _dicts(error.diagnostics)}, indent=2))
        show(error.diagnostics)
        sys.exit(1)


def _run(classifier: Classifier, images: tuple[Path, ...], top: int | None, as_json: bool) -> int:
    """Classify, print, and return the exit status."""
    model, opened = classifier.path, classifier.opened
    shown = f"; output {printable(classifier.output)}" if len(opened.outputs) > 1 else ""
    click.echo(f"{printable(str(model))} on {opened.device}: {opened.why}{shown}", err=True)
    entries, wrong = _classify(classifier, images, top, as_json)
    if as_json:
        ran = {"model": str(model), "device": opened.device, "why": opened.why, "output": classifier.output}
        click.echo(json.dumps({**ran, "images": entries, "diagnostics": _dicts(wrong)}, indent=2))
    show(wrong)
    return 1 if any(finding.severity == "error" for finding in wrong) else 0


def _classify(
    classifier: Classifier, images: tuple[Path, ...], top: int | None, as_json: bool
) -> tuple[list[dict[str, Any]], list[Diagnostic]]:
    """Return entries for JSON, or print each result as it comes; return also everything that is wrong."""
    from archspec.compiler.data.decode import find
    from archspec.compiler.inference.classify import classify

    paths, wrong = find(images)
    wrong = [*_conflict(), *wrong]
    entries = []
    try:
        for outcome in _watched(classify(classifier, paths), len(paths)):
            if outcome.wrong:
                wrong.append(outcome.wrong)
            elif as_json:
                entries.append(_entry(classifier, outcome, top))
            else:
                click.echo(_text(classifier, outcome, top))
    except ArchspecError as error:  # the model failed; what was classified before stays
        wrong += error.diagnostics
    return entries, wrong


def _conflict() -> Iterator[Diagnostic]:
    from archspec.compiler.inference.packages import CONFLICT_HINT, conflict

    message = conflict()
    if message:
        yield Diagnostic("W433", message, helps=(CONFLICT_HINT,))


def _watched(outcomes: Iterable[Outcome], count: int) -> Iterator[Outcome]:
    """Yield the outcomes, and count them while standard output is not a terminal, which shows them."""
    from archspec.compiler.progress import Progress

    progress = Progress(quiet=sys.stdout.isatty())
    for number, outcome in enumerate(outcomes, 1):
        progress.step(partial("{:,} of {:,} images".format, number, count))
        yield outcome
    progress.clear()


def _text(classifier: Classifier, outcome: Outcome, top: int | None) -> str:
    """Return the most likely classes, of a map the most frequent ones, or without `top` the raw output."""
    if top is None:
        return f"{printable(str(outcome.path))}\t" + " ".join(
            f"{value:.6g}" for value in outcome.output.ravel().tolist()
        )
    from archspec.compiler.evaluation.confusion_tables import short

    if classifier.is_of_pixels:
        shares = classifier.shares(outcome.output)[:top]
        rows = [f"{100 * one.share:6.2f} %  {short(one.name, LONGEST)}" for one in shares]
        size = "x".join(map(str, outcome.output.shape[1:]))
        return "\n".join([f"{printable(str(outcome.path))}: share of {size} pixels", *rows])
    guesses = classifier.top(outcome.output, top)
    rows = [f"{100 * guess.probability:6.2f} %  {short(guess.name, LONGEST)}" for guess in guesses]
    return "\n".join([printable(str(outcome.path)), *rows])


def _entry(classifier: Classifier, outcome: Outcome, top: int | None) -> dict[str, Any]:
    if top is None:
        return {"image": str(outcome.path), "features": outcome.output.tolist()}
    if classifier.is_of_pixels:
        shares = classifier.shares(outcome.output)[:top]
        classes = [{"class": one.number, "name": one.name, "pixels": one.pixels, "share": one.share} for one in shares]
        return {"image": str(outcome.path), "size": list(outcome.output.shape[1:]), "classes": classes}
    guesses = classifier.top(outcome.output, top)
    ranked = [{"class": guess.number, "name": guess.name, "probability": guess.probability} for guess in guesses]
    return {"image": str(outcome.path), "top": ranked}


def _dicts(findings: Iterable[Diagnostic]) -> list[dict[str, object]]:
    return [finding.to_dict() for finding in findings]
