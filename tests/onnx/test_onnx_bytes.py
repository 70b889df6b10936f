"""The bytes of a model: how many, in how many files, the same everywhere, and nothing of the machine in them."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import archspec
from archspec.compiler.onnx import emit
from archspec.compiler.onnx.emit import emitted
from archspec.compiler.onnx.model import assemble, need_room, write_data
from archspec.compiler.weights.atomic import write_flushed
from archspec.compiler.weights.model_metadata import ModelMetadata
from archspec.diagnostics.errors import ArchspecError
from support.onnx_models import SMALL, HandNetwork, randomised, weights_of

ROOT = Path(__file__).parents[2]


def test_weights_beyond_2_gib_are_refused_with_their_size() -> None:
    net = archspec.loads("[65536] INPUT\n[8192] FC 8192 nobias\n")
    zero = np.zeros(1, dtype=np.float32)
    with pytest.raises(ArchspecError) as caught:
        need_room(emitted(net.graph, {"fc1.weight": np.broadcast_to(zero, (8192, 65536))}))
    (finding,) = caught.value.diagnostics
    assert finding.message == "the weights take 2.00 GiB, and one ONNX file must be smaller than 2"
    assert finding.helps == ("`--external-data` puts them into a separate file",)


def test_weights_in_a_file_of_their_own_give_the_same_network(tmp_path: Path) -> None:
    net = archspec.loads(SMALL)
    weights = weights_of(randomised(HandNetwork(net.graph)))
    parts = emitted(net.graph, weights)
    apart = assemble(net.graph, parts, ModelMetadata("Small", "scores"), "small.onnx.data")
    write_flushed(tmp_path / "small.onnx.data", lambda file: write_data(parts, file))
    write_flushed(tmp_path / "small.onnx", lambda file: file.write(apart.SerializeToString()))
    whole = emit(net.graph, weights)
    onnx.checker.check_model(tmp_path / "small.onnx", full_check=True)
    assert len(apart.SerializeToString()) < len(whole.SerializeToString()) / 2
    loaded = {one.name: numpy_helper.to_array(one) for one in onnx.load(tmp_path / "small.onnx").graph.initializer}
    for tensor in whole.graph.initializer:
        np.testing.assert_array_equal(loaded[tensor.name], numpy_helper.to_array(tensor))


PROGRAM = """
import hashlib, sys
import numpy as np
import archspec
from archspec.compiler.onnx import emit
spec = sys.argv[1]
graph = archspec.load(spec).graph
generator = np.random.default_rng(0)
weights = {}
for node in graph.nodes:
    for tensor in graph.tensors(node):
        weights[node.name + "." + tensor.name] = generator.standard_normal(tensor.shape, dtype=np.float32)
    if node.layer.keyword == "BN":
        for name in ("running_mean", "running_var"):
            weights[node.name + "." + name] = generator.random(node.volume.channels, dtype=np.float32)
data = emit(graph, weights).SerializeToString(deterministic=True)
sys.stdout.buffer.write(hashlib.sha256(data).hexdigest().encode() + b" " + archspec.__file__.encode() + b"\\n" + data)
"""


def bytes_of(site: Path, folder: Path, seed: str) -> tuple[str, Path, bytes]:
    """The hash, where archspec was imported from, and the bytes, of a fresh process in `folder`."""
    folder.mkdir()
    (folder / "small.arch").write_text(SMALL, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", PROGRAM, str(folder / "small.arch")]
    done = subprocess.run(command, capture_output=True, check=True, cwd=folder, env=environment)
    head, data = done.stdout.split(b"\n", maxsplit=1)
    digest, place = head.decode().split(" ", maxsplit=1)
    assert digest == hashlib.sha256(data).hexdigest()
    return digest, Path(place), data


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path, bytes]]:
    """The same spec by two installations, from two folders, with two hash seeds."""
    home = tmp_path_factory.mktemp("two installations")
    made = shutil.ignore_patterns("__pycache__")
    for name in ("first", "second"):
        shutil.copytree(ROOT / "archspec", home / name / "archspec", ignore=made)  # what its links name too
    return [bytes_of(home / name, home / f"in {name}", seed) for name, seed in (("first", "1"), ("second", "2"))]


def test_two_installations_write_the_same_bytes(two_runs: list[tuple[str, Path, bytes]]) -> None:
    (one, here, _), (other, there, _) = two_runs
    assert here != there
    assert one == other


def test_no_path_of_the_machine_is_in_the_bytes(two_runs: list[tuple[str, Path, bytes]]) -> None:
    for _, place, data in two_runs:
        assert b"small.arch:13" in data
        for part in {place.parents[2].name, Path.home().name, ROOT.name, Path(sys.prefix).name}:
            assert f"{part}/".encode() not in data
