"""`archspec doctor`: its report on a complete installation and on broken ones."""

import importlib.util
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from archspec.cli import main
from archspec.compiler.inference import packages, runtime


def doctor(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *arguments])


def lines(result: Result) -> dict[str, dict[str, Any]]:
    return {line["name"]: line for line in json.loads(result.stdout)}


def test_a_complete_installation_works() -> None:
    result = doctor()
    assert result.exit_code == 0
    assert all(line.startswith("ok ") for line in result.stdout.splitlines())
    found = lines(doctor("--json"))
    assert {"python", "torch", "onnx", "numpy", "pillow", "archspec export", "archspec run"} <= found.keys()
    assert "CPUExecutionProvider" in found["onnxruntime on"]["found"]


def test_a_missing_package_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    for module in ("doctor", "packages"):
        monkeypatch.setattr(f"archspec.commands.{module}.find_spec", lambda name: None if name == "PIL" else real(name))
    result = doctor("--json")
    assert result.exit_code == 1
    found = lines(result)
    assert found["pillow"] == {
        "name": "pillow",
        "is_well": False,
        "found": "not installed",
        "advice": "`pip install pillow`",
    }
    assert not found["archspec run"]["is_well"]
    assert not found["archspec train"]["is_well"]
    assert found["archspec probe"]["is_well"]
    assert "FAIL  pillow" in doctor().stdout


def test_two_packages_of_onnxruntime_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "installed_packages", lambda: packages.PACKAGES)
    result = doctor("--json")
    assert result.exit_code == 1
    assert lines(result)["one onnxruntime"]["advice"] == packages.CONFLICT_HINT


@pytest.mark.parametrize(("gpu", "status"), [(False, 0), (True, 1)])
def test_an_unusable_gpu_is_reported_and_no_gpu_is_fine(
    gpu: bool, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "missing_for_cuda", lambda: "libcublasLt.so.13 cannot be loaded")
    monkeypatch.setattr(runtime, "has_gpu", lambda: gpu)
    result = doctor()
    assert result.exit_code == status
    assert "libcublasLt.so.13 cannot be loaded" in result.stdout


def test_a_session_that_cannot_be_opened_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(device: str) -> str:
        raise ImportError("libonnxruntime.so: no such file")

    monkeypatch.setattr(runtime, "trial", broken)
    result = doctor("--json")
    assert result.exit_code == 1
    assert "ImportError: libonnxruntime.so: no such file" in result.stdout
