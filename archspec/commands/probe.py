"""`archspec probe`: how activations and gradients scale through a network before it is trained."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.commands.findings import describe, show, status
from archspec.commands.flags import change_flags
from archspec.commands.packages import need
from archspec.diagnostics.errors import ArchspecError
from archspec.diagnostics.findings import printable

if TYPE_CHECKING:
    from archspec.compiler.evaluation.probe import LayerSignal

BAR = 24  # characters of the plot in the table
EPILOG = """\b
Examples:
  archspec probe lenet5
  archspec probe vgg16 --input 64x64x3 --batch 8
  archspec probe resnet50 --input 64x64x3 --plot flow.svg
  archspec probe mynet.arch --json

\b
The bars show gradients on a logarithmic scale. In a healthy network both columns stay within a
few powers of ten; gradients that shrink by a constant factor per layer vanish.
"""


@click.command("probe", epilog=EPILOG)
@click.argument("spec")
@click.option("--batch", type=click.IntRange(2), default=16, show_default=True, help="Images in the batch.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Seed of weights and images.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE.svg", help="Plot both columns.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@change_flags
def command(spec: str, batch: int, seed: int, plot: Path | None, as_json: bool, changes: dict[str, Any]) -> None:
    """Run one batch forward and backward through SPEC with initialised weights.

    Shows the standard deviation of the activations and the norm of the gradient for each layer with weights.
    """
    try:
        need("probe")
        title, signals = _probe(spec, changes, batch, seed)
        if plot is not None:
            _draw(plot, title, signals)
    except ArchspecError as error:
        if as_json:
            click.echo(json.dumps(describe(spec, error.diagnostics), indent=2))
        show(error.diagnostics)
        sys.exit(status(error.diagnostics))
    if as_json:
        found = {"network": spec, "batch": batch, "seed": seed, "layers": [one.to_dict() for one in signals]}
        click.echo(json.dumps(found, indent=2))
        return
    for line in _table(title, signals):
        click.echo(printable(line))


def _probe(spec: str, changes: dict[str, Any], batch: int, seed: int) -> tuple[str, Sequence[LayerSignal]]:
    from archspec.api import load
    from archspec.compiler.evaluation.probe import probe

    network = load(spec, **changes)
    return network.title, probe(network, batch, seed)


def _table(title: str, signals: Sequence[LayerSignal]) -> list[str]:
    names = max(len("name"), *(len(signal.name) for signal in signals))
    largest = max((signal.gradient_norm for signal in signals if math.isfinite(signal.gradient_norm)), default=0.0)
    head = f"{'name':<{names}}  {'activation std':>14}  {'gradient norm':>13}"
    rows = [
        f"{signal.name:<{names}}  {signal.activation_std:>14.4g}  {signal.gradient_norm:>13.4g}"
        f"  {_bar(signal.gradient_norm, largest)}".rstrip()
        for signal in signals
    ]
    first, last = signals[0].gradient_norm, signals[-1].gradient_norm
    ratio = first / last if last else math.nan
    zeros = [signal.name for signal in signals if signal.activation_std == 0 and signal.gradient_norm > 0]
    notes = [f"`{name}` starts at 0: no gradient passes it before the first step" for name in zeros]
    return [title, "", head, *rows, "", f"gradient norm, first layer / last: {ratio:.3g}", *notes]


def _bar(value: float, largest: float) -> str:
    """Return a bar that is a sixth shorter for each power of ten below the largest."""
    if value <= 0 or not math.isfinite(value):
        return ""
    return "#" * max(1, round(BAR * (1 + math.log10(value / largest) / 6)))


def _draw(path: Path, title: str, signals: Sequence[LayerSignal]) -> None:
    from archspec.compiler.weights.atomic import replace_file
    from archspec.compiler.weights.destination import need_writable

    need_writable(path, "--plot", "flow.svg")
    replace_file(path, picture(title, signals).encode())


def picture(title: str, signals: Sequence[LayerSignal]) -> str:
    """Draw both columns over the layers as an SVG with a logarithmic scale; infinity and NaN lie on the upper edge."""
    from archspec.compiler.pages.line_chart import line_chart

    columns = {
        "activation std": [signal.activation_std for signal in signals],
        "gradient norm": [signal.gradient_norm for signal in signals],
    }
    series = {
        name: [(place, math.inf if math.isnan(value) else value) for place, value in enumerate(values, 1)]
        for name, values in columns.items()
    }
    return line_chart(title, series, x_label=f"layers with weights, {signals[0].name} to {signals[-1].name}", log=True)
