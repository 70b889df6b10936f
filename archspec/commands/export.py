"""`archspec export`: a network as an ONNX file that has been proven."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.commands.findings import describe, show, status
from archspec.commands.flags import change_flags
from archspec.commands.packages import need
from archspec.diagnostics.errors import ArchspecError
from archspec.diagnostics.findings import Diagnostic

if TYPE_CHECKING:
    from archspec.compiler.onnx.proof import Proof

NEEDS = ("torch", "numpy", "onnx", "onnxruntime")
EPILOG = """\b
Examples:
  archspec export runs/lenet5-1/weights.safetensors -o lenet5.onnx
  archspec export resnet50 -o resnet50.onnx           with initialised weights
  archspec export alexnet --output fc7 -o fc7.onnx    features, up to a named result
  archspec export mynet.arch -o big.onnx --external-data

\b
The proof: onnx's full checker takes the file; its inferred shapes are the compiler's; onnxruntime
= torch at batch 1 and 3, and = torch in float64, with an error of at most 4 times torch's own
in float32 + 2e-6 of the largest output.

\b
Exit status: 0, or 1 for a wrong spec or a failed proof (then there is no file), or 2 where the
command line is.
"""


@click.command("export", epilog=EPILOG)
@click.argument("source", metavar="SPEC|WEIGHTS")
@click.option("-o", "path", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Where to write.")
@click.option("--output", metavar="NAME", help="Export up to this layer's or block's result.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, metavar="N", help="Of a SPEC's first weights.")
@click.option("--external-data", is_flag=True, help="Put the weights into FILE.data: for 2 GiB and more.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@change_flags
def command(
    source: str, path: Path, output: str | None, seed: int, external_data: bool, as_json: bool, changes: dict[str, Any]
) -> None:
    """Write a network as ONNX, and prove that the file computes what torch does.

    WEIGHTS is a file that `archspec train` wrote; it knows its spec, its classes and its preprocessing. A SPEC gets
    initialised weights. The file has the spec's names, a dynamic batch, float32 weights and no BN that a layer before
    it could take up.
    """
    try:
        need(*NEEDS)
        description, proof = _export(source, changes, output, seed, path, external_data)
    except ArchspecError as error:
        if as_json:
            click.echo(json.dumps(describe(source, error.diagnostics), indent=2))
        show(error.diagnostics)
        sys.exit(status(error.diagnostics))
    _report(description, proof, path, external_data, as_json)
    if not proof.passed:
        helps = ("this is a fault of archspec or of onnxruntime, not of the spec: please report it",)
        message = f"the model does not compute what torch does; `{path}` was not written"
        show([Diagnostic("E425", message, helps=helps)])
        sys.exit(1)


def _export(
    source: str, changes: dict[str, Any], output: str | None, seed: int, path: Path, external: bool
) -> tuple[str, Proof]:
    """What was exported, and the proof; where that failed, nothing was written."""
    from archspec.compiler.onnx.export import Unproven, export
    from archspec.compiler.onnx.network_with_weights import network_with_weights
    from archspec.compiler.weights.destination import need_place

    need_place(path)
    found = network_with_weights(source, changes, output, seed)
    try:
        return found.description, export(found.graph, found.module, path, found.about, external)
    except Unproven as unproven:
        return found.description, unproven.proof


def _report(description: str, proof: Proof, path: Path, external: bool, as_json: bool) -> None:
    from archspec.compiler.onnx.file import written

    files = written(path, external) if proof.passed else ()
    if as_json:
        found = {"network": description, "files": list(map(str, files)), "proof": proof.to_dict()}
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"{description}\nproof\n{proof}")
    for file in files:
        click.echo(f"{file}: {file.stat().st_size / 2**20:,.1f} MiB")
