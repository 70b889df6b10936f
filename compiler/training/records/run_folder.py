"""What is kept of a run: checkpoints to go on from, weights to use, and its figures.

In: a run in progress. Out: files, each whole or not there. A checkpoint ends in the SHA-256 of all before it, and is
read without running anything in it. `latest` names the last one and is moved when that one is on the disk; where it is
damaged, the one before is taken.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import pickle
import re
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import torch

from archspec.compiler.weights.atomic import is_temporary, replace_file
from archspec.compiler.weights.trained import BEST, CHECKPOINTS, WEIGHTS
from archspec.diagnostics.errors import failure

LATEST = "latest"
CHECKPOINT = re.compile(r"checkpoint-\d{9,}\.pt")
CSV, JSONL = "metrics.csv", "metrics.jsonl"
SUMMARY, EVALUATION, REPORT = "summary.json", "evaluation.json", "report.html"
OWN = frozenset({LATEST, CSV, JSONL, SUMMARY, EVALUATION, REPORT, WEIGHTS, BEST})  # with checkpoints, all a run writes
REQUIRED = {
    "bundle",
    "recipe",
    "data",
    "fingerprint",
    "rows",
    "best",
    "pipeline",
    "replicas",
    "mean",
    "std",
    "class_names",
    "module",
    "optimizer",
    "epoch",
    "steps_done",
}
DIGEST = hashlib.sha256().digest_size
COLUMNS = (
    "epoch",
    "lr",
    "loss",
    "train_top1",
    "held_out_loss",
    "top1",
    "top5",
    "images_per_second",
    "data_wait",
    "tflops",
    "mfu",
    "skipped",
    "damaged",
    "seconds",
)


class RunFolder:
    """The folder of a run, with the last `keep` checkpoints. `said` is what happened when one was read."""

    def __init__(self, path: Path, keep: int = 3) -> None:
        self.path, self.keep = path, keep
        self.rows: list[dict[str, Any]] = []
        self.said: list[str] = []

    @classmethod
    def new(cls, path: Path | None, network: str, keep: int = 3) -> RunFolder:
        """The folder for a new run: `path`, or the next free `runs/<network>-<n>`.

        Raises ArchspecError where it cannot be written, or holds a run.
        """
        try:
            path = _free(network) if path is None else path
            path.mkdir(parents=True, exist_ok=True)
            probe = path / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            message = f"cannot write into `{path or 'runs'}`: {error.strerror or error}"
            raise failure("E422", message, helps=("`--out` names another folder",)) from None
        if any(path.glob(CHECKPOINTS)) or (path / WEIGHTS).exists():
            helps = (f"`--resume {path}` goes on with it, another `--out` leaves it as it is",)
            raise failure("E451", f"`{path}` holds a run already", helps=helps)
        return cls(path, keep)

    # ---- checkpoints
    def save(self, state: dict[str, Any], steps: int) -> None:
        """Write the checkpoint after so many steps; older ones go, but for the last few."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        data = buffer.getvalue()
        name = f"checkpoint-{steps:09}.pt"  # as CHECKPOINT has it
        replace_file(self.path / name, data + hashlib.sha256(data).digest())
        replace_file(self.path / LATEST, f"{name}\n".encode())
        for old in self._checkpoints()[self.keep :]:
            old.unlink(missing_ok=True)

    def load(self) -> dict[str, Any]:
        """The last whole checkpoint, `latest` or the ones before. Raises ArchspecError where there is none."""
        reasons = []
        damaged = []
        for path in self._from_latest():
            try:
                state = _read(path)
            except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, ValueError, KeyError) as error:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                reasons.append(f"`{path.name}`: {reason}")
                damaged.append(path)
                continue
            self._clean(damaged)
            self.rows = state["rows"]
            self.said += [f"{reason}; it is left aside, `{path.name}` is taken" for reason in reasons]
            return state
        if reasons:
            message = f"no checkpoint in `{self.path}` is whole"
            raise failure("E452", message, notes=tuple(reasons))
        helps = ("`--resume` names the folder of a run that was interrupted",)
        raise failure("E452", f"there is no checkpoint in `{self.path}`", helps=helps)

    def _clean(self, damaged: Iterable[Path]) -> None:
        """Set damaged checkpoints aside, and remove what a killed run left half written. Only for a folder that has
        been recognised as a run by a whole checkpoint, and only files that a run writes."""
        for path in damaged:
            path.rename(path.with_suffix(".damaged"))
        for path in self.path.glob(".*.[0-9]*"):
            if path.is_file() and is_temporary(path.name, _is_own):
                path.unlink(missing_ok=True)

    def _checkpoints(self) -> list[Path]:
        """All of them, the newest first."""
        return sorted(filter(_is_checkpoint, self.path.glob(CHECKPOINTS)), reverse=True)

    def _from_latest(self) -> list[Path]:
        """Those up to the one that `latest` names; all where it names none that is there."""
        found = self._checkpoints()
        try:
            named = self.path / (self.path / LATEST).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return found
        return found[found.index(named) :] if named in found else found

    # ---- figures
    def add(self, row: dict[str, Any]) -> None:
        """Note an epoch in metrics.jsonl and metrics.csv."""
        self.rows.append(row)
        lines = "".join(json.dumps(one) + "\n" for one in self.rows)
        replace_file(self.path / JSONL, lines.encode())
        replace_file(self.path / CSV, _table(self.rows).encode())

    def note(self, name: str, data: dict[str, Any]) -> None:
        """Write data as JSON."""
        replace_file(self.path / name, (json.dumps(data, indent=2) + "\n").encode())


def _is_checkpoint(path: Path) -> bool:
    return CHECKPOINT.fullmatch(path.name) is not None


def _is_own(name: str) -> bool:
    """Whether a run writes a file of this name."""
    return name in OWN or CHECKPOINT.fullmatch(name) is not None


def _read(path: Path) -> dict[str, Any]:
    whole = path.read_bytes()
    data, digest = whole[:-DIGEST], whole[-DIGEST:]
    if hashlib.sha256(data).digest() != digest:
        raise ValueError("its checksum differs: it is damaged")
    state: dict[str, Any] = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    lacking = REQUIRED - state.keys() if isinstance(state, dict) else REQUIRED
    if lacking:
        raise ValueError(f"it lacks `{min(lacking)}`: another version of archspec wrote it")
    return state


def _free(network: str) -> Path:
    """A new folder `runs/<network>-<n>`, made at once, so that no other run takes it."""
    for number in count(1):
        path = Path("runs") / f"{network}-{number}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        return path
    raise AssertionError("there are enough numbers")


def _table(rows: Iterable[dict[str, Any]]) -> str:
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()
