"""Which device a session really runs on, and what is said if it is not the requested one."""

from pathlib import Path
from typing import Any

import pytest

from archspec.compiler.inference import runtime
from archspec.compiler.inference.packages import installed_packages
from archspec.compiler.inference.runtime import (
    CPU,
    CUDA,
    missing_for_cuda,
    not_on_cuda,
    open_session,
)
from archspec.diagnostics.errors import ArchspecError
from support.run_models import archspec_run, write_digits, write_photos


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_digits(tmp_path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path)


def test_auto_says_which_device_is_used_and_why(model: Path, photos: Path) -> None:
    result = archspec_run(model, photos / "a.png")
    missing = missing_for_cuda()
    told = f"cpu: no CUDA: {missing}" if missing else "cuda: every node runs on the GPU"
    assert result.stderr == f"{model} on {told}\n"


def test_cuda_is_used_or_the_error_says_what_is_missing(model: Path, photos: Path) -> None:
    result = archspec_run(model, photos / "a.png", "--device", "cuda")
    missing = missing_for_cuda()
    assert (result.exit_code == 0) == (missing is None)
    assert (f"CUDA cannot be used: {missing}" if missing else f"{model} on cuda: as requested") in result.stderr


def test_a_session_that_fell_back_to_the_cpu_is_not_on_cuda(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing seems to be missing, yet onnxruntime uses the CPU."""
    monkeypatch.setattr(runtime, "missing_for_cuda", lambda: None)
    real = runtime._session
    monkeypatch.setattr(runtime, "_session", lambda path, providers: real(path, [CPU]))
    assert open_session(model, "auto").why == "no CUDA: onnxruntime fell back to the CPU"
    with pytest.raises(ArchspecError, match="CUDA cannot be used: onnxruntime fell back to the CPU"):
        open_session(model, "cuda")


@pytest.mark.parametrize(
    ("providers", "assigned", "reason"),
    [
        ([CUDA, CPU], {CUDA: ("Conv", "Relu")}, None),
        ([CUDA, CPU], {CUDA: ("Conv",), CPU: ("LRN", "LRN")}, "2 of 3 nodes run on the CPU: LRN"),
        ([CUDA, CPU], {CPU: ("Conv", "Relu")}, "2 of 2 nodes run on the CPU: Conv, Relu"),
        ([CPU], {CPU: ("Conv",)}, "onnxruntime fell back to the CPU"),
    ],
)
def test_a_session_is_on_cuda_only_if_every_node_is(providers: list[str], assigned: Any, reason: str | None) -> None:
    assert not_on_cuda(providers, assigned) == reason


def test_a_session_says_where_its_nodes_run(model: Path) -> None:
    found = runtime.assignment(open_session(model, "cpu").session)
    assert set(found) == {CPU}
    assert "Gemm" in found[CPU] or "FusedGemm" in found[CPU]


class Distribution:
    def __init__(self, name: str) -> None:
        self.metadata = {"Name": name}


@pytest.mark.parametrize(
    ("names", "both"),
    [(["onnxruntime"], False), (["onnxruntime_gpu"], False), (["onnxruntime", "numpy", "onnxruntime-gpu"], True)],
)
def test_both_packages_of_onnxruntime_at_once_are_noticed(
    names: list[str], both: bool, monkeypatch: pytest.MonkeyPatch, model: Path, photos: Path
) -> None:
    monkeypatch.setattr("importlib.metadata.distributions", lambda: map(Distribution, names))
    assert (len(installed_packages()) == 2) == both
    result = archspec_run(model, photos / "a.png")
    assert ("warning[W433]: onnxruntime and onnxruntime-gpu are both installed and" in result.stderr) == both
    assert result.exit_code == 0
