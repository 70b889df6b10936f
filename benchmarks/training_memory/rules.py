"""What each kind of layer asks of memory in a training step of torch on the CPU. No torch in here.

Comes in: a `Node` and the batch. Goes out: its `Demand` in bytes. When those bytes are alive is for `liveness.py`;
MODEL.md says where every number comes from. Everything is float32 but the indices of max pooling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

FLOAT = 4
INDEX = 8
#: oneDNN computes on maps whose channels come in blocks of 16 (the width of an AVX-512 register; 8 with AVX2)
CHANNEL_BLOCK = 16
#: wider filters have their weight's gradient computed as a matrix product, each thread with buffers of its own
WIDEST_DIRECT_FILTER = 14
THREADS = 2


@dataclass(frozen=True, slots=True)
class Node:
    """One layer of the graph, for one image. `inputs` are the ids of the nodes it reads, all defined before it."""

    id: str
    kind: str
    inputs: tuple[str, ...]
    values: int
    channels: int
    parameters: tuple[int, ...] = ()
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    window: int = 5
    heads: int = 1
    rate: float = 0.5
    pixels: bool = False


class Flow(Enum):
    """Whose storage a result is: its own, the first input's, or a strided part of somebody's."""

    NEW = "new"
    SAME = "same"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Demand:
    """Bytes of one layer in one step; a spike counts from what is alive when the layer begins, its result included."""

    output: Flow = Flow.NEW
    gradient: Flow = Flow.NEW
    keeps_inputs: bool = False
    keeps_output: bool = False
    keeps: int = 0
    forward_spike: int = 0
    backward_spike: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """A node with what stands around it.

    `continues`: gradients go further back than this node. `channels_last`: its input lies pixel by pixel in memory.
    """

    node: Node
    inputs: tuple[Node, ...]
    batch: int
    continues: bool
    channels_last: bool

    @property
    def input_bytes(self) -> int:
        """Of all inputs together."""
        return FLOAT * self.batch * sum(node.values for node in self.inputs)

    @property
    def output_bytes(self) -> int:
        return FLOAT * self.batch * self.node.values


Rule = Callable[[Site], Demand]


def _blocked(channels: int) -> int:
    return -(-channels // CHANNEL_BLOCK) * CHANNEL_BLOCK


@dataclass(frozen=True, slots=True)
class Copies:
    """Bytes of a convolution's tensors in oneDNN's layout, channels filled up to whole blocks."""

    read: int
    made: int
    weight: int
    seen: int
    """of the input as the forward pass and the weight's gradient read it: 0 if they take torch's own"""


def _copies(site: Site) -> Copies:
    """Groups that do not fill their blocks stay as they are; an input of few channels is read where it lies."""
    node, source = site.node, site.inputs[0]
    read, made, weight = site.input_bytes, site.output_bytes, FLOAT * node.parameters[0]
    depthwise = node.groups == source.channels
    if node.groups > 1 and not depthwise and source.channels // node.groups % CHANNEL_BLOCK:
        return Copies(read, made, weight, read)
    inside, outside = _blocked(source.channels), _blocked(node.channels)
    inside_bytes, outside_bytes = read // source.channels * inside, made // node.channels * outside
    if source.channels < CHANNEL_BLOCK:
        return Copies(inside_bytes, outside_bytes, weight // node.channels * outside, 0)
    filled = weight // node.channels * outside
    return Copies(inside_bytes, outside_bytes, filled if depthwise else filled // source.channels * inside, inside_bytes)


def convolution(site: Site) -> Demand:
    """Copies of input, weight and output in oneDNN's layout stand beside torch's own (MODEL.md, Convolution)."""
    if site.channels_last:
        return _channels_last_convolution(site)
    node, read, copies = site.node, site.input_bytes, _copies(site)
    strided = node.stride > 1 and node.groups < site.inputs[0].channels
    forward = max(copies.seen + copies.weight + copies.made, copies.made + site.output_bytes)
    to_input = max(copies.made + copies.weight + copies.read, copies.read + (2 if strided else 1) * read)
    gradient = read if site.continues else 0
    to_weight = _weight_gradient(site, copies)
    backward = max(to_input if site.continues else 0, gradient + to_weight)
    return Demand(keeps_inputs=True, forward_spike=forward, backward_spike=backward)


def _weight_gradient(site: Site, copies: Copies) -> int:
    """By direct convolution over the copies; for the widest filters by unrolled images, four weights a thread."""
    node, weight = site.node, FLOAT * site.node.parameters[0]
    if node.kernel > WIDEST_DIRECT_FILTER:
        unrolled = weight // node.channels * (node.values // node.channels)
        return copies.weight + THREADS * (unrolled + 4 * weight)
    return max(copies.seen + copies.made + copies.weight, copies.weight + weight)


def _channels_last_convolution(site: Site) -> Demand:
    """oneDNN reads channels-last maps where they lie, but fills each group of a weight's gradient to a whole block."""
    weight = FLOAT * site.node.parameters[0]
    depthwise = site.node.groups == site.inputs[0].channels
    filled = weight * CHANNEL_BLOCK**2 if depthwise else weight
    gradient = site.input_bytes if site.continues else 0
    return Demand(
        keeps_inputs=True,
        forward_spike=weight + site.output_bytes,
        backward_spike=gradient + filled + 2 * weight,
    )


def transposed_convolution(site: Site) -> Demand:
    """As a convolution with the roles exchanged; the result is copied once more on its way out."""
    read, made, weight = site.input_bytes, site.output_bytes, FLOAT * site.node.parameters[0]
    backward = read + made + read + weight
    return Demand(keeps_inputs=True, forward_spike=max(3 * made, 2 * read + weight + made), backward_spike=backward)


def linear(site: Site) -> Demand:
    """Input kept for the weight's gradient; the products write straight to their results."""
    return Demand(keeps_inputs=True)


def max_pool(site: Site) -> Demand:
    """Input kept though only its shape is needed, and an int64 index for each output."""
    return Demand(keeps_inputs=True, keeps=INDEX * site.batch * site.node.values)


def average_pool(site: Site) -> Demand:
    """Input kept, though only its shape is needed."""
    return Demand(keeps_inputs=True)


def global_average_pool(site: Site) -> Demand:
    """A mean: only the sizes are kept."""
    return Demand()


def local_response_norm(site: Site) -> Demand:
    """torch composes it of square, pad, average pool, affine, power and division; three intermediates are kept."""
    size = site.input_bytes
    channels = site.inputs[0].channels
    padded = size // channels * (channels + site.node.window - 1)
    return Demand(
        keeps_inputs=True,
        keeps=padded + 2 * size,
        forward_spike=padded + 3 * size,
        backward_spike=4 * size,
    )


def batch_norm(site: Site) -> Demand:
    """Input and the two statistics kept; the backward kernel makes a second map and drops it."""
    statistics = 2 * FLOAT * site.node.channels
    return Demand(keeps_inputs=True, keeps=statistics, backward_spike=2 * site.input_bytes)


def instance_norm(site: Site) -> Demand:
    """A batch norm over batch times channels, its weight and bias repeated for every image."""
    repeated = FLOAT * site.batch * site.node.channels
    return Demand(keeps_inputs=True, keeps=4 * repeated, backward_spike=2 * site.input_bytes + 4 * repeated)


def group_norm(site: Site) -> Demand:
    """Input and two statistics a group."""
    return Demand(keeps_inputs=True, keeps=2 * FLOAT * site.batch * site.node.groups)


def layer_norm(site: Site) -> Demand:
    """Input and two statistics a vector; on the pixels of a map, a copy pixel by pixel each way."""
    size = site.input_bytes
    vectors = site.batch * site.node.values // site.node.channels
    keeps = 2 * FLOAT * vectors
    spike = 2 * size + keeps if site.node.pixels and not site.channels_last else 0
    return Demand(keeps_inputs=True, keeps=keeps, forward_spike=spike, backward_spike=spike)


def affine(site: Site) -> Demand:
    """x * weight + bias: the product dies after the sum; its gradient by the weight is as large until it is summed."""
    size = site.input_bytes
    return Demand(keeps_inputs=True, forward_spike=2 * size, backward_spike=2 * size)


def scale(site: Site) -> Demand:
    """x * weight."""
    return Demand(keeps_inputs=True, backward_spike=2 * site.input_bytes)


def from_output(site: Site) -> Demand:
    """ReLU, tanh, sigmoid, softmax: the derivative follows from the result."""
    return Demand(keeps_output=True)


def from_input(site: Site) -> Demand:
    """GELU, SiLU, ReLU6, hard swish: the derivative follows from the input."""
    return Demand(keeps_inputs=True)


def dropout(site: Site) -> Demand:
    """A mask as large as the map, in its float type, already divided by 1 - p; with p = 0 the map itself."""
    if site.node.rate == 0:
        return view(site)
    return Demand(keeps=site.output_bytes)


def view(site: Site) -> Demand:
    """Another shape of the same values."""
    return Demand(output=Flow.SAME, gradient=Flow.SAME)


def add(site: Site) -> Demand:
    """Keeps nothing; every term gets the very gradient that arrives."""
    return Demand(gradient=Flow.SAME)


def concat(site: Site) -> Demand:
    """A copy of its inputs, of which none is kept; their gradients are windows on one storage."""
    return Demand(gradient=Flow.PART)


def multiply(site: Site) -> Demand:
    """Both factors kept. The gradient of a factor that was broadcast is as large as the result until it is summed."""
    full = sum(max(node.values, site.node.values) for node in site.inputs)
    return Demand(keeps_inputs=True, backward_spike=FLOAT * site.batch * full)


def copy(site: Site) -> Demand:
    """Channel shuffle, transposition made contiguous, a class token or positions put on: one copy each way."""
    return Demand()


def take(site: Site) -> Demand:
    """One vector of a sequence: a window on it, whose gradient is the whole sequence with zeros."""
    return Demand(output=Flow.SAME)


def attention(site: Site) -> Demand:
    """Fused attention over q, k, v side by side; their gradients are stacked, then put in the projection's order."""
    size = site.output_bytes
    vectors = site.batch * site.node.values // site.node.channels
    return Demand(
        keeps_inputs=True,
        keeps_output=True,
        keeps=FLOAT * vectors * site.node.heads,
        backward_spike=3 * size,
    )


def returns_view(node: Node) -> bool:
    """A linear layer on a sequence returns a view of a matrix; writing into it costs autograd two copies."""
    return node.kind == "FC" and node.values > node.channels


#: kinds that write into their first input's storage wherever autograd allows it
OVERWRITES = frozenset({"RELU", "add"})

RULES: dict[str, Rule] = {
    "CONV": convolution,
    "DWCONV": convolution,
    "UPCONV": transposed_convolution,
    "FC": linear,
    "MAXPOOL": max_pool,
    "AVGPOOL": average_pool,
    "GAP": global_average_pool,
    "NORM": local_response_norm,
    "BN": batch_norm,
    "IN": instance_norm,
    "GN": group_norm,
    "LN": layer_norm,
    "AFFINE": affine,
    "SCALE": scale,
    "RELU": from_output,
    "TANH": from_output,
    "SIGMOID": from_output,
    "SOFTMAX": from_output,
    "RELU6": from_input,
    "GELU": from_input,
    "SILU": from_input,
    "HSWISH": from_input,
    "DROPOUT": dropout,
    "FLATTEN": view,
    "TOKENS": view,
    "add": add,
    "concat": concat,
    "mul": multiply,
    "SHUFFLE": copy,
    "TRANSPOSE": copy,
    "TAKE": take,
    "POSEMBED": copy,
    "CLS": copy,
    "ATTENTION": attention,
}
