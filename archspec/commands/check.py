"""`archspec check`: the table of a network, or the findings in its spec."""

from __future__ import annotations

import sys
from typing import Any

import click

from archspec.api import Network, load
from archspec.commands.flags import change_flags
from archspec.diagnostics.errors import ArchspecError
from archspec.diagnostics.findings import Diagnostic
from archspec.library import is_path
from archspec.record import replace
from archspec.report import WIDTH, report

DEEPEST = sys.maxsize
EPILOG = """\b
Examples:
  archspec check vgg16                            a built-in spec
  archspec check mynet.arch other.arch            your own files
  archspec check resnet50 --all                   every layer of every block
  archspec check resnet50 --input 384x384x3       another input size
  archspec check mynet.arch --json | jq .params   as JSON
  cat slide.txt | archspec check -                a copied slide
  archspec check mynet.arch --fix                 apply the safe fixes to the file

\b
Exit status: 0; 1 if a spec is wrong (or, with --strict, has a warning), or if --diff shows a
change; 2 if the command line is wrong.
"""


@click.command("check", epilog=EPILOG)
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True)
@change_flags
@click.option("--depth", type=click.IntRange(0), metavar="N", help="Show N levels of blocks, 0 for the top level.")
@click.option("--all", "show_all", is_flag=True, help="Show all blocks open: one row per layer.")
@click.option("--batch", type=click.IntRange(1, 2**31), default=1, metavar="N", help="Images per training step.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON: an object, or a list for several specs.")
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option("--fix", "is_fixed", is_flag=True, help="Apply the safe fixes to the files, and check the result.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
def command(
    specs: tuple[str, ...],
    changes: Any,
    depth: int | None,
    show_all: bool,
    batch: int,
    as_json: bool,
    strict: bool,
    is_fixed: bool,
    diff: bool,
) -> None:
    """Check each SPEC and print what its network costs, layer by layer.

    A SPEC is the name of a built-in spec (`archspec specs` lists them), a path, or `-` for standard input. Volumes,
    multiply-accumulates (MACs), memory and receptive fields are those of one image. Large networks are shown with one
    row per block.
    """
    opened = DEEPEST if show_all else depth
    results: list[dict[str, Any]] = []
    code = 0
    fixed = None
    if is_fixed or diff:
        from archspec.commands import fixing

        fixing.refuse(specs, as_json and diff)
        if diff:
            sys.exit(fixing.show_diff(specs, changes))
        fixed = fixing.fix(specs, changes, as_json)
    for number, spec in enumerate(specs):
        network, findings = _load(spec, changes, len(specs) == 1)
        if fixed is not None and spec in fixed.unwritten:
            network, findings = None, (*fixed.unwritten[spec], *findings)
        if network is not None and as_json:
            results.append(network.to_dict(batch))
        elif network is not None:
            click.echo("\n" * (number > 0) + report(network, depth=opened, batch=batch, width=_width()), nl=False)
        if not findings:
            continue
        from archspec.commands.findings import describe, show, status  # only when something was found

        code = max(code, status(findings, strict))
        if as_json and network is None:
            results.append(describe(spec, findings))
        elif not as_json:
            click.echo("\n" * (network is not None), nl=False, err=True)
            show(findings, strict, spec if fixed is None and is_path(spec) else None)
    if as_json:
        import json

        if fixed is not None:
            for spec, result in zip(specs, results, strict=True):
                result["fixed"] = [change.to_dict() for change in fixed.changes if change.spec == spec]
        click.echo(json.dumps(results[0] if len(specs) == 1 else results, indent=2))
    sys.exit(code)


def _load(spec: str, changes: dict[str, Any], is_alone: bool) -> tuple[Network | None, tuple[Diagnostic, ...]]:
    """Return the network, or None if the spec is wrong, and the findings."""
    try:
        network = load(spec, **changes)
    except ArchspecError as error:
        return None, error.diagnostics if is_alone else tuple(_of(spec, finding) for finding in error.diagnostics)
    return network, network.diagnostics


def _of(spec: str, finding: Diagnostic) -> Diagnostic:
    """Return a finding about a flag with the name of the spec that does not take it."""
    if finding.code != "E117" or finding.labels:
        return finding
    return replace(finding, message=f"{spec}: {finding.message}")


def _width() -> int:
    """Return the terminal's columns, or 100 without a terminal."""
    if not sys.stdout.isatty():
        return WIDTH
    from archspec.commands.terminal import columns

    return columns(sys.stdout) or WIDTH
