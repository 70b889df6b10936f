"""Runs a command as a whole process and says how long it took and how much memory it held.

In: a command. Out: a `Reading`. Not done here: which commands to run, how often, and what is good enough.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

# Linux keeps the peak of the parent's memory on a child's account, over `exec` too, so a small command that
# a grown benchmark starts would show the benchmark's memory. A Python that holds nothing starts it: with
# `-I -S` and these imports it needs less than `python -c pass`.
_LAUNCHER = """
import os, sys, time
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
seconds = time.perf_counter() - start
print(seconds, used.ru_maxrss, os.waitstatus_to_exitcode(status), file=sys.stderr)
"""
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Reading(NamedTuple):
    """One run of one command; `peak` is its largest resident set in bytes."""

    seconds: float
    peak: int
    output: str


def measure(command: Sequence[str]) -> Reading:
    """Run `command` (its first word a path) to its end; a status other than 0 is an error.

    Bytecode may be written, as it is for most users: an editable install would otherwise be compiled on every
    run, where the peers were compiled when they were installed.
    """
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    run = subprocess.run(launcher, capture_output=True, text=True, check=True, env=environment)
    *errors, reading = run.stderr.splitlines()
    seconds, peak, status = reading.split()
    if status != "0":
        raise RuntimeError("\n".join([f"{' '.join(command)}: exit status {status}", *errors]))
    return Reading(float(seconds), int(peak) * _RSS_UNIT, run.stdout)


def archspec_command() -> str:
    """The console script that stands beside this Python."""
    return str(Path(sys.executable).with_name("archspec"))


def machine() -> str:
    """What the figures were taken on: processor, cores, Python."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.processor()
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
