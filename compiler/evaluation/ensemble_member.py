"""A trained network as a member of an ensemble, ready for the views of images.

In: a `Trained`, the classes of the images, the wanted views. Out: an `EnsembleMember`, which turns the pixels of views
into probabilities in the order of the images' classes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor, nn

from archspec.api import restore
from archspec.compiler.evaluation.tta_views import Size, View, at_scale, largest_scale, views
from archspec.compiler.weights.model_metadata import PROBABILITIES, SCORES, result_kind
from archspec.compiler.weights.trained import Trained, first_output
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import named, plural

NAMED = 5  # classes that a message names


@dataclass(frozen=True)
class EnsembleMember:
    """One network of an ensemble, with a module for each size of its views, all with the same weights."""

    trained: Trained
    views: tuple[View, ...]
    modules: dict[Size, nn.Module]
    order: Tensor
    gives_scores: bool
    batch: int

    def __call__(self, pixels: dict[Size, Tensor]) -> Tensor:
        """Return the mean probabilities [B, C] over the views; `pixels` are [B, V, C, H, W] for V views of a size."""
        total: Tensor | None = None
        for size, images in pixels.items():
            own = [view.weight for view in self.views if view.size(self.trained.preprocessing) == size]
            count = len(images)
            outputs = [self.modules[size](part) for part in torch.split(images.flatten(0, 1), self.batch)]
            output = torch.cat(outputs).double()
            shares = output.softmax(1) if self.gives_scores else output
            share_of_views = torch.tensor(own, dtype=torch.float64, device=shares.device)
            summed = (shares.view(count, len(own), -1) * share_of_views[:, None]).sum(1)
            total = summed if total is None else total + summed
        assert total is not None
        return total[:, self.order]


def ensemble_member(
    trained: Trained, class_names: Sequence[str], wanted: Collection[str], device: torch.device, batch: int
) -> EnsembleMember:
    """Put a network on a device, for images of these classes. Raises ArchspecError unless it has a score for each."""
    graph = trained.network.graph
    kind = result_kind(graph, graph.output)
    names = len(set(trained.class_names))
    if kind not in (SCORES, PROBABILITIES) or not names == len(trained.class_names) == trained.network.output[0]:
        message = f"`{trained.path}` outputs {trained.network.output}, but has {plural(names, 'class name')}"
        helps = ("it must output one score for each class",)
        raise failure("E465", message, helps=helps)
    preprocessing = trained.preprocessing
    modules = {at_scale(preprocessing, Fraction(1)): first_output(trained, trained.network).to(device)}

    def takes(scale: Fraction) -> bool:
        size = at_scale(preprocessing, scale)
        module = _at_size(trained, size)
        if module is not None:
            modules[size] = module.to(device)
        return module is not None

    found = views(wanted, takes, _largest_scale(trained))
    order = torch.tensor([trained.class_names.index(name) for name in class_names], device=device)
    return EnsembleMember(trained, found, modules, order, kind == SCORES, batch)


def _largest_scale(trained: Trained) -> float:
    """Return the largest scale that training showed; the digits are only shifted."""
    data = trained.metadata.data
    return 1.0 if data and data.source == "digits" else largest_scale(trained.metadata.recipe)


def need_same(names: Sequence[str], whose: str, others: Sequence[str], of: str) -> None:
    """Raise ArchspecError unless both have the same classes, in any order."""
    sides = ((whose, sorted(set(names) - set(others))), (of, sorted(set(others) - set(names))))
    notes = [f"only {owner} has {named(own, NAMED)}" for owner, own in sides if own]
    if notes:
        message = f"{whose} and {of} have different classes"
        helps = ("a folder of images must have the name of its class in the weights",)
        raise failure("E460", message, notes=tuple(notes), helps=helps)


def _at_size(trained: Trained, size: Size) -> nn.Module | None:
    """Return the network for images of another size, or None where its weights do not fit."""
    width, height = size
    try:
        own = trained.network
        network = restore({**own.bundle.to_dict(), "input": [height, width, own.input.channels]})
        return first_output(trained, network) if network.output == own.output else None
    except ArchspecError:
        return None
