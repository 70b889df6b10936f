"""Results that do not contribute to the output, with the edit that drops the lines that compute them.

In: a graph, and a node whose result nothing reads. Out: a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, Edit, Help
from archspec.diagnostics.source import Span
from archspec.graph.ir import Graph, Node
from archspec.language.free_labels import free_label
from archspec.resolve.graph_builder import trace
from archspec.resolve.names.lines import block_of

_BEGIN = re.compile(r" *(?:\[[^\]]*\] *)?(?:(?P<label>[a-z_]\w*): +)?(?P<step>\S)")
Line = tuple[str, int]  # of which source, from where


def unused_result(node: Node, graph: Graph, is_shown: bool) -> Diagnostic:
    """Return the finding for a result that nothing reads; one that is only counted has no helps."""
    name = node.name.rsplit(".", 1)[-1]
    if not is_shown:
        return Finding("E113", f"unused result of {name}", node.span).brief(node.span)
    notes = ("end a branch with it, use it by its label, or drop it",)
    is_input = not node.inputs
    notes = ("use it by its label, or drop it",) if is_input else notes
    message = f"unused input {name}" if is_input else f"unused result of {name}"
    helps = (*_leave(node, graph), *_drop(node, graph))
    finding = Finding("E113", message, node.span, "never used", notes=notes, helps=helps)
    return finding.diagnostic(node.span, trace(node.frame))


def _leave(node: Node, graph: Graph) -> tuple[Help, ...]:
    """Make the line of a result an output, in a spec that has such lines."""
    span = next(_spans(node), node.span)
    source = span.source
    if not re.search(rf"\boutput +{graph.outputs[0].name}:", source.text) or node.implied or not node.inputs:
        return ()
    line, start = source.line(span.line), source.starts[span.line - 1]
    found = _BEGIN.match(line)
    if found is None:
        return ()
    name = found["label"] or free_label(source.text, node.name.rsplit(".", 1)[-1], "result")
    at = Span(source, start + found.start("step"), start + found.start("step"))
    if found["label"]:
        at = Span(source, start + found.start("label"), start + found.start("step"))
    return (Help(f"make it an output: `output {name}: ...`", Edit(at, f"output {name}: ")),)


def _drop(node: Node, graph: Graph) -> tuple[Help, ...]:
    """Drop the lines that only compute this result, if each adds nothing else."""
    needed = _needed(graph, {*(output.node for output in graph.outputs), *(head.output for head in graph.heads)})
    only_here = _needed(graph, {node.index}) - needed - ({0} if len(graph.sources) == 1 else set())
    elsewhere = {_at(span) for other in graph.nodes if other.index not in only_here for span in _spans(other)}
    lines: dict[Line, Span] = {}
    for index in sorted(only_here):
        own = [span for span in _spans(graph.nodes[index]) if _at(span) not in elsewhere]
        if not own:
            return ()
        lines[_at(own[0])] = block_of(own[0])  # the outermost call
    outer = [one for one in lines.values() if not any(_is_inside(one, other) for other in lines.values())]
    text = "drop the line" if len(outer) == 1 else "drop the lines that only lead to it"
    return (Help(text, *(Edit(span, "") for span in outer)),)


def _needed(graph: Graph, ends: set[int]) -> set[int]:
    """Return the nodes that lead to some results, with those."""
    found: set[int] = set()
    waiting = list(ends)
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting += graph.nodes[index].inputs
    return found


def _spans(node: Node) -> Iterator[Span]:
    """Yield the places that a node comes from: the calls around it, outermost first, and its step."""
    spans = [] if node.implied else [node.span]
    frame = node.frame
    while frame is not None:
        spans.append(frame.span)
        frame = frame.parent
    yield from reversed(spans)


def _at(span: Span) -> Line:
    return span.source.name, span.source.starts[span.line - 1]


def _is_inside(one: Span, other: Span) -> bool:
    return one != other and one.source is other.source and other.start <= one.start < other.end
