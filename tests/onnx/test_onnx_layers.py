"""Each layer as ONNX: in onnxruntime it computes what torch does, for every layer and each of its examples."""

import onnx
import pytest
import torch
from layers.test_layers import CLASSES, Case, case

from archspec.compiler.onnx import emit
from archspec.compiler.onnx.emitters import EMITTERS
from archspec.compiler.onnx.proof import inferred_shapes
from support.onnx_models import images, layer_in_torch, run, single, weights_of

CLOSE = 2e-6  # of the largest value: about 16 roundings of a float32
CASES = [case(example) for cls in CLASSES for example in cls.examples]


def test_every_layer_has_an_emitter() -> None:
    assert set(EMITTERS) == set(CLASSES)


@pytest.mark.parametrize("one", CASES, ids=str)
def test_a_layer_in_onnxruntime_is_the_layer_in_torch(one: Case) -> None:
    module = layer_in_torch(one.layer, one.inputs)
    model = emit(single(one.layer, one.inputs), weights_of(module, "layer."))
    module.double()
    for batch in (1, 3):
        tensors = images(one.inputs, batch)
        with torch.no_grad():
            expected = module(*(tensor.double() for tensor in tensors))
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
