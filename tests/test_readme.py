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
SHOWN = re.compile(r'^\[(?P<name>[\w-]+)\]: (?P<file>tests/\S+\.py) "(?P<test>test_\w+)"$', re.MULTILINE)
LINK = re.compile(r"\]\[(?P<name>[\w-]+)\]")
# words of a promise about trust: a sentence with one of them links to a test
PROMISES = (
    "bit for bit",
    "atomic",
    "checksum",
    "never",
    "no file",
    "damaged",
    "not finite",
    "exact,",
    "killed",
    "only once",
)
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


def test_the_python_examples_run(tmp_path: Path) -> None:
    programs = [found["program"] for found in PYTHON.finditer(README.read_text(encoding="utf-8"))]
    assert all(any(f"archspec.{name}(" in program for program in programs) for name in ("load", "build", "export"))
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    for program in programs:
        command = [sys.executable, "-W", "error", "-c", program]
        environment = {**os.environ, "PYTHONPATH": path}
        subprocess.run(command, check=True, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    assert [one.name for one in tmp_path.iterdir()] == ["resnet18.onnx"]


def prose() -> str:
    """The page without its blocks of code, and on one line."""
    text = re.sub(r"^```.*?^```$", "", README.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return " ".join(SHOWN.sub("", text).split())


def test_every_promise_links_to_a_test_that_exists() -> None:
    shown = {found["name"]: found for found in SHOWN.finditer(README.read_text(encoding="utf-8"))}
    assert len(shown) > 20
    assert {found["name"] for found in LINK.finditer(prose())} == shown.keys()
    for found in shown.values():
        source = (ROOT / found["file"]).read_text(encoding="utf-8")
        assert f"def {found['test']}(" in source, found["name"]


def unproven(text: str) -> list[str]:
    sentences = re.split(r"(?<=[.:;]) ", text)
    return [one for one in sentences if any(word in one.lower() for word in PROMISES) and not LINK.search(one)]


def test_every_sentence_that_promises_has_a_link() -> None:
    assert unproven(prose()) == []


@pytest.mark.parametrize("word", PROMISES)
def test_a_promise_without_a_link_is_found(word: str) -> None:
    assert unproven(f"A network. It is {word}, always. A [link][lock].") == [f"It is {word}, always."]
