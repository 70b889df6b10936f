"""`cites`, `license` and `published`: what they say, which line is about a variant, what they are compared with."""

import json

import pytest
from click.testing import CliRunner

import archspec
from archspec.cli import main

FAMILY = """\
net Tiny
cites Someone et al. 2015, table 2
cites torchvision, Tiny_Weights.IMAGENET1K_V1
license BSD-3-Clause
param n = 10
variant plain
variant large: n=20
published top1=76.13 top5=92.862 params=650
published large: top1=80 params=1.3K macs=1280

[8x8x1] INPUT
FC n
"""


def codes(network: archspec.Network) -> list[str]:
    return [finding.code for finding in network.diagnostics]


def test_a_spec_names_its_sources() -> None:
    sources = archspec.loads(FAMILY).sources
    assert sources is not None
    assert sources.cites == ("Someone et al. 2015, table 2", "torchvision, Tiny_Weights.IMAGENET1K_V1")
    assert sources.license == "BSD-3-Clause"
    assert sources.accuracies == {1: 76.13, 5: 92.862}
    assert archspec.loads("[8x8x1] INPUT\nFC 10\n").sources is None


@pytest.mark.parametrize(
    ("variant", "accuracies", "held"),
    [(None, {1: 76.13, 5: 92.862}, 1), ("plain", {1: 76.13, 5: 92.862}, 1), ("large", {1: 80}, 2)],
)
def test_a_line_is_about_one_variant_and_a_variant_without_parameters_is_the_spec_as_written(
    variant: str | None, accuracies: dict[int, float], held: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("family") / "tiny.arch"
    path.write_text(FAMILY)
    network = archspec.load(path, variant=variant)
    assert network.sources is not None
    assert network.published is not None
    assert (network.sources.accuracies, network.published.held, codes(network)) == (accuracies, held, [])


FC = "\n[8x8x1] INPUT\nFC 10\n"  # 650 parameters, 640 of them weights; 640 multiply-accumulates


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ("params=650", []),
        ("params=640", []),  # without biases
        ("params=651", ["W301"]),
        ("params=0.65K", []),
        ("params=0.656K", []),  # within 1 %
        ("params=0.657K", ["W301"]),
        ("macs=640", []),
        ("macs=1280", ["W303"]),
        ("top1=76.13 top5=92.862", []),
        ("params=1 macs=1", ["W301", "W303"]),
    ],
)
def test_counts_are_claims_of_the_totals(figures: str, expected: list[str]) -> None:
    assert codes(archspec.loads(f"published {figures}{FC}")) == expected


def test_attention_and_auxiliary_classifiers_may_be_counted_or_not() -> None:
    attention = "[16x8] INPUT\nMHSA 2\n"
    plain = archspec.loads(attention)
    for macs in (plain.macs, plain.macs + plain.attention_macs):
        assert codes(archspec.loads(f"published macs={macs}\n{attention}")) == []
    assert plain.attention_macs > 0
    heads = "[8x8x1] INPUT\nCONV 4 3x3 -> RELU\naux 0.3: FC 10\nFC 10\n"
    trunk = archspec.loads(heads)
    for params in (trunk.params, trunk.params + sum(head.params for head in trunk.auxiliary)):
        assert codes(archspec.loads(f"published params={params}\n{heads}")) == []


def test_changes_of_the_command_line_suspend_what_is_published(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("changed") / "tiny.arch"
    path.write_text(FAMILY)
    network = archspec.load(path, variant="large", set={"n": 30})
    assert network.published is not None
    assert (codes(network), network.published.suspended) == ([], 2)
    assert network.sources is not None
    assert network.sources.accuracies == {}


def test_check_and_specs_show_the_sources() -> None:
    checked = CliRunner().invoke(main, ["check", "resnet", "--variant", "r18"]).stdout
    assert "cites torchvision, ResNet*_Weights.IMAGENET1K_V1\n" in checked
    assert "published: top-1 69.758 %, top-5 89.078 %, 1.814G MACs, 11,689,512 parameters\n" in checked
    assert "published 2" in checked
    data = json.loads(CliRunner().invoke(main, ["check", "resnet18", "--json"]).stdout)
    assert data["cites"] == ["torchvision, ResNet18_Weights.IMAGENET1K_V1"]
    assert data["license"] is None
    assert data["published"] == {"top1": 69.758, "top5": 89.078, "macs": 1.814e9, "params": 11_689_512}
    listed = {one["name"]: one for one in json.loads(CliRunner().invoke(main, ["specs", "--json"]).stdout)}
    assert listed["resnet18"]["cites"] == data["cites"]
    assert listed["lenet5"]["cites"] == []
    assert "from: torchvision, ResNet18_Weights.IMAGENET1K_V1" in CliRunner().invoke(main, ["specs"]).stdout
