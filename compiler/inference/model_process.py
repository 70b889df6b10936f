"""A model in a process of its own: whatever a file from elsewhere does to onnxruntime, the command lives on.

In: a model's path, images. Out: what the model says of itself, and its outputs; or one error that says how the process
ended. Neither numpy nor onnxruntime is imported to start one.
"""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

from archspec.compiler.inference.messages import receive, send
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import plural
from archspec.regular_file import need_regular

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOADING, RUNNING, FURTHER = 300.0, 60.0, 5.0  # seconds: for a model, for an image, and for each further one at once
ENDING = 5.0  # seconds: of a process that has crashed
MOST_BYTES = 2**31  # of a protobuf file
# with this process's path, and without the working directory, where a file may have the name of a module
PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from archspec.compiler.inference.serve import serve; serve()"
HELP = "`archspec export SPEC|WEIGHTS -o net.onnx` writes a model"


@dataclass(frozen=True)
class ModelValue:
    """An input or output of a model: its type in onnxruntime's words, and its shape, without names for free sizes."""

    name: str
    type: str
    shape: tuple[int | str | None, ...]

    def __str__(self) -> str:
        return f"`{self.name}` {list(self.shape)}"


@dataclass(frozen=True)
class OpenedModel:
    """A model that was opened: the device that it runs on, why that one, and what the file says of itself."""

    device: str
    why: str
    inputs: tuple[ModelValue, ...]
    outputs: tuple[ModelValue, ...]
    properties: dict[str, str]


class ModelProcess:
    """A process for one model after another. Leaving it as a context ends the process."""

    def __init__(self, loading: float = LOADING, running: float = RUNNING) -> None:
        self.loading, self.running = loading, running
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # until `close`
        command = [sys.executable, "-P", "-c", PROGRAM, *sys.path]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self._said)

    def __enter__(self) -> ModelProcess:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    @property
    def has_ended(self) -> bool:
        """Whether the process has crashed, or was ended."""
        return self._process.poll() is not None

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._said):
            if pipe is not None:
                with suppress(OSError):  # what was not written cannot be flushed
                    pipe.close()
        self._process.wait()

    def open(self, path: Path, device: str) -> OpenedModel:
        """Open a model. Raises ArchspecError for a file of anything else, and for one that ends the process."""
        _need_file(path)
        answer, _ = self._asked({"model": str(path), "device": device}, b"", self.loading, f"loading `{path}`")
        if "raised" in answer:
            raise failure("E430", f"onnxruntime cannot load `{path}`", notes=(answer["raised"],), helps=(HELP,))
        sides = [
            tuple(ModelValue(name, kind, tuple(shape)) for name, kind, shape in answer[side])
            for side in ("inputs", "outputs")
        ]
        return OpenedModel(answer["device"], answer["why"], sides[0], sides[1], answer["properties"])

    def run(self, path: Path, name: str, images: NDArray[Any], output: str) -> NDArray[np.float64]:
        """Return an output for images, which are the input `name`. Raises ArchspecError where the model fails."""
        import numpy as np

        head = {"input": name, "shape": list(images.shape), "output": output}
        doing = f"running `{path}` on {plural(len(images), 'image')}"
        data = np.ascontiguousarray(images, dtype=np.float32).data.cast("B")
        answer, values = self._asked(head, data, self.running + FURTHER * (len(images) - 1), doing)
        if "raised" in answer:
            raise failure("E436", f"onnxruntime cannot run `{path}`", notes=(answer["raised"],), helps=(HELP,))
        return np.frombuffer(values, dtype=answer["type"]).reshape(answer["shape"])

    def _asked(
        self, head: dict[str, Any], data: bytes | memoryview, limit: float, doing: str
    ) -> tuple[dict[str, Any], bytes]:
        """Send a message, and return the answer. Raises ArchspecError where there is none within `limit` seconds."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            with self._limited(limit):
                send(self._process.stdin, head, data)  # type: ignore[arg-type]  # typeshed's IO[bytes]
                answer, output = receive(self._process.stdout)  # type: ignore[arg-type]
        except (
            OSError,
            EOFError,
            ValueError,
            OverflowError,
            MemoryError,
        ):  # the last three: what it wrote is no answer
            raise self._ended(doing, limit) from None
        if "failed" in answer:
            code, message, notes, helps = answer["failed"]
            raise failure(code, message, notes=notes, helps=helps)
        return answer, output

    @contextmanager
    def _limited(self, seconds: float) -> Iterator[None]:
        """Kill the process after a time."""
        self._is_late = False

        def kill() -> None:
            self._is_late = True
            self._process.kill()

        timer = Timer(seconds, kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _ended(self, doing: str, limit: float) -> ArchspecError:
        """Return the error of a process that gave no answer."""
        try:
            status = self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return failure("E436", f"onnxruntime gave no valid answer while {doing}", helps=(HELP,))
        if self._is_late:
            message = f"onnxruntime did not finish {doing} within {math.ceil(limit):,} seconds"
            return failure("E436", message, helps=(HELP,))
        how = f"exit status {status}" if status >= 0 else _signal_name(-status)
        notes = [self._last_words()] if self._last_words() else []
        if status == -signal.SIGKILL:
            notes.append("the system kills processes when it runs out of memory")
        return failure("E436", f"onnxruntime crashed ({how}) while {doing}", notes=notes, helps=(HELP,))

    def _last_words(self) -> str:
        """Return the last line that the process printed."""
        self._said.seek(0, 2)
        self._said.seek(max(0, self._said.tell() - 2000))
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _need_file(path: Path) -> None:
    """Raise ArchspecError unless a path names a file that may be a model."""
    try:
        need_regular(path)
        size = path.stat().st_size
    except FileNotFoundError:
        helps = ("`archspec export SPEC -o net.onnx` writes a model",)
        raise failure("E430", f"no such file: `{path}`", helps=helps) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise failure("E430", f"`{path}` cannot be opened", notes=(reason,), helps=(HELP,)) from None
    if size > MOST_BYTES:
        message = f"`{path}` has {size:,} bytes; a model has at most {MOST_BYTES:,}"
        raise failure("E430", message, helps=(HELP,))
