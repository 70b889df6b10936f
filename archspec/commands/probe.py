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
from archspec.diagnostics import SpecError

if TYPE_CHECKING:
    from archspec.compiler.probe import Flow

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
def command(
    spec: str, batch: int, seed: int, plot: Path | None, as_json: bool, changes: dict[str, Any]
) -> None:
    """Run one batch through SPEC at its first weights, forward and backward.

    For each layer with weights it shows the standard deviation of its activations and the norm of its gradient.
    """
    try:
        need("torch", "numpy")
        title, flows = _probe(spec, changes, batch, seed)
        if plot is not None:
            _draw(plot, title, flows)
    except SpecError as error:
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
    from archspec.compiler.probe import probe

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
    from archspec.compiler.place import need_place
    from archspec.compiler.weights import replace_file

    need_place(path, "--plot", "flow.svg")
    replace_file(path, picture(title, flows).encode())


WIDTH, HEIGHT, EDGE = 720, 320, 48


def picture(title: str, flows: Sequence[Flow]) -> str:
    """Both columns over the layers, on a logarithmic scale, as SVG."""
    lines = [("activation std", "#1f77b4", [flow.activation_std for flow in flows])]
    lines.append(("gradient norm", "#d62728", [flow.gradient_norm for flow in flows]))
    powers = [math.log10(value) for _, _, values in lines for value in values if 0 < value < math.inf]
    low = math.floor(min(powers, default=0))
    high = max(math.ceil(max(powers, default=0)), low + 1)

    def at(place: int, value: float) -> str:
        x = EDGE + (WIDTH - 2 * EDGE) * place / max(1, len(flows) - 1)
        finite = value if math.isfinite(value) else 10.0**high  # what overflows is off the scale
        share = (math.log10(max(finite, 10.0**low)) - low) / (high - low)
        return f"{x:.1f},{HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * share:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/><text x="{EDGE}" y="20">{_escaped(title)}</text>',
    ]
    for power in range(low, high + 1):
        y = at(0, 10.0**power).split(",")[1]
        parts.append(f'<line x1="{EDGE}" x2="{WIDTH - EDGE}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text x="4" y="{y}">1e{power}</text>')
    for number, (name, colour, values) in enumerate(lines):
        points = " ".join(at(place, value) for place, value in enumerate(values))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{EDGE + 140 * number}" y="{HEIGHT - 28}" fill="{colour}">{name}</text>')
    first, last = _escaped(flows[0].name), _escaped(flows[-1].name)
    parts.append(f'<text x="{EDGE}" y="{HEIGHT - 8}">from {first} to {last}</text></svg>')
    return "\n".join(parts) + "\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
