"""README is true: each of its `console` blocks is run and prints what it shows."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(?P<program>.*?)^```$", re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    return [found["command"] for found in BLOCK.finditer(README.read_text(encoding="utf-8"))]


def output_of(command: str) -> str:
    """What a shell prints for the command in the project's folder, the scripts of this Python first on its path."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        shell=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.stdout


@pytest.mark.parametrize("command", commands())
def test_a_command_prints_what_readme_shows(command: str, request: pytest.FixtureRequest) -> None:
    output = output_of(command)
    text = README.read_text(encoding="utf-8")
    shown = next(found for found in BLOCK.finditer(text) if found["command"] == command)
    if request.config.getoption("--update-golden"):
        README.write_text(text[: shown.start("output")] + output + text[shown.end("output") :], encoding="utf-8")
    else:
        assert output == shown["output"]


def test_readme_shows_the_table_of_vgg16() -> None:
    assert "archspec check specs/vgg16.arch" in commands()


def test_the_python_examples_run() -> None:
    programs = [found["program"] for found in PYTHON.finditer(README.read_text(encoding="utf-8"))]
    assert programs
    for program in programs:
        subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
