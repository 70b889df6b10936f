"""Each layer as ONNX: in onnxruntime it computes what torch does, for every layer and each of its examples."""

import onnx
import pytest
import torch

from archspec.compiler.lowering.random_inputs import random_inputs
from archspec.compiler.onnx import emit
from archspec.compiler.onnx.checks.shapes import inferred_shapes
from archspec.compiler.onnx.emitters import EMITTERS
from archspec.graph.volume import Volume
from archspec.layers.base import Layer
from support.layer_cases import CASES, CLASSES, Case
from support.onnx_models import images, layer_in_torch, run, single, weights_of

CLOSE = 2e-6  # of the largest value: about 16 roundings of a float32


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_layer_is_an_identity_or_one_onnx_node_or_has_an_emitter(cls: type[Layer]) -> None:
    ways = (cls.is_identity, cls.onnx is not Layer.onnx, cls in EMITTERS)
    assert sum(ways) == 1, f"{cls.keyword}: {ways}"


def test_a_layer_without_a_node_and_without_an_emitter_fails() -> None:
    class Mute(Layer):
        pass

    with pytest.raises(NotImplementedError, match="has no ONNX node and no emitter"):
        emit(single(Mute(), (Volume((3,)),)), {})


@pytest.mark.parametrize("one", CASES, ids=str)
def test_a_layer_in_onnxruntime_is_the_layer_in_torch(one: Case) -> None:
    module = layer_in_torch(one.layer, one.inputs)
    model = emit(single(one.layer, one.inputs), weights_of(module, "layer."))
    module.double()
    for batch in (1, 3):
        tensors = images(one.inputs, batch)
        exact = [tensor.double() for tensor in tensors]
        if one.layer.reads_tokens:
            tensors = exact = list(random_inputs(single(one.layer, one.inputs), batch))
        with torch.no_grad():
            expected = module(*exact)
        found = torch.from_numpy(run(model, tensors)).double()
        assert found.shape == expected.shape
        assert (found - expected).abs().max() <= CLOSE * expected.abs().max()


@pytest.mark.parametrize("one", CASES, ids=str)
def test_the_model_of_a_layer_is_valid_and_its_shapes_are_the_compilers(one: Case) -> None:
    module = layer_in_torch(one.layer, one.inputs)
    model = emit(single(one.layer, one.inputs), weights_of(module, "layer."))
    onnx.checker.check_model(model, full_check=True)
    batch, *shape = inferred_shapes(model)["layer"]
    assert isinstance(batch, str)
    assert tuple(shape) == one.layer.output(one.inputs).laid_out
