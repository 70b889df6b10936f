"""What makes the branches of a merge fit: another pad, stride or number of filters in one of them, or a step more.

In: a merge that was refused, and the nodes at the ends of its branches. Out: the finding, with edits of one branch, in
the terms of the source. A candidate is computed along the branch before it is proposed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.graph.ir import Node
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.layers import Layer
from archspec.layers.arguments import Pads, Respelling
from archspec.layers.conv import Convolution
from archspec.layers.pool import Pooling
from archspec.layers.window import padding
from archspec.record import replace
from archspec.resolve.brackets import Brackets
from archspec.resolve.graph_builder import Wire
from archspec.resolve.helps.branches.branch import Branch, Merge
from archspec.resolve.helps.branches.endings import ended
from archspec.resolve.helps.branches.exact_sizes import exact, lost_pixels
from archspec.resolve.helps.branches.upsampled import upsampled
from archspec.resolve.helps.calls import all_calls
from archspec.resolve.scope import StepContext

Fields: TypeAlias = dict[str, Any]
_STRIDES = (1, 2, 4)
_LARGEST_PAD = 7


def mismatch(
    finding: Finding, wires: Sequence[Wire], step: s.MergeStep, brackets: Brackets, context: StepContext
) -> Finding:
    """Return the finding for branches that do not fit, with what would make them fit."""
    merge = Merge(step, brackets.builder.nodes, context, brackets.file)
    ends = [wire for wire in wires if isinstance(wire, Node)]
    bodies = merge.step.branches
    if len(ends) == len(bodies):
        entry = next((merge.nodes[index] for index in _entries(ends, merge.nodes)), None)
        branches = [Branch(body, end, merge, entry) for body, end in zip(bodies, ends, strict=True)]
        if len({end.volume.spatial for end in ends}) > 1:
            lost = (note for branch in branches for note in lost_pixels(branch.nodes))
            finding.notes = tuple(dict.fromkeys((*finding.notes, *lost)))
        finding.change_helps(lambda helps: [*_multiplied(merge.step, ends), *_helps(merge.step.name, branches), *helps])
    return finding


def _multiplied(step: s.MergeStep, ends: Sequence[Node]) -> Iterator[Help]:
    """Yield `mul` for an `add` of a map and a vector, which scales its channels."""
    largest = max((end.volume for end in ends), key=len)
    if step.name == "add" and all(end.volume in (largest, largest[-1:]) for end in ends):
        yield Help("`mul` scales each channel by a value of the vector", Edit(step.span, "mul"))


def _entries(ends: Sequence[Node], nodes: Sequence[Node]) -> list[int]:
    """Return the node from which all branches come, as a list of at most one index."""
    ways = []
    for end in ends:
        node, way = end, [end.index]
        while len(node.inputs) == 1:
            node = nodes[node.inputs[0]]
            way.append(node.index)
        ways.append(way)
    return [index for index in ways[0] if all(index in way for way in ways)][:1]


def _helps(name: str, branches: Sequence[Branch]) -> list[str]:
    found: dict[str, None] = {}
    if name == "concat":
        found.update(dict.fromkeys(_all_same(branches)))
    pairs = list(_pairs(branches, _shape_for(name)))
    found.update(dict.fromkeys(fix for odd, other in pairs for fix in _strided(odd, other)))
    for odd, other in pairs:
        if name == "mul" and len(odd.volume) == 1 < len(other.volume):
            found.update(dict.fromkeys(_refiltered(odd, Volume(other.volume[-1:]))))
            continue
        if odd.volume.spatial != other.volume.spatial:
            found.update(dict.fromkeys(_resized(odd, other.volume, name == "concat")))
            found.update(dict.fromkeys(upsampled(odd, other.volume)))
        if name != "concat":
            last = list(ended(odd, other.volume))
            found.update(dict.fromkeys(last or [*_bridged(odd, other), *_refiltered(odd, other.volume)]))
    return list(found)


def _shape_for(name: str) -> Callable[[Branch], tuple[int, ...]]:
    """Return what all branches of a merge must have in common."""
    if name == "concat":
        return lambda branch: branch.volume.spatial
    return lambda branch: tuple(branch.volume)


def _pairs(branches: Sequence[Branch], shape: Callable[[Branch], tuple[int, ...]]) -> Iterator[tuple[Branch, Branch]]:
    """Yield a branch to change and one that it has to fit: the minority first; of two, a bare `x` if not wider."""
    counts = Counter(map(shape, branches))
    sizes = {branch.volume.spatial for branch in branches}
    most = max(branch.volume.channels for branch in branches)
    ranked = sorted(
        branches,
        key=lambda one: (counts[shape(one)], not one.is_bare or (len(sizes) == 1 and one.volume.channels == most)),
    )
    for odd in ranked:
        for other in reversed(ranked):
            if shape(odd) != shape(other):
                yield odd, other
                break


def _resized(odd: Branch, goal: Volume, is_concat: bool) -> Iterator[Help]:
    """Yield other pads or strides of windows in a branch."""
    windows = {node.index: node.layer for node in odd.nodes if isinstance(node.layer, Convolution | Pooling)}
    same: dict[int, Fields] = {index: {"pad": pads} for index, layer in windows.items() if (pads := _same(layer))}
    changes: list[dict[int, Fields]] = [{index: fields} for index, fields in same.items()]
    for index, layer in windows.items():
        most = max(layer.kernel) // 2
        changes += [{index: {"stride": (side, side)}} for side in _STRIDES]
        changes += [{index: {**same.get(index, {}), "stride": (side, side)}} for side in _STRIDES]
        changes += [{index: {"pad": ((pad, pad), (pad, pad))}} for pad in range(min(most, _LARGEST_PAD) + 1)]
    changes += [*exact(odd), same]
    layer_of = {node.index: node.layer for node in odd.nodes}
    for change in changes:
        layers: dict[int, Layer] = {index: replace(layer_of[index], **fields) for index, fields in change.items()}
        volume = odd.volume_with(layers)
        if volume is not None and (volume == goal or (is_concat and volume.spatial == goal.spatial)):
            yield from _written(odd, change, volume)
            if change is same:
                return


def _same(layer: Convolution | Pooling) -> Pads | None:
    """Return the pads that keep the size at stride 1, unless the layer has them."""
    if not all(side % 2 for side in layer.kernel):
        return None
    pads = padding("same", layer.kernel, layer.dilation if isinstance(layer, Convolution) else (1, 1))
    return None if pads == layer.pads else pads


def _all_same(branches: Sequence[Branch]) -> Iterator[Help]:
    """Yield pads that keep the size in all branches that lose pixels, if there are several."""
    largest = max(branch.volume.spatial for branch in branches)
    small = [branch for branch in branches if branch.volume.spatial != largest]
    fixes = [next(_resized(branch, Volume((*largest, 1)), True), None) for branch in small]
    if len(fixes) > 1:
        whole = [fix for fix in fixes if fix is not None]
        texts = [fix.split(":")[0] for fix in whole]
        if len(whole) == len(fixes):
            yield Help(" and ".join(texts), *(edit for fix in whole for edit in fix.edits))


def _strided(odd: Branch, other: Branch) -> Iterator[Help]:
    """Yield the stride of the other branch, as that writes it, for the only window of a branch."""
    windows = [node for node in odd.nodes if isinstance(node.layer, Convolution | Pooling)]
    for written in _strides(other, 1):
        speller = odd.speller(windows[0]) if len(windows) == 1 else None
        if written and speller is not None and "stride" not in speller.places:
            text = f"{speller.span.text}{written}"
            yield Help(f"`{text}` has the other branch's stride", Edit(speller.span, text))


def _refiltered(odd: Branch, goal: Volume) -> Iterator[Help]:
    """Yield another number of filters in the last step of a branch that has one."""
    for node in reversed(odd.nodes):
        if node.layer.outputs:
            fields = {node.layer.outputs: goal.channels}
            if odd.volume_with({node.index: replace(node.layer, **fields)}) == goal:
                yield from _written(odd, {node.index: fields}, goal)
            return


def _written(odd: Branch, change: Mapping[int, Fields], volume: Volume) -> Iterator[Help]:
    """Yield the help that gives steps of a branch other arguments, if all are written there."""
    texts, edits = [], []
    for node in odd.nodes:
        if node.index in change:
            fields = {name: value for name, value in change[node.index].items() if value != getattr(node.layer, name)}
            if not fields:
                return
            speller = odd.speller(node)
            if speller is None:
                return
            if any(not speller.is_literal(field) for field in fields):
                found = speller.help(Respelling(f"`{{}}`: the branch then produces {volume}", "{}", **fields))
                yield from [found] if found and len(change) == 1 else []
                return
            texts.append(f"`{speller.spelt(fields)}`")
            edits.append(Edit(speller.span, speller.spelt(fields)))
    yield Help(f"{' and '.join(texts)}: the branch then produces {volume}", *edits)


def _bridged(odd: Branch, other: Branch) -> Iterator[Help]:
    """Yield a 1x1 CONV at the end of a branch that gives it the other's channels, and its size, if that is smaller."""
    small, large = other.volume, odd.volume
    if not (small.is_map and large.is_map):
        return
    stride = next((n for n in range(1, 9) if tuple((size - 1) // n + 1 for size in large.spatial) == small.spatial), 0)
    filters = _in_terms_of(other)
    if not stride or filters is None:
        return
    last = odd.body[-1]
    if not isinstance(last, s.Chain) or last.bracket:
        return
    if not odd.is_bare and any(node.layer.is_weight_layer for node in odd.nodes):
        return
    for written in dict.fromkeys(_strides(other, stride)):
        step = f"CONV {filters} 1x1{written}"
        if odd.is_bare and len(last.steps) == 1:
            text = f"`| {step}` turns {odd.volume} into {other.volume}"
            yield Help(text + all_calls(odd.scope.frame, odd.file), Edit(last.steps[0].span, step))
        else:
            end = last.steps[-1].span
            text = f"{end.text} -> {step}"
            yield Help(f"`{text}` produces {other.volume}", Edit(end, text))


def _in_terms_of(branch: Branch) -> str | None:
    """Return the number of channels of a branch as its last CONV writes it; None if it only holds in this instance."""
    for node in reversed(branch.nodes):
        if node.layer.outputs and getattr(node.layer, node.layer.outputs) == branch.volume.channels:
            speller = branch.speller(node)
            if speller is not None and node.layer.outputs in speller.places:
                return speller.source(node.layer.outputs, {})
            break
    if branch.is_bare and branch.scope.entry is branch.end:
        return "C"
    return None if branch.scope.frame else str(branch.volume.channels)


def _strides(branch: Branch, stride: int) -> Iterator[str]:
    """Yield a stride as a branch writes it, `stride=s` for all instances of a block first; then as a number."""
    for node in branch.nodes:
        speller = branch.speller(node)
        if speller is None or not isinstance(node.layer, Convolution | Pooling):
            continue
        if (stride == 1 or node.layer.stride == (stride, stride)) and not speller.is_literal("stride"):
            yield f" {speller.places['stride'].text}"
    yield f" s{stride}" if stride > 1 else ""
