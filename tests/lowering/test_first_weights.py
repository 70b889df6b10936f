"""The table of first weights: every family is in it, and what is followed holds."""

from collections import Counter

import pytest

from archspec import loads
from archspec.compiler import build
from archspec.library import built_in
from benchmarks.deviations import he
from benchmarks.first_weights import Kind, Stream, Weight, family, report, stream_of, weights_of
from benchmarks.prescriptions import FAMILIES, Prescription

LIGHT = {"lenet5", "resnet20"}
LARGE = {"hrnet_w18": 20}  # each of its eight modules adds up to four branches to the streams
# of the same family as one in the table
ALSO = {
    "cbam_resnet50": "se_resnet50",
    "deit_distilled": "deit",
    "googlenet_bn": "googlenet",
    "inception_naive": "googlenet",
    "mobilenet_v3_small": "mobilenet_v3_large",
    "senet154": "se_resnet50",
    "squeezenet_1_0": "squeezenet",
    "wrn28_10": "wrn50_2",
    **dict.fromkeys(("alexnet_2gpu", "alexnet_2014"), "alexnet"),
    **dict.fromkeys(("inception_v3", "inception_resnet_v2"), "inception_v4"),
    **dict.fromkeys(("vgg11", "vgg13", "vgg19", "vgg_bn"), "vgg16"),
    **dict.fromkeys(("plain20", "plain56", "resnet56", "resnet110", "resnet1202"), "resnet20"),
    **dict.fromkeys(("resnet", "resnet18", "resnet34", "resnet101", "resnet152"), "resnet50"),
}


def test_every_built_in_family_is_in_the_table() -> None:
    named = {name.partition("_")[0] for name in FAMILIES} | set(FAMILIES)
    assert [name for name in built_in() if name not in named and name not in ALSO] == []
    assert set(ALSO.values()) <= set(FAMILIES)


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one not in LIGHT)) for one in FAMILIES])
def test_first_weights_are_those_of_the_source_that_is_followed(name: str) -> None:
    kinds, stream = family(name)
    assert [kind.prescription.kind for kind in kinds if not kind.holds] == []
    assert all(0.01 < deviation < LARGE.get(name, 10) for deviation in stream.deviations)


def test_a_deviation_that_is_not_the_prescribed_one_is_missed() -> None:
    weights = (Weight("conv", 0.2, 10_000, 50, 50), Weight("conv", 0.15, 10_000, 50, 50))
    kind = Kind("net", Prescription("conv", "He", he, "the paper"), weights)
    assert kind.ratios == pytest.approx([1, 0.75])
    assert not kind.holds
    assert not Kind("net", Prescription("conv", "He", he, "the paper"), ()).holds
    assert Kind("net", Prescription("conv", "He", he, "the paper", "Glorot's"), weights).holds
    page = report([kind], [Stream("net", "norms", (1.0, 0.5, 2.0, 1.5))])
    assert "| net | conv | 2 | 0.15 to 0.2 | He | the paper | 0.88 | MISSED |" in page
    assert "| net | 4 norms | 1.00 | 1.50 | 0.50 | 2.00 |" in page


TOWERS = """
net Towers
block tower shared
    CONV 4 3x3 -> BN -> RELU -> GAP -> FC 8
[9x9x3] left: INPUT
[9x9x3] right: INPUT
[5] words: INPUT tokens
[8] add
    | @left -> tower()
    | @right -> tower()
[8] output one: FC 8
[5x8] table: @words -> EMBED 20 8
[5x8] LN -> MHSA 2 kv=@table
[5x20] output two: LN -> FC 20 nobias weights=@table
"""


def test_shared_weights_count_once_and_each_output_has_a_head() -> None:
    network = loads(TOWERS)
    kinds = Counter(weight.kind for weight in weights_of(network, build(network, seed=0)))
    assert kinds == {"conv": 1, "FC": 1, "head": 1, "embedding": 1, "queries, keys, values": 2, "projection": 1}
    stream = stream_of("towers", network, build(network, seed=0))
    assert len(stream.deviations) == 2 + 2  # the tower's BN of either image, and two LN
