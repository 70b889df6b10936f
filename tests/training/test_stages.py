"""A stage of a pipeline has its own part of the network and of the work: only the first one reads images."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.profiler import ProfilerActivity, profile, record_function

import archspec
from archspec.analyses.partition import cut
from archspec.compiler import build
from archspec.compiler.data.digits import digits
from archspec.compiler.lowering.stage_module import build_stage
from archspec.compiler.memory import CPU
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.setup.configuration import RunConfiguration
from archspec.compiler.training.setup.fine_tuning import starting_module
from archspec.compiler.weights.metadata import TrainedOn, WeightsMetadata
from archspec.compiler.weights.trained import Trained
from archspec.recipe import Recipe
from support import processes
from support.memory_measures import peak

WIDE = "net Wide\n[256] INPUT\n" + "FC 256 -> RELU\n" * 12 + "FC 256\n"
PHOTOS = "net Photos\n[8x8x3] INPUT\nCONV 8 3x3 p1 -> BN -> RELU -> CONV 8 3x3 -> POOL 2x2 s2\nFC 3\n"
MIXED = ("--cutmix", "1", "--mixup", "0.2", "--cutout", "0.25", "--erasing", "0.5")
STEPS = ("--epochs", "1", "--warmup", "0", "--batch", "4", "--accumulate", "4")
FLAGS = (*STEPS, *MIXED, "--workers", "0", "--threads", "1")


def allocated(work: Callable[[], object]) -> int:
    """The largest number of bytes that torch has allocated during some work."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found, record_function("work"):
        work()
    return peak(found, "work")


SMALL: dict[str, dict[str, Any]] = {"lenet5": {}, "vit": {"input": "32x32x3", "set": {"width": 48, "heads": 3}}}


@pytest.mark.parametrize("name", SMALL)
def test_stages_have_the_first_weights_of_the_whole_network(name: str) -> None:
    graph = archspec.load(name, classes=10, **SMALL[name]).graph
    whole = build(graph, seed=3).state_dict()
    parts = [build_stage(graph, stage, 3).state_dict() for stage in cut(graph, 3)]
    assert sorted(name for part in parts for name in part) == sorted(whole)
    assert all(torch.equal(value, whole[name]) for part in parts for name, value in part.items())


def test_a_stage_allocates_its_own_weights_and_one_layer_more() -> None:
    graph = archspec.loads(WIDE).graph
    layer = 4 * (256 * 256 + 256)
    assert allocated(lambda: build(graph, seed=0)) > 13 * layer - 1
    for stage in cut(graph, 4):
        own = sum(value.nbytes for value in build_stage(graph, stage, 0).state_dict().values())
        assert own <= 4 * layer
        assert allocated(partial(build_stage, graph, stage, 0)) <= own + 1.1 * layer


@pytest.mark.parametrize("names", ["0123456789", "abcdefghij"], ids=["the same classes", "other classes"])
def test_stages_start_from_the_weights_that_one_process_starts_from(names: str) -> None:
    network, recipe, images = archspec.load("lenet5"), Recipe(seed=1, mode="fine-tune"), TrainedOn("digits", "", 1)
    metadata = WeightsMetadata(network, recipe.to_dict(), tuple(names), (0.5,), (0.5,), 0.5, images)
    start = Trained(Path("lenet5.safetensors"), metadata, build(network, seed=2).state_dict())
    configuration = RunConfiguration(network, recipe, digits(network.input, 0), start)
    one, parameters, messages = starting_module(configuration, Group(0, 1, CPU))
    whole = one.state_dict()
    changed = {name for name, value in whole.items() if not torch.equal(value, start.state[name])}
    assert changed == ({"fc3.weight"} if names[0] == "a" else set())  # biases start at 0
    for rank in range(2):
        stage, counted, said = starting_module(configuration, Group(rank, 2, CPU, is_pipeline=True))
        assert (counted, said) == (parameters, messages)
        own = stage.state_dict()
        assert 0 < len(own) < len(whole)
        assert all(torch.equal(value, whole[name]) for name, value in own.items())


def test_only_the_first_stage_reads_images(tmp_path: Path) -> None:
    """The second process is given a folder that does not exist, and the run is that of one process."""
    spec, data, out = tmp_path / "photos.arch", tmp_path / "data", tmp_path / "two"
    spec.write_text(PHOTOS)
    chance = np.random.default_rng(0)
    for number in range(72):
        folder = data / ("val" if number < 12 else "train") / str(number % 3)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(chance.integers(256, size=(8, 8, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    for broken in (data / "val/0/3.png", data / "train/1/40.png"):  # whose headers can be read
        broken.write_bytes(broken.read_bytes()[:60])
    one = processes.begin("train", spec, "--data", data, "--out", tmp_path / "one", *FLAGS)
    said = one.communicate(timeout=200)[1]
    assert one.returncode == 0, said
    own = [["--data", str(data)], ["--data", str(tmp_path / "missing")]]
    group = processes.Group(["train", str(spec), "--out", str(out), "--pipeline", "2", *FLAGS], 2, own)
    said = group.communicate(timeout=200)[1]
    assert group.returncode == 0, said
    assert "3.png`: left out" in said
    assert "40.png`: replaced by another image" in said
    states = [load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two")]
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=1e-3, atol=1e-4)
    summaries = [json.loads((tmp_path / name / "summary.json").read_text()) for name in ("one", "two")]
    for key in ("images", "damaged_images", "top1"):
        assert summaries[0][key] == summaries[1][key]
