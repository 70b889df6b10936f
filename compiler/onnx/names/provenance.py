"""Where a node of the model comes from: its line in the spec, its layer, the blocks around it.

In: nodes of the graph. Out: pairs for the ONNX node's `metadata_props`. Files go by their bare name: no folder of the
machine gets into a model.
"""

from __future__ import annotations

from pathlib import PureWindowsPath

from archspec.diagnostics.source import Span
from archspec.graph.ir import Frame, Node


def provenance(nodes: tuple[Node, ...]) -> tuple[tuple[str, str], ...]:
    """The properties of what was made from these nodes: one, or a layer with the BN that is folded into it.

    `spec` is `resnet50.arch:11`, `layer` what stands there, `called_from` the lines of the blocks' calls from the
    inside out, `weights_of` the layer whose parameters are used.
    """
    calls = []
    frame: Frame | None = nodes[0].frame
    while frame is not None:
        calls.append(place(frame.span))
        frame = frame.parent
    found = [
        ("layer", " -> ".join(node.layer.describe() for node in nodes)),
        ("spec", " ".join(dict.fromkeys(place(node.span) for node in nodes))),
    ]
    found += [("weights_of", node.weights.owner) for node in nodes[:1] if node.weights is not None]
    return tuple([("called_from", " ".join(calls)), *found] if calls else found)


def place(span: Span) -> str:
    """File and line: `vgg16.arch:12`."""
    # a Windows path, because it takes both kinds of slash
    return f"{PureWindowsPath(span.source.name).name or span.source.name}:{span.line}"
