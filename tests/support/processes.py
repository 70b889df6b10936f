"""Commands of archspec in processes forked from one that has imported torch.

Each is a real process: it has its own standard error, gets signals and can be killed. It only saves the seconds that an
interpreter takes to import torch; `test_two_processes_end_with_the_weights_of_one` also starts torchrun, with
interpreters.
"""

import atexit
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Timer
from typing import Any, Final

from torch.multiprocessing.spawn import start_processes

START: Final = "forkserver"
IMPORTED = (
    "pytest",
    "hypothesis",
    "torch._dynamo",
    "torch.distributed.pipelining",
    "torch.testing",
    "sklearn.datasets",
    "archspec.cli",
    "archspec.compiler.training.run",
)
LONGEST = 300.0  # seconds

_context = multiprocessing.get_context(START)
_context.set_forkserver_preload(list(IMPORTED))  # it starts with the first process


class Started:
    """A process, with the names of `subprocess.Popen`."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str]) -> None:
        reader, writer = _context.Pipe(duplex=False)
        self._process = _context.Process(target=_run, args=(list(arguments), environment, writer))
        self._process.start()
        atexit.register(self._process.kill)  # a failed test leaves it running
        writer.close()
        self.stderr = TextIOWrapper(os.fdopen(os.dup(reader.fileno()), "rb"), encoding="utf-8")
        reader.close()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status; negative for a signal."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The exit status if it has ended."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def communicate(self, timeout: float = LONGEST) -> tuple[None, str]:
        """Wait for its end, kill it after `timeout` seconds. Returns nothing, and the rest of its standard error."""
        timer = Timer(timeout, self.kill)
        timer.start()
        said = self.stderr.read()
        self._process.join()
        timer.cancel()
        self.stderr.close()
        return None, said


class Group:
    """Processes that find each other by the environment that torchrun would give them; `own` are arguments of each."""

    def __init__(self, arguments: Sequence[str], size: int, own: Sequence[Sequence[str]] = (), **more: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(size), **more}
        ranks = [{**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(size)]
        each = [[*arguments, *one] for one in own or [()] * size]
        self.members = [Started(one, environment) for one, environment in zip(each, ranks, strict=True)]

    def poll(self) -> int | None:
        """An exit status that is not 0, or 0 if all have ended."""
        found = [process.poll() for process in self.members]
        return next((one for one in found if one), None if None in found else 0)

    @property
    def returncode(self) -> int | None:
        """See poll."""
        return self.poll()

    def kill(self) -> None:
        """Kill all of them."""
        for process in self.members:
            process.kill()

    def communicate(self, timeout: float = LONGEST) -> tuple[None, str]:
        """Wait for their end. Returns nothing, and the rest of their standard errors."""
        return None, "".join(process.communicate(timeout)[1] for process in self.members)


def begin(*arguments: str | Path) -> Started:
    """Start `archspec` with these arguments."""
    return Started([*map(str, arguments)], {})


def together(size: int, *arguments: str | Path, **environment: str) -> Group:
    """Start a group of `archspec` with these arguments."""
    return Group([*map(str, arguments)], size, **environment)


def spawn(work: Callable[..., None], arguments: tuple[Any, ...], processes: int) -> None:
    """Run `work(rank, *arguments)` in some processes, as torch's `spawn` does."""
    start_processes(work, arguments, nprocs=processes, start_method=START)


def _run(arguments: list[str], environment: dict[str, str], stderr: Connection) -> None:
    os.dup2(stderr.fileno(), 2)
    stderr.close()
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8")  # the server's may be of a file, which has a position
    os.environ.update(environment)
    sys.argv = ["archspec", *arguments]
    from archspec.__main__ import run

    run()
