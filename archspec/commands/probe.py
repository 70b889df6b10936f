"""`archspec probe`: how signals and gradients flow through a network before it is trained."""

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

if TYPE_CHECKING:
    from archspec.compiler.evaluation.probe import Flow

BAR = 24  # characters of the plot in the table
EPILOG = """\b
Examples:
  archspec probe lenet5
  archspec probe vgg16 --input 64x64x3 --batch 8
  archspec probe resnet50 --input 64x64x3 --plot flow.svg
  archspec probe mynet.arch --json

\b
The bars are logarithmic, the longest column is the largest gradient. A healthy network keeps both
columns within a few powers of ten; gradients that fall by a factor a layer vanish.
"""


@click.command("probe", epilog=EPILOG)
@click.argument("spec")
@click.option("--batch", type=click.IntRange(2), default=16, show_default=True, help="Images of the one batch.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True)
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE.svg", help="Draw both columns as an SVG.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@change_flags
def command(spec: str, batch: int, seed: int, plot: Path | None, as_json: bool, changes: dict[str, Any]) -> None:
    """Run one batch through SPEC at its first weights, forward and backward.

    For each layer with weights it shows the standard deviation of its activations and the norm of its gradient.
    """
    try:
        need("torch", "numpy")
        title, flows = _probe(spec, changes, batch, seed)
        if plot is not None:
            _draw(plot, title, flows)
    except ArchspecError as error:
        if as_json:
            click.echo(json.dumps(describe(spec, error.diagnostics), indent=2))
        show(error.diagnostics)
        sys.exit(status(error.diagnostics))
    if as_json:
        found = {"network": spec, "batch": batch, "seed": seed, "layers": [one.to_dict() for one in flows]}
        click.echo(json.dumps(found, indent=2))
        return
    for line in _table(title, flows):
        click.echo(line)


def _probe(spec: str, changes: dict[str, Any], batch: int, seed: int) -> tuple[str, Sequence[Flow]]:
    from archspec.api import load
    from archspec.compiler.evaluation.probe import probe

    network = load(spec, **changes)
    return network.title, probe(network, batch, seed)


def _table(title: str, flows: Sequence[Flow]) -> list[str]:
    names = max(len("name"), *(len(flow.name) for flow in flows))
    largest = max((flow.gradient_norm for flow in flows if math.isfinite(flow.gradient_norm)), default=0.0)
    head = f"{'name':<{names}}  {'activation std':>14}  {'gradient norm':>13}"
    rows = [
        f"{flow.name:<{names}}  {flow.activation_std:>14.4g}  {flow.gradient_norm:>13.4g}"
        f"  {_bar(flow.gradient_norm, largest)}".rstrip()
        for flow in flows
    ]
    first, last = flows[0].gradient_norm, flows[-1].gradient_norm
    ratio = first / last if last else math.nan
    return [title, "", head, *rows, "", f"gradient of the first layer / of the last: {ratio:.3g}"]


def _bar(value: float, largest: float) -> str:
    """A bar that loses a third of its length with every power of ten."""
    if value <= 0 or not math.isfinite(value):
        return ""
    return "#" * max(1, round(BAR * (1 + math.log10(value / largest) / 6)))


def _draw(path: Path, title: str, flows: Sequence[Flow]) -> None:
    from archspec.compiler.weights.destination import need_place
    from archspec.compiler.weights.files import replace_file

    need_place(path, "--plot", "flow.svg")
    replace_file(path, picture(title, flows).encode())


def picture(title: str, flows: Sequence[Flow]) -> str:
    """Both columns over the layers, on a logarithmic scale, as SVG. What overflows is on the upper edge."""
    from archspec.compiler.pages.picture import line_chart

    columns = {
        "activation std": [flow.activation_std for flow in flows],
        "gradient norm": [flow.gradient_norm for flow in flows],
    }
    series = {
        name: [(place, math.inf if math.isnan(value) else value) for place, value in enumerate(values, 1)]
        for name, values in columns.items()
    }
    return line_chart(title, series, x_label=f"layers with weights, {flows[0].name} to {flows[-1].name}", log=True)
