"""`archspec data`: what it prints, its exit status, and that its advice works when it is pasted; and in `train`."""

import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from archspec.cli import main
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.setup.configuration import from_flags
from archspec.compiler.training.setup.options import Options, RunContext
from support.image_folders import write_images

SPEC = "net Colour\n[16x16x3] INPUT\nCONV 4 3x3 -> RELU\nGAP -> FC 2\n"


def data(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", *map(str, arguments)])


def as_json(*arguments: str | Path, status: int = 0) -> dict[str, Any]:
    result = data(*arguments, "--json")
    assert result.exit_code == status, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def said(result: Result) -> str:
    return " ".join(result.stderr.split())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with an image in two parts, one under two labels, one twice, and one that is not an image."""
    root = write_images(tmp_path / "my photos", {"train/cat": 9, "train/dog": 5, "val/cat": 3, "val/dog": 3})
    for source, target in (
        ("train/cat/0", "val/cat/9"),
        ("train/cat/1", "train/dog/9"),
        ("train/cat/2", "train/cat/x"),
    ):
        shutil.copy(root / f"{source}.png", root / f"{target}.png")
    (root / "val" / "dog" / "text.jpg").write_text("not an image")
    return root


def test_a_folder_is_described_with_its_findings(photos: Path) -> None:
    result = data(photos)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        f"`{photos}`: 24 images of 2 classes",
        "train           16 images to train on",
        "val             8 images held out",
        "classes         from 6 images (`dog`) to 10 (`cat`) to train on",
        "sizes           40x40 to 40x40 pixels; the median short side is 40",
        "colours         23 RGB",
        "checked         headers; `--decode` also finds images that are cut short",
    ]
    for code in ("W434", "W435", "W436", "W431"):
        assert f"warning[{code}]" in result.stderr
    assert f"`{photos}/train/cat/0.png` = `{photos}/val/cat/9.png`" in said(result)


def test_json_has_all_that_the_text_has(photos: Path) -> None:
    found = as_json(photos)
    assert (found["images"], found["would_train"], found["diagnostics"]) == (24, True, [])
    assert [(part["images"], part["classes"]) for part in found["parts"]] == [
        (16, {"cat": 10, "dog": 6}),
        (8, {"cat": 4, "dog": 4}),
    ]
    assert found["smallest_class"] == {"name": "dog", "images": 6}
    assert found["largest_class"] == {"name": "cat", "images": 10}
    assert [(one["kind"], one["count"], len(one["files"])) for one in found["findings"]] == [
        ("leaks", 1, 1),
        ("labels", 1, 1),
        ("duplicates", 1, 1),
        ("unreadable", 1, 1),
    ]
    assert all(one["help"] and one["message"] for one in found["findings"])


def test_files_are_listed_up_to_ten_and_the_others_counted(tmp_path: Path) -> None:
    root = write_images(tmp_path, {"cat": 13, "dog": 13}, (20, 20))
    assert "classes         13 images of each to train on" in data(root).stdout
    (tiny,) = as_json(root)["findings"]
    assert (tiny["kind"], tiny["count"], len(tiny["files"]), tiny["omitted"]) == ("tiny", 26, 10, 16)
    assert len(data(root, "--list", "tiny").stdout.splitlines()) == 26


def test_the_commands_of_the_advice_leave_a_folder_in_order(photos: Path) -> None:
    """Each is run as it is printed; of an image under two labels and of a damaged one, a person decides."""
    (photos / "train" / "dog" / "9.png").unlink()
    (photos / "val" / "dog" / "text.jpg").unlink()
    advice = [one["help"] for one in as_json(photos)["findings"]]
    assert len(advice) == 2
    for text in advice:
        command, rest = text.split("`")[1].split(" | ", 1)
        listed = CliRunner().invoke(main, shlex.split(command)[1:]).stdout_bytes
        subprocess.run(rest, shell=True, check=True, input=listed)
    assert as_json(photos)["findings"] == []
    assert not (photos / "train/cat/0.png").exists()
    assert (photos / "val/cat/9.png").exists()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("leaks", ["train/cat/0.png"]),
        ("labels", ["train/cat/1.png", "train/dog/9.png"]),
        ("duplicates", ["train/cat/x.png"]),
        ("unreadable", ["val/dog/text.jpg"]),
        ("tiny", []),
    ],
)
def test_list_prints_the_paths_of_one_kind(kind: str, names: list[str], photos: Path) -> None:
    result = data(photos, "--list", kind)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [Path(line).relative_to(photos).as_posix() for line in result.stdout.splitlines()] == names


def test_images_that_are_cut_short_are_found_with_decode(tmp_path: Path) -> None:
    root = write_images(tmp_path, {"cat": 2, "dog": 2})
    path = root / "cat" / "0.png"
    path.write_bytes(path.read_bytes()[:-900])
    assert as_json(root)["findings"] == []
    found = as_json(root, "--decode")
    assert ([one["kind"] for one in found["findings"]], found["decoded"]) == (["unreadable"], True)
    assert "checked         every pixel" in data(root, "--decode").stdout


def test_status_1_is_for_a_folder_that_training_refuses(tmp_path: Path) -> None:
    root = write_images(tmp_path / "photos", {"cat": 13, "dog": 2})
    for number in range(11):
        (root / "cat" / f"{number}.png").write_text("not an image")
    result = data(root)
    assert result.exit_code == 1
    assert "15 images of 2 classes" in result.stdout
    assert "error[E456]: 11 images cannot be read" in said(result)
    found = as_json(root, status=1)
    assert (found["would_train"], found["diagnostics"][0]["code"]) == (False, "E456")
    shutil.rmtree(root / "dog")
    assert as_json(root, status=1)["diagnostics"][0]["code"] == "E450"
    assert as_json(tmp_path / "missing", status=1)["diagnostics"][0]["message"].startswith("no such folder")


def test_an_empty_class_does_not_hide_the_other_findings(photos: Path) -> None:
    (photos / "train" / "empty").mkdir()
    (photos / "val" / "extra").mkdir()
    result = data(photos)
    assert result.exit_code == 1
    assert "train" in result.stdout
    assert "W434" in result.stderr
    assert "no image in the folder" in said(result)
    assert [one["code"] for one in as_json(photos, status=1)["diagnostics"]] == ["E450"] * 3  # empty, extra, empty
    shutil.rmtree(photos / "train")
    shutil.rmtree(photos / "val")
    for name in ("a", "b"):
        (photos / name).mkdir()
    assert "has an image" in as_json(photos, status=1)["diagnostics"][0]["message"]


@pytest.mark.parametrize("arguments", [("--list", "tiny", "--json"), ("--list", "all"), ("--input", "[10]"), ()])
def test_a_usage_error_ends_with_status_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert data(*([tmp_path] if arguments else []), *arguments).exit_code == 2


def test_a_part_that_training_does_not_read_is_checked_too(tmp_path: Path) -> None:
    root = write_images(tmp_path, {f"{part}/{name}": 2 for part in ("train", "valid", "test") for name in "ab"})
    Image.new("L", (40, 40)).save(root / "test" / "a" / "0.png")
    (root / "test" / "empty").mkdir()  # training does not see it
    found = as_json(root)
    assert [part["folder"] for part in found["parts"]] == [str(root / part) for part in ("train", "valid", "test")]
    assert [one["kind"] for one in found["findings"]] == ["colours"]


# ---- before training
def lines(root: Path, spec: Path, capsys: pytest.CaptureFixture[str], rank: int = 0) -> list[str]:
    """What a process of `archspec train` says of the data before it begins."""
    group = Group(rank, 1, torch.device("cpu"))
    from_flags(str(spec), {}, {}, RunContext(Options(data=root), group))
    return capsys.readouterr().err.splitlines()


def test_training_says_each_finding_in_one_line_in_its_first_process(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "colour.arch"
    spec.write_text(SPEC)
    found = lines(photos, spec, capsys)
    assert found[0] == f"cannot read `{photos}/val/dog/text.jpg`: left out"
    assert found[1].startswith("warning[W434]: 1 image in `val` is also in `train`: the accuracy will be too high; ")
    assert found[2] == f"  `{photos}/train/cat/0.png` = `{photos}/val/cat/9.png`"
    assert [line[:14] for line in found[3:]] == ["warning[W435]:", "warning[W436]:"]
    assert lines(photos, spec, capsys, rank=1) == []
    shutil.rmtree(photos)
    write_images(photos, {f"{part}/{name}": 6 for part in ("train", "val") for name in "ab"})
    assert lines(photos, spec, capsys) == []


def test_copies_that_the_seed_divides_between_the_parts_are_leaks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_images(tmp_path / "flat", {"cat": 10, "dog": 10})
    for number in range(1, 10):
        shutil.copy(root / "cat" / "0.png", root / "cat" / f"{number}.png")
    spec = tmp_path / "colour.arch"
    spec.write_text(SPEC)
    found = lines(root, spec, capsys)
    assert found[0].startswith("warning[W434]: 1 image in the held-out part is also in the training part")
    assert "--list duplicates" in found[0]


def test_the_json_of_training_has_the_findings_of_archspec_data(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "colour.arch"
    spec.write_text(SPEC)
    write_images(photos / "validation", {"cat": 2, "dog": 2})
    second = "warning[W440]: `validation` is not used: the images in `val` are held out; "
    assert any(line.startswith(second) for line in lines(photos, spec, capsys))
    expected = {one["code"] for one in as_json(photos)["findings"]}
    flags = ("train", str(spec), "--data", str(photos), "--batch", "4", "--epochs", "1", "--json")
    planned = CliRunner().invoke(main, [*flags, "--dry-run"])
    trained = CliRunner().invoke(main, [*flags, "--out", str(tmp_path / "run")])
    written = json.loads((tmp_path / "run" / "summary.json").read_text())
    for found in (json.loads(planned.stdout), json.loads(trained.stdout), written):
        assert {one["code"] for one in found["diagnostics"]} == expected > {"W431", "W434", "W440"}
