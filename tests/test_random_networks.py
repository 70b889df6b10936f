"""Random valid networks over all layers agree with a reference in numpy: figures, torch, gradients, ONNX."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import archspec
from archspec.graph.volume import Volume
from archspec.layers import MERGES
from benchmarks.sweeps.networks import Sweep, page, sweep
from benchmarks.sweeps.random_networks import checks, reference_network
from benchmarks.sweeps.random_networks.checks import Outcome, check
from benchmarks.sweeps.random_networks.specs import KEYWORDS, network
from support.layer_cases import CLASSES, Case, examples_of

COUNT = 50


def test_every_layer_takes_part() -> None:
    assert {cls.keyword for cls in CLASSES} == set(KEYWORDS)
    begun = [archspec.loads(network(seed)).graph for seed in range(len(KEYWORDS))]
    for keyword, graph in zip(KEYWORDS, begun, strict=True):
        assert keyword in {node.layer.keyword for node in graph.nodes}


def test_a_seed_has_one_network() -> None:
    assert network(7) == network(7)
    assert len({network(seed) for seed in range(0, 20 * len(KEYWORDS), len(KEYWORDS))}) == 20


@pytest.mark.parametrize("form", [" kv=@", " k=@", "FC 100 weights=@words"])
def test_attention_to_another_input_and_tied_vectors_of_tokens_take_part_and_agree(form: str) -> None:
    first = KEYWORDS.index("EMBED" if "words" in form else "TOKENS")
    seeds = range(first, first + 40 * len(KEYWORDS), len(KEYWORDS))
    assert not check(next(seed for seed in seeds if form in network(seed))).failure


SMALLEST = [min(examples_of(cls), key=lambda one: sum(volume.values for volume in one.inputs)) for cls in CLASSES]


@pytest.mark.parametrize("one", SMALLEST, ids=str)
def test_the_reference_knows_each_layer(one: Case) -> None:
    branches = [f"\n  | {_to(volume)}" for volume in one.inputs] if one.layer.keyword in MERGES else []
    ids = " tokens" * one.layer.reads_tokens
    net = archspec.loads(f"{_bracket(one.inputs[0])} INPUT{ids}\n{one.text}{''.join(branches)}\n")
    assert checks.check_network(net, seed=1) <= 1


def _bracket(volume: Volume) -> str:
    return f"[{'x'.join(map(str, volume))}]"


def _to(volume: Volume) -> str:
    """A layer that makes such a volume of the first input."""
    return f"CONV {volume.channels} 1x1" if volume.is_map else f"FC {volume.channels}"


WRONG: dict[str, Callable[[Any, Any, Any], Any]] = {
    "RELU": lambda layer, w, x: np.maximum(x, 0.01 * x),
    "SHUFFLE": lambda layer, w, x: x,
    "GAP": reference_network.LAYERS["GMP"],
}


@pytest.mark.parametrize("keyword", WRONG)
def test_a_layer_that_differs_from_the_reference_fails(keyword: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reference_network.LAYERS, keyword, WRONG[keyword])
    outcome = check(KEYWORDS.index(keyword))
    assert "from the reference" in outcome.failure
    found = Sweep((outcome,))
    assert found.failures == [outcome]
    assert f"Seed {outcome.seed} failed" in page(found, outcome.seed)


def test_a_missing_layer_is_named() -> None:
    outcome: Outcome = check(0)
    assert not outcome.failure
    assert "MHSA" in Sweep((outcome,)).missing
    assert "1 random networks" in Sweep((outcome,)).summary()


@pytest.mark.slow
def test_random_networks_agree_with_the_reference(record_property: Callable[[str, object], None]) -> None:
    found = sweep(range(COUNT))
    record_property("sweep", found.summary())
    assert not found.failures, page(found, 0)
    assert not found.missing
    assert {inputs > 1 for inputs, _ in found.ends} == {outputs > 1 for _, outputs in found.ends} == {True, False}
