"""The command line: what it prints where, and its exit status."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archspec.cli import COMMANDS, main

WRONG = "[8x8x3] INPUT\nCONVV 4 3x3\n"
UNSURE = "[8x8x3] INPUT\nCONV 4 3x3 -> CONV 4 3x3\n"


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    path = tmp_path / "wrong.arch"
    path.write_text(WRONG)
    return str(path)


def test_a_good_spec_prints_its_table_and_ends_with_status_0() -> None:
    result = run("check", "lenet5")
    assert result.exit_code == 0
    assert "61,706" in result.stdout
    assert result.stderr == ""


def test_a_wrong_spec_prints_its_message_on_standard_error_and_ends_with_status_1(wrong: str) -> None:
    result = run("check", wrong)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "error[E102]" in result.stderr
    assert "1 error; `archspec explain E102` says more" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("check",),
        ("chekc", "vgg16"),
        ("check", "lenet"),
        ("check", "vgg16", "--dept", "2"),
        ("check", "vgg16", "--depth", "-1"),
        ("check", "vgg16", "--batch", "0"),
        ("check", "vgg16", "--classes", "0"),
        ("check", "vgg16", "--input", "224y224"),
        ("check", "vgg16", "--set", "width"),
        ("explain", "E999"),
    ],
)
def test_a_wrong_command_line_ends_with_status_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_misspelt_command_gets_a_hint() -> None:
    assert "did you mean `check`?" in run("chekc").stderr


def test_several_specs_are_all_checked_though_one_is_wrong(wrong: str) -> None:
    result = run("check", wrong, "lenet5", "vgg16")  # the last has a warning, which alone is status 0
    assert result.exit_code == 1
    assert "61,706" in result.stdout


def test_one_spec_gives_an_object_and_several_a_list(wrong: str) -> None:
    assert json.loads(run("check", "lenet5", "--json").stdout)["params"] == 61_706
    result = run("check", "lenet5", wrong, "--json")
    assert result.exit_code == 1
    good, bad = json.loads(result.stdout)
    assert good["diagnostics"] == []
    assert bad["diagnostics"][0]["code"] == "E102"
    assert bad["diagnostics"][0]["places"][0]["line"] == 2


def test_standard_input_is_a_spec() -> None:
    result = run("check", "-", stdin="[8x8x3] INPUT\n[10] FC 10\n")
    assert result.exit_code == 0
    assert "1,930" in result.stdout


def test_warnings_are_errors_when_strict() -> None:
    assert run("check", "-", stdin=UNSURE).exit_code == 0
    result = run("check", "-", "--strict", stdin=UNSURE)
    assert result.exit_code == 1
    assert "warning[W201]" in result.stderr


def test_the_slip_of_the_lecture_is_shown_and_not_an_error() -> None:
    result = run("check", "vgg16")
    assert result.exit_code == 0
    assert "the rows add up to 15,237,608: 60.95 MB" in result.stderr


def test_blocks_are_folded_until_somebody_opens_them() -> None:
    folded = run("check", "resnet50", "--depth", "0").stdout
    assert re.search(r"^stage4 .*14,953,472 \+ 11,264", folded, re.MULTILINE)
    assert "conv3" not in folded
    opened = run("check", "resnet50", "--all").stdout
    assert len(re.findall(r"^ +conv3 ", opened, re.MULTILINE)) == 16


@pytest.mark.parametrize("network", ["vgg16", "resnet152", "googlenet", "alexnet", "lenet5"])
@pytest.mark.parametrize("flag", [[], ["--all"], ["--depth", "0"]])
def test_tables_fit_into_100_columns(network: str, flag: list[str]) -> None:
    lines = run("check", network, *flag).output.splitlines()
    assert max(map(len, lines)) <= 100
    assert not any("\x1b" in line for line in lines)


def test_specs_lists_every_built_in_spec_with_one_line() -> None:
    listed = json.loads(run("specs", "--json").stdout)
    assert all(entry["title"] and entry["about"] for entry in listed)
    text = run("specs").stdout
    assert max(map(len, text.splitlines())) <= 100
    assert all(re.search(rf"^{entry['name']} ", text, re.MULTILINE) for entry in listed)


def test_specs_shows_the_text_of_one() -> None:
    assert run("specs", "--show", "vgg16").stdout.startswith("net VGG-16")


def test_explain_tells_what_a_code_means() -> None:
    result = run("explain", "e301")
    assert result.exit_code == 0
    assert "E301" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"  archspec {command}" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100
