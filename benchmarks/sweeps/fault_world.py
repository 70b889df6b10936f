"""A folder with one of everything that commands read, and commands run in copies of it as real processes.

In: a row of the table. Out: its exit status, what it said, and which files it left, changed or removed.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

SPEC = "net Small\n[8x8x1] INPUT\nCONV 4 3x3 p1 -> BN -> RELU -> POOL 2x2 s2\nFC 10\n"
WRONG = "[8x8x1] INPUT\nCONV 4 9x9\n"
ACCENTS = "net R\u00e9seau\n[8x8x1] INPUT\nFC 10\n"
LONGEST = 60  # seconds of a command
TENSORBOARD = "events.out.tfevents"
PR_CAPBSET_DROP = 24
OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: what lets root do what permissions forbid
HOLD = """
import sys, time
from pathlib import Path
from archspec.compiler.training.records.run_lock import locked
with locked(Path(sys.argv[1])):
    time.sleep(600)
"""
BACKWARDS = """
import itertools, time
now, steps = time.time, itertools.count()
time.time = lambda: now() - 60 * next(steps)
from archspec.__main__ import run
run()
"""


class Outcome(NamedTuple):
    """What a command did: exit status, what it said, and the paths that differ afterwards."""

    status: int
    output: str
    errors: str
    left: frozenset[str]


def environment() -> dict[str, str]:
    """The environment of the commands: English, one thread, and the programs of this Python first."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "HOME")}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "PYTHON": sys.executable}


def prepare(world: Path, *, is_whole: bool = True) -> None:
    """Fill a folder: specs, photographs; if it is whole, also an unfinished run, a finished one, an exported network, a digit."""
    world.mkdir()
    for name, text in {"net.arch": SPEC, "wrong.arch": WRONG, "r\u00e9seau.arch": ACCENTS}.items():
        (world / name).write_text(text, encoding="utf-8")
    (world / "hold.py").write_text(HOLD)
    (world / "backwards.py").write_text(BACKWARDS)
    for name in ("train/a", "train/b", "val/a", "val/b"):
        (world / "photos" / name).mkdir(parents=True)
        for number in range(2):
            (world / "photos" / name / f"{number}.pgm").write_text(f"P2 8 8 255 {number} {' 0' * 63}\n# {name}")
    if is_whole:
        _train(world)


def _train(world: Path) -> None:
    setting_up = (
        "archspec train net.arch --epochs 2 --batch 64 --save-every 10 --keep 2 --out run",
        "archspec export run -o net.onnx",
    )
    for command in setting_up:
        done = ran(command, world)
        if done.status:
            raise RuntimeError(f"{command}\n{done.errors}")
    shutil.copy(next((world / "run" / "samples").iterdir()), world / "digit.png")
    shutil.copytree(world / "run", world / "done")
    for name in ("weights.safetensors", "summary.json", "evaluation.json", "report.html"):
        (world / "run" / name).unlink()
    shutil.rmtree(world / "run" / "samples")
    newest = max((world / "run").glob("checkpoint-*.pt"))
    newest.unlink()
    (world / "run" / "latest").unlink()


def ran(command: str, folder: Path, *, is_ordinary: bool = False) -> Outcome:
    """Run a shell's command in a folder; an ordinary user's has to obey permissions."""
    before = contents(folder)
    process = subprocess.Popen(
        ["bash", "-c", f'archspec() {{ "$PYTHON" -m archspec "$@"; }}\nset -o pipefail\n{command}'],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=obey_permissions if is_ordinary else None,  # noqa: PLW1509  # no threads here
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        output, errors = process.communicate()
        errors += b"\nit did not end"
    allow(folder)
    after = contents(folder)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    left = {path for path in changed if TENSORBOARD not in path}  # whose names have the time and the process
    texts = [text.decode(errors="replace") for text in (output, errors)]
    return Outcome(process.returncode, texts[0], texts[1], frozenset(left))


def contents(folder: Path) -> dict[str, str]:
    """Each file in a folder with a digest of what it contains."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def allow(folder: Path) -> None:
    """Give back the permissions that a row took."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() or path.is_file():
            path.chmod(path.stat().st_mode | (0o700 if path.is_dir() else 0o600))


def obey_permissions() -> None:
    """Give up root's privilege to ignore permissions; an ordinary user has none."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in OVERRIDES:
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
