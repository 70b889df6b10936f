"""The results that the `loss` line of a recipe names.

In: the recipe with its `train` section, and the labels of the top level. Out: the losses; findings for names that are
not those of results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, Help, misspelt
from archspec.diagnostics.source import Span
from archspec.graph.ir import LossTerm, Node
from archspec.language import syntax as s
from archspec.layers.input import Input
from archspec.recipe import Recipe
from archspec.resolve.graph_builder import Wire
from archspec.resolve.train_section.setting_helps import without_line

_FUNCTIONS = frozenset(("bce", "ce", "cross_entropy", "crossentropy", "loss", "mse", "nll", "softmax"))


def losses(recipe: Recipe, train: s.Train, labels: Mapping[str, Wire]) -> tuple[tuple[LossTerm, ...], list[Diagnostic]]:
    """Return the losses of a recipe, and what is wrong with their names."""
    setting = next(one for one in train.settings if one.name == "loss")
    places = {word.name: word.span for word in setting.words if word.name}
    found, findings = [], []
    for name, weight in recipe.losses:
        wire = labels.get(name)
        if isinstance(wire, Node) and not isinstance(wire.layer, Input) and not wire.head:
            found.append(LossTerm(name, wire.index, weight))
        elif wire is None or isinstance(wire, Node):
            findings.append(_no_result(name, places[name], wire, setting, labels).diagnostic(setting.span))
    return tuple(found), findings


def _no_result(name: str, span: Span, wire: Node | None, setting: s.Setting, labels: Mapping[str, Wire]) -> Finding:
    """Return the finding for a name that no result has."""
    is_used = all(one.span.source is not span.source for one in labels.values() if isinstance(one, Node))
    known = [label for label, one in labels.items() if isinstance(one, Node) and one.inputs and not one.head]

    def notes() -> Iterator[str]:
        if is_used:
            yield "the recipe is of another file: write its settings in the spec, with labels of the spec"
        if name in _FUNCTIONS:
            yield "each loss is the cross-entropy of a result: name the result"
        if known:
            yield f"the labels are {', '.join(known[:12])}"
        else:
            yield "no result has a label: without the line, the loss is that of the last line"

    def helps() -> tuple[Help, ...]:
        if is_used:
            return ()
        near = misspelt(name, known, span)
        return near or ((without_line(setting),) if len(setting.words) <= 2 else ())

    if wire is None:
        message = f"unknown result `{name}`"
    elif wire.head:
        message = f"`{name}` is of an `aux`, whose weight is in its own line"
    else:
        message = f"`{name}` is an input, not a result"
    return Finding("E011", message, span, "unknown" if wire is None else "", notes=tuple(notes()), helps=helps)
