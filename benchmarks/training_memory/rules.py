"""What each kind of layer asks of memory in a training step of torch on the CPU. No torch in here.

Comes in: a `Site`, which is a node with its inputs and the batch. Goes out: its `Demand` in bytes. When those
bytes are alive is for `liveness.py`; MODEL.md says where every number comes from. Everything is float32 but
the indices of max pooling.
"""

from __future__ import annotations

from collections.abc import Callable

from .convolution import convolution, transposed_convolution
from .demand import FLOAT, INDEX, Demand, Flow, Node, Site

#: the derivative follows from the result
FROM_OUTPUT = Demand(keeps_output=True)
#: the derivative follows from the input; pools keep it though they need its shape alone
FROM_INPUT = Demand(keeps_inputs=True)
#: another shape of the same values
VIEW = Demand(output=Flow.SAME, gradient=Flow.SAME)
#: keeps nothing and makes one map each way: means, shuffles, transpositions, positions put on
COPY = Demand()
#: every term gets the very gradient that arrives
ADD = Demand(gradient=Flow.SAME)
#: the gradients of the parts are windows on the one that arrives
CONCAT = Demand(gradient=Flow.PART)
#: one vector of a sequence: a window on it, whose gradient is a whole sequence of zeros around that vector's
TAKE = Demand(output=Flow.SAME)


def max_pool(site: Site) -> Demand:
    """Input kept though only its shape is needed, and an int64 index for each output."""
    return Demand(keeps_inputs=True, keeps=INDEX * site.batch * site.node.values)


def local_response_norm(site: Site) -> Demand:
    """A composite of square, pad, average pool, affine, power, division; three intermediates are kept."""
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
    """x * weight + bias: the product dies after the sum; the weight's gradient is as large until summed."""
    size = site.input_bytes
    return Demand(keeps_inputs=True, forward_spike=2 * size, backward_spike=2 * size)


def scale(site: Site) -> Demand:
    """x * weight."""
    return Demand(keeps_inputs=True, backward_spike=2 * site.input_bytes)


def dropout(site: Site) -> Demand:
    """A mask as large as the map, in its float type, already divided by 1 - p; with p = 0 the map itself."""
    if site.node.rate == 0:
        return VIEW
    return Demand(keeps=site.output_bytes)


def multiply(site: Site) -> Demand:
    """Both factors kept; the gradient of one that was broadcast is as large as the result until summed."""
    full = sum(max(node.values, site.node.values) for node in site.inputs)
    return Demand(keeps_inputs=True, backward_spike=FLOAT * site.batch * full)


def attention(site: Site) -> Demand:
    """Fused attention over q, k, v that lie side by side; keeps them, its result, and a number a query."""
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

Rule = Callable[[Site], Demand]

RULES: dict[str, Rule | Demand] = {
    "CONV": convolution,
    "DWCONV": convolution,
    "UPCONV": transposed_convolution,
    "FC": FROM_INPUT,
    "MAXPOOL": max_pool,
    "AVGPOOL": FROM_INPUT,
    "GAP": COPY,
    "NORM": local_response_norm,
    "BN": batch_norm,
    "IN": instance_norm,
    "GN": group_norm,
    "LN": layer_norm,
    "AFFINE": affine,
    "SCALE": scale,
    "RELU": FROM_OUTPUT,
    "TANH": FROM_OUTPUT,
    "SIGMOID": FROM_OUTPUT,
    "SOFTMAX": FROM_OUTPUT,
    "RELU6": FROM_INPUT,
    "GELU": FROM_INPUT,
    "SILU": FROM_INPUT,
    "HSWISH": FROM_INPUT,
    "DROPOUT": dropout,
    "FLATTEN": VIEW,
    "TOKENS": VIEW,
    "add": ADD,
    "concat": CONCAT,
    "mul": multiply,
    "SHUFFLE": COPY,
    "TRANSPOSE": COPY,
    "TAKE": TAKE,
    "CLS": COPY,
    "POSEMBED": COPY,
    "ATTENTION": attention,
}


def demand_of(site: Site) -> Demand:
    """Demand of any layer; a KeyError names a kind that has no rule yet."""
    rule = RULES[site.node.kind]
    return rule if isinstance(rule, Demand) else rule(site)
