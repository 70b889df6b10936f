"""Gives archspec mutated files of four kinds: each must be read, or refused with one error.

    python -m benchmarks.sweeps.files --count 2000 --seed 0 --output benchmarks/results/sweep_files.md
    python -m benchmarks.sweeps.files --only models 4711     # one file again, with its traceback

File number n of a kind is made from the kind and n alone. Files are read in forked processes, each with a limit on its
time and memory. Ends with status 1 where a file gave another exception, a crash, or was not done in time.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from archspec.diagnostics.errors import ArchspecError, Finding
from benchmarks.program import run, sweep_parser
from benchmarks.stopwatch import machine
from benchmarks.sweeps.file_kinds import FileKind, checkpoints, images, models, weights
from benchmarks.sweeps.forked import Ended, Limits, ended, in_a_process

KINDS: dict[str, FileKind] = {"models": models, "weights": weights, "checkpoints": checkpoints, "images": images}
LIMITS = Limits(seconds=60, bytes=6 * 2**30)
READ, REFUSED = "read", "refused"
SHOWN = 20


@dataclass
class KindTally:
    """What came of the files of a kind: the refusals by code, the failures, and the slowest file."""

    read: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)

    def add(self, kind: str, found: Ended) -> None:
        """Count a file."""
        self.slowest = max(self.slowest, (found.seconds, found.number))
        what, _, code = found.outcome.partition(" ")
        if what == READ:
            self.read += 1
        elif what == REFUSED:
            self.codes[code] += 1
        else:
            self.failures.append(f"`--only {kind} {found.number}`: {found.outcome}")

    @property
    def total(self) -> int:
        """The number of files."""
        return self.read + self.codes.total() + len(self.failures)


def outcome(kind: str, intact: Path, place: Path, number: int) -> str:
    """Return what comes of a file: `read`, `refused E401`, or an exception that must not be."""
    try:
        _read(kind, intact, place, number)
    except ArchspecError as error:
        return f"{REFUSED} {error.diagnostics[0].code}" if str(error).strip() else "TEXT: an error without a text"
    except Finding as finding:
        return f"{REFUSED} {finding.code}"
    except Exception as error:  # what the sweep looks for
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(str(error).split())[:100]
        return f"EXCEPTION {type(error).__name__}: {text} ({Path(frame.filename).name}:{frame.lineno})"
    return READ


def _read(kind: str, intact: Path, place: Path, number: int) -> None:
    own = place / str(os.getpid())  # each process has its folder, with one file at a time
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    name, data = KINDS[kind].mutate(intact, random.Random(f"{kind} {number}"))
    (own / name).write_bytes(data)
    KINDS[kind].read(own / name)


def sweep(kind: str, first: int, count: int, processes: int) -> KindTally:
    """Read `count` files of a kind, from number `first` on."""
    found = KindTally()
    with tempfile.TemporaryDirectory() as folder:
        intact, place = Path(folder, "intact"), Path(folder, "place")
        intact.mkdir()
        place.mkdir()
        in_a_process(partial(KINDS[kind].prepare, intact))
        for one in ended(partial(outcome, kind, intact, place), range(first, first + count), processes, LIMITS):
            found.add(kind, one)
    return found


def one_line(found: dict[str, KindTally]) -> str:
    """Return the summary: 800 files: ..."""
    parts = [
        f"{tally.total:,} {kind}: {tally.read:,} read, {tally.codes.total():,} refused" for kind, tally in found.items()
    ]
    failures = sum(len(tally.failures) for tally in found.values())
    (seconds, number), kind = max((tally.slowest, kind) for kind, tally in found.items())
    return f"{'; '.join(parts)}; {failures} failures; slowest {seconds:.1f} s ({kind} {number})"


def page(found: dict[str, KindTally], arguments: argparse.Namespace, seconds: float) -> str:
    """Return the page of a sweep."""
    failures = [failure for tally in found.values() for failure in tally.failures]
    lines = [
        "# Mutated files",
        "",
        f"Written by `python -m benchmarks.sweeps.files --count {arguments.count} --seed {arguments.seed}` on {machine()};",
        f"{seconds:,.0f} s in {arguments.processes} processes.",
        "",
        "Files with flipped bits, cut off, with other numbers, and whole ones that say something else: ONNX models with other",
        "fields, shapes, types and metadata, weights with other metadata, checkpoints with a right checksum and other values,",
        "images of every format. Each must be read or refused with one error, and no process may crash, take more than",
        f"{LIMITS.seconds:g} s or {LIMITS.bytes >> 30} GiB. A model runs in a process of its own, which may crash: E436.",
        "",
        f"**Failures: {len(failures):,}.**",
        "",
        "| files | count | read | refused | with | slowest |",
        "| --- | ---: | ---: | ---: | --- | ---: |",
        *(_row(kind, tally) for kind, tally in found.items()),
        *(["", *(f"- {failure}" for failure in failures[:SHOWN])] if failures else []),
        "",
        one_line(found),
    ]
    return "\n".join(lines) + "\n"


def _row(kind: str, tally: KindTally) -> str:
    codes = ", ".join(f"{code} {count:,}" for code, count in sorted(tally.codes.items()))
    seconds, number = tally.slowest
    cells = [
        kind,
        f"{tally.total:,}",
        f"{tally.read:,}",
        f"{tally.codes.total():,}",
        codes,
        f"{seconds:.1f} s ({number})",
    ]
    return f"| {' | '.join(cells)} |"


def show(kind: str, seed: str) -> None:
    """Make one file again, and read it here."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        intact = Path(folder, "intact")
        intact.mkdir()
        in_a_process(partial(KINDS[kind].prepare, intact))
        _read(kind, intact, Path(folder), int(seed))


def _measured(of: argparse.Namespace) -> tuple[bool, str]:
    torch.set_num_threads(1)  # forked processes inherit no other threads
    begun = time.monotonic()
    found = {kind: sweep(kind, of.seed, of.count, of.processes) for kind in of.kind or KINDS}
    return not any(tally.failures for tally in found.values()), page(found, of, time.monotonic() - begun)


def main() -> int:
    """Run the command line."""
    flags = sweep_parser(__doc__, 2000, "files of each kind", ("KIND", "SEED"))
    flags.add_argument("--kind", choices=KINDS, action="append", help="only this kind; repeatable")
    return run(flags, _measured, show)


if __name__ == "__main__":
    sys.exit(main())
