"""The layers of CONTRIBUTING.md, added to a copy of the project exactly as the page says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("archspec", "compiler", "grammar", "specs", "tests/support", "tests/layers", "tests/onnx", "tests/analyses")
SINGLE = ("pyproject.toml", "tests/conftest.py")
BLOCK = re.compile(r"(The new file|At the end of)\s+`([^`]+)`:\n\n```python\n(.*?)```", re.DOTALL)
NETWORK = """\
net Added
[16x16x3] INPUT
CONV 8 3x3 p1 -> CELU alpha=2 -> FRN -> CONV 8 1x1 -> CELU
GAP -> FC 5
"""
PROGRAM = """
import torch, archspec
from pathlib import Path
from archspec.compiler import build
from archspec.compiler.onnx.export import export
from archspec.compiler.weights.model_metadata import ModelMetadata

network = archspec.load("added.arch")
module = build(network, seed=0)
optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
images, labels = torch.randn(8, 3, 16, 16), torch.arange(8) % 5
losses = []
for _ in range(8):
    loss = torch.nn.functional.cross_entropy(module(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
assert losses[-1] < losses[0], losses
assert all(parameter.grad.any() for parameter in module.parameters())
print(export(network.graph, module, Path("added.onnx"), ModelMetadata("Added", "scores", None, None)))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the layers of the page."""
    folder = tmp_path_factory.mktemp("project")
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
    for name in SINGLE:
        shutil.copy(ROOT / name, folder / name)
    blocks = BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert [how for how, _, _ in blocks] == ["The new file"] * 4 + ["At the end of"]
    for how, name, code in blocks:
        path = folder / name
        assert path.exists() == (how == "At the end of"), name
        with path.open("a", encoding="utf-8") as file:
            file.write(code if how == "The new file" else f"\n\n{code}")
    (folder / "added.arch").write_text(NETWORK)
    return folder


def python(project: Path, *arguments: str) -> str:
    """What a program of the copied project prints; it must succeed."""
    path = os.pathsep.join([str(project), str(project / "tests")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=project, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_check_prints_a_table_with_the_new_layers(project: Path) -> None:
    table = python(project, "-m", "archspec", "check", "added.arch")
    assert re.search(r"celu1\b.*\[16x16x8\]", table)
    assert re.search(r"frn1\b.*\[16x16x8\]", table)


def test_the_new_layers_train_and_export_with_a_proof(project: Path) -> None:
    proof = python(project, "-c", PROGRAM)
    assert proof.count("  ok") == 5
    assert "FAILED" not in proof


def test_the_new_layers_pass_the_contract(project: Path) -> None:
    files = ("tests/layers/test_layers.py", "tests/onnx/test_onnx_layers.py", "tests/analyses/test_memory.py")
    chosen = "CELU or FRN or Celu or FilterResponseNorm"
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=", "-k", chosen)
    text = python(project, "-m", "pytest", *files, *options)
    found = re.search(r"(\d+) passed", text)
    assert found is not None, text
    assert int(found[1]) >= 4 * 7 + 2 + 2 + 8 + 2  # examples by clauses, classes, ONNX by examples, memory


def test_the_reference_describes_the_new_layers(project: Path) -> None:
    python(project, "-m", "archspec.layers.reference")
    page = (project / "grammar" / "README.md").read_text(encoding="utf-8")
    assert "**`CELU`**: max(0, x) + min(0" in page
    assert "| `alpha` |" in page
