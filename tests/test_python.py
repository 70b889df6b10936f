"""archspec from Python: `build` and `export`, what they import, and how they read."""

import inspect
import json
import pydoc
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import onnx
import pytest
import torch
from click.testing import CliRunner
from torch.nn import functional

import archspec
from archspec.cli import main

NAMES = ["ArchspecError", "Network", "build", "export", "load", "loads"]


def small() -> archspec.Network:
    return archspec.loads("net Small\n[8x8x1] INPUT\nCONV 4 3x3 p1 -> BN -> RELU\nhidden: POOL 2x2 s2\nFC 10\n")


# ---- how it reads
def test_the_public_names_are_shown_and_import_no_torch_until_asked() -> None:
    program = """
import json, sys, archspec, pydoc
names = dir(archspec)
text = pydoc.render_doc(archspec) + pydoc.render_doc(archspec.build) + pydoc.render_doc(archspec.export)
print(json.dumps([names, "torch" in sys.modules, len(text)]))
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    names, has_torch, length = json.loads(done.stdout)
    assert {*NAMES} <= {*names}
    assert not has_torch
    assert length > 1000


@pytest.mark.parametrize("name", ["build", "export", "load", "loads"])
def test_every_function_says_what_it_takes_returns_and_raises(name: str) -> None:
    function = getattr(archspec, name)
    text = pydoc.render_doc(function, renderer=pydoc.TextDoc())
    for parameter in inspect.signature(function).parameters:
        assert f"\n        {parameter}: " in text
    assert [head in text for head in ("Args:", "Returns:", "Raises:\n        ArchspecError: ")] == [True] * 3
    assert max(map(len, (inspect.getdoc(function) or "").splitlines())) <= 120


def test_the_page_of_the_package_shows_its_use() -> None:
    text = pydoc.render_doc(archspec, renderer=pydoc.TextDoc())
    assert all(f"archspec.{name}(" in text for name in ("load", "build", "export"))


# ---- build
def test_a_network_and_its_name_give_the_same_module() -> None:
    one, two = archspec.build("lenet5"), archspec.build(archspec.load("lenet5"))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not torch.equal(next(one.parameters()), next(archspec.build("lenet5", seed=1).parameters()))
    assert one.training


def test_without_a_seed_the_weights_come_from_torchs_generator() -> None:
    torch.manual_seed(3)
    one, two = archspec.build("lenet5", seed=None), archspec.build("lenet5", seed=None)
    torch.manual_seed(3)
    again = archspec.build("lenet5", seed=None)
    assert torch.equal(next(one.parameters()), next(again.parameters()))
    assert not torch.equal(next(one.parameters()), next(two.parameters()))


def test_a_spec_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "mine.arch").write_text("[4] INPUT\nFC 3\n")
    assert archspec.build(tmp_path / "mine.arch")(torch.ones(2, 4)).shape == (2, 3)


@pytest.mark.parametrize("wrong", [None, 5, torch.nn.Linear(1, 1)])
def test_what_is_neither_a_network_nor_its_name_is_a_type_error(wrong: object) -> None:
    with pytest.raises(TypeError, match="expected a Network, the name of a spec or its path, got "):
        archspec.build(wrong)  # type: ignore[arg-type]


def test_a_wrong_name_is_an_archspec_error() -> None:
    with pytest.raises(archspec.ArchspecError, match="did you mean `resnet50`"):
        archspec.build("resnet5O")


# ---- export
def test_a_trained_module_is_exported_with_its_weights_and_not_changed(tmp_path: Path) -> None:
    network, path = small(), tmp_path / "small.onnx"
    module = archspec.build(network)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    functional.cross_entropy(module(torch.randn(8, 1, 8, 8)), torch.arange(8)).backward()
    optimizer.step()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    proof = archspec.export(network, path, module=module)
    assert proof["passed"] is True
    assert len(proof["checks"]) > 3
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert {tensor.dtype for tensor in module.parameters()} == {torch.float32}
    weights = {one.name: onnx.numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}
    assert (weights["fc1.weight"] == before["fc1.weight"].numpy()).all()


def test_without_a_module_it_is_what_the_command_writes(tmp_path: Path) -> None:
    archspec.export("lenet5", tmp_path / "a.onnx", seed=2)
    CliRunner().invoke(main, ["export", "lenet5", "-o", str(tmp_path / "b.onnx"), "--seed", "2"])
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_a_part_of_a_network_is_exported_with_the_weights_of_all_of_it(tmp_path: Path) -> None:
    network = small()
    archspec.export(network, str(tmp_path / "part.onnx"), module=archspec.build(network), output="hidden")
    assert onnx.load(tmp_path / "part.onnx").graph.output[0].name == "hidden"


def test_a_compiled_module_is_taken(tmp_path: Path) -> None:
    network = small()
    wrapped = torch.compile(archspec.build(network), backend="eager")
    assert isinstance(wrapped, torch.nn.Module)
    assert archspec.export(network, tmp_path / "small.onnx", module=wrapped)["passed"]


def test_weights_of_another_network_are_refused_and_no_file_is_written(tmp_path: Path) -> None:
    with pytest.raises(archspec.ArchspecError, match="the module, but"):
        archspec.export(small(), tmp_path / "x.onnx", module=archspec.build("lenet5"))
    with pytest.raises(archspec.ArchspecError, match="no such folder"):
        archspec.export(small(), tmp_path / "none" / "x.onnx")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda module: module.half(), r"float16 in the module; expected float32\n *= help: .*`module.float\(\)`"),
        (lambda module: module.double(), r"float64 in the module; expected float32\n *= help: .*`module.float\(\)`"),
        (torch.nn.DataParallel, "wrapped in DataParallel\n *= help: export what it wraps: `module=module.module`"),
        (lambda module: with_value(module, torch.nan), "`conv1.weight` contains NaN"),
        (lambda module: with_value(module, -torch.inf), "`conv1.weight` contains infinity"),
    ],
)
def test_a_converted_wrapped_or_diverged_module_is_named_as_such(
    change: Callable[[torch.nn.Module], torch.nn.Module], said: str, tmp_path: Path
) -> None:
    with pytest.raises(archspec.ArchspecError, match=said):
        archspec.export(small(), tmp_path / "x.onnx", module=change(archspec.build(small())))
    assert [*tmp_path.iterdir()] == []


def with_value(module: torch.nn.Module, value: float) -> torch.nn.Module:
    with torch.no_grad():
        next(module.parameters())[0] = value
    return module


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "got a state dict: load it into `archspec.build"),
        (torch.nn.Linear, "got the class Linear"),
        ("small.pt", "expected a module, got str"),
    ],
)
def test_what_is_not_a_module_is_a_type_error(wrong: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=said):
        archspec.export(small(), tmp_path / "x.onnx", module=wrong)  # type: ignore[arg-type]


def test_a_failed_proof_is_an_error_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archspec.compiler.onnx import export as exporting
    from archspec.compiler.onnx.checks.steps import Check, Proof

    monkeypatch.setattr(exporting, "prove", lambda *_: Proof((Check("a step", False, "it differs"),)))
    with pytest.raises(archspec.ArchspecError, match="does not compute what torch does"):
        archspec.export(small(), tmp_path / "x.onnx")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(("call", "missing"), [("build", "torch"), ("export", "onnx"), ("export", "onnxruntime")])
def test_a_missing_package_is_named_with_what_installs_it(
    call: str, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archspec.commands import packages

    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == missing else find_spec(name))
    name = packages.DISTRIBUTIONS.get(missing, missing)
    arguments = ("lenet5",) if call == "build" else ("lenet5", tmp_path / "x.onnx")
    with pytest.raises(archspec.ArchspecError) as caught:
        getattr(archspec, call)(*arguments)
    assert f"`archspec.{call}` requires `{name}`, which is not installed" in str(caught.value)
    assert f"`pip install {name}`" in str(caught.value)
