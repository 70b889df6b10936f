"""What each kind of layer asks of memory in a training step of torch on the CPU. No torch in here.

In: an `Operation`. Out: its `Demand` in bytes. When those bytes are alive is for `liveness.py`;
MODEL.md says where every number comes from.

The rules stand here in one table and not in the layers' classes: those say what a layer is, wherever it runs, and this
is what one program's kernels make of it on one kind of machine. A test goes over all registered layers and fails for
one that has no rule.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from archspec.analyses.memory.convolution import THREADS, convolution, transposed_convolution
from archspec.analyses.memory.demand import FLOAT, INDEX, PART, SAME, TURNED, Demand, Operation
from archspec.analyses.memory.operations import Core, Windows
from archspec.layers import activation, channels, conv, dropout, linear, merge, norm, pixels, pool, scale, sequence
from archspec.layers.base import Layer
from archspec.layers.input import Input
from archspec.layers.upconv import TransposedConv

FROM_OUTPUT = Demand(keeps_output=True)  # the derivative follows from the result
FROM_INPUT = Demand(keeps_inputs=True)  # the derivative follows from the input
IDENTITY = Demand(output=SAME, gradient=SAME)
COPY = Demand()  # keeps nothing and makes a map each way: means, pads, shuffles, fixed factors
ADD = Demand(gradient=SAME)  # every term gets the very gradient that arrives
CONCAT = Demand(gradient=PART)  # the gradients of the parts are windows on the one that arrives
VIEW = Demand(output=SAME, gradient=TURNED, is_view=True)  # the values in another order
WINDOW = Demand(output=SAME, is_view=True)  # a part of the values; its gradient is a whole map of zeros around them


def fully_connected(at: Operation) -> Demand:
    """Of a sequence the result is a view of a matrix."""
    return FROM_INPUT if len(at.volume) == 1 else Demand(keeps_inputs=True, is_view=True)


def max_pool(at: Operation) -> Demand:
    """The input is kept though only its shape is needed, and an int64 index for each output."""
    indices = INDEX * at.batch * prod(at.volume)
    return Demand(keeps_inputs=True, keeps=indices, backward_spike=at.read, scattered=at.made)


def average_pool(at: Operation) -> Demand:
    """The input is kept though only its shape is needed."""
    return Demand(keeps_inputs=True, backward_spike=at.read, scattered=at.made)


def local_response_norm(at: Operation) -> Demand:
    """A composite of square, pad, average pool, affine, power, division; three intermediates are kept."""
    layer = at.layer
    assert isinstance(layer, norm.LocalResponseNorm)
    size, width = at.read, at.volume.channels
    padded = size // width * (width + layer.n - 1)
    return Demand(keeps_inputs=True, keeps=padded + 2 * size, forward_spike=padded + 3 * size, backward_spike=4 * size)


def batch_norm(at: Operation) -> Demand:
    """Input and two statistics kept; the backward kernel copies the gradient, but for a window or a sequence's."""
    statistics = 2 * FLOAT * at.volume.channels
    copies = 0 if len(at.volume) == 2 else at.read
    return Demand(keeps_inputs=True, keeps=statistics, backward_spike=at.read + copies + statistics, scattered=-copies)


def instance_norm(at: Operation) -> Demand:
    """A batch norm over batch times channels, its weight and bias repeated for every image."""
    repeated = 2 * FLOAT * at.batch * at.volume.channels if at.shapes else 0
    statistics = 2 * FLOAT * at.batch * at.volume.channels
    return Demand(keeps_inputs=True, keeps=statistics + repeated, backward_spike=2 * at.read + repeated)


def group_norm(at: Operation) -> Demand:
    """Input and two statistics a group."""
    layer = at.layer
    assert isinstance(layer, norm.GroupNorm)
    return Demand(keeps_inputs=True, keeps=2 * FLOAT * at.batch * layer.groups)


def layer_norm(at: Operation) -> Demand:
    """Input and two statistics a vector; on the pixels of a map, a copy pixel by pixel each way."""
    size = at.read
    keeps = 2 * FLOAT * at.batch * prod(at.volume.spatial)
    spike = 2 * size + keeps if at.volume.is_map and not at.channels_last else 0
    return Demand(keeps_inputs=True, keeps=keeps, forward_spike=spike, backward_spike=spike)


def affine(at: Operation) -> Demand:
    """x * weight + bias: the product dies after the sum; backward as `scaled`."""
    return Demand(keeps_inputs=True, forward_spike=2 * at.read, backward_spike=_scaled_backward(at))


def scaled(at: Operation) -> Demand:
    """x * weight; a fixed factor keeps nothing."""
    return Demand(keeps_inputs=True, backward_spike=_scaled_backward(at)) if at.shapes else COPY


def _scaled_backward(at: Operation) -> int:
    """The weight's gradient is as large as the input until it is summed."""
    return (1 + at.continues) * at.read + at.weight


def dropped(at: Operation) -> Demand:
    """A mask as large as the map, in its float type, already divided by 1 - p; with p = 0 the map itself."""
    layer = at.layer
    assert isinstance(layer, dropout.Dropout)
    return Demand(keeps=at.made) if layer.p else IDENTITY


def dropped_path(at: Operation) -> Demand:
    """A mask of one number an image, already divided by 1 - p; with p = 0 the map itself."""
    layer = at.layer
    assert isinstance(layer, dropout.DropPath)
    return Demand(keeps=FLOAT * at.batch) if layer.p or layer.to else IDENTITY


def multiply(at: Operation) -> Demand:
    """Both factors kept; the gradient of one that was broadcast is a whole map until it is summed."""
    return Demand(keeps_inputs=True, backward_spike=2 * at.made)


def upsample(at: Operation) -> Demand:
    """Small results of more than 3 channels are computed on channels-last copies (ATen's UpSampleKernel.cpp)."""
    high, wide, width = at.volume
    copies = at.read + 2 * at.made if high + wide <= 128 and width > 3 else 0
    return Demand(forward_spike=copies)


def shift(at: Operation) -> Demand:
    """Four quarters, each a concat of two windows, and a concat of them."""
    return Demand(forward_spike=2 * at.made, backward_spike=at.made * 5 // 4)


def attention(at: Operation) -> Demand:
    """Fused: q, k, v and the result kept, and a number a query. Otherwise copies of q, k, v, and the softmax.

    While windows are cut and put together the map that they are cut from is there too: the layer's caller holds it.
    """
    core = at.layer
    assert isinstance(core, Core)
    if core.is_fused:
        return _fused_attention(at, core.heads)
    size, scores = at.made, FLOAT * at.batch * core.scores
    forward = max(6 * size + scores, 4 * size + 2 * scores + scores // 4) + (scores if core.is_masked else 0)
    return Demand(keeps=3 * size + scores, forward_spike=forward, backward_spike=max(3 * size, size + scores))


def _fused_attention(at: Operation, heads: int) -> Demand:
    """Each thread has buffers for a block of the scores, two of them backward (ATen's FlashAttentionKernel.cpp)."""
    vectors, channels = at.volume
    queries = 256 if vectors >= 768 else 64 if vectors >= 192 else 32
    block = FLOAT * THREADS * queries * min(vectors, 512)
    keeps = FLOAT * at.batch * vectors * heads
    forward = at.made + keeps + block + FLOAT * THREADS * queries * (2 + channels // heads)
    return Demand(
        keeps_inputs=True,
        keeps_output=True,
        keeps=keeps,
        forward_spike=forward,
        backward_spike=3 * at.made + 2 * block,
    )


Rule = Callable[[Operation], Demand]

RULES: dict[type[Layer], Rule | Demand] = {
    conv.Conv: convolution,
    conv.DepthwiseConv: convolution,
    TransposedConv: transposed_convolution,
    linear.FullyConnected: fully_connected,
    pool.MaxPool: max_pool,
    pool.AvgPool: average_pool,
    pool.GlobalAvgPool: COPY,
    norm.LocalResponseNorm: local_response_norm,
    norm.BatchNorm: batch_norm,
    norm.InstanceNorm: instance_norm,
    norm.GroupNorm: group_norm,
    norm.LayerNorm: layer_norm,
    scale.Affine: affine,
    scale.Scale: scaled,
    activation.Relu: FROM_OUTPUT,
    activation.Tanh: FROM_OUTPUT,
    activation.Sigmoid: FROM_OUTPUT,
    activation.Softmax: FROM_OUTPUT,
    activation.Relu6: FROM_INPUT,
    activation.Gelu: FROM_INPUT,
    activation.Silu: FROM_INPUT,
    activation.HardSwish: FROM_INPUT,
    activation.HardSigmoid: FROM_INPUT,
    dropout.Dropout: dropped,
    dropout.DropPath: dropped_path,
    channels.Shuffle: COPY,
    channels.Slice: WINDOW,
    channels.PadChannels: COPY,
    pixels.SpaceToDepth: COPY,
    pixels.Shift: shift,
    pixels.Pad: COPY,
    pixels.Upsample: upsample,
    sequence.Tokens: VIEW,
    sequence.ClassToken: CONCAT,
    sequence.PositionEmbedding: ADD,
    sequence.Take: WINDOW,
    sequence.Transpose: COPY,
    merge.Add: ADD,
    merge.Concat: CONCAT,
    merge.Mul: multiply,
    Input: Demand(),
    Core: attention,
    Windows: Demand(is_view=True),
}

OVERWRITES = frozenset({activation.Relu, merge.Add})  # these write into their first input wherever autograd allows it


def demand_of(operation: Operation) -> Demand:
    """Demand of any operation; a KeyError names a layer that has no rule yet."""
    rule = RULES[type(operation.layer)]
    return rule if isinstance(rule, Demand) else rule(operation)
