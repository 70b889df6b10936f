"""The folder of a run: checkpoints to resume from, weights to use, and the figures of its epochs.

In: records. Out: files, each complete or absent. A checkpoint ends in the SHA-256 of everything before it, and reading
it runs no code in it. `latest` names the last one and is updated once that one is on the disk; if it is damaged, the
one before is used.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import pickle
import re
import warnings
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from itertools import count
from os import SEEK_END
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch

from archspec.compiler.training.records.checkpoint import Checkpoint
from archspec.compiler.training.records.epoch_figures import EpochFigures, columns_of
from archspec.compiler.training.records.run_lock import locked
from archspec.compiler.weights.atomic import replace_file
from archspec.compiler.weights.left_overs import clear_left_overs
from archspec.compiler.weights.trained import BEST, CHECKPOINTS, WEIGHTS
from archspec.diagnostics.errors import failure
from archspec.regular_file import is_file, is_folder, is_there, open_regular, read_regular

LATEST = "latest"
CHECKPOINT = re.compile(r"checkpoint-\d{9,}\.pt")
CSV, JSONL = "metrics.csv", "metrics.jsonl"
SAMPLES = "samples"
SUMMARY, EVALUATION, REPORT = "summary.json", "evaluation.json", "report.html"
UNREADABLE = (OSError, RuntimeError, MemoryError, EOFError, pickle.UnpicklingError, ValueError, KeyError, TypeError)
TRACE = "trace.json"  # of a profile
OWN = frozenset(  # with checkpoints, all a run writes
    {LATEST, CSV, JSONL, SUMMARY, EVALUATION, REPORT, TRACE, WEIGHTS, BEST}
)
LONGEST_NAME = 255  # bytes
DIGEST = hashlib.sha256().digest_size
ZIP_END = b"PK\5\6" + bytes(18)  # the end of every file of torch.save, up to its numbers


class RunFolder:
    """The folder of a run, with the last `keep` checkpoints. `messages` say what happened when one was read."""

    def __init__(self, path: Path, keep: int = 3) -> None:
        self.path, self.keep = path, keep
        self.rows: list[EpochFigures] = []
        self.messages: list[str] = []
        self.damaged: list[Path] = []

    @classmethod
    def new(cls, path: Path | None, network: str, keep: int, held: ExitStack) -> RunFolder:
        """Make the folder of a new run: `path`, or the next free `runs/<network>-<n>`. `held` holds its lock.

        Raises ArchspecError if it cannot be written, another process writes into it, or it contains a run.
        """
        try:
            path = _free(network) if path is None else path
            path.mkdir(parents=True, exist_ok=True)
            TemporaryFile(dir=path).close()  # not a fixed name, which may be a FIFO or a link to another file
        except OSError as error:
            message = f"cannot write into `{path or 'runs'}`: {error.strerror or error}"
            raise failure("E422", message, helps=("choose another folder with `--out`",)) from None
        held.enter_context(locked(path))
        need_own_files(path)
        if any(path.glob(CHECKPOINTS)) or (path / WEIGHTS).exists():
            is_finished = (path / WEIGHTS).exists()
            use = f"`archspec export {path} -o net.onnx` exports it" if is_finished else ""
            helps = (use or f"`archspec train --resume {path}` continues it", "choose another folder with `--out`")
            raise failure("E451", f"`{path}` already contains a run", helps=helps)
        return cls(path, keep)

    # ---- checkpoints
    def save(self, checkpoint: Checkpoint, steps: int) -> None:
        """Write the checkpoint after `steps` steps, and remove all but the last few."""
        buffer = io.BytesIO()
        torch.save(checkpoint.to_dict(), buffer)
        data = buffer.getvalue()
        name = f"checkpoint-{steps:09}.pt"  # as CHECKPOINT has it
        replace_file(self.path / name, data + hashlib.sha256(data).digest())
        replace_file(self.path / LATEST, f"{name}\n".encode())
        for old in self.checkpoints()[self.keep :]:
            old.unlink(missing_ok=True)

    def load(self) -> Checkpoint:
        """Read the last intact checkpoint, `latest` or an earlier one. Raises ArchspecError if there is none."""
        reasons = []
        for path in self._from_latest():
            try:
                checkpoint = _read(path)
            except UNREADABLE as error:
                text = getattr(error, "strerror", None) or str(error)
                reason = text.splitlines()[0] if text else type(error).__name__
                reasons.append(f"`{path.name}`: {reason}")
                self.damaged.append(path)
                continue
            self.rows = list(checkpoint.rows)
            self.messages += [f"{reason}; using `{path.name}` instead" for reason in reasons]
            return checkpoint
        if reasons:
            raise failure("E452", f"no intact checkpoint in `{self.path}`", notes=reasons)
        helps = ("give `--resume` the folder of an unfinished run",)
        message = f"no checkpoint in `{self.path}`" if self.path.exists() else f"no such folder: `{self.path}`"
        raise failure("E452", message, helps=helps)

    def clean(self) -> None:
        """Rename damaged checkpoints, and remove what a killed run left half written. Only for a folder that an intact
        checkpoint shows to be a run's, and only files that a run writes."""
        for path in self.damaged:
            with suppress(OSError):
                path.rename(path.with_suffix(".damaged"))
        clear_left_overs(self.path, _is_own)

    def checkpoints(self) -> list[Path]:
        """Return all of them, the newest first."""
        return sorted(filter(_is_checkpoint, self.path.glob(CHECKPOINTS)), reverse=True)

    def _from_latest(self) -> list[Path]:
        """Return those up to the one that `latest` names, or all if that one is missing."""
        found = self.checkpoints()
        try:
            named = self.path / read_regular(self.path / LATEST, LONGEST_NAME)[:LONGEST_NAME].decode().strip()
        except (OSError, UnicodeDecodeError):
            return found
        return found[found.index(named) :] if named in found else found

    # ---- figures
    def add(self, figures: EpochFigures) -> None:
        """Add an epoch to metrics.jsonl and metrics.csv."""
        self.rows.append(figures)
        lines = "".join(json.dumps(row.to_dict()) + "\n" for row in self.rows)
        replace_file(self.path / JSONL, lines.encode())
        replace_file(self.path / CSV, _table(self.rows).encode())

    def write_json(self, name: str, data: dict[str, Any]) -> None:
        """Write plain data as JSON."""
        replace_file(self.path / name, (json.dumps(data, indent=2) + "\n").encode())


def need_own_files(folder: Path) -> None:
    """Raise ArchspecError if what a run would write is a link, which may lead elsewhere, or not a regular file."""
    samples = folder / SAMPLES
    inside = samples.iterdir() if is_folder(samples) and not samples.is_symlink() else (samples,)
    for path in (*(one for one in folder.iterdir() if _is_own(one.name)), *inside):
        kind = "a link" if path.is_symlink() else "not a regular file"
        if path.is_symlink() or (is_there(path) and not is_file(path) and not _is_checkpoint(path)):
            helps = (f"`rm {path}` removes it", "choose another folder with `--out`")
            raise failure("E422", f"cannot write into `{folder}`: `{path.relative_to(folder)}` is {kind}", helps=helps)


def _is_checkpoint(path: Path) -> bool:
    return CHECKPOINT.fullmatch(path.name) is not None


def _is_own(name: str) -> bool:
    """Return whether a run writes a file of this name."""
    return name in OWN or CHECKPOINT.fullmatch(name) is not None


def _read(path: Path) -> Checkpoint:
    with open_regular(path) as file:
        size = file.seek(0, SEEK_END)
        file.seek(max(0, size - DIGEST - len(ZIP_END)))
        if not file.read().startswith(ZIP_END[:4]):  # so that a huge file of something else is not read
            raise ValueError("damaged: its checksum differs")
        file.seek(0)
        data, digest = file.read(max(0, size - DIGEST)), file.read()
    if hashlib.sha256(data).digest() != digest:
        raise ValueError("damaged: its checksum differs")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it may fail: it does, or the values are checked
            state = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except Exception as error:  # of a damaged pickle, torch raises whatever it stumbles over
        raise ValueError(str(error) or type(error).__name__) from None
    return Checkpoint.from_dict(state if isinstance(state, dict) else {})


def _free(network: str) -> Path:
    """Make a new folder `runs/<network>-<n>`, at once, so that no other run takes it."""
    for number in count(1):
        path = Path("runs") / f"{network}-{number}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        return path
    raise AssertionError("there are enough numbers")


def _table(rows: Sequence[EpochFigures]) -> str:
    table = io.StringIO()
    writer = csv.DictWriter(table, columns_of(rows))
    writer.writeheader()
    writer.writerows(row.to_dict() for row in rows)
    return table.getvalue()
