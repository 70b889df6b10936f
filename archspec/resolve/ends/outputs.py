"""`output` lines: their results leave the network, in their order.

In: a line, and what it produces. Out: the builder's outputs; findings for a line where no result can leave.
"""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.graph.ir import Frame, Node, Output
from archspec.language import syntax as s
from archspec.language.free_labels import free_label
from archspec.resolve.graph_builder import GraphBuilder, Wire
from archspec.resolve.scope import StepContext


def leave(chain: s.Chain, context: StepContext, end: Wire | None, builder: GraphBuilder) -> None:
    """Add the result of an `output` line. Raises Finding for a line inside a block, a merge or an `aux`."""
    scope, name = context.scope, chain.label
    assert name is not None  # the grammar takes `output` before a label only
    if scope.frame or context.entry is not None or builder.head:
        raise _inside(chain, context, in_aux=builder.head > 0)
    last = chain.steps[-1]
    if isinstance(last, s.EntryStep | s.ReferenceStep | s.RepeatStep) and not _marks(chain):
        scope.label(name, chain.span)  # other steps have given the label to what they build
    if isinstance(end, Node):
        builder.outputs.append(Output(name, end.index))


def _marks(chain: s.Chain) -> bool:
    """Whether a line only marks a label above as an output: `output p3: @p3`."""
    return [step.name for step in chain.steps if isinstance(step, s.ReferenceStep)] == [chain.label]


def last_weights(builder: GraphBuilder) -> Iterator[int]:
    """Yield the ordinal of the last weight layer before each output that no other layer reads."""
    weights = [node.index for node in builder.nodes if node.layer.is_weight_layer]
    ordinals = {index: number for number, index in enumerate(weights, 1)}
    read = {index for node in builder.nodes for index in node.inputs}
    for output in builder.outputs:
        wanted = {output.node} - read
        for node in reversed(builder.nodes[: output.node + 1]):
            if node.index in wanted:
                wanted.update(node.inputs)
                if node.index in ordinals:
                    yield ordinals[node.index]
                    break


def _inside(chain: s.Chain, context: StepContext, in_aux: bool) -> Finding:
    """Return the finding for an `output` line that is not at the top level."""
    scope, name = context.scope, chain.label or ""
    where = "an `aux`" if in_aux else f"the block `{scope.frame.call.split('(')[0]}`" if scope.frame else "a branch"
    notes = ("results leave the network at the top level: `output p3: @p3`",)
    word = _word(chain)
    file = scope.file.syntax

    def helps() -> Iterator[Help]:
        if file is not None and not in_aux:
            edits = _from_a_call(chain, scope.frame, file) if scope.frame else _at_the_end(name, f"@{name}", file)
            if edits:
                text = edits[-1].replacement.strip()
                yield Help(f"mark it at the end: `{text}`", Edit(word, ""), *edits)
        yield Help("drop `output`", Edit(word, ""))

    message = f"`output` inside {where}"
    return Finding("E108", message, word, notes=notes, helps=lambda: tuple(helps()))


def _from_a_call(chain: s.Chain, frame: Frame, file: s.File) -> tuple[Edit, ...]:
    """Return the edits that mark a label of a block's call at the top level; none for a call elsewhere."""
    source = file.span.source
    if frame.parent or frame.span.source is not source or chain.span.source is not source:
        return ()
    chains = [one for one in file.body if isinstance(one, s.Chain)]
    of_call = [one for one in chains if one.steps[-1].span.start <= frame.span.start < one.steps[-1].span.end]
    if not of_call:
        return ()
    label = of_call[0].label or free_label(source.text, frame.call.split("(")[0], "result")
    end = _at_the_end(chain.label or "", f"@{label}.{chain.label}", file, label if of_call[0] is chains[-1] else "")
    if of_call[0].label or of_call[0] is chains[-1]:
        return end
    start = of_call[0].steps[0].span.start
    return (Edit(Span(source, start, start), f"{label}: "), *end)


def _at_the_end(name: str, result: str, file: s.File, last: str = "") -> tuple[Edit, ...]:
    """Return the edits that mark a result at the end of a file, and the last line, with the label `last`."""
    source = file.span.source
    end = len(source.text.rstrip())
    line = Edit(Span(source, end, end), f"\noutput {name}: {result}")
    return (*_marked_last(file, last), line)


def _marked_last(file: s.File, label: str) -> tuple[Edit, ...]:
    """Return the edit that makes the last line an output; none if it is one."""
    last = next((one for one in reversed(file.body) if isinstance(one, s.Chain)), None)
    if last is None or last.is_output:
        return ()
    first = last.steps[0].span
    text = first.source.text
    start = text.rindex(last.label, 0, first.start) if last.label else first.start
    new = "" if last.label else f"{label or free_label(text, 'scores', 'result')}: "
    return (Edit(Span(first.source, start, start), f"output {new}"),)


def _word(chain: s.Chain) -> Span:
    """Return the word `output` of a line, with the space after it."""
    source, start = chain.span.source, chain.span.start
    start = source.text.index("output", chain.bracket.span.end if chain.bracket else start)
    end = source.text.index(f"{chain.label}:", start + len("output"))
    return Span(source, start, end)
