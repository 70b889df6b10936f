"""Weights files: what is written is read, and a damaged or foreign one is one clear error."""

import json
import math
import random
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import nn

import archspec
from archspec.api import restore
from archspec.compiler import build
from archspec.compiler.data.digits import Digits, digits
from archspec.compiler.pages.samples import write_samples
from archspec.compiler.weights import files as weights
from archspec.compiler.weights.trained import open_trained
from archspec.diagnostics.errors import ArchspecError
from archspec.graph.volume import Volume

ABOUT = {"classes": ["cat", "größer"], "mean": [0.5]}
ABSENT = object()
ONE = {"fc1.weight": torch.zeros(2, 3)}


@pytest.fixture
def module() -> nn.Module:
    return build(archspec.loads("[8x8x3] INPUT\nCONV 4 3x3 -> BN -> RELU -> FC 5\n"), seed=0)


def test_weights_are_read_as_written(module: nn.Module, tmp_path: Path) -> None:
    path, other = tmp_path / "w.safetensors", build(archspec.load("lenet5"), seed=1)
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    weights.write(path, module.state_dict(), ABOUT)
    state, about = weights.read(path)
    assert about == ABOUT
    for parameter in module.parameters():
        parameter.data.zero_()
    weights.fill(module, state)
    assert all(torch.equal(tensor, state[name]) for name, tensor in module.state_dict().items())
    assert [entry.name for entry in tmp_path.iterdir()] == ["w.safetensors"]
    with pytest.raises(ArchspecError, match="E421"):
        weights.fill(other, state)


def test_a_damaged_file_is_one_error_or_none(module: nn.Module, tmp_path: Path) -> None:
    path, chance = tmp_path / "w.safetensors", random.Random(0)
    weights.write(path, module.state_dict(), ABOUT)
    whole = path.read_bytes()
    damaged: list[bytes] = [whole[:end] for end in range(0, len(whole), 97)]
    for _ in range(300):  # in the header mostly: a number of a weight may be anything
        changed = bytearray(whole)
        changed[chance.randrange(700)] = chance.randrange(256)
        damaged.append(bytes(changed))
    for data in damaged:
        path.write_bytes(data)
        try:
            weights.fill(module, weights.read(path)[0])
        except ArchspecError as error:
            assert [finding.code for finding in error.diagnostics] in (["E401"], ["E421"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "header too small"),
        (b"this is text, and not weights", "header"),
        (save(ONE), "does not contain its spec"),
        (save(ONE, {weights.KEY: "{"}), "Expecting"),
        (save(ONE, {weights.KEY: "[1, 2]"}), r"expected an object as metadata, got \[1, 2\]"),
    ],
    ids=["empty", "text", "foreign", "no JSON", "a list"],
)
def test_the_error_of_another_file_says_what_is_wrong(data: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(ArchspecError, match=f"is not a weights file of archspec\n = .*{reason}"):
        weights.read(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"conv1.weight": None}, "`conv1.weight` is missing from the weights"),
        ({"conv1.weight": torch.zeros(4, 3, 5, 5)}, "is 4x3x5x5 in the weights, but 4x3x3x3 in the spec"),
        ({"conv9.weight": torch.zeros(1)}, "`conv9.weight` is in the weights, but not in the spec"),
    ],
    ids=["missing", "another shape", "one too many"],
)
def test_weights_of_another_spec_name_the_first_difference(
    change: dict[str, torch.Tensor | None], said: str, module: nn.Module
) -> None:
    changed = {**module.state_dict(), **change}
    with pytest.raises(ArchspecError, match=said):
        weights.fill(module, {name: tensor for name, tensor in changed.items() if tensor is not None})


def test_a_missing_folder_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ArchspecError, match="E422"):
        weights.write(tmp_path / "none" / "w.safetensors", ONE, ABOUT)
    assert not list(tmp_path.iterdir())


def test_samples_are_written_or_give_one_error(tmp_path: Path) -> None:
    held_out = digits(Volume((8, 8, 1)), 0).held_out
    assert isinstance(held_out, Digits)
    write_samples(held_out, tmp_path / "samples")
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [f"{one}.png" for one in range(10)]
    with pytest.raises(ArchspecError, match="E422"):
        write_samples(held_out, tmp_path / "none" / "samples")


# ---- what a file says of itself
WRONG: dict[str, list[Any]] = {
    "mean": [5, ["a"], [], [None], {}, [0.1, 0.2], None, "0.5", [True], [math.nan], [math.inf], [10**400]],
    "std": [5, [0], [0.0], [-1.0], [math.nan], [1e-60], [], {}, None, ["1"]],
    "input": [
        [8.5, 8, 1],
        [0, 0, 1],
        [-8, 8, 1],
        [8, 8, 3],
        ["8", "8", 1],
        [100_000, 100_000, 1],
        [4, 4, 1],
        [8, 8],
        [8, 8, True],
        [8.0, 8, 1],
        8,
        None,
        {},
        [[8], 8, 1],
    ],
    "recipe": [None, 5, [], "seed", {"seed": True}, {"seed": 2**70}, {"seed": -1}, {"seed": 1.5}, {"seed": "1"}],
    "class_names": [[], ["a"], 5, None, {}, [1, 2, 3], ["a", "b", "c", "d"], ["a", "a", "b"], "abc", [None] * 3],
    "top1": [None, "1", [], math.nan, 2, -1, True, 10**400],
    "data": [5, [], "folder", {}, {"source": 5, "fingerprint": ""}, {"source": "folder", "fingerprint": None}],
    "bundle": [None, 5, [], "x", {}],
    "bundle.name": ["../../x", "..", ".", "", "a/b", "a\\b", "a\0b", "a\nb", "x" * 101, "網" * 100, 5, None, [], {}],
    "bundle.file": [5, None, []],
    "bundle.text": [5, None, [], {}],
    "bundle.uses": [5, None, [], ["ab"], {"a": 5}],
    "bundle.input": [5, "8x8x1", [8.5, 8, 1], [True, 8, 1], [0, 8, 1], [], [8, 8, 1, 1], {"a": 1}, [10**30, 1, 1]],
    "bundle.classes": [10.5, True, 0, -1, "3", [], 2**31, 10**400],
    "bundle.variant": [5, True, [], {}],
    "bundle.set": [[], 5, None, "a", {"a": []}, {"a": {}}, {"a": None}, {"a": True}, {"a": math.nan}, {"a": 10**400}],
}
CASES = [(key, value) for key, values in WRONG.items() for value in values]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = "net Gray\n[8x8x1] INPUT\nCONV 2 3x3 -> RELU\nGAP -> FC 3\n"
    path = tmp_path_factory.mktemp("told") / "w.safetensors"
    network = archspec.loads(text)
    about = {
        "bundle": network.bundle.to_dict(),
        "input": [8, 8, 1],
        "class_names": ["a", "b", "c"],
        "mean": [0.5],
        "std": [0.5],
        "recipe": {"seed": 0},
        "top1": 0.5,
        "data": {"source": "folder", "fingerprint": ""},
    }
    weights.write(path, build(network, seed=0).state_dict(), about)
    return path


@cache
def saved(path: Path) -> tuple[dict[str, torch.Tensor], str]:
    state, about = weights.read(path)
    return state, json.dumps(about)


def edited(path: Path, key: str, value: Any, out: Path) -> Path:
    """The weights, with another value in what they say of themselves; without it where the value is ABSENT."""
    state, text = saved(path)
    about = json.loads(text)
    *outer, last = key.split(".")
    place = about["bundle"] if outer else about
    if value is ABSENT:
        del place[last]
    else:
        place[last] = value
    out.write_bytes(save(state, {weights.KEY: json.dumps(about)}))  # without waiting for the disk, as `write` does
    return out


@pytest.mark.parametrize(("key", "value"), CASES, ids=[f"{key}={value!r:.30}" for key, value in CASES])
def test_a_wrong_value_in_the_metadata_is_one_error(key: str, value: Any, told: Path, tmp_path: Path) -> None:
    path = edited(told, key, value, tmp_path / "w.safetensors")
    with pytest.raises(ArchspecError) as caught:
        open_trained(path)
    (finding,) = caught.value.diagnostics
    assert finding.code == "E401"
    assert len(finding.notes) == 1
    assert len(str(caught.value)) < 1000


RIGHT_ELSEWHERE = ["[1x1] INPUT\n", 2**20, {"a": 1.5}, {"a": "b"}]


@pytest.mark.parametrize("key", WRONG)
def test_an_edit_of_the_metadata_is_not_a_traceback(key: str, told: Path, tmp_path: Path) -> None:
    for value in [ABSENT, *RIGHT_ELSEWHERE, *(values[0] for values in WRONG.values())]:
        with suppress(ArchspecError):
            open_trained(edited(told, key, value, tmp_path / "w.safetensors"))


@pytest.mark.slow
def test_no_edit_of_the_metadata_is_a_traceback(
    told: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    values = [ABSENT, *RIGHT_ELSEWHERE, *(value for each in WRONG.values() for value in each)]
    for key in WRONG:
        for value in values:
            with suppress(ArchspecError):
                open_trained(edited(told, key, value, tmp_path / "w.safetensors"))
    record_property("sweep", f"metadata of weights: {len(WRONG)} keys with {len(values)} values each: no traceback")


@pytest.mark.parametrize("key", [key for key in WRONG if key != "data"])
def test_a_missing_value_in_the_metadata_is_an_error(key: str, told: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchspecError, match="E401"):
        open_trained(edited(told, key, ABSENT, tmp_path / "w.safetensors"))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"bundle": "\\ud800"}', "1" * 5000, "NaN"])
def test_malformed_json_is_one_error(text: str, told: Path, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(save(weights.read(told)[0], {weights.KEY: text}))
    with pytest.raises(ArchspecError, match="is not a weights file of archspec"):
        open_trained(path)


def test_a_network_larger_than_its_weights_takes_no_memory(told: Path, tmp_path: Path) -> None:
    for chain in ("FC 100000000 -> FC 100000000", "FC 9000000000000000"):
        with pytest.raises(ArchspecError):
            open_trained(edited(told, "bundle.text", f"[8x8x1] INPUT\n{chain} -> FC 3\n", tmp_path / "w.safetensors"))


@pytest.mark.parametrize("name", ["a/b", "..", "", "x" * 300, "網" * 100, "\udce4", "tab\t", "plain-1"])
def test_every_network_is_restored_under_a_name_that_is_not_a_path(name: str) -> None:
    again = restore(archspec.loads("[8x8x1] INPUT\nFC 3\n", name).bundle.to_dict())
    assert Path(again.name).name == again.name
    assert (again.name == name) == (name == "plain-1")
