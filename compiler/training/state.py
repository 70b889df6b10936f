"""What is kept of a run: a checkpoint to go on from, weights to use, and its figures.

In: a run in progress. Out: files, each whole or not there. A checkpoint is read without running anything in it.
"""

from __future__ import annotations

import csv
import io
import json
import pickle
from itertools import count
from pathlib import Path
from typing import Any

import torch

from archspec.compiler import weights
from archspec.diagnostics import Diagnostic, SpecError

CHECKPOINT, WEIGHTS = "checkpoint.pt", "weights.safetensors"
COLUMNS = ("epoch", "lr", "loss", "held_out_loss", "top1", "images_per_second", "seconds")


class RunFolder:
    """The folder of a run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []

    @classmethod
    def new(cls, path: Path | None, network: str) -> RunFolder:
        """The folder for a new run: `path`, or the next free `runs/<network>-<n>`.

        Raises SpecError where it cannot be written, or holds a run.
        """
        if path is None:
            path = next(one for number in count(1) if not (one := Path("runs") / f"{network}-{number}").exists())
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe = path / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            message = f"cannot write into `{path}`: {error.strerror or error}"
            raise SpecError([Diagnostic("E422", message, helps=("`--out` names another folder",))]) from None
        if (path / CHECKPOINT).exists() or (path / WEIGHTS).exists():
            helps = (f"`--resume {path}` goes on with it, another `--out` leaves it as it is",)
            raise SpecError([Diagnostic("E451", f"`{path}` holds a run already", helps=helps)])
        return cls(path)

    def save(self, state: dict[str, Any]) -> None:
        """Write a checkpoint."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        weights.replace_file(self.path / CHECKPOINT, buffer.getvalue())

    def load(self) -> dict[str, Any]:
        """The checkpoint. Raises SpecError where there is none, or it is damaged."""
        path = self.path / CHECKPOINT
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        except FileNotFoundError:
            helps = ("`--resume` names the folder of a run that was interrupted",)
            raise SpecError([Diagnostic("E452", f"there is no checkpoint `{path}`", helps=helps)]) from None
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SpecError([Diagnostic("E452", f"`{path}` is no whole checkpoint", notes=(reason,))]) from None
        self.rows = state["rows"]
        return state

    def add(self, row: dict[str, Any]) -> None:
        """Note an epoch in metrics.jsonl and metrics.csv."""
        self.rows.append(row)
        lines = "".join(json.dumps(one) + "\n" for one in self.rows)
        weights.replace_file(self.path / "metrics.jsonl", lines.encode())
        table = io.StringIO()
        writer = csv.DictWriter(table, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(self.rows)
        weights.replace_file(self.path / "metrics.csv", table.getvalue().encode())

    def finish(self, summary: dict[str, Any]) -> None:
        """Write summary.json."""
        weights.replace_file(self.path / "summary.json", (json.dumps(summary, indent=2) + "\n").encode())
