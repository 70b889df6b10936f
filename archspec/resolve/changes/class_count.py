"""`--classes`: which layers get the number, found by structure.

In: the nodes of the spec as written, and the nodes of its classifiers' scores. Out: the sizes to set, by the names of
layers; or one error that says why there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import Diagnostic, Label, plural
from archspec.graph.ir import Node, Output
from archspec.graph.scores import scores

BAD_CHANGE = "E117"
HELPS = ("end the network with an FC or a CONV that has one output for each class",)


def class_sizes(nodes: Sequence[Node], ends: Iterable[int], classes: int) -> dict[str, int]:
    """Return the outputs of the layers that compute class scores, by their names.

    Raises ArchspecError if a layer that cannot be resized sets their number.
    """
    sizes: dict[str, int] = {}
    for end in ends:
        if nodes[end].volume.channels == classes:
            continue
        found = scores(nodes, end)
        if found.obstacle:
            raise _cannot_resize(found.obstacle, nodes[end], classes)
        sizes |= {node.name: classes for node in found.layers}
    return sizes


def need_classes(nodes: Sequence[Node], ends: Iterable[int], classes: int) -> None:
    """Raise ArchspecError if the scores have another number of channels: the spec's conditions have seen the change."""
    for end in ends:
        node = nodes[end]
        if node.volume.channels != classes:
            notes = (f"with that number, {node.name} outputs {node.volume}",)
            label = Label(node.span, f"produces {node.volume}")
            raise failure(BAD_CHANGE, _message(classes), (label,), notes, ("change the number in the spec",))


def _cannot_resize(obstacle: Node, end: Node, classes: int) -> ArchspecError:
    layer = obstacle.layer.describe()
    notes = (
        f"the {plural(end.volume.channels, 'channel')} of {end.name} come from `{layer}`, which cannot be resized",
    )
    label = Label(obstacle.span, f"produces {obstacle.volume}")
    return failure(BAD_CHANGE, _message(classes), (label,), notes, HELPS)


def no_scores(outputs: Sequence[Output]) -> ArchspecError:
    """Return the error for several outputs of which none is known to be of class scores."""
    names = [output.name for output in outputs]
    line = "loss " + ", ".join(f"{name} 1" for name in names)
    notes = (f"the outputs are {', '.join(names)}, and no `loss` line says which of them are class scores",)
    return failure(BAD_CHANGE, "`--classes` of several outputs", notes=notes, helps=(f"`{line}` under `train`",))


def misfit(finding: Diagnostic, classes: int) -> ArchspecError:
    """Return the error for an output whose channels others depend on, as those of a residual stream."""
    notes = (f"with that number, {finding.message}", *finding.notes)
    return failure(BAD_CHANGE, _message(classes), finding.labels, notes, HELPS)


def _message(classes: int) -> str:
    return f"the output cannot be changed to {plural(classes, 'class')}"
