"""What every benchmark's command line does: `--rounds`, `--output`, and a status of 1 where a target is missed.

In: a function that measures and makes the page. Out: the page, printed and written.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

Make = Callable[[argparse.Namespace], tuple[bool, str]]  # whether all targets hold, and the page


def parser(doc: str | None, rounds: int, what: str) -> argparse.ArgumentParser:
    """The flags, `rounds` of `what`."""
    found = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--rounds", type=int, default=rounds, help=what)
    found.add_argument("--output", type=Path, help="also write the page to this file")
    return found


def run(flags: argparse.ArgumentParser, make: Make) -> int:
    """Measure, print the page, and write it. Returns the exit status."""
    arguments = flags.parse_args()
    holds, page = make(arguments)
    print(page, end="")
    if arguments.output:
        arguments.output.parent.mkdir(exist_ok=True)
        arguments.output.write_text(page, encoding="utf-8")
    return 0 if holds else 1
