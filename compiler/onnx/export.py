"""From a network and its weights to a proven file.

In: a graph, its torch module, a path. Out: the `Proof`, and the file if every step passes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import nn

from archspec.api import Network
from archspec.compiler.onnx.checks.steps import Proof
from archspec.compiler.onnx.emit import emitted
from archspec.compiler.onnx.file import SUFFIX, staged
from archspec.compiler.onnx.model import assemble, need_room, write_data
from archspec.compiler.onnx.names.parameters import Array
from archspec.compiler.onnx.network_with_weights import network_with_module
from archspec.compiler.onnx.proof import SILENT, prove
from archspec.compiler.progress import Progress
from archspec.compiler.weights.atomic import write_flushed
from archspec.compiler.weights.destination import need_writable
from archspec.compiler.weights.model_metadata import ModelMetadata
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.graph.ir import Graph


class Unproven(Exception):
    """A model that does not compute what torch does. Its file is removed."""

    def __init__(self, proof: Proof) -> None:
        super().__init__(str(proof))
        self.proof = proof

    def failure(self, path: Path) -> ArchspecError:
        """Return the error of a file that was not kept."""
        helps = ("this is a bug in archspec or onnxruntime, not in the spec: please report it",)
        return failure("E425", f"the model does not compute what torch does; `{path}` was not written", helps=helps)


def export(  # noqa: PLR0913, PLR0917  # what is written, where, and how
    graph: Graph,
    module: nn.Module,
    path: Path,
    about: ModelMetadata,
    external: bool = False,
    progress: Progress = SILENT,
) -> Proof:
    """Write the model and prove it; `external` puts the weights into a separate file. `module` is converted to float64.

    Raises ArchspecError if a weight is not finite, and if the file cannot be written or is too large for one file;
    Unproven if a step fails.
    """
    weights = weights_of(module)
    _need_finite(weights)
    parts = emitted(graph, weights)
    if not external:
        need_room(parts)
    with staged(path) as folder:
        data_file = f"{path.name}{SUFFIX}" if external else ""
        model = assemble(graph, parts, about, data_file)
        if external:
            write_flushed(folder / data_file, lambda file: write_data(parts, file))
        write_flushed(folder / path.name, lambda file: file.write(model.SerializeToString(deterministic=True)))
        proof = prove(folder / path.name, graph, module, progress)
        if not proof.passed:
            raise Unproven(proof)
    return proof


def export_network(  # noqa: PLR0913, PLR0917  # a parameter for each of `archspec.export`
    network: Network, path: str | Path, module: nn.Module | None, output: str | None, seed: int, external: bool
) -> Proof:
    """Write a network with a module's weights, or with initial ones; the module is not changed.

    Raises ArchspecError, also if the proof fails.
    """
    place = Path(path)
    need_writable(place)
    found = network_with_module(network, module, output, seed)
    try:
        return export(found.graph, found.module, place, found.about, external)
    except Unproven as unproven:
        raise unproven.failure(place) from None


def _need_finite(weights: dict[str, Array]) -> None:
    """Raise ArchspecError for the first tensor that contains NaN or infinity: nothing can be proven of such a model."""
    for name, array in weights.items():
        if not np.isfinite(array).all():
            what = "NaN" if np.isnan(array).any() else "infinity"
            notes = ("weights that are not finite cannot be exported; perhaps their training diverged",)
            raise failure("E427", f"`{name}` contains {what}", notes=notes)


def weights_of(module: nn.Module) -> dict[str, Array]:
    """The weights and running statistics of a module by the spec's names; the memory is the module's."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in module.state_dict().items()}
