"""Mutated weights files: opened, put into their network, and run."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import torch

import archspec
from archspec.compiler import build
from archspec.compiler.evaluation.ensemble_member import ensemble_member
from archspec.compiler.weights import files
from archspec.compiler.weights.metadata import TrainedOn, WeightsMetadata
from archspec.compiler.weights.trained import open_trained
from archspec.recipe import Recipe
from benchmarks.sweeps.damage import changed_data, damaged

SPECS = (
    "net Gray\n[8x8x1] INPUT\nCONV 4 3x3 p1 -> BN -> RELU -> POOL 2x2 s2\nFC 5\n",
    "net Colour\n[12x12x3] INPUT\nCONV 4 3x3 p1 -> RELU\nGAP -> FC 3 -> SOFTMAX\n",
)


def prepare(place: Path) -> None:
    """Write weights of each network."""
    for number, text in enumerate(SPECS):
        network = archspec.loads(text)
        names = tuple(f"class {one}" for one in range(network.output[0]))
        statistics = (0.5,) * network.input.channels
        data = TrainedOn("folder", "f00d", 100)
        about = WeightsMetadata(network, Recipe().to_dict(), names, statistics, statistics, 0.5, data)
        files.write(place / f"{number}.safetensors", build(network, seed=number).state_dict(), about.to_json())


def mutate(place: Path, chance: random.Random) -> tuple[str, bytes]:
    """Return damaged bytes, or a whole file that says something else."""
    data = chance.choice(sorted(place.iterdir())).read_bytes()
    if chance.random() < 0.4:
        return "weights.safetensors", damaged(data, chance)
    (length,) = struct.unpack("<Q", data[:8])
    head, rest = json.loads(data[8 : 8 + length]), data[8 + length :]
    if chance.random() < 0.7:
        about = changed_data(json.loads(head["__metadata__"][files.KEY]), chance)
        head["__metadata__"][files.KEY] = json.dumps(about)
    else:
        head = changed_data(head, chance)
    text = json.dumps(head).encode()
    return "weights.safetensors", struct.pack("<Q", len(text)) + text + rest


def read(path: Path) -> None:
    """Open the weights as `archspec eval` does, and run the network once."""
    trained = open_trained(path)
    member = ensemble_member(trained, trained.class_names, (), torch.device("cpu"), 4)
    size = trained.preprocessing.size
    with torch.inference_mode():
        member({size: torch.zeros(1, 1, trained.preprocessing.channels, *reversed(size))})
    json.dumps(trained.metadata.to_json())
