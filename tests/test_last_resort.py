"""The last resort: no known input reaches it, and what does ends in one message and a file with the traceback."""

import gc
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_untrusted import HOSTILE

import archspec.cli
from archspec import last_resort
from archspec.__main__ import run
from archspec.library import built_in

ROOT = Path(__file__).parents[1]
WRONG = sorted((ROOT / "tests" / "errors").glob("*.arch"))
RAISES = """
import archspec.cli
def main(**_):
    raise {error}
archspec.cli.main = main
from archspec.__main__ import run
run()
"""


@pytest.fixture
def collected() -> Iterator[None]:
    """The command line turns the garbage collector off, and leaves what is there out of it."""
    yield
    gc.unfreeze()
    gc.enable()


def status(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """The exit status of the command line, run in this process."""
    monkeypatch.setattr(sys, "argv", ["archspec", *arguments])
    with pytest.raises(SystemExit) as ended:
        run()
    return ended.value.code


@pytest.mark.usefixtures("collected")
def test_no_wrong_spec_reaches_the_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {path.name: status(monkeypatch, "check", str(path)) for path in WRONG}
    assert len(found) > 100
    assert {name for name, code in found.items() if code not in (0, 1, 2)} == set()


@pytest.mark.slow
@pytest.mark.usefixtures("collected")
def test_no_hostile_or_built_in_spec_reaches_the_last_resort(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "hostile.arch"
    for case, (text, code) in HOSTILE.items():
        path.write_text(text, encoding="utf-8")
        expected = 0 if code is None else 2 if code == "E014" else 1
        assert status(monkeypatch, "check", str(path)) == expected, case
    for name in built_in():
        assert status(monkeypatch, "check", name, "--json") == 0, name


def process(error: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process whose command raises."""
    program = [sys.executable, "-c", RAISES.format(error=error), "an argument"]
    return subprocess.run(program, check=False, capture_output=True, text=True, env=environment, cwd=ROOT)


def test_an_unforeseen_exception_is_one_message_and_a_file(tmp_path: Path) -> None:
    done = process(r'KeyError("x\x1b[31m\n")', TMPDIR=str(tmp_path))
    assert done.returncode == last_resort.SOFTWARE == 70
    (path,) = tmp_path.iterdir()
    assert done.stderr == (
        "error: unexpected KeyError: 'x\\x1b[31m\\n'\n"
        "  = this is a bug in archspec\n"
        f"  = help: report it with that file at {last_resort.ISSUES}\n"
        f"  = `{path}` has the traceback and the command line\n"
    )
    assert path.name.startswith("archspec-bug-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "line 4, in main" in path.read_text()
    assert "an argument" in path.read_text()


@pytest.mark.slow
def test_each_process_of_a_run_says_which_one_it_is(tmp_path: Path) -> None:
    done = process("KeyError", TMPDIR=str(tmp_path), WORLD_SIZE="2", RANK="1")
    assert done.stderr.startswith("process 1: error: unexpected KeyError\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "error: out of memory\n"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "error: out of memory\n"),
        (RecursionError("too deep"), "error: nested too deeply for Python's stack\n"),
        (ValueError("a\x1b[31mb\n\nc"), "error: unexpected ValueError: a\N{REPLACEMENT CHARACTER}[31mb\n"),
        (OSError(28, "No space left on device"), "error: unexpected OSError: [Errno 28] No space left on device\n"),
    ],
)
def test_an_error_is_named(
    error: Exception, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert last_resort.end(error) == 70
    assert capsys.readouterr().err.startswith(said)
    assert len([*tmp_path.iterdir()]) == 1


def test_a_traceback_that_cannot_be_kept_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(last_resort, "mkstemp", refuse)
    assert last_resort.end(KeyError("x")) == 70
    said = capsys.readouterr().err
    assert "  = the traceback follows\n" in said
    assert said.endswith("KeyError: 'x'\n")


def test_python_programs_get_the_exception_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("archspec.api.locate", fail)
    with pytest.raises(KeyError):
        archspec.load("lenet5")


def test_issues_are_reported_where_the_package_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["urls"]["Issues"] == last_resort.ISSUES
