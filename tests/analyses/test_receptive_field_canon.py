"""Receptive fields of built-in networks are where gradients arrive.

A network is probed thin: on its own graph, each map with one channel and each filter with ones, in float64. What joins
channels adds them, what picks or orders them leaves them as they are, and a gradient counts the paths to a pixel: it is
0 only where there is none. The field may not touch the border, so the input is made as large as the field needs.
"""

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec.analyses.receptive_field import receptive_fields
from archspec.graph.extent import upto
from archspec.graph.ir import Graph, Node
from archspec.graph.volume import Volume
from archspec.layers.activation import Activation
from archspec.layers.attention import Attention
from archspec.layers.base import Layer
from archspec.layers.channels import Affine, PadChannels, Scale, Shuffle, Slice
from archspec.layers.conv import Conv, Convolution
from archspec.layers.dropout import Dropout, DropPath
from archspec.layers.merge import Add, Concat
from archspec.layers.norm import BatchNorm, LayerNorm, LocalResponseNorm
from archspec.layers.pixels import SpaceToDepth
from archspec.layers.pool import Pooling
from archspec.layers.upconv import TransposedConv
from archspec.record import replace
from support.layer_modules import torch_module

STEP = 32  # what keeps every window fitting, where the network's own input does
STEPS = {"swin_t": 7 * STEP, "googlenet": 3 * STEP}
PERIODS = {"unet": 16, "swin_t": 7}  # outputs that differ in more than their place
ON_EACH_PIXEL = (
    Activation,
    BatchNorm,
    LayerNorm,
    LocalResponseNorm,
    Scale,
    Affine,
    Dropout,
    DropPath,
    Shuffle,
    Slice,
    PadChannels,
)
PROBED = (
    # up to their last map
    "lenet5",
    "alexnet",
    "alexnet_2gpu",
    "zfnet",
    "vgg11",
    "vgg13",
    "vgg16",
    "vgg19",
    "nin",
    "alexnet_2014",
    "squeezenet",
    "squeezenet_1_0",
    "inception_v3",
    "xception",
    "regnet_x_400mf",
    "repvgg_a0",
    "googlenet",
    "inception_naive",
    "inception_v4",
    "inception_resnet_v2",
    "nasnet_a_large",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnet20",
    "resnet56",
    "resnet110",
    "plain20",
    "plain56",
    "preresnet50",
    "wrn28_10",
    "wrn50_2",
    "resnext50",
    "resnext101",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "mobilenet_v1",
    "mobilenet_v2",
    "shufflenet_v1",
    "shufflenet_v2",
    "convnext_tiny",
    "convnext_small",
    "unet",
    "swin_t",
    # up to the last map ahead of what sees all (test_receptive_field.py): a squeeze-excite, FC or attention
    # over all patches
    "se_resnet50",
    "senet154",
    "efficientnet_b0",
    "vit_b32",
    "vit_b16",
    "mixer_b16",
    "resmlp12",
    "gmlp_s16",
)
LONG = {
    "inception_v3",
    "xception",
    "regnet_x_400mf",
    "repvgg_a0",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "convnext_small",
    "inception_resnet_v2",
    "swin_t",
    "nasnet_a_large",
    "resnet110",
    "resnet152",
}


def ahead_of_global(graph: Graph) -> tuple[Node, tuple[int, int]]:
    """Of the maps that no global layer leads to the one that sees most, and what it sees."""
    after: set[int] = set()
    maps = []
    for node in graph.trunk:
        is_global = bool(node.inputs) and node.layer.sees(graph.inputs(node)).is_global
        if is_global or after.intersection(node.inputs):
            after.add(node.index)
        elif node.volume.is_map:
            maps.append(node)
    fields = receptive_fields(graph)
    return max(((node, fields[node.index].size) for node in maps), key=lambda one: (one[1], one[0].index))


def thin(layer: Layer) -> Layer:
    """The layer as it looks at a map of one channel."""
    if isinstance(layer, Convolution):
        return Conv(layer.kernel, layer.stride, layer.pads, layer.dilation, False, layer.rounding, filters=1)
    if isinstance(layer, Pooling):
        return Conv(layer.kernel, layer.stride, layer.pads, bias=False, rounding=layer.rounding, filters=1)
    if isinstance(layer, TransposedConv):
        return replace(layer, filters=1)
    if isinstance(layer, Attention):
        return replace(layer, heads=1)
    if isinstance(layer, SpaceToDepth):
        return Conv((layer.block,) * 2, (layer.block,) * 2, bias=False, filters=1)
    return Add() if isinstance(layer, Concat) else layer


def run(graph: Graph, image: Tensor) -> Tensor:
    """The thin network in torch. Values are kept about 1, where an attention sees all of its window."""
    results: list[Tensor] = []
    for node in graph.nodes:
        taken = [results[index] for index in node.inputs]
        if not taken or isinstance(node.layer, ON_EACH_PIXEL):
            results.append(taken[0] if taken else image)
            continue
        volumes = tuple(Volume((*volume.spatial, 1)) for volume in graph.inputs(node))
        module = torch_module(thin(node.layer), volumes).double()
        for parameter in module.parameters():
            nn.init.ones_(parameter)
        result = module(*taken)
        results.append(result / result.detach().amax())
    return results[graph.output]


def probed(graph: Graph, places: int) -> tuple[int, int]:
    """The largest height and width that some outputs around the middle see."""
    torch.manual_seed(0)
    size = graph.nodes[0].volume.spatial
    image = torch.rand(1, 1, *size, dtype=torch.float64, requires_grad=True)
    output = run(graph, image)
    assert output.shape[2:] == graph.nodes[graph.output].volume.spatial
    largest = [0, 0]
    for place in range(places):
        row, column = ((extent - places) // 2 + place for extent in output.shape[2:])
        (gradient,) = torch.autograd.grad(output[0, 0, row, column], image, retain_graph=True)
        mask = gradient[0, 0] != 0
        for axis in (0, 1):
            seen = mask.any(1 - axis).nonzero().flatten().tolist()
            assert 0 < seen[0] <= seen[-1] < size[axis] - 1, "the field touches the border"
            largest[axis] = max(largest[axis], seen[-1] - seen[0] + 1)
    return largest[0], largest[1]


def enlarged(name: str, places: int) -> tuple[Graph, tuple[int, int]]:
    """The network up to what is probed, on an input that holds all fields; and what the field should be."""
    own = archspec.load(name).input
    size, step = own[0], STEPS.get(name, STEP)
    while True:
        graph = archspec.load(name, input=(size, size, own.channels)).graph
        node, field = ahead_of_global(graph)
        enough = max(field) + (places + 4) * (size // node.volume[0])
        if size >= enough:
            return upto(graph, node.index), field
        size += -(-(enough - size) // step) * step


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in LONG)) for one in PROBED])
def test_the_field_of_a_built_in_network_is_what_gradients_reach(name: str) -> None:
    places = PERIODS.get(name, 2)
    graph, field = enlarged(name, places)
    assert probed(graph, places) == field
