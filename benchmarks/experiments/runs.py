"""A training run of an experiment, and the page of an experiment.

In: the words of an `archspec train` command, folders. Out: what the run left, and files in
`benchmarks/results/experiments`.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from archspec.compiler.progress import clock
from benchmarks.stopwatch import archspec_command, machine

RESULTS = Path("benchmarks/results/experiments")
SEEDS = (0, 1, 2)
OWN_DATA = ("digits", "masks")  # experiments that need no folder of images
COLUMNS = ("epoch", "lr", "loss", "train_top1", "held_out_loss", "top1", "seconds")


def words(text: str) -> tuple[str, ...]:
    """The words of a part of a command."""
    return tuple(text.split())


class Run(NamedTuple):
    """A training run: `RUNS` and `DATA` in its words stand for the folders."""

    name: str
    words: tuple[str, ...]

    @property
    def command(self) -> str:
        """As one would type it."""
        return " ".join(["archspec", "train", *self.words, "--out", f"RUNS/{self.name}"])


class Done(NamedTuple):
    """What a run left: its summary, and a row an epoch."""

    run: Run
    summary: dict[str, Any]
    rows: list[dict[str, float]]

    @property
    def counts(self) -> str:
        """Right of all held out."""
        return f"{100 * self.summary['top1']:.2f} % ({self.summary['right']} of {self.summary['images']})"

    @property
    def time(self) -> str:
        """Of the whole run, held-out images too."""
        return clock(self.summary["seconds"])


class Folders(NamedTuple):
    """Where runs are written, and where the images are."""

    runs: Path
    data: Path | None

    def words(self, words: Iterable[str]) -> list[str]:
        """With the folders in the place of their names."""
        return [word.replace("RUNS", str(self.runs)).replace("DATA", str(self.data)) for word in words]


def done(run: Run, folders: Folders) -> Done:
    """What is left of the run, which is run now if it was not."""
    path = folders.runs / run.name
    if not (path / "summary.json").exists():
        command = [archspec_command(), "train", *folders.words(run.words), "--out", str(path)]
        print(run.command, flush=True)
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    with (path / "metrics.csv").open(newline="") as file:
        rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    return Done(run, json.loads((path / "summary.json").read_text(encoding="utf-8")), rows)


def write_epochs(name: str, runs: Sequence[Done], columns: Sequence[str] = COLUMNS) -> None:
    """All epochs of the runs in one CSV file."""
    with (RESULTS / f"{name}.csv").open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["run", *columns])
        for one in runs:
            table.writerows([one.run.name, *(f"{row[column]:.5g}" for column in columns)] for row in one.rows)


def page(name: str, title: str, commands: Iterable[str], *parts: Iterable[str]) -> None:
    """Write the page: the commands, then its parts."""
    text = [
        f"# {title}",
        "",
        f"Written by `python -m benchmarks.experiments {name}`, which runs, on one thread, with the folder of images "
        "as DATA and any folder as RUNS:"
        if name not in OWN_DATA
        else f"Written by `python -m benchmarks.experiments {name}`, which runs, on one thread, with any folder as RUNS:",
        "",
        "```sh",
        *commands,
        "```",
        "",
        f"On {machine()}, which had other work too: times are upper bounds.",
    ]
    for part in parts:
        text += ["", *part]
    (RESULTS / f"{name}.md").write_text("\n".join(text) + "\n", encoding="utf-8")
