"""Wrong command lines: one message that names the flag, exit status 2, and JSON under `--json`."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import archspec
from archspec.cli import COMMANDS, main
from archspec.commands import packages
from archspec.diagnostics.errors import ArchspecError

WITH_CHANGES = ("check", "train", "export", "probe")
WITHOUT_CHANGES = ("eval", "run")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def line(command: str, spec: str, folder: Path) -> tuple[str, ...]:
    """A command line that is right but for the flags that a test adds."""
    return (command, spec, *(("-o", str(folder / "x.onnx")) if command == "export" else ()))


# ---- --variant, --set, --input, --classes
BAD = [
    ("efficientnet", ("--variant", "b9"), "`--variant b9`: unknown variant", "b0, b1, b2, b3, b4, b5, b6, b7"),
    ("lenet5", ("--variant", "big"), "`--variant big`: unknown variant", "the spec has no variants"),
    ("efficientnet", ("--set", "widht=2"), "`--set widht=2`: unknown parameter", "did you mean `width`?"),
    ("lenet5", ("--set", "width=2"), "`--set width=2`: unknown parameter", "the spec has no parameters"),
    ("efficientnet", ("--set", "width=wide"), "`--set width=wide`: `wide` is neither a number nor a block", ""),
    ("efficientnet", ("--set", "width"), "`--set width`: expected NAME=VALUE", "--set width=1.4"),
    ("lenet5", ("--input", "abc"), "`--input abc` is not a volume", "height x width x channels"),
    ("lenet5", ("--input", "(28, 28, 1)"), "`--input (28, 28, 1)` is not a volume", "--input 28x28x1"),
    ("vgg16", ("--input", "224"), "`--input 224` does not fit: the spec's input is [224x224x3]", "--input 224x224x3"),
    ("vgg16", ("--input", "64x96"), "`--input 64x96` does not fit: the spec's input is [224x224x3]", "64x96x3"),
    ("resnet18", ("--input", "3x224x224"), "`--input 3x224x224` has its channels first", "--input 224x224x3"),
    ("vgg16", ("--input", "3x64x96"), "`--input 3x64x96` has its channels first", "--input 64x96x3"),
    ("lenet5", ("--classes", "0"), "`--classes 0`: expected a whole number of at least 1", ""),
    ("lenet5", ("--classes", "ten"), "`--classes ten`: expected a whole number of at least 1", ""),
]


@pytest.mark.parametrize("command", WITH_CHANGES)
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: " ".join(bad[1]))
def test_a_bad_value_of_a_flag_that_changes_a_spec_is_a_usage_error(
    command: str, bad: tuple[str, tuple[str, ...], str, str], tmp_path: Path
) -> None:
    spec, flags, message, more = bad
    result = run(*line(command, spec, tmp_path), *flags)
    assert result.exit_code == 2
    assert message in result.stderr
    assert more in result.stderr
    assert "-->" not in result.stderr  # no line of the file is blamed
    assert ("\n1 error; " in result.stderr) != ("\nError: " in result.stderr)


@pytest.mark.parametrize("command", WITHOUT_CHANGES)
@pytest.mark.parametrize("flag", ["--variant", "--set", "--input", "--classes"])
def test_commands_that_take_no_spec_do_not_know_the_flags(command: str, flag: str) -> None:
    result = run(command, "runs/first", "photos", flag, "3")
    assert result.exit_code == 2
    assert f"unknown flag `{flag}`" in result.stderr


def test_an_input_that_the_network_cannot_take_is_blamed_on_the_flag() -> None:
    result = run("check", "vgg16", "--input", "16x16x3")
    assert result.exit_code == 1
    assert "caused by `--input 16x16x3`; as written, the spec has no such error" in result.stderr


def test_of_several_flags_the_one_that_brings_an_error_is_blamed() -> None:
    result = run("check", "alexnet", "--input", "224x224x3", "--classes", "10")
    assert "caused by `--input 224x224x3`; as written" in result.stderr


@pytest.mark.parametrize(
    ("given", "proposed"),
    [
        ("224,224,3", "224x224x3"),
        ("[224 x 224 x 3]", "224x224x3"),
        ("224X96X3", "224x96x3"),
        ("64*64*1", "64x64x1"),
        ("0x0x3", "32x32x1"),
        ("-1x2x3", "32x32x1"),
        ("1x2x3x4", "32x32x1"),
        ("large", "32x32x1"),
    ],
)
def test_what_is_not_a_volume_is_proposed_as_one(given: str, proposed: str) -> None:
    assert f"= help: `--input {proposed}`\n" in run("check", "lenet5", f"--input={given}").stderr


def test_an_error_of_the_spec_itself_is_not_blamed_on_the_flag(tmp_path: Path) -> None:
    path = tmp_path / "wrong.arch"
    path.write_text("[8x8x3] INPUT\nCONVV 4 3x3\n")
    result = run("check", str(path), "--input", "9x9x3")
    assert "error[E102]" in result.stderr
    assert "caused by" not in result.stderr


def test_an_input_of_other_dimensions_is_taken_if_it_works() -> None:
    result = CliRunner().invoke(main, ["check", "-", "--input", "784"], input="[28x28x1] INPUT\nFC 10\n")
    assert result.exit_code == 0
    result = CliRunner().invoke(main, ["check", "-", "--input", "1x96x40"], input="[1x64x1] INPUT\nCONV 8 1x3\n")
    assert result.exit_code == 0


def test_from_python_a_bad_change_is_the_same_error() -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"variant": "b9"},
        {"variant": 9},
        {"set": {"widht": 2}},
        {"input": (224,)},
        {"input": 224},
        {"input": (224.5, 224, 3)},
        {"classes": 0},
        {"classes": "ten"},
    )
    for changes in wrong:
        with pytest.raises(ArchspecError) as caught:
            archspec.load("efficientnet", **changes)
        (finding,) = caught.value.diagnostics
        assert finding.message.startswith("`--")


def test_from_python_a_variant_may_be_a_number(tmp_path: Path) -> None:
    (tmp_path / "family.arch").write_text("param k = 3\nvariant 20: k=20\n[4] INPUT\nFC k\n")
    assert archspec.load(tmp_path / "family.arch", variant=20).output == (20,)  # type: ignore[arg-type]


# ---- packages
def test_the_package_of_the_digits_has_the_name_that_pip_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == "sklearn" else find_spec(name))
    result = run("train", "lenet5")
    assert result.exit_code == 1
    assert "error[E424]: this command requires `scikit-learn`, which is not installed" in result.stderr
    assert "`pip install scikit-learn`" in result.stderr


# ---- flags and arguments
LINES: list[tuple[tuple[str, ...], str]] = [
    (("check",), "missing SPEC..."),
    (("check", "vgg16", "--jsn"), "unknown flag `--jsn`; did you mean `--json`?"),
    (("check", "vgg16", "--clases", "3"), "unknown flag `--clases`; did you mean `--classes`?"),
    (("check", "vgg16", "--frobnicate"), "unknown flag `--frobnicate`"),
    (("check", "vgg16", "--depth", "-1"), "`--depth -1`: expected a whole number of at least 0"),
    (("chekc", "vgg16"), "unknown command `chekc`; did you mean `check`?"),
    (("train", "lenet5", "--optimizer", "adam"), "`--optimizer adam`: expected `sgd`, `adamw` or `rmsprop`"),
    (("train", "lenet5", "--batch"), "`--batch` requires N"),
    (("train", "lenet5", "--scale", "1"), "`--scale` requires LOW HIGH"),
    (("train", "lenet5", "--flip=2"), "`--flip` takes no value"),
    (("train", "lenet5", "--momentum", "1"), "`--momentum 1.0`: expected a number from 0 up to but excluding 1"),
    (("train", "lenet5", "--lr", "0"), "`--lr 0.0`: expected a number above 0"),
    (("export", "vgg16"), "missing `-o FILE`"),
    (("eval", "runs/x", "--max-damaged", "5x"), "`--max-damaged`: expected a number of images"),
    (("doctor", "now"), "unexpected argument `now`"),
    (("--verbose",), "unknown flag `--verbose`"),
    (("vgg16",), "unknown command `vgg16`; `archspec check vgg16` checks the spec"),
    (("mynet.arch", "--all"), "unknown command `mynet.arch`; `archspec check mynet.arch` checks the spec"),
    (("--check", "vgg16"), "unknown flag `--check`; `archspec check` is a command"),
    (("specs", "vgg16"), "unexpected argument `vgg16`; `archspec specs --show vgg16` prints its text"),
    (("help",), "unknown command `help`; `archspec --help` is a flag"),
    (("run", "photos/", "net.onnx"), "the model comes first: `archspec run net.onnx photos`"),
]


@pytest.mark.parametrize(("arguments", "message"), LINES, ids=lambda value: "" if isinstance(value, str) else value[0])
def test_a_wrong_command_line_is_told_in_plain_words_and_in_json(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Error: {message}" in result.stderr
    result = run(arguments[0], "--json", *arguments[1:])
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    (finding,) = found["diagnostics"]
    assert (finding["code"], finding["severity"]) == ("E120", "error")
    assert finding["message"].startswith(message) or arguments[0].startswith("--")
    assert found["command"] == ("archspec" if arguments[0] not in COMMANDS else f"archspec {arguments[0]}")
    assert finding["helps"] == [f"`{found['command']} --help` lists the flags"]


def has_json(command: str) -> bool:
    return "--json" in run(command, "--help").stdout


def test_every_command_with_json_has_its_usage_errors_in_json() -> None:
    commands = [command for command in COMMANDS if has_json(command)]
    assert len(commands) > 6
    for command in commands:
        result = run(command, "--json", "--no-such-flag")
        assert result.exit_code == 2
        assert json.loads(result.stdout)["diagnostics"][0]["message"] == "unknown flag `--no-such-flag`"


def test_a_flag_that_a_command_checks_itself_is_json_too() -> None:
    result = run("train", "lenet5", "--linear-probe", "--json")
    assert result.exit_code == 2
    assert "--from WEIGHTS" in json.loads(result.stdout)["diagnostics"][0]["message"]


def test_without_arguments_the_help_is_shown() -> None:
    result = run()
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: archspec")


@pytest.mark.parametrize(
    ("arguments", "code", "message", "use"),
    [
        (("eval", "net.arch"), "E401", "is a spec, not a weights file", "archspec train"),
        (("eval", "net.onnx"), "E401", "is an ONNX model, not a weights file", "archspec run"),
        (("train", "--from", "net.arch"), "E401", "is a spec, not a weights file", "archspec train"),
        (("run", "net.arch", "photos"), "E430", "is a spec, not an ONNX model", "archspec check"),
        (("run", "w.safetensors", "photos"), "E430", "is a weights file, not an ONNX model", "archspec export"),
        (("export", "net.onnx", "-o", "x.onnx"), "E014", "is an ONNX model, not a spec", "archspec run"),
        (("probe", "w.safetensors"), "E014", "is a weights file, not a spec", "archspec eval"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_file_of_another_kind_gets_the_command_for_it(
    arguments: tuple[str, ...], code: str, message: str, use: str, tmp_path: Path
) -> None:
    names = ("net.arch", "net.onnx", "w.safetensors")
    for name in names:
        (tmp_path / name).write_bytes(b"\xff")
    result = run(*(str(tmp_path / one) if one in names else one for one in arguments))
    assert result.exit_code in (1, 2)
    assert f"error[{code}]: `{tmp_path}" in result.stderr
    assert message in result.stderr
    assert use in result.stderr


def test_the_proposed_input_is_of_the_specs_own_form(tmp_path: Path) -> None:
    (tmp_path / "text.arch").write_text("# [9x9x9] of words\n[16x8] INPUT\nMHSA 2\n")
    assert "= help: `--input 16x8`\n" in run("check", str(tmp_path / "text.arch"), "--input", "none").stderr


def test_of_several_specs_the_one_that_does_not_take_a_flag_is_named() -> None:
    lines = run("check", "lenet5", "resnet50", "efficientnet", "--set", "width=1").stderr.splitlines()
    assert [line for line in lines if line.startswith("error")] == [
        f"error[E117]: {spec}: `--set width=1`: unknown parameter `width`" for spec in ("lenet5", "resnet50")
    ]


def test_an_input_given_twice_by_name_is_a_usage_error() -> None:
    result = run("check", "siamese", "--input", "left=64x64x1", "--input", "left=32x32x1")
    assert (result.exit_code, result.exception.__class__) == (2, SystemExit)
    assert "`--input left=...` is given twice" in result.stderr
