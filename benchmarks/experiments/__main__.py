"""Trains networks from their specs with `archspec train`, and writes what came out.

    python -m benchmarks.experiments digits
    python -m benchmarks.experiments masks
    python -m benchmarks.experiments defaults --data DIR
    python -m benchmarks.experiments clothing --data DIR
    python -m benchmarks.experiments degradation --data DIR

In: for some, a folder of images. Out: a page in `benchmarks/results/experiments`, and the figures of all epochs beside
it. Runs that are there already are not run again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.experiments.defaults import defaults
from benchmarks.experiments.masks import masks
from benchmarks.experiments.runs import OWN_DATA, RESULTS, Folders
from benchmarks.experiments.studies import clothing, degradation, digits

EXPERIMENTS: dict[str, Callable[[Folders], None]] = {
    "defaults": defaults,
    "digits": digits,
    "clothing": clothing,
    "degradation": degradation,
    "masks": masks,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("--data", type=Path, help="a folder of images, `train` and `validation` in it")
    parser.add_argument("--runs", type=Path, default=Path("runs/experiments"), help="where the runs are written")
    arguments = parser.parse_args()
    if arguments.experiment not in OWN_DATA and arguments.data is None:
        parser.error(f"{arguments.experiment} needs --data")
    RESULTS.mkdir(parents=True, exist_ok=True)
    EXPERIMENTS[arguments.experiment](Folders(arguments.runs, arguments.data))
    return 0


if __name__ == "__main__":
    sys.exit(main())
