"""`archspec export`: the file, the proof it prints, and that nothing is left where something is wrong."""

import errno
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from archspec.cli import main
from archspec.compiler.onnx import export as exporting
from archspec.compiler.onnx.checks.steps import Check, Proof
from support.exports import STEPS, export, files, output_of, refused, write_spec


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_spec(tmp_path)


def test_a_spec_is_exported_with_initialised_weights_and_the_proof_is_printed(spec: Path, tmp_path: Path) -> None:
    result = export(spec, "-o", tmp_path / "small.onnx")
    assert result.exit_code == 0, result.output
    first, second, *rows, last = result.stdout.splitlines()
    assert (first, second) == ("Small with weights initialised by seed 0", "proof")
    assert all(row.startswith("  ok ") for row in rows)
    assert [step for step, row in zip(STEPS, rows, strict=True) if step not in row] == []
    assert last.startswith(f"{tmp_path / 'small.onnx'}: ")
    assert last.endswith(f" {(tmp_path / 'small.onnx').stat().st_size / 1024:.1f} KiB")
    assert files(tmp_path) == ["small.arch", "small.onnx"]


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(spec: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert export(spec, "-o", tmp_path / name, "--seed", seed).exit_code == 0
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_json_holds_the_proof(spec: Path, tmp_path: Path) -> None:
    document = json.loads(export(spec, "-o", tmp_path / "small.onnx", "--json").stdout)
    assert document["files"] == [str(tmp_path / "small.onnx")]
    assert document["proof"]["passed"] is True
    assert [check["name"] for check in document["proof"]["checks"]] == STEPS


def test_several_inputs_and_outputs_are_listed(tmp_path: Path) -> None:
    lines = ("[4x4x3] image: INPUT", "[6] ids: INPUT tokens", "[8] output words: EMBED 20 8 -> GAP")
    (tmp_path / "two.arch").write_text("\n".join((*lines, "[5] output scores: @image -> FC 5")) + "\n")
    result = export(tmp_path / "two.arch", "-o", tmp_path / "two.onnx")
    assert result.exit_code == 0, result.output
    listed = ["inputs", "  image  [4x4x3]", "  ids    [6] token ids below 20"]
    listed += ["outputs", "  words   [8]", "  scores  [5]", "proof"]
    assert result.stdout.splitlines()[1:8] == listed
    result = export(tmp_path / "two.arch", "-o", tmp_path / "one.onnx", "--output", "scores", "--json")
    document = json.loads(result.stdout)
    assert document["inputs"] == [{"name": "image", "type": "float32", "shape": ["batch", 3, 4, 4]}]
    assert document["outputs"] == [{"name": "scores", "type": "float32", "shape": ["batch", 5]}]


def test_a_named_result_can_be_the_end(spec: Path, tmp_path: Path) -> None:
    result = export(spec, "-o", tmp_path / "cut.onnx", "--output", "hidden")
    assert "Small up to `hidden` [6] with weights" in result.stdout
    assert output_of(tmp_path / "cut.onnx") == ("hidden", [6])


def test_a_spec_can_be_changed_as_for_check(spec: Path, tmp_path: Path) -> None:
    assert export(spec, "-o", tmp_path / "seven.onnx", "--classes", "7", "--input", "10x12x3").exit_code == 0
    assert output_of(tmp_path / "seven.onnx") == ("fc2", [7])


def test_a_network_that_ends_in_a_map_is_exported_too(tmp_path: Path) -> None:
    (tmp_path / "map.arch").write_text("[8x8x3] INPUT\nCONV 4 3x3\n")
    assert export(tmp_path / "map.arch", "-o", tmp_path / "map.onnx").exit_code == 0
    assert output_of(tmp_path / "map.onnx") == ("conv1", [4, 6, 6])


def test_weights_can_have_a_file_of_their_own_and_run_finds_it(spec: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    result = export(spec, "-o", folder / "small.onnx", "--external-data")
    assert result.exit_code == 0, result.output
    assert files(folder) == ["small.onnx", "small.onnx.data"]
    assert "small.onnx.data" in result.stdout
    Image.new("RGB", (9, 9), "red").save(tmp_path / "red.png")
    ran = CliRunner().invoke(main, ["run", str(folder / "small.onnx"), str(tmp_path / "red.png")])
    assert ran.exit_code == 0


# ---- what is wrong, and what is left
def test_a_wrong_output_name_is_an_error_with_a_hint(spec: Path, tmp_path: Path) -> None:
    result = export(spec, "-o", tmp_path / "x.onnx", "--output", "hiden")
    assert refused(result, "E420", "unknown result `hiden`\n = help: did you mean `hidden`?")
    assert files(tmp_path) == ["small.arch"]


def test_a_wrong_spec_is_shown_as_check_shows_it(tmp_path: Path) -> None:
    (tmp_path / "wrong.arch").write_text("[8x8x3] INPUT\nCONVV 4 3x3\n")
    assert refused(export(tmp_path / "wrong.arch", "-o", tmp_path / "x.onnx"), "E102", "")
    assert refused(export("no_such_spec", "-o", tmp_path / "x.onnx"), "E014", "", status=2)
    document = json.loads(export("no_such_spec", "-o", tmp_path / "x.onnx", "--json").stdout)
    assert document["diagnostics"][0]["code"] == "E014"


def test_a_place_that_cannot_be_written_is_an_error_before_any_work(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone" / "x.onnx"
    assert refused(export(spec, "-o", tmp_path), "E422", f"cannot write `{tmp_path}`: it is a folder")
    assert refused(export(spec, "-o", gone), "E422", f"cannot write `{gone}`: no such folder: `{gone.parent}`")
    for below in (spec / "x.onnx", spec / "more" / "x.onnx"):
        result = export(spec, "-o", below)
        assert refused(result, "E422", f"cannot write `{below}`: `{spec}` is a file")
        assert "mkdir" not in result.output
    monkeypatch.setattr("os.access", lambda path, mode: False)
    message = f"cannot write `{tmp_path / 'x.onnx'}`: no permission to write into `{tmp_path}`"
    assert refused(export(spec, "-o", tmp_path / "x.onnx"), "E422", message)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.onnx").write_text("old")

    def full(path: Path, fill: Any) -> None:
        path.write_bytes(b"part")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(exporting, "write_flushed", full)
    result = export(spec, "-o", tmp_path / "x.onnx")
    assert refused(result, "E422", f"cannot write `{tmp_path / 'x.onnx'}`: No space left on device")
    assert files(tmp_path) == ["small.arch", "x.onnx"]
    assert (tmp_path / "x.onnx").read_text() == "old"


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_failed_proof_ends_with_status_1_and_leaves_no_file(
    flags: list[str], spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = Proof((Check("checker", True, "fine"), Check("float64", False, "at most 1.0, allowed 0.1")))
    monkeypatch.setattr(exporting, "prove", lambda path, graph, module, progress: failed)
    result = export(spec, "-o", tmp_path / "x.onnx", *flags)
    assert result.exit_code == 1
    assert "error[E425]" in result.stderr
    assert ("FAILED  float64" in result.stdout) == (not flags)
    assert files(tmp_path) == ["small.arch"]


def test_missing_packages_are_named_with_what_to_install(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, absent = importlib.util.find_spec, ("torch", "onnxruntime")
    monkeypatch.setattr("archspec.commands.packages.find_spec", lambda name: None if name in absent else real(name))
    result = export(spec, "-o", tmp_path / "x.onnx")
    assert refused(result, "E424", "this command requires `torch`, `onnxruntime-gpu`, which are not installed")
    assert "help: `pip install torch onnxruntime-gpu`" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("vgg16",), ("vgg16", "-o", "x.onnx", "--seed", "-1")])
def test_a_wrong_command_line_ends_with_status_2(arguments: tuple[str, ...]) -> None:
    assert export(*arguments).exit_code == 2
