"""The tests are found however pytest is called: as a command or a module, in the clone or from another folder."""

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
