"""The memory of a real training step of a graph, by torch's own allocator, to hold the predictor against.

In: a graph. Out: the largest number of bytes that torch counts as allocated during the second step on the CPU, with
two threads. Layers are those of layer_modules.py, but for those that train differently. A result is dropped behind its
last reader, and RELU and add write in place where autograd allows it, as MODEL.md says of a careful program.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import reduce
from operator import add, mul
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile, record_function

from archspec.compiler import build
from archspec.compiler.lowering.random_inputs import random_inputs
from archspec.graph.ir import Graph, Node
from archspec.layers.attention import Attention
from archspec.layers.base import Layer
from support.layer_modules import Inputs, torch_module

THREADS = 2  # those of the model's constants
KEEPS_ITS_RESULT = {"RELU", "TANH", "SIGMOID", "SOFTMAX"}
MAKES_A_VIEW = {"TOKENS", "SLICE", "TAKE", "INPUT"}


class Function(nn.Module):
    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)


def drop_path(p: float) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        keep = x.new_empty(len(x), *[1] * (x.dim() - 1)).bernoulli_(1 - p).div_(1 - p)
        return x * keep

    return forward


def space_to_depth(n: int) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        batch, channels, high, wide = x.shape
        blocks = x.view(batch, channels, high // n, n, wide // n, n).permute(0, 3, 5, 1, 2, 4)
        return blocks.reshape(batch, n * n * channels, high // n, wide // n)

    return forward


class FusedAttention(nn.Module):
    def __init__(self, layer: Attention, channels: int) -> None:
        super().__init__()
        self.heads, self.causal, width = layer.heads, layer.causal, layer.width or channels
        self.qkv = nn.Linear(channels, 3 * width, bias=layer.bias)
        self.proj = nn.Linear(width, channels, bias=layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        joined: Tensor = self.proj(seen.transpose(1, 2).flatten(2))
        return joined


class FusedCrossAttention(nn.Module):
    def __init__(self, layer: Attention, inputs: Inputs) -> None:
        super().__init__()
        self.heads, width = layer.heads, inputs[0].channels
        self.q, self.proj = nn.Linear(width, width), nn.Linear(width, width)
        sizes = [width] * 2 if len(inputs) == 3 else [2 * width]
        self.told = nn.ModuleList(nn.Linear(one.channels, size) for one, size in zip(inputs[1:], sizes, strict=True))

    def forward(self, x: Tensor, *given: Tensor) -> Tensor:
        told = [module(one) for module, one in zip(self.told, given, strict=True)]
        if len(told) == 1:
            keys, values = told[0].unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        else:
            keys, values = (one.unflatten(-1, (self.heads, -1)).transpose(1, 2) for one in told)
        queries = self.q(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        seen = functional.scaled_dot_product_attention(queries, keys, values)
        joined: Tensor = self.proj(seen.transpose(1, 2).flatten(2))
        return joined


def attention(layer: Attention, inputs: Inputs) -> nn.Module:
    if layer.side:
        return WindowedAttention(layer, inputs)
    return FusedCrossAttention(layer, inputs) if layer.given else FusedAttention(layer, inputs[0].channels)


def spread(factor: Tensor) -> Tensor:
    return factor if factor.dim() > 2 else factor[:, :, None, None]


class WindowedAttention(nn.Module):
    """Swin's: a rolled map cut into windows; offsets and masks are added to the scores, as torch takes them."""

    def __init__(self, layer: Attention, inputs: Inputs) -> None:
        super().__init__()
        assert layer.side is not None
        channels, self.heads, self.side = inputs[0].channels, layer.heads, layer.side
        self.roll = layer.shifts(inputs[0])
        self.qkv, self.proj = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        self.table = nn.Parameter(torch.zeros((2 * self.side - 1) ** 2, self.heads))
        self.offsets = torch.zeros(self.side**2, self.side**2, dtype=torch.long)
        self.windows = inputs[0][0] * inputs[0][1] // self.side**2

    def _cut(self, x: Tensor) -> Tensor:
        batch, channels, high, wide = x.shape
        n, x = self.side, x.permute(0, 2, 3, 1)
        if any(self.roll):
            x = x.roll((-self.roll[0], -self.roll[1]), (1, 2))
        return x.reshape(batch, high // n, n, wide // n, n, channels).transpose(2, 3).reshape(-1, n * n, channels)

    def _mix(self, tripled: Tensor) -> Tensor:
        q, k, v = tripled.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        added = self.table[self.offsets].permute(2, 0, 1)[None]
        if any(self.roll):
            allowed = torch.zeros(self.windows, 1, *self.offsets.shape)
            added = added + allowed.repeat(len(q) // self.windows, 1, 1, 1)
        return functional.scaled_dot_product_attention(q, k, v, attn_mask=added).transpose(1, 2).flatten(2)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, high, wide = x.shape
        n = self.side
        y: Tensor = self.proj(self._mix(self.qkv(self._cut(x))))
        y = y.view(batch, high // n, wide // n, n, n, channels).transpose(2, 3).reshape(batch, high, wide, channels)
        return (y.roll(self.roll, (1, 2)) if any(self.roll) else y).permute(0, 3, 1, 2)


class ResponseNorm(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = (nn.Parameter(torch.zeros(channels, 1, 1)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        norms = x.norm(dim=(2, 3), keepdim=True)
        result: Tensor = x * (norms / (norms.mean(1, keepdim=True) + 1e-6) * self.weight + 1) + self.bias
        return result


class SequencePrelu(nn.PReLU):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


def global_max(layer: Any, inputs: Inputs) -> nn.Module:
    if layer.channels:
        return Function(lambda x: x.max(1 if x.dim() == 4 else 2, keepdim=True).values)
    return Function(lambda x: (x.flatten(2).max(2) if x.dim() == 4 else x.max(1)).values)


TRAINED: dict[str, Callable[[Any, Inputs], nn.Module]] = {
    "DROPPATH": lambda layer, v: Function(drop_path(layer.p)),
    "SPACE2DEPTH": lambda layer, v: Function(space_to_depth(layer.block)),
    "MHSA": attention,
    "GMP": global_max,
    "GRN": lambda layer, v: ResponseNorm(v[0].channels),
    "PRELU": lambda layer, v: (SequencePrelu if len(v[0]) == 2 else nn.PReLU)(layer.tensors(v)[0].size),
    "add": lambda layer, v: Function(lambda first, second, *more: reduce(Tensor.add_, more, first + second)),
    "mul": lambda layer, v: Function(lambda *factors: reduce(mul, map(spread, factors))),
}


def module_of(layer: Layer, inputs: Inputs) -> nn.Module:
    special = TRAINED.get(layer.keyword)
    return (special(layer, inputs) if special else torch_module(layer, inputs)).train()


class Network(nn.Module):
    """A graph as a module; in training it returns the scores of all classifiers."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self.ends = [graph.output, *(head.output for head in graph.heads)]
        self.layers = nn.ModuleList(module_of(n.layer, graph.inputs(n)) for n in graph.nodes if n.inputs)

    def forward(self, images: Tensor) -> list[Tensor]:
        results: dict[int, Tensor] = {}
        waiting = [len(readers) for readers in self.graph.consumers]
        scores: dict[int, Tensor] = {}
        for node in self.graph.nodes:
            results[node.index] = self._run(node, results) if node.inputs else images
            for source in node.inputs:
                waiting[source] -= 1
                if not waiting[source]:
                    results.pop(source, None)
            if node.index in self.ends:
                scores[node.index] = results[node.index]
        return [scores[end] for end in self.ends]

    def _run(self, node: Node, results: dict[int, Tensor]) -> Tensor:
        inputs = [results[index] for index in node.inputs]
        if self._may_write(node):
            if node.layer.keyword == "add":
                return reduce(Tensor.add_, inputs)
            if node.layer.keyword == "RELU":
                return functional.relu_(inputs[0])
        if node.layer.keyword == "RELU":
            return functional.relu(inputs[0])
        result: Tensor = self.layers[node.index - 1](*inputs)
        return result

    def _may_write(self, node: Node) -> bool:
        source = self.graph.nodes[node.inputs[0]]
        keyword, is_sequence = source.layer.keyword, len(source.volume) == 2
        if len(self.graph.consumers[source.index]) > 1 or keyword in KEEPS_ITS_RESULT | MAKES_A_VIEW:
            return False
        return not (is_sequence and keyword in ("FC", "MHSA"))


class Lowered(nn.Module):
    """The compiler's own module, for layers that are not written by hand here."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.module = build(graph, seed=0)

    def forward(self, *inputs: Tensor) -> list[Tensor]:
        results = self.module(*inputs)
        return list(results) if isinstance(results, tuple) else [results]


def training_bytes(
    graph: Graph, batch: int, decay: float = 0.0, make: Callable[[Graph], nn.Module] | None = None
) -> int:
    """Peak bytes of the second step of SGD with momentum, of the hand-written network unless `make` builds another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
            train_two_steps(graph, (make or Network)(graph), batch, decay)
    finally:
        torch.set_num_threads(threads)
    return peak(profiler, "second")


def train_two_steps(graph: Graph, network: nn.Module, batch: int, decay: float) -> None:
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, weight_decay=decay, foreach=False)
    inputs = random_inputs(graph, batch)
    places = {graph.nodes[loss.node].volume.spatial for loss in graph.training_results}
    labels = {sizes: torch.zeros(batch, *sizes, dtype=torch.long) for sizes in places}
    for mark in ("first", "second"):
        with record_function(mark):
            optimizer.zero_grad()
            losses = [functional.cross_entropy(scores, labels[tuple(scores.shape[2:])]) for scores in network(*inputs)]
            reduce(add, losses).backward()
            optimizer.step()


def peak(profiler: Any, mark: str) -> int:
    """The largest `Total Allocated` within a region, less what was allocated before the profiler began."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        events = json.loads(path.read_text())["traceEvents"]
    region = next(event for event in events if event.get("name") == mark and event.get("ph") == "X")
    memory = sorted((event for event in events if event.get("name") == "[memory]"), key=lambda event: event["ts"])
    before = int(memory[0]["args"]["Total Allocated"]) - int(memory[0]["args"]["Bytes"])
    end = region["ts"] + region["dur"]
    within = [int(e["args"]["Total Allocated"]) for e in memory if region["ts"] <= e["ts"] <= end]
    return max(within) - before
