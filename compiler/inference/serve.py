"""The process that runs a model: what crashes in it, or never ends, is not `archspec run` itself.

In: messages on standard input: a model's path, or images. Out: messages on standard output: what the model says of
itself, or its outputs, or why there are none. It ends with its parent.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from archspec.compiler.inference.messages import receive, send
from archspec.compiler.inference.runtime import Opened, missing_for_cuda, open_session
from archspec.diagnostics.errors import ArchspecError

MOST_BYTES = 2**32  # of an output
PARENT_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG


def serve() -> None:
    """Answer until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends this process
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is not an answer
    opened: Opened | None = None
    while True:
        try:
            head, data = receive(sys.stdin.buffer)
        except EOFError:
            return
        try:
            if "model" in head:
                opened = None  # the memory of an earlier model is free before the next is read
                opened = _open(Path(head["model"]), head["device"])
                answer: tuple[dict[str, Any], bytes] = _described(opened), b""
            else:
                answer = _run(opened, head, data)
        except ArchspecError as error:
            (one,) = error.diagnostics
            answer = {"failed": [one.code, one.message, list(one.notes), list(one.helps)]}, b""
        except Exception as error:  # onnxruntime's exceptions have no common base class
            answer = {"raised": next(iter(str(error).strip().splitlines()), type(error).__name__)}, b""
        send(answers, *answer)


def _open(path: Path, device: str) -> Opened:
    if device == "cpu" or missing_for_cuda():  # CUDA maps far more memory than it uses
        _limit_memory()
    return open_session(path, device)


def _limit_memory() -> None:
    """Let allocations beyond the machine's memory fail, instead of other processes."""
    if sys.platform == "linux":
        import resource

        physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (physical if hard < 0 else min(physical, hard), hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _described(opened: Opened) -> dict[str, Any]:
    session = opened.session
    sides = {"inputs": session.get_inputs(), "outputs": session.get_outputs()}
    values = {side: [[one.name, one.type, list(one.shape)] for one in own] for side, own in sides.items()}
    properties = dict(session.get_modelmeta().custom_metadata_map)
    return {"device": opened.device, "why": opened.why, "properties": properties, **values}


def _run(opened: Opened | None, head: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    assert opened is not None, "images before a model"
    images = np.frombuffer(data, dtype=np.float32).reshape(head["shape"])
    (output,) = opened.session.run([head["output"]], {head["input"]: images})
    array = np.ascontiguousarray(output)
    if array.dtype.kind != "f":
        raise ValueError(f"its output is {array.dtype}; expected floating-point numbers")
    if array.nbytes > MOST_BYTES:
        raise ValueError(f"its output has {array.nbytes:,} bytes, more than {MOST_BYTES:,}")
    return {"shape": list(np.shape(output)), "type": array.dtype.str}, array.tobytes()
