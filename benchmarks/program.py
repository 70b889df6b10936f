"""What every benchmark's command line does: its flags, `--output`, and a status of 1 where a target is missed.

In: a function that measures and makes the page. Out: the page, printed and written.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

Make = Callable[[argparse.Namespace], tuple[bool, str]]  # whether all targets hold, and the page


def flags(doc: str | None) -> argparse.ArgumentParser:
    """The flag of every benchmark, `--output`."""
    found = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--output", type=Path, help="also write the page to this file")
    return found


def parser(doc: str | None, number: int, what: str, flag: str = "--rounds") -> argparse.ArgumentParser:
    """The flags of a benchmark that has a number of `what`."""
    found = flags(doc)
    found.add_argument(flag, type=int, default=number, help=f"{what} (default: %(default)s)")
    return found


def sweep_parser(doc: str | None, count: int, what: str, only: tuple[str, ...]) -> argparse.ArgumentParser:
    """The flags of a sweep over a count of `what`; `only` says what names a single one."""
    found = parser(doc, count, what, "--count")
    found.add_argument("--seed", type=int, default=0, help="the seed of the first one (default: %(default)s)")
    found.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many at once")
    found.add_argument("--only", nargs=len(only), metavar=only, help="make a single one again, and show its outcome")
    return found


def run(flags: argparse.ArgumentParser, make: Make, show: Callable[..., None] | None = None) -> int:
    """Measure, print the page, and write it; or with `--only` show a single one. Returns the exit status."""
    arguments = flags.parse_args()
    if show is not None and arguments.only:
        show(*arguments.only)
        return 0
    holds, page = make(arguments)
    print(page, end="")
    if arguments.output:
        arguments.output.parent.mkdir(exist_ok=True)
        arguments.output.write_text(page, encoding="utf-8")
    return 0 if holds else 1
