"""Weights files: what is written is read, and a damaged or foreign one is one clear error."""

import os
import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import nn

import archspec
from archspec.compiler import build, weights
from archspec.compiler.data.digits import Digits, digits, write_samples
from archspec.diagnostics import SpecError
from archspec.volume import Volume

ABOUT = {"classes": ["cat", "größer"], "mean": [0.5]}
ONE = {"fc1.weight": torch.zeros(2, 3)}


@pytest.fixture
def module() -> nn.Module:
    return build(archspec.loads("[8x8x3] INPUT\nCONV 4 3x3 -> BN -> RELU -> FC 5\n"), seed=0)


def test_what_is_written_is_read(module: nn.Module, tmp_path: Path) -> None:
    path, other = tmp_path / "w.safetensors", build(archspec.load("lenet5"), seed=1)
    weights.write(path, module.to(memory_format=torch.channels_last).state_dict(), ABOUT)
    state, about = weights.read(path)
    assert about == ABOUT
    for parameter in module.parameters():
        parameter.data.zero_()
    weights.fill(module, state)
    assert all(torch.equal(tensor, state[name]) for name, tensor in module.state_dict().items())
    assert [entry.name for entry in tmp_path.iterdir()] == ["w.safetensors"]
    with pytest.raises(SpecError, match="E421"):
        weights.fill(other, state)


def test_a_damaged_file_is_one_error_or_none(module: nn.Module, tmp_path: Path) -> None:
    path, chance = tmp_path / "w.safetensors", random.Random(0)
    weights.write(path, module.state_dict(), ABOUT)
    whole = path.read_bytes()
    damaged = [whole[:end] for end in range(0, len(whole), 97)]
    for _ in range(300):  # in the header mostly: a number of a weight may be anything
        data = bytearray(whole)
        data[chance.randrange(700)] = chance.randrange(256)
        damaged.append(bytes(data))
    for data in damaged:
        path.write_bytes(data)
        try:
            weights.fill(module, weights.read(path)[0])
        except SpecError as error:
            assert [finding.code for finding in error.diagnostics] in (["E401"], ["E421"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "header too small"),
        (b"this is text, and no weights", "header"),
        (save(ONE), "lacks the spec"),
        (save(ONE, {weights.KEY: "{"}), "Expecting"),
        (save(ONE, {weights.KEY: "[1, 2]"}), r"it says \[1, 2\] of itself"),
    ],
    ids=["empty", "text", "foreign", "no JSON", "a list"],
)
def test_a_file_of_something_else_says_what_is_wrong(data: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(SpecError, match=f"is no weights file of archspec\n = .*{reason}"):
        weights.read(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"conv1.weight": None}, "the weights have no `conv1.weight`"),
        ({"conv1.weight": torch.zeros(4, 3, 5, 5)}, "is 4x3x5x5 in the weights, and the spec makes it 4x3x3x3"),
        ({"conv9.weight": torch.zeros(1)}, "have `conv9.weight`, which the spec has not"),
    ],
    ids=["missing", "another shape", "one too many"],
)
def test_weights_of_another_spec_name_the_first_difference(
    change: dict[str, torch.Tensor | None], said: str, module: nn.Module
) -> None:
    changed = {**module.state_dict(), **change}
    with pytest.raises(SpecError, match=said):
        weights.fill(module, {name: tensor for name, tensor in changed.items() if tensor is not None})


def test_a_folder_that_is_not_there_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="E422"):
        weights.write(tmp_path / "none" / "w.safetensors", ONE, ABOUT)
    assert not list(tmp_path.iterdir())


def test_a_link_stays_and_what_it_names_is_written(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    target.write_bytes(b"old")
    link.symlink_to(target)
    weights.replace_file(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in ("pipe", "folder", "file/under", "loop", "a\0b", "a" * 300, "/dev/full"):
        with pytest.raises(SpecError, match="E422"):
            weights.replace_file(tmp_path / path, b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "loop", "pipe"]


def test_samples_are_written_or_one_error(tmp_path: Path) -> None:
    held_out = digits(Volume((8, 8, 1)), 0).held_out
    assert isinstance(held_out, Digits)
    write_samples(held_out, tmp_path / "samples")
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [f"{one}.png" for one in range(10)]
    with pytest.raises(SpecError, match="E422"):
        write_samples(held_out, tmp_path / "none" / "samples")
