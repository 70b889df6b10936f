"""Mutated models, weights, checkpoints and images are read or refused; none is a traceback, a crash or a wait."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.sweeps.damage import changed_data, damaged
from benchmarks.sweeps.files import KINDS

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_mutated_files_are_read_or_refused(record_property: Callable[[str, object], None]) -> None:
    command = [sys.executable, "-m", "benchmarks.sweeps.files", "--count", "200", "--processes", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = done.stdout.splitlines()[-1]
    assert summary.startswith("200 models: "), summary
    record_property("sweep", f"mutated files: {summary}")


@pytest.mark.parametrize("kind", ["weights", "images"])
def test_a_file_depends_on_its_number_alone(kind: str, tmp_path: Path) -> None:
    KINDS[kind].prepare(tmp_path)
    made = [KINDS[kind].mutate(tmp_path, random.Random(f"{kind} {number}")) for number in (1, 2, 1)]
    assert made[0] == made[2] != made[1]


def test_damage_changes_what_it_is_given() -> None:
    chances = [random.Random(seed) for seed in range(100)]
    data = bytes(range(200))
    assert sum(damaged(data, chance) != data for chance in chances) > 90
    plain = {"a": [1, 2], "b": {"c": "x"}}
    assert sum(changed_data(plain, chance) != plain for chance in chances) > 90
    assert plain == {"a": [1, 2], "b": {"c": "x"}}


WORK = """
import ctypes
from benchmarks.sweeps.forked import Limits, ended

def work(number):
    try:
        if number == 1:
            ctypes.string_at(0)
        while number == 2:
            pass
        if number == 3:
            bytes(2**33)
    except MemoryError:
        return "MemoryError"
    return "read"

for one in sorted(ended(work, range(5), 2, Limits(seconds=1, bytes=2**31))):
    print(one.number, one.outcome)
"""


def test_a_crash_and_a_wait_cost_only_their_own_file() -> None:
    """In a process of its own, because the tests' process has threads, which a fork does not copy."""
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True, cwd=ROOT)
    expected = ["0 read", "1 CRASH SIGSEGV", "2 LATE: more than 1 s", "3 MemoryError", "4 read"]
    assert done.stdout.splitlines() == expected
