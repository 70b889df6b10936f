"""Times `archspec check` on specs that ask for as much work as their size allows, beside a plain chain.

    python -m benchmarks.bombs --output benchmarks/results/bombs.md

`bomb_shapes.py` has the shapes. No bomb may take more than twice the processor time of a chain of as many bytes, more
than 500 MB, print a traceback or more than 50 findings. Ends with status 1 where a limit is missed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.bomb_shapes import SHAPES, size_of
from benchmarks.long_chain import lines as plain_chain
from benchmarks.program import parser, run
from benchmarks.stopwatch import machine

LINES = 100_000  # of the chain
MOST_TIMES = 2.0  # the chain's processor time
START = 0.5  # seconds: of starting a process on a busy machine
MOST_BYTES = 500 * 10**6
MOST_FINDINGS = 50
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
# Linux counts the peak of the process that starts another on that one's account: this one holds nothing
_LAUNCHER = """
import os, sys
out = os.open(os.devnull, os.O_WRONLY)
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out, 1)])
_, status, used = os.wait4(child, 0)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, os.waitstatus_to_exitcode(status))
"""


class Cost(NamedTuple):
    """One check of one spec: processor seconds, the largest resident set in bytes, exit status, and its errors."""

    seconds: float
    peak: int
    status: int
    errors: str

    @property
    def findings(self) -> int:
        """The findings that were printed."""
        return len(re.findall(r"^(?:error|warning)\[", self.errors, re.MULTILINE))

    def faults(self, chain: Cost) -> list[str]:
        """Say which limits are missed."""
        limit = MOST_TIMES * chain.seconds + START
        found = [f"{self.seconds:.2f} s, the limit is {limit:.2f}"] if self.seconds > limit else []
        found += [f"{self.peak / 1e6:,.0f} MB"] if self.peak > MOST_BYTES else []
        found += [f"exit status {self.status}"] if self.status not in (0, 1, 2) else []
        found += ["a traceback"] if "Traceback" in self.errors else []
        return found + ([f"{self.findings} findings"] if self.findings > MOST_FINDINGS else [])


def check(text: str) -> Cost:
    """Check a spec in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bomb.arch"
        path.write_text(text, encoding="utf-8", newline="")
        command = [sys.executable, "-m", "archspec", "check", str(path)]
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command]
        done = subprocess.run(launcher, capture_output=True, text=True, check=True, env=os.environ)
    seconds, peak, status = done.stdout.split()
    return Cost(float(seconds), int(peak) * _RSS_UNIT, int(status), done.stderr)


def chain_cost(lines: int) -> Cost:
    """Return the lower cost of two runs of a plain chain."""
    return min(check(plain_chain(lines)) for _ in range(2))


def costs(lines: int) -> Iterator[tuple[str, int, Cost]]:
    """Yield each shape with its bytes and its cost."""
    size = size_of(lines)
    for name, shape in SHAPES.items():
        text = shape(size)
        yield name, len(text.encode()), check(text)


def page(chain: Cost, lines: int, measured: Mapping[str, tuple[int, Cost]]) -> tuple[bool, str]:
    """Return whether all limits hold, and the table."""
    rows, missed = [], []
    for name, (size, cost) in measured.items():
        faults = cost.faults(chain)
        missed += [f"- MISSED: {name}: {', '.join(faults)}"] if faults else []
        times = cost.seconds / chain.seconds
        findings = cost.findings or ""
        rows.append(f"| {name} | {size:,} | {cost.seconds:.2f} | {times:.2f} | {cost.peak / 1e6:,.0f} | {findings} |")
    slowest = max(measured, key=lambda name: measured[name][1].seconds)
    largest = max(measured, key=lambda name: measured[name][1].peak)
    found = [
        "# Bombs",
        "",
        f"Written by `python -m benchmarks.bombs` on {machine()}.",
        f"`archspec check` on {len(measured)} specs of at most {size_of(lines).bytes:,} bytes, each a process: seconds of",
        f"processor time, alone and as a multiple of a plain chain of {lines:,} lines, which is as long and takes",
        f"{chain.seconds:.2f} s and {chain.peak / 1e6:,.0f} MB. Limits: {MOST_TIMES:g} times the chain, and {START:g} s"
        f" for the start; {MOST_BYTES / 1e6:,.0f} MB;",
        f"{MOST_FINDINGS} findings; no traceback.",
        "",
        "| spec | bytes | seconds | times the chain | peak MB | findings |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *rows,
        "",
        *(missed or [f"- met: slowest is {slowest}, largest is {largest}"]),
    ]
    return not missed, "\n".join(found) + "\n"


def measured(lines: int) -> tuple[bool, str]:
    """All shapes, and the page."""
    chain = chain_cost(lines)
    return page(chain, lines, {name: (size, cost) for name, size, cost in costs(lines)})


def main() -> int:
    flags = parser(__doc__, LINES, "lines of the chain that sets the measure", "--lines")
    return run(flags, lambda of: measured(of.lines))


if __name__ == "__main__":
    sys.exit(main())
