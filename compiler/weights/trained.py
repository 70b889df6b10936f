"""A trained network, read from its weights file.

In: a weights file, or the folder of a run. Out: a `Trained`: the weights, and what the file says of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from archspec.api import Network
from archspec.compiler import build
from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.weights import files as weights
from archspec.compiler.weights.metadata import WeightsMetadata
from archspec.diagnostics.errors import failure
from archspec.graph.extent import upto
from archspec.regular_file import is_folder

WEIGHTS, BEST, CHECKPOINTS = "weights.safetensors", "best.safetensors", "checkpoint-*.pt"  # in the folder of a run


@dataclass(frozen=True)
class Trained:
    """The weights of `path`, and what the file says of itself."""

    path: Path
    metadata: WeightsMetadata
    state: Mapping[str, Tensor]

    @property
    def network(self) -> Network:
        """The network that the weights belong to."""
        return self.metadata.network

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of its classes, in the order of its scores."""
        return self.metadata.class_names

    @property
    def preprocessing(self) -> Preprocessing:
        """How an image becomes its input."""
        return self.metadata.preprocessing

    def with_crop(self, crop: float) -> Trained:
        """Return the same network for centre crops of another share of the image."""
        recipe = {**self.metadata.recipe, "eval_crop": crop}
        return replace(self, metadata=replace(self.metadata, recipe=recipe))

    @property
    def score(self) -> str:
        """How good it was on the held-out images of training, in words."""
        name = "mean IoU" if self.network.output.is_map else "top-1"
        return f"{name} {100 * self.metadata.score:.2f} %"


def first_output(trained: Trained, network: Network) -> nn.Module:
    """Return the module of a network up to its first output, with the weights. Raises ArchspecError unless they fit."""
    module = build(upto(network.graph, network.graph.output))
    weights.fill(module, {name: trained.state[name] for name in module.state_dict() if name in trained.state})
    return module.eval()


def is_weights(path: Path) -> bool:
    """Whether a path names weights rather than a spec."""
    return is_folder(path) or path.suffix == weights.SUFFIX


def open_trained(path: Path) -> Trained:
    """Read weights. Raises ArchspecError for a file of anything else, or whose weights do not fit its spec."""
    path = _file(path)
    state, data = weights.read(path)
    try:
        metadata = WeightsMetadata.from_json(data, f"`{path}`")
        with torch.device("meta"):  # takes no memory before the weights are known to fit
            module = build(metadata.network)
    except (ValueError, RuntimeError, OverflowError) as error:
        raise weights.not_weights(path, str(error).partition("\n")[0]) from None
    weights.need_fit(module, state, f"`{path}`")
    return Trained(path, metadata, state)


def _file(path: Path) -> Path:
    """Return the weights file of a run. Raises ArchspecError for an unfinished run."""
    if not is_folder(path):
        return path
    if not (path / WEIGHTS).exists() and ((path / BEST).exists() or any(path.glob(CHECKPOINTS))):
        helps = [f"`archspec train --resume {path}` finishes it"]
        if (path / BEST).exists():
            helps.append(f"`{path / BEST}` contains the weights of its best epoch so far")
        raise failure("E401", f"the run in `{path}` is unfinished", helps=tuple(helps))
    return path / WEIGHTS
