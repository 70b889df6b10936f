"""A map that was flattened too early: which layer did it, and what would keep the map.

In: the finding for a layer that needs a map and got a vector. Out: the same finding, which points at the FC or GAP.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help, Label
from archspec.graph.ir import Node
from archspec.language import syntax as s
from archspec.layers.linear import FullyConnected
from archspec.layers.pool import GlobalAvgPool
from archspec.resolve.helps.respelling import dropped
from archspec.resolve.helps.steps import steps_of
from archspec.resolve.helps.surroundings import Surroundings

_COUNT = re.compile(r"FC[ \t]+(?P<count>[^\s,]+)(?P<rest>.*)", re.DOTALL)
_POINTWISE = re.compile(r"CONV[ \t]+(?P<count>[^\s,]+)[ \t]+1x1(?P<rest>.*)", re.DOTALL)


def keep_the_map(finding: Finding, step: s.LayerStep, around: Surroundings) -> None:
    """Point at the layer that turned a map into a vector, with an edit that keeps the map."""
    node = None if around.before is None else _flattener(around.before, around.nodes)
    if node is None or node.implied:
        return
    before = around.nodes[node.inputs[0]].volume
    finding.others = (Label(node.span, f"turns {before} into {node.volume}"),)
    if isinstance(node.layer, GlobalAvgPool):
        fixes = [*_as_fc(step, around.file), Help("without `GAP` it stays a map", dropped(node.span))]
    elif found := _COUNT.fullmatch(node.span.text):
        text = f"CONV {found['count']} 1x1{found['rest']}"
        fixes = [Help(f"`{text}` keeps the map", Edit(node.span, text))]
    else:
        return
    finding.change_helps(lambda helps: [*(fixes[:-1]), *helps, fixes[-1]])


def _as_fc(step: s.LayerStep, file: s.File) -> list[Help]:
    """Return the help that writes the 1x1 CONVs from a step to the end of its line as FCs, if they are several."""
    line = [one for one in steps_of(file) if one.span.line == step.span.line and one.span.start >= step.span.start]
    convs = [(one.span, found) for one in line if (found := _POINTWISE.fullmatch(one.span.text))]
    if len(convs) < 2 or convs[0][0] != step.span:  # one alone is the layer's own help
        return []
    edits = [Edit(span, f"FC {found['count']}{found['rest']}") for span, found in convs]
    return [Help(f"`{edits[0].replacement}`, and so the others of the line", *edits)]


def _flattener(node: Node, nodes: Sequence[Node]) -> Node | None:
    """Return the FC or GAP that turned a map into the vector at a node."""
    while len(node.volume) == 1 and len(node.inputs) == 1:
        before = nodes[node.inputs[0]]
        if before.volume.is_map:
            return node if isinstance(node.layer, FullyConnected | GlobalAvgPool) else None
        node = before
    return None
