"""The layer contract: what a layer's rules say is what torch does, for every layer and each of its examples.

The arithmetic is counted by torch's flop counter, the receptive field is where gradients arrive.
"""

from collections.abc import Callable, Iterator

import pytest
import torch

from archspec.graph.volume import Volume
from archspec.layers import REGISTRY
from archspec.layers.activation import Sigmoid
from archspec.layers.attention import Attention
from archspec.layers.base import POINTWISE, Layer, Tensor, Window
from archspec.layers.conv import Conv
from archspec.layers.dropout import DropPath
from archspec.record import replace
from support import layer_measures as torch_says
from support.layer_cases import CASES, CLASSES, Case, built, examples_of
from support.layer_modules import Inputs


# ---- the contract: each function takes a case and fails if rule and torch disagree
def volume_is_torchs(one: Case) -> None:
    volume = one.layer.output(one.inputs)
    assert torch_says.torch_shape(volume) == torch_says.output_shape(one.layer, one.inputs)


def parameters_are_torchs(one: Case) -> None:
    tensors = one.layer.tensors(one.inputs)
    assert {tensor.name: tensor.shape for tensor in tensors} == torch_says.parameters(one.layer, one.inputs)
    for tensor in tensors:
        if tensor.formula:
            assert eval(tensor.formula, {}) == tensor.size, tensor.formula


def macs_are_torchs(one: Case) -> None:
    output = one.layer.output(one.inputs)
    macs = (one.layer.macs(one.inputs, output), one.layer.attention_macs(one.inputs, output))
    assert macs == torch_says.arithmetic(one.layer, one.inputs)


def field_is_what_gradients_reach(one: Case) -> None:
    if one.layer.reads_tokens:
        return  # ids have no gradient
    output, window = one.layer.output(one.inputs), one.layer.sees(one.inputs)
    probe = torch_says.Probe(one.layer, one.inputs)
    for which, volume in enumerate(one.inputs):
        if len(volume) == 1:
            continue  # a vector has no places
        for place in places(output):
            seen = probe.seen(which, *place)
            if isinstance(one.layer, Attention) and one.layer.grid:
                apart = [size // one.layer.grid for size in volume.spatial]
                spread = [
                    set(range(at % step, size, step))
                    for at, step, size in zip(place, apart, volume.spatial, strict=True)
                ]
                assert rows_and_columns(seen) == tuple(spread), place
            elif volume.is_map and output.is_map:
                sides = zip(place, volume.spatial, strict=True)
                only = window == POINTWISE  # a size of 1 that `mul` repeats
                rows, columns = (
                    torch_says.pixels_seen(window, a, 0 if only and n == 1 else o, n) for a, (o, n) in enumerate(sides)
                )
                expected = (rows, columns) if rows and columns else (set(), set())
                assert rows_and_columns(seen) == expected, place
            elif isinstance(one.layer, Attention) and (one.layer.causal or (one.layer.given and which == 0)):
                until = torch.arange(len(seen)) <= place[0]  # itself and those before it, or itself as the query
                assert seen.equal(until) if one.layer.causal else seen.sum() == 1, place
            else:
                assert seen.all() if window.is_global else seen.sum() <= 1, place


def rows_and_columns(seen: torch.Tensor) -> tuple[set[int], set[int]]:
    """The rows and columns of a mask [H, W] that are not empty."""
    rows, columns = (seen.any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    return set(rows), set(columns)


def places(volume: Volume) -> list[tuple[int, ...]]:
    """Some places along the diagonal, the first ones and the last among them."""
    if len(volume) == 1:
        return [()]
    steps = [*range(min(5, max(volume.spatial))), max(volume.spatial) // 2, max(volume.spatial) - 1]
    return [tuple(min(step, size - 1) for size in volume.spatial) for step in steps]


def in_place_is_torchs(one: Case) -> None:
    assert one.layer.in_place == torch_says.shares_memory(one.layer, one.inputs)


def linear_is_torchs(one: Case) -> None:
    """A layer that claims to be linear is; the claim may be missing, as for a POOL of one pixel."""
    assert not one.layer.is_linear or torch_says.is_affine(one.layer, one.inputs)


def description_is_the_layer(one: Case) -> None:
    assert built(one.layer.describe()) == replace(one.layer, **dict.fromkeys(one.layer.given, False))


CONTRACT: tuple[Callable[[Case], None], ...] = (
    volume_is_torchs,
    parameters_are_torchs,
    macs_are_torchs,
    field_is_what_gradients_reach,
    in_place_is_torchs,
    linear_is_torchs,
    description_is_the_layer,
)


@pytest.mark.parametrize("one", CASES, ids=str)
@pytest.mark.parametrize("clause", CONTRACT, ids=lambda clause: clause.__name__)
def test_every_layer_keeps_the_contract(clause: Callable[[Case], None], one: Case) -> None:
    clause(one)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_layer_has_examples_and_arguments_that_hide_no_rule(cls: type[Layer]) -> None:
    examples_of(cls)
    assert not set(dir(Layer)).intersection(cls.arguments)
    assert cls.__doc__
    assert all(description.doc for description in cls.arguments.values())


# ---- the contract can fail
@pytest.fixture
def registry() -> Iterator[None]:
    """Restore the registry after a test that registers layers."""
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


class Wrong:
    """Layers with one wrong rule each."""

    class Output(Conv):
        keyword = ""

        def output(self, inputs: Inputs) -> Volume:
            height, width, channels = super().output(inputs)
            return Volume((width, height + 1, channels))

    class Tensors(Conv):
        keyword = ""

        def tensors(self, inputs: Inputs) -> tuple[Tensor, ...]:
            return super().tensors(inputs)[:1]

    class Formula(Conv):
        keyword = ""

        def tensors(self, inputs: Inputs) -> tuple[Tensor, ...]:
            weight, bias = super().tensors(inputs)
            return (Tensor(weight.name, weight.shape, "3*3"), bias)

    class Macs(Conv):
        keyword = ""

        def macs(self, inputs: Inputs, output: Volume) -> int:
            return 2 * super().macs(inputs, output)

    class Sees(Conv):
        keyword = ""

        def sees(self, inputs: Inputs) -> Window:
            return Window(self.kernel, self.stride)

    class InPlace(Conv):
        keyword = ""
        in_place = True

    class Linear(Sigmoid):
        keyword = ""
        is_linear = True


CONV = Conv((3, 3), (2, 2), ((1, 1), (1, 1)), filters=4)
WRONG: list[tuple[Callable[[Case], None], type[Layer], Layer]] = [
    (volume_is_torchs, Wrong.Output, CONV),
    (parameters_are_torchs, Wrong.Tensors, CONV),
    (parameters_are_torchs, Wrong.Formula, CONV),
    (macs_are_torchs, Wrong.Macs, CONV),
    (field_is_what_gradients_reach, Wrong.Sees, CONV),
    (in_place_is_torchs, Wrong.InPlace, CONV),
    (linear_is_torchs, Wrong.Linear, Sigmoid()),
]


@pytest.mark.parametrize(("clause", "cls", "right"), WRONG)
def test_the_contract_notices_a_wrong_rule(clause: Callable[[Case], None], cls: type[Layer], right: Layer) -> None:
    inputs = (Volume((9, 7, 2)),)
    clause(Case("right", right, inputs))
    wrong = cls(**{field: getattr(right, field) for field in right._fields})
    with pytest.raises(AssertionError):
        clause(Case("wrong", wrong, inputs))


def test_a_layer_without_examples_fails(registry: None) -> None:
    class Bare(Layer):
        keyword = "BARE"

    with pytest.raises(AssertionError, match="Bare has no example"):
        examples_of(Bare)


def test_a_layer_without_a_module_fails(registry: None) -> None:
    class Homeless(Layer):
        keyword = "HOMELESS"

    with pytest.raises(KeyError, match="HOMELESS"):
        volume_is_torchs(Case("HOMELESS", Homeless(), (Volume((3,)),)))


@pytest.mark.parametrize("name", ["CONV", "MAX POOL", "add"])
def test_a_taken_name_cannot_be_registered(registry: None, name: str) -> None:
    with pytest.raises(ValueError, match=f"two layers are called {name}: .* and Second"):

        class Second(Layer):
            keyword = name


def test_droppath_runs_evenly_from_the_first_to_the_last() -> None:
    layer = built("DROPPATH 0 to 0.2")
    assert isinstance(layer, DropPath)
    assert [layer.at(index, 5).p for index in range(5)] == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])
    assert layer.at(0, 1) == built("DROPPATH 0")


def test_attention_keeps_its_scores() -> None:
    vit, swin = built("MHSA 3"), built("MHSA 3 window=7 shift=3")
    assert vit.scratch((Volume((196, 192)),)) == 3 * 196**2
    assert swin.scratch((Volume((56, 56, 96)),)) == 3 * 64 * 49**2
