"""`archspec export`: a network as an ONNX file, verified against torch."""

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
from archspec.diagnostics.findings import printable

if TYPE_CHECKING:
    from archspec.compiler.onnx.checks.steps import Proof
    from archspec.compiler.onnx.names.interface import Port
    from archspec.compiler.onnx.network_with_weights import Exported

EPILOG = """\b
Examples:
  archspec export runs/lenet5-1/weights.safetensors -o lenet5.onnx
  archspec export resnet50 -o resnet50.onnx           with initial weights
  archspec export alexnet --output fc7 -o fc7.onnx    features: up to a named result
  archspec export fpn_resnet50 --output p3 -o p3.onnx one of several outputs
  archspec export mynet.arch -o big.onnx --external-data

\b
The proof: onnx's full checker accepts the file; the shapes it infers are the compiler's;
each output of onnxruntime agrees with torch at batch 1 and 3, and with torch in float64 to
within 4 times torch's own float32 error, measured and estimated from what is summed, + 2e-6
of the largest value.

\b
Exit status: 0; 1 if the spec is wrong or the proof fails (no file is written then); 2 if the
command line is wrong.
"""


@click.command("export", epilog=EPILOG)
@click.argument("source", metavar="SPEC|WEIGHTS")
@click.option("-o", "path", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Where to write.")
@click.option("--output", metavar="NAME", help="Export this output, or up to this layer or block.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, metavar="N", help="Seed of the initial weights.")
@click.option("--external-data", is_flag=True, help="Store the weights in FILE.data; required from 2 GiB on.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@change_flags
def command(
    source: str, path: Path, output: str | None, seed: int, external_data: bool, as_json: bool, changes: dict[str, Any]
) -> None:
    """Export a network to ONNX and verify that the file computes what torch does.

    WEIGHTS is a run's folder or a weights file of `archspec train`, which contains the spec, the classes and the
    preprocessing. A SPEC is exported with initial weights. The file has the spec's names, for its inputs and outputs
    too, a dynamic batch size and float32 weights; each BN that can be is folded into the layer before it.
    """
    try:
        need("export")
        exported, proof = _export(source, changes, output, seed, path, external_data)
    except ArchspecError as error:
        if as_json:
            click.echo(json.dumps(describe(source, error.diagnostics), indent=2))
        show(error.diagnostics)
        sys.exit(status(error.diagnostics))
    _report(exported, proof, path, external_data, as_json)
    if not proof.passed:
        from archspec.compiler.onnx.export import Unproven

        show(Unproven(proof).failure(path).diagnostics)
        sys.exit(1)


def _export(
    source: str, changes: dict[str, Any], output: str | None, seed: int, path: Path, external: bool
) -> tuple[Exported, Proof]:
    """Return what was exported and the proof; if it failed, nothing was written."""
    from archspec.compiler.onnx.export import Unproven, export
    from archspec.compiler.onnx.network_with_weights import network_with_weights
    from archspec.compiler.progress import Progress
    from archspec.compiler.weights.destination import need_writable

    need_writable(path)
    found = network_with_weights(source, changes, output, seed)
    try:
        return found, export(found.graph, found.module, path, found.about, external, Progress(quiet=False))
    except Unproven as unproven:
        return found, unproven.proof


def _report(exported: Exported, proof: Proof, path: Path, external: bool, as_json: bool) -> None:
    from archspec.compiler.onnx.file import written
    from archspec.compiler.onnx.names.interface import inputs_of, outputs_of

    files = written(path, external) if proof.passed else ()
    sides = {"inputs": inputs_of(exported.graph), "outputs": outputs_of(exported.graph)}
    if as_json:
        ports = {side: [port.to_dict() for port in ports] for side, ports in sides.items()}
        found = {"network": exported.description, **ports, "files": list(map(str, files)), "proof": proof.to_dict()}
        click.echo(json.dumps(found, indent=2))
        return
    listed = [line for side, ports in sides.items() for line in _listed(side, ports)]
    click.echo("\n".join([printable(exported.description), *listed, "proof", str(proof)]))
    for file in files:
        click.echo(f"{printable(str(file))}: {_size(file.stat().st_size)}")


def _listed(side: str, ports: tuple[Port, ...]) -> list[str]:
    """Return the inputs or outputs as lines where there are several, and token ids."""
    if len(ports) == 1 and ports[0].ids is None:
        return []
    width = max(len(port.name) for port in ports)
    return [side, *(f"  {port.name:<{width}}  {port}" for port in ports)]


def _size(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB" if size >= 2**20 else f"{size / 2**10:.1f} KiB"
