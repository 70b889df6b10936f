"""What `after` adds, and where it adds nothing."""

import pytest

import archspec

CASES = {
    "CONV 4 1x1": ["conv1", "relu1"],
    "CONV 4 1x1 -> BN": ["conv1", "bn1"],
    "CONV 4 1x1 -> TANH": ["conv1", "tanh1"],
    "CONV 4 1x1 -> NORM": ["conv1", "relu1", "norm1"],  # Krizhevsky et al. 2012 normalise what a ReLU let through
    "CONV 4 1x1 linear": ["conv1"],
}


@pytest.mark.parametrize(("line", "names"), CASES.items())
def test_after_adds_its_layers_unless_a_normalisation_or_an_activation_follows(line: str, names: list[str]) -> None:
    network = archspec.loads(f"after CONV: RELU\n[4x4x4] INPUT\n{line}\nFC 2\n")
    assert [node.name for node in network.graph.nodes] == ["input", *names, "fc1"]
