"""The tests are found however pytest is called, and the page of a run names what failed."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILE = "tests/language/test_parse.py"  # it imports from tests/support
SCRIPT = str(Path(sysconfig.get_path("scripts")) / "pytest")
MODULE = (sys.executable, "-m", "pytest")


@pytest.mark.parametrize(
    ("command", "folder"),
    [((SCRIPT, FILE), None), ((*MODULE, FILE), None), ((sys.executable, "-P", *MODULE[1:], FILE), None)]
    + [((*start, str(ROOT / FILE)), "elsewhere") for start in ((SCRIPT,), MODULE)],
    ids=["pytest", "python -m pytest", "python -P -m pytest", "pytest elsewhere", "python -m pytest elsewhere"],
)
def test_tests_are_collected(command: tuple[str, ...], folder: str | None, tmp_path: Path) -> None:
    done = subprocess.run(
        [*command, "--collect-only", "-n0", "-p", "no:cacheprovider"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path if folder else ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{Path(FILE).name}::" in done.stdout


def test_the_page_of_a_run_names_what_failed(tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text("def test_good(): pass\ndef test_bad(): assert 1 == 2\n")
    (tmp_path / "pytest.ini").touch()
    done = subprocess.run(
        [*MODULE, "-p", "conftest", "-n0", "--summary", "page.md", "test_two.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| passed | 1 |" in page
    assert "- `test_two.py::test_bad`: `assert 1 == 2`" in page
    assert "test_good`:" not in page
