"""A working directory that was deleted: torch's libraries cannot be loaded from there, so no command tries."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from archspec.cli import main


@pytest.fixture(autouse=True)
def _gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_() -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "cwd", raise_)


@pytest.mark.parametrize("command", ["train lenet5", "eval run", "export lenet5 -o n.onnx", "probe lenet5"])
def test_a_command_of_the_back_end_says_so(command: str) -> None:
    result = CliRunner().invoke(main, command.split())
    assert result.exit_code == 1
    assert result.stderr == (
        "error[E478]: the working directory cannot be used: No such file or directory\n"
        " = help: `cd` into another folder\n\n"
        "1 error; `archspec explain E478` says more\n"
    )


def test_doctor_says_so_and_tries_no_device() -> None:
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    assert "FAIL  working directory" in result.stdout
    assert "torch on" not in result.stdout


def test_the_front_end_needs_no_working_directory() -> None:
    assert CliRunner().invoke(main, ["check", "lenet5"]).exit_code == 0
