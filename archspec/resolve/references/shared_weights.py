"""The parameters that layers share: those of shared blocks, and those given by `weights=@words`.

In: a graph without needless biases, and what its builder noted. Out: the same graph, whose nodes know whose parameters
they use; or the findings where these do not fit.
"""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, Edit, Help, Label
from archspec.diagnostics.source import Span
from archspec.graph.ir import Frame, Graph, Node, SharedWeights
from archspec.layers.base import Tensor
from archspec.record import replace
from archspec.resolve.graph_builder import GraphBuilder, Tie, trace


def with_shared_weights(graph: Graph, builder: GraphBuilder) -> tuple[Graph, list[Diagnostic]]:
    """Return the graph with what its nodes share, and what is wrong with that."""
    sharing = _Sharing(graph, builder)
    nodes = [replace(node, weights=sharing.of(node)) for node in graph.nodes]
    return graph.with_nodes(nodes), list(sharing.findings.values())


def in_all_calls(sizes: dict[str, int], builder: GraphBuilder) -> dict[str, int]:
    """Return what is set of layers by their names, set also of those that share their weights in a block."""
    paths = _Paths(builder.twins)
    nodes = [(paths.of_node(node), node.name) for node in builder.nodes if node.frame is not None]
    by_path = {path: sizes[name] for path, name in nodes if name in sizes}
    return sizes | {name: by_path[path] for path, name in nodes if path in by_path}


class _Sharing:
    """Who owns the parameters of each node; one finding for each place."""

    def __init__(self, graph: Graph, builder: GraphBuilder) -> None:
        self.graph = graph
        self.ties = builder.ties
        self.findings: dict[Span, Diagnostic] = {}
        self._paths = _Paths(builder.twins)
        self._groups: dict[str, list[Node]] = {}
        self._path: dict[int, str] = {}
        for node in graph.nodes if builder.twins else ():
            if node.frame is not None and self._tensors(node):
                path = self._path[node.index] = self._paths.of_node(node)
                self._groups.setdefault(path, []).append(node)
        self._first = {path: min(nodes, key=_rank) for path, nodes in self._groups.items()}
        self._owners: dict[int, Node] = {}
        for frame, finding in self._other_structures() if builder.twins else ():
            self._report(finding, frame)

    # ---- what a node shares
    def of(self, node: Node) -> SharedWeights | None:
        """Return what a node shares with its owner; None if all of its parameters are its own."""
        owner = self._owner_in_block(node)
        if owner is node:
            return self._tied(node)
        try:
            self._need_alike(node, owner)
            names = tuple(tensor.name for tensor in self._tensors(node))
            tied, own = self._tied(owner), self._tied(node)
            if tied is None:
                return SharedWeights(owner.name, names)
            if own != tied or tied.tensors != names:
                raise _of_two_layers(node, owner, tied)
        except Finding as finding:
            self._report(finding, node.frame)
            return None
        return tied

    def _tied(self, node: Node) -> SharedWeights | None:
        """Return what `weights=` gives a node."""
        tie = self.ties.get(node.index)
        if tie is None:
            return None
        owner = self._owner(tie.node)
        theirs = self._tensors(owner)
        names = tuple(tensor.name for tensor in self._tensors(node) if _same(tensor, theirs))
        if names:
            return SharedWeights(owner.name, names)
        self._report(self._nothing_in_common(node, tie, owner), node.frame)
        return None

    def _owner(self, index: int) -> Node:
        """Return the node that owns the parameters of another, through what that one shares."""
        passed = []
        while index not in self._owners:
            passed.append(index)
            node = self._owner_in_block(self.graph.nodes[index])
            if node.index not in self.ties:
                self._owners[index] = node
            else:
                index = self.ties[node.index].node
        return self._owners.setdefault(passed[0], self._owners[index]) if passed else self._owners[index]

    def _owner_in_block(self, node: Node) -> Node:
        """Return the same node in the first call of its shared block; the trunk's go before those in training only."""
        path = self._path.get(node.index)
        return node if path is None else self._first[path]

    def _tensors(self, node: Node) -> tuple[Tensor, ...]:
        return node.layer.tensors(self.graph.inputs(node)) if node.inputs else ()

    # ---- what does not fit
    def _report(self, finding: Finding, frame: Frame | None) -> None:
        """Record a finding at the call of a shared block, or at the argument, once for each place."""
        while finding.span is None and frame is not None:
            if frame.name in self._paths.twins:
                finding.span, finding.label = frame.span, "this call"
            frame = frame.parent
        assert finding.span is not None  # a layer in no shared block has its argument
        if finding.span not in self.findings:
            is_shown = len(self.findings) < MAX_SHOWN
            found = finding.diagnostic(finding.span, trace(frame)) if is_shown else finding.brief(finding.span)
            self.findings[finding.span] = found

    def _other_structures(self) -> Iterator[tuple[Frame, Finding]]:
        """Yield the instances of blocks whose layers with weights are others than in the first call."""
        frames: dict[str, Frame] = {}
        parts: dict[str, dict[str, None]] = {}  # the layers and blocks with weights in each instance
        for node in self.graph.nodes:
            frame, path = node.frame, self._path.get(node.index)
            while frame is not None and (path or frame.name not in frames):
                frames[frame.name] = frame
                own = parts.setdefault(frame.name, {})
                if path in own:
                    break
                if path:
                    own[path], path = None, self._paths.of_frame(frame)
                frame = frame.parent
        first: dict[str, str] = {}
        for name, frame in frames.items():
            other = first.setdefault(self._paths.of_frame(frame), name)
            missing = [path for path in parts[other] if path not in parts[name]]
            more = [path for path in parts[name] if path not in parts[other]]
            if missing or more:
                local = (missing or more)[0][len(self._paths.of_frame(frame)) + 1 :]
                yield frame, _other_structure(local, *((other, name) if missing else (name, other)))

    def _need_alike(self, node: Node, owner: Node) -> None:
        """Raise unless two nodes are of one layer and have the same tensors."""
        if type(node.layer) is not type(owner.layer):
            raise _disagree(node, owner, f"it is a {node.layer.keyword} here and a {owner.layer.keyword} there")
        here, there = self._tensors(node), self._tensors(owner)
        for name in dict.fromkeys(tensor.name for tensor in (*here, *there)):
            shapes = [next((one.shape for one in some if one.name == name), None) for some in (here, there)]
            if shapes[0] != shapes[1]:
                words = [str(shape or "missing") for shape in shapes]
                finding = _disagree(node, owner, f"{name} is {words[0]} here and {words[1]} there")
                if None in shapes and (node.layer.has_optional_bias or owner.layer.has_optional_bias):
                    finding.notes += ("a BN after one of them replaces its bias",)
                    text = f"{node.span.text} nobias"
                    finding.helps = (Help(f"`{text}` has none in any call", Edit(node.span, text)),)
                raise finding

    def _nothing_in_common(self, node: Node, tie: Tie, owner: Node) -> Finding:
        named = self.graph.nodes[tie.node]
        message = f"{node.name} cannot use the weights of {named.name}"
        notes = ["a tensor of the same name and shape is shared"]
        theirs = {tensor.name: tensor for tensor in self._tensors(owner)}
        if not theirs:
            message += f": {named.layer.describe()} has none"
            notes = ["a label names the last step of its line"]
        for tensor in self._tensors(node):
            if tensor.name in theirs:
                message += f": {tensor.name} is {tensor.shape} here and {theirs[tensor.name].shape} there"
                break
        helps = (Help(f"drop `{tie.span.text}`: {node.name} then has weights of its own", Edit(tie.span, "")),)
        return Finding("E119", message, tie.span, others=(Label(named.span, "its layer"),), notes=notes, helps=helps)


class _Paths:
    """The paths of nodes as they would be if each shared block had only its first call."""

    def __init__(self, twins: dict[str, str]) -> None:
        self.twins = twins
        self._known: dict[str, str] = {}

    def of_node(self, node: Node) -> str:
        """Return the path of a node in a block."""
        assert node.frame is not None
        return self.of_frame(node.frame) + node.name[len(node.frame.name) :]

    def of_frame(self, frame: Frame) -> str:
        """Return the path of an instance of a block."""
        known = self._known.get(frame.name)
        if known is None:
            name, parent = self.twins.get(frame.name, frame.name), frame.parent
            known = name if parent is None else self.of_frame(parent) + name[len(parent.name) :]
            self._known[frame.name] = known
        return known


def _rank(node: Node) -> tuple[bool, int]:
    return node.head != 0, node.index


def _same(tensor: Tensor, others: tuple[Tensor, ...]) -> bool:
    return any((tensor.name, tensor.shape) == (other.name, other.shape) for other in others)


def _disagree(node: Node, owner: Node, why: str) -> Finding:
    message = f"{node.name} cannot use the weights of {owner.name}: {why}"
    notes = ("all calls of a shared block have the same weights", "without `shared` each call has its own")
    return Finding("E119", message, others=(Label(node.span, "its layer"),), notes=notes)


def _other_structure(local: str, one: str, other: str) -> Finding:
    message = f"{one} and {other} are calls of one shared block, and only {one} has {local}"
    notes = ("all calls of a shared block have the same weights: its `if`s must choose the same lines",)
    return Finding("E119", message, notes=notes)


def _of_two_layers(node: Node, owner: Node, tied: SharedWeights) -> Finding:
    message = f"{node.name} cannot use the weights of both {owner.name} and {tied.owner}"
    notes = (f"only {', '.join(tied.tensors)} is of {tied.owner}: write `nobias`, or label a layer with all of them",)
    return Finding("E119", message, notes=notes)
