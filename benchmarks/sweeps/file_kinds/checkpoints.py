"""Mutated checkpoints: resumed by `archspec train --resume`, to the end of the run or for a second."""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import torch

import archspec
from archspec.compiler import build
from archspec.compiler.data.digits import digits
from archspec.compiler.training.loop.observer import Requests, SilentObserver
from archspec.compiler.training.loop.trainer import Trainer
from archspec.compiler.training.parallel.engine import engine
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.records.checkpoint import Checkpoint, RunDescription
from archspec.compiler.training.run import resume
from archspec.compiler.training.setup.options import Options
from archspec.recipe import Recipe
from benchmarks.sweeps.damage import ODD, changed_data, damaged

SPEC = "net Small\n[8x8x1] INPUT\nCONV 4 3x3 p1 -> BN -> RELU -> POOL 4x4 s4\nFC 10\n"
NAME = "checkpoint-000000002.pt"
STEPS = 2  # of the 4 of an epoch
LONGEST = 1.0  # seconds of a run that has become longer
TENSORS = (
    *(torch.ones(0), torch.ones(2, 2), torch.tensor(1.0), torch.tensor(True), torch.ones(3, dtype=torch.int8)),
    *(torch.full((4, 1, 3, 3), float("nan")), torch.ones(3, dtype=torch.complex64), torch.ones(2, 2).to_sparse()),
)


class _Stopping(SilentObserver):
    """Stops after some steps."""

    def requests(self, steps_done: int) -> Requests:
        """See TrainingObserver."""
        return Requests(stop=steps_done >= STEPS)


def prepare(place: Path) -> None:
    """Write a checkpoint in the middle of an epoch for each optimiser."""
    network = archspec.loads(SPEC)
    for optimizer in ("sgd", "adamw", "rmsprop"):
        recipe = Recipe(epochs=1, batch=320, optimizer=optimizer, ema=0.9, schedule="plateau", warmup=0.5)
        data = digits(network.input, recipe.seed)
        made = engine(network.graph, build(network, seed=0), recipe, Group(0, 1, torch.device("cpu")))
        trainer = Trainer(made, data)
        trainer.run_steps(_Stopping())
        about = RunDescription(network.bundle.to_dict(), recipe, data.mean, data.std, data.class_names)
        checkpoint = Checkpoint(trainer.state(), about, "", data.fingerprint, -1.0, 0, ())
        buffer = io.BytesIO()
        torch.save(checkpoint.to_dict(), buffer)
        (place / f"{optimizer}.pt").write_bytes(buffer.getvalue())


def mutate(place: Path, chance: random.Random) -> tuple[str, bytes]:
    """Return damaged bytes, or a checkpoint with the right checksum that says something else."""
    data = chance.choice(sorted(place.iterdir())).read_bytes()
    if chance.random() < 0.7:
        state: Any = changed_data(torch.load(io.BytesIO(data), weights_only=True), chance, (*ODD, *TENSORS))
        buffer = io.BytesIO()
        torch.save(state, buffer)
        data = buffer.getvalue()
    else:
        data = damaged(data, chance)
    whole = data + hashlib.sha256(data).digest()
    return NAME, damaged(whole, chance) if chance.random() < 0.1 else whole


def read(path: Path) -> None:
    """Resume the run."""
    _stop_now_and_then()
    with suppress(KeyboardInterrupt):  # a run that is asked to stop twice stops at once
        resume(path.parent, Options(quiet=True, device="cpu"))


_stopping: list[Thread] = []


def _stop_now_and_then() -> None:
    """Ask this process to stop its run every second, once; between runs it does not listen."""
    if not _stopping or not _stopping[0].is_alive():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _stopping[:] = [Thread(target=_stop, daemon=True)]
        _stopping[0].start()


def _stop() -> None:
    while True:
        time.sleep(LONGEST)
        os.kill(os.getpid(), signal.SIGTERM)
