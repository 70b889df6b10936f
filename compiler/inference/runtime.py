"""onnxruntime sessions on the device that is really used.

In: a model's file and a device, `auto`, `cpu` or `cuda`. Out: a session, what it runs on and why. onnxruntime falls
back to the CPU without an error; so a session counts as CUDA's only if it says so itself (`get_providers`) and every
node of the graph is assigned to CUDA. What a build of onnxruntime could do (`get_available_providers`) says nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from archspec.diagnostics.errors import failure

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
RECORD = "session.record_ep_graph_assignment_info"
ONE_RELU = (  # an ONNX model, y = Relu(x) of two numbers, so that onnx need not be installed
    b'\x08\n:3\n\x0c\n\x01x\x12\x01y"\x04Relu\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x02'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x02B\x04\n\x00\x10\x12"
)
SILENT = 4  # onnxruntime would print its errors as well as raise them


@dataclass(frozen=True)
class Opened:
    """A session, the device that it runs on, and why that one."""

    session: Any
    device: str
    why: str


def open_session(model: Path | bytes, device: str = "auto") -> Opened:
    """Open a session on `device`. Raises ArchspecError for a file that is not a model, and for unavailable CUDA."""
    if device == "cpu":
        return Opened(cpu_session(model), "cpu", "as requested")
    missing = missing_for_cuda()
    if missing is None:
        session = _session(model, [CUDA, CPU])
        missing = not_on_cuda(session.get_providers(), assignment(session))
        if missing is None:
            return Opened(session, "cuda", "as requested" if device == "cuda" else "every node runs on the GPU")
    if device == "cuda":
        helps = ("`--device cpu` runs on the CPU; `archspec doctor` checks the installation",)
        raise failure("E434", f"CUDA cannot be used: {missing}", helps=helps)
    return Opened(cpu_session(model), "cpu", f"no CUDA: {missing}")


def cpu_session(model: Path | bytes) -> Any:
    """Open a session on the CPU. Raises ArchspecError for a file that onnxruntime cannot load."""
    return _session(model, [CPU])


def _session(model: Path | bytes, providers: list[str]) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.add_session_config_entry(RECORD, "1")
    onnxruntime.set_default_logger_severity(SILENT)
    try:
        return onnxruntime.InferenceSession(model, options, providers=providers)
    except Exception as error:  # its exceptions have no common base class
        reason = str(error).strip().splitlines()[0]
        message = f"onnxruntime cannot load {f'`{model}`' if isinstance(model, Path) else 'the model'}"
        helps = ("`archspec export SPEC -o net.onnx` writes a model",)
        raise failure("E430", message, notes=(reason,), helps=helps) from None


def assignment(session: Any) -> dict[str, tuple[str, ...]]:
    """Return the operators that each provider runs, by the provider's name."""
    parts = session.get_provider_graph_assignment_info()
    found: dict[str, tuple[str, ...]] = {}
    for part in parts:
        found[part.ep_name] = (*found.get(part.ep_name, ()), *(node.op_type for node in part.get_nodes()))
    return found


def not_on_cuda(providers: list[str], assigned: dict[str, tuple[str, ...]]) -> str | None:
    """Return why a session does not run on CUDA, or None where it does.

    >>> not_on_cuda(["CPUExecutionProvider"], {})
    'onnxruntime fell back to the CPU'
    >>> not_on_cuda([CUDA, CPU], {CUDA: ("Conv",), CPU: ("LRN", "LRN")})
    '2 of 3 nodes run on the CPU: LRN'
    """
    if CUDA not in providers:
        return "onnxruntime fell back to the CPU"
    others = [operator for provider, operators in assigned.items() if provider != CUDA for operator in operators]
    if others:
        names = ", ".join(name for name, _ in Counter(others).most_common(3))
        return f"{len(others)} of {sum(map(len, assigned.values()))} nodes run on the CPU: {names}"
    return None


def trial(device: str) -> str:
    """Run a model of one node, and return the device and the providers. Raises ArchspecError where it cannot run."""
    opened = open_session(ONE_RELU, device)
    (output,) = opened.session.run(None, {"x": np.array([-1, 2], dtype=np.float32)})
    assert output.tolist() == [0, 2], output
    return f"{opened.device}, {', '.join(opened.session.get_providers())}"


def has_gpu() -> bool:
    """Whether the NVIDIA driver finds a GPU."""
    return _no_driver() is None


def missing_for_cuda() -> str | None:
    """Return what CUDA lacks on this machine, or None."""
    return _no_driver() or _no_library()


def _no_driver() -> str | None:
    """Return why the NVIDIA driver offers no GPU, or None."""
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return f"no NVIDIA driver ({name} cannot be loaded)"
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        return "the NVIDIA driver finds no GPU"
    return None


def _no_library() -> str | None:
    """Return what onnxruntime's CUDA provider lacks, found by loading it, or None."""
    folder = Path(onnxruntime.__file__).parent / "capi"
    prefix, suffix = ("", ".dll") if sys.platform == "win32" else ("lib", ".so")
    shared, cuda = (folder / f"{prefix}onnxruntime_providers_{name}{suffix}" for name in ("shared", "cuda"))
    if not cuda.exists():
        return "the package `onnxruntime` has no CUDA; `pip install onnxruntime-gpu` instead"
    with contextlib.redirect_stdout(io.StringIO()):  # it prints every library it does not find, needed or not
        onnxruntime.preload_dlls()  # from the packages nvidia-*, or those that torch brings
    try:
        ctypes.CDLL(str(shared), mode=ctypes.RTLD_GLOBAL)
        ctypes.CDLL(str(cuda))
    except OSError as error:
        library = str(error).split(":", maxsplit=1)[0]
        return f"{Path(library).name} cannot be loaded; `pip install onnxruntime-gpu[cuda,cudnn]` installs it"
    return None
