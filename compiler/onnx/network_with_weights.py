"""What is exported: a spec with initialised weights, or the weights of a training run.

In: what the user names, and the changes to a spec. Out: the graph up to the wanted result, its torch module, and the
metadata of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import archspec
from archspec.api import Network
from archspec.compiler import build
from archspec.compiler.lowering.initialise import settle
from archspec.compiler.onnx import requirements
from archspec.compiler.onnx.names.interface import about, image_preprocessing
from archspec.compiler.weights.files import fill, need_fit
from archspec.compiler.weights.model_metadata import ModelMetadata
from archspec.compiler.weights.trained import is_weights, open_trained
from archspec.diagnostics.errors import failure
from archspec.graph.extent import part
from archspec.graph.ir import Graph

WRAPPED = "module.module"
COMPILED = "_orig_mod."  # before the names of a module that torch.compile has wrapped


@dataclass(frozen=True)
class Exported:
    """A network with weights; `description` says which."""

    graph: Graph
    module: nn.Module
    about: ModelMetadata
    description: str


def network_with_weights(source: str, changes: dict[str, Any], output: str | None, seed: int) -> Exported:
    """Read what is exported.

    Raises ArchspecError for an invalid spec, for weights that do not fit theirs, and for a network too large for the
    memory.
    """
    path = Path(source)
    if is_weights(path):
        return _trained(path, changes, output)
    return network_with_module(archspec.load(source, **changes), None, output, seed)


def network_with_module(network: Network, module: nn.Module | None, output: str | None, seed: int) -> Exported:
    """Return what is exported of a network: with a copy of the module's weights, or else initialised ones.

    Raises ArchspecError for weights that are not those of the network, and for a network too large for the memory.
    """
    graph, extent = _part(network, output)
    said = about(network.graph, network.title, output, None, image_preprocessing(graph))
    if module is not None:
        _need_module(module)
    requirements.memory(graph)
    if module is None:
        built = build(graph, seed=seed, follow_init=False)  # so that the proof sees every layer
        settle(built, graph, seed)
        return Exported(graph, built, said, f"{network.title}{extent} with weights initialised by seed {seed}")
    built = build(graph, seed=seed)
    state = _state_of(module)
    with torch.device("meta"):
        need_fit(build(network), state, "the module")
    fill(built, {name: state[name] for name in built.state_dict()}, "the module")
    return Exported(graph, built, said, f"{network.title}{extent} with the weights of a module")


def _need_module(module: object) -> None:
    """Raise TypeError for what is not a module, and ArchspecError for a wrapper that renames its tensors."""
    if isinstance(module, Mapping):
        raise TypeError("expected a module, got a state dict: load it into `archspec.build(network)` first")
    if isinstance(module, type):
        raise TypeError(f"expected a module, got the class {module.__name__}")
    if not isinstance(module, nn.Module):
        raise TypeError(f"expected a module, got {type(module).__name__}")
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        helps = (f"export what it wraps: `module={WRAPPED}`",)
        raise failure("E421", f"the module is wrapped in {type(module).__name__}", helps=helps)


def _state_of(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's tensors by the spec's names. Raises ArchspecError if it was converted to another precision."""
    state = {name.removeprefix(COMPILED): tensor for name, tensor in module.state_dict().items()}
    for name, tensor in state.items():
        if tensor.is_floating_point() and tensor.dtype != torch.float32:
            kind = str(tensor.dtype).removeprefix("torch.")
            helps = ("convert the module back to float32: `module.float()`",)
            raise failure("E421", f"`{name}` is {kind} in the module; expected float32", helps=helps)
    return state


def _trained(path: Path, changes: dict[str, Any], output: str | None) -> Exported:
    if any(changes.values()):
        flags = ", ".join(f"`--{name}`" for name, value in sorted(changes.items()) if value)
        helps = ("export the weights as they are, or a spec with the flags",)
        raise failure("E426", f"{flags} would change the spec that `{path}` was trained for", helps=helps)
    found = open_trained(path)
    network = found.network
    graph, extent = _part(network, output)
    requirements.memory(graph)
    module = build(graph)
    module.load_state_dict({name: found.state[name] for name in module.state_dict()})
    said = about(network.graph, network.title, output, found.class_names, found.preprocessing)
    description = f"{network.title}{extent} with the weights of {found.path} ({found.score})"
    return Exported(graph, module, said, description)


def _part(network: Network, output: str | None) -> tuple[Graph, str]:
    """The network up to `output`, and that in words."""
    graph = part(network.graph, output)
    (end, *_) = graph.outputs
    return graph, f" up to `{end.name}` {graph.nodes[end.node].volume}" if output else ""
