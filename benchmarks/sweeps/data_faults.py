"""Faults that `archspec data` meets, which writes only what it prints, and those of a folder of images in other commands.

In: nothing. Out: rows of the table that `faults.py` runs.
"""

from __future__ import annotations

from benchmarks.sweeps.fault_row import CLOSED, FULL, GONE, NEW, NO_FOLDER, PROCESS, TRAIN, Row, each

TOO_LARGE = "error: cannot write to standard output: File too large"
SLOW = "{ echo P2 6000 6000 255; yes 0 | head -36000000; } >photos/val/a/big.pgm; "  # seconds to decode
COPY, COPIED = "cp photos/train/a/0.pgm photos/train/a/2.pgm; ", r"photos/train/a/2\.pgm"
DATA = [
    *each("full standard output", "{} >/dev/full", ("archspec data photos", "archspec data photos --json"), 1, FULL),
    Row("full standard output", f"{COPY}archspec data photos --list duplicates >/dev/full", 1, FULL, COPIED),
    Row("closed standard output", "archspec data photos >&-", 1, CLOSED),
    Row("closed standard error", "archspec data photos 2>&-", 0),
    Row("full standard error", "archspec data photos 2>/dev/full", 1),  # it has warnings
    Row("closed pipe", "archspec data photos | true", 1),
    Row("closed pipe", "archspec data photos --json | true", 1),
    Row("full disk", "ulimit -f 0; archspec data photos --json >found.json", 1, TOO_LARGE, r"found\.json"),
    Row("deleted working directory", GONE + "archspec data ../photos", 1, NO_FOLDER),
    Row("no permission", "chmod 0 photos/train; archspec data photos", 1, "Permission denied", "", True),
    Row(
        "no permission", "chmod 0 photos/train/a/0.pgm; archspec data photos", 0, r"warning\[W431\]: 1 image ", "", True
    ),
    Row(
        "no permission",
        f"chmod 0 photos/train/a/0.pgm; {TRAIN.replace('64', '2')} --data photos --out new",
        0,
        "cannot read `photos/train/a/0.pgm`: left out",
        NEW,
        True,
    ),
    Row("no permission", "chmod 0 photos/val; archspec eval done --data photos", 1, "Permission denied", "", True),
    Row("read-only folder", "chmod -R a-w photos; archspec data photos", 0, "", "", True),
    Row("files from the future", "find . -exec touch -d 2099-01-01 {} +; archspec data photos", 0),
    Row(
        "Ctrl-C",
        f"{SLOW}timeout --preserve-status -s INT 4 {PROCESS} data photos --decode",
        130,
        "interrupted",
        r"photos/val/a/big\.pgm",
    ),
    Row(
        "FIFO as an image",
        "rm photos/train/a/0.pgm; mkfifo photos/train/a/0.pgm; archspec data photos",
        0,
        r"warning\[W431\]: 1 image ",
        r"photos/train/a/0\.pgm",
    ),
]
