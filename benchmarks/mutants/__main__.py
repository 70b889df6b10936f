"""Apply each mutant of `table.toml` to a copy of the tree, run the test file that should notice, and count.

    python -m benchmarks.mutants [--only WORD] [--write FILE] [--jobs N] [--check] [--skip-baseline]

The working tree is not touched. A mutant whose test fails or takes too long is killed; the exit status is 1 if fewer than
95 % are, if a test fails without a mutant, or if a text of the table is not found exactly once.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("table.toml")
RESULT = Path(__file__).with_name("result.md")
COPIED = ("archspec", "benchmarks", "compiler", "grammar", "specs", "tests", "pyproject.toml", "setup.py")
SIDE_BY_SIDE = 2  # by default
LONGEST = 300.0  # seconds
ENOUGH = 0.95
PASSED, FAILED = 0, 1  # of pytest; others mean that no test was run


@dataclass(frozen=True)
class Mutant:
    """A text that stands once in a file, what replaces it, and the tests that should notice: a file, or a part of one."""

    name: str
    file: str
    find: str
    replace: str
    test: str

    @property
    def room(self) -> str:
        """The folder."""
        return str(Path(self.file).parent)

    def stale(self, tree: Path) -> str | None:
        """What is wrong with this entry, if anything is."""
        if not (tree / self.file).is_file():
            return f"{self.name}: no such file: {self.file}"
        if not (tree / self.test.partition("::")[0]).is_file():
            return f"{self.name}: no such file: {self.test}"
        count = (tree / self.file).read_text(encoding="utf-8").count(self.find)
        return None if count == 1 else f"{self.name}: found {count} times in {self.file}: {self.find!r}"


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant."""

    mutant: Mutant
    is_killed: bool
    by: str
    seconds: float


def main() -> int:
    """Run the table; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="mutants with this text in their name, file or test")
    parser.add_argument("--write", type=Path, help=f"write the result as Markdown, for example to {RESULT.name}")
    parser.add_argument("--skip-baseline", action="store_true", help="do not run the tests without a mutant first")
    parser.add_argument("--jobs", type=int, default=SIDE_BY_SIDE, help="mutants at a time")
    parser.add_argument("--check", action="store_true", help="only look whether each text is found exactly once")
    arguments = parser.parse_args()
    chosen = [one for one in read_table() if arguments.only in f"{one.name} {one.file} {one.test}"]
    stale = [said for one in chosen if (said := one.stale(ROOT)) is not None]
    if stale or arguments.check:
        print("\n".join(stale) or f"{len(chosen)} mutants: each text is found exactly once")
        return 1 if stale else 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees = [copied(Path(folder) / str(number)) for number in range(arguments.jobs)]
        tests = () if arguments.skip_baseline else sorted({one.test for one in chosen})
        failing = failing_without(trees, tests)
        if failing:
            print("these fail without a mutant:", *failing, sep="\n  ")
            return 1
        outcomes = list(run_all(trees, chosen))
    text = report(outcomes)
    print(text)
    if arguments.write is not None:
        arguments.write.write_text(text, encoding="utf-8")
    return 0 if killed(outcomes) >= ENOUGH * len(outcomes) else 1


def read_table() -> list[Mutant]:
    """The mutants of the table."""
    return [Mutant(**entry) for entry in tomllib.loads(TABLE.read_text(encoding="utf-8"))["mutant"]]


def copied(tree: Path) -> Path:
    """A copy of what the tests need, compiled, so that only changed files are compiled again."""
    tree.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, tree / name)
    compileall.compile_dir(tree / "archspec", quiet=2)
    return tree


def failing_without(trees: Sequence[Path], tests: Sequence[str]) -> list[str]:
    """The tests that fail in the tree as it is, which would kill any mutant."""
    parts = [tests[number :: len(trees)] for number in range(len(trees))]
    with ThreadPoolExecutor(len(trees)) as pool:
        found = pool.map(lambda tree, part: [one for one in part if run_test(tree, one) != PASSED], trees, parts)
    return [test for part in found for test in part]


def run_all(trees: Sequence[Path], mutants: Sequence[Mutant]) -> Iterable[Outcome]:
    """The outcome of each mutant in the order of the table; each tree has one at a time."""
    free: Queue[Path] = Queue()
    for tree in trees:
        free.put(tree)

    def run(mutant: Mutant) -> Outcome:
        tree = free.get()
        try:
            outcome = tried(tree, mutant)
        finally:
            free.put(tree)
        print(row(outcome), file=sys.stderr, flush=True)
        return outcome

    with ThreadPoolExecutor(len(trees)) as pool:
        yield from pool.map(run, mutants)


def tried(tree: Path, mutant: Mutant) -> Outcome:
    """Change the file, run the test, change it back with its time, by which Python knows the compiled one again."""
    path = tree / mutant.file
    before, stat = path.read_text(encoding="utf-8"), path.stat()
    path.write_text(before.replace(mutant.find, mutant.replace), encoding="utf-8")
    start = time.monotonic()
    try:
        status = run_test(tree, mutant.test)
    finally:
        path.write_text(before, encoding="utf-8")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    by = {None: "time", PASSED: "", FAILED: "a test"}.get(status, "an error")
    return Outcome(mutant, status != PASSED, by, time.monotonic() - start)


def run_test(tree: Path, test: str) -> int | None:
    """The exit status of pytest; nothing if it took too long."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider", test]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, check=False, timeout=LONGEST, text=True
        )
    except subprocess.TimeoutExpired:
        return None
    return done.returncode


def killed(outcomes: Iterable[Outcome]) -> int:
    """How many."""
    return sum(outcome.is_killed for outcome in outcomes)


def report(outcomes: Sequence[Outcome]) -> str:
    """The result as Markdown, survivors first."""
    share = killed(outcomes) / max(1, len(outcomes))
    head = [
        "# Mutants",
        "",
        "Written by `python -m benchmarks.mutants --write benchmarks/mutants/result.md`; not edited by hand.",
        "",
        f"{killed(outcomes)} of {len(outcomes)} small wrong changes are noticed by the test named ({share:.1%}).",
        "",
        "| outcome | change | file | test | seconds |",
        "| --- | --- | --- | --- | ---: |",
    ]
    rows = [row(outcome) for outcome in sorted(outcomes, key=lambda one: one.is_killed)]
    return "\n".join([*head, *rows]) + "\n"


def row(outcome: Outcome) -> str:
    """A row of the table."""
    found = f"killed by {outcome.by}" if outcome.is_killed else "**survived**"
    mutant = outcome.mutant
    return f"| {found} | {mutant.name} | `{mutant.file}` | `{mutant.test}` | {outcome.seconds:.0f} |"


if __name__ == "__main__":
    sys.exit(main())
