"""`archspec run`: what an exported network says of images."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.commands.findings import show
from archspec.commands.packages import need
from archspec.diagnostics import Diagnostic, SpecError

if TYPE_CHECKING:
    from archspec.compiler.classify import Classifier, Outcome

EPILOG = """\b
Examples:
  archspec run lenet5.onnx digit.png
  archspec run resnet50.onnx photos/ --top 3      every image in a folder and below it
  archspec run resnet50.onnx photos/ --json | jq '.images[].top[0].name'
  archspec run fc7.onnx cat.jpg --features        the vector that a cut model ends in

\b
Exit status: 0, or 1 where a model or an image cannot be read (the other images are still done),
or 2 where the command line is wrong.
"""


@click.command("run", epilog=EPILOG)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, metavar="IMAGE|DIR...", type=click.Path(path_type=Path))
@click.option("--top", type=click.IntRange(1), default=5, metavar="K", help="How many classes to show; 5.")
@click.option("--features", is_flag=True, help="Print the output itself.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="What to run on.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    model: Path, images: tuple[Path, ...], top: int, features: bool, device: str, as_json: bool
) -> None:
    """Classify each IMAGE, and each image in a DIR, with a MODEL that `archspec export` wrote.

    The model's metadata says how an image becomes its input and what the classes are called. `--device auto` takes
    CUDA where it is really used and says what it took.
    """
    try:
        need("numpy", "onnxruntime", "PIL")
        from archspec.compiler.classify import classify, open_classifier
        from archspec.compiler.image import find

        classifier = open_classifier(model, device, features)
    except SpecError as error:
        if as_json:
            click.echo(json.dumps({"model": str(model), "diagnostics": _dicts(error.diagnostics)}, indent=2))
        show(error.diagnostics)
        sys.exit(1)
    paths, wrong = find(images)
    wrong = [*_conflict(), *wrong]
    click.echo(f"{model} on {classifier.opened.device}: {classifier.opened.why}", err=True)
    outcomes = _watched(classify(classifier, paths), len(paths))
    if as_json:
        done = list(outcomes)
        wrong += [outcome.wrong for outcome in done if outcome.wrong]
        good = [outcome for outcome in done if outcome.wrong is None]
        entries = [_entry(classifier, outcome.path, outcome.output, top, features) for outcome in good]
        ran = {"model": str(model), "device": classifier.opened.device, "why": classifier.opened.why}
        click.echo(json.dumps({**ran, "images": entries, "diagnostics": _dicts(wrong)}, indent=2))
    else:
        for outcome in outcomes:
            if outcome.wrong:
                wrong.append(outcome.wrong)
            else:
                click.echo(_text(classifier, outcome.path, outcome.output, top, features))
    show(wrong)
    sys.exit(1 if any(finding.severity == "error" for finding in wrong) else 0)


def _conflict() -> Iterator[Diagnostic]:
    from archspec.compiler.runtime import CONFLICT_HINT, conflict

    message = conflict()
    if message:
        yield Diagnostic("W431", message, helps=(CONFLICT_HINT,))


def _watched(outcomes: Iterable[Outcome], count: int) -> Iterator[Outcome]:
    """The outcomes, counted on a terminal's standard error while standard output goes elsewhere."""
    if not sys.stderr.isatty() or sys.stdout.isatty() or count < 2:
        yield from outcomes
        return
    for number, outcome in enumerate(outcomes, 1):
        click.echo(f"\r{number:,} of {count:,} images", nl=number == count, err=True)
        yield outcome


def _text(classifier: Classifier, path: Path, output: Any, top: int, features: bool) -> str:
    if features:
        return f"{path}\t" + " ".join(f"{value:.6g}" for value in output.ravel().tolist())
    rows = [f"{100 * guess.probability:6.2f} %  {guess.name}" for guess in classifier.top(output, top)]
    return "\n".join([str(path), *rows])


def _entry(classifier: Classifier, path: Path, output: Any, top: int, features: bool) -> dict[str, Any]:
    if features:
        return {"image": str(path), "features": output.tolist()}
    guesses = classifier.top(output, top)
    ranked = [{"class": guess.number, "name": guess.name, "probability": guess.probability} for guess in guesses]
    return {"image": str(path), "top": ranked}


def _dicts(findings: Iterable[Diagnostic]) -> list[dict[str, object]]:
    return [finding.to_dict() for finding in findings]
