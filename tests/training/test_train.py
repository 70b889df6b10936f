"""Training: what a run writes, how it is stopped and resumed, and which errors bad input gives."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from safetensors.torch import load_file

from archspec.cli import main
from archspec.compiler.data.digits import digits
from archspec.compiler.data.folder import folder
from archspec.compiler.weights import files as weights
from archspec.graph.volume import Volume
from archspec.recipe import Recipe
from support.processes import begin, together

SMALL = "net Small\n[8x8x1] INPUT\nCONV 8 3x3 p1 -> BN -> RELU -> POOL 2x2 s2\nDROPOUT 0.1 -> FC 10\n"
COLOUR = "net Colour\n[16x16x3] INPUT\nCONV 8 3x3 s2 p1 -> BN -> RELU\nGAP -> FC 5\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "small.arch"
    path.write_text(SMALL)
    return path


@pytest.fixture
def colour(tmp_path: Path) -> Path:
    path = tmp_path / "colour.arch"
    path.write_text(COLOUR)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes that a glance tells apart, dark and light, in both file formats."""
    chance = np.random.default_rng(0)
    for split, count in (("train", 24), ("val", 6)):
        for name, base in (("dark", 40), ("light", 200)):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = (base + chance.integers(-30, 30, (20 + number % 3, 24, 3))).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.{'jpg' if number % 2 else 'png'}")
    return tmp_path / "photos"


def train(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def test_a_run_on_the_bundled_digits_learns_and_writes_its_results(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = train(spec, "--out", out, "--epochs", "4")
    assert result.exit_code == 0, result.output
    assert "scikit-learn's digits at [8x8x1]: 1,438 to train on, 359 held out" in result.stderr
    summary = json.loads((out / "summary.json").read_text())
    assert summary["images"] == 359
    assert summary["top1"] > 0.8
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert (out / "metrics.csv").read_text().startswith("epoch,lr,loss,")
    assert f"next: archspec export {out / 'weights.safetensors'}" in result.stderr


def test_weights_contain_their_spec_classes_and_preprocessing(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert train(spec, "--out", out, "--epochs", "1").exit_code == 0
    state, about = weights.read(out / "weights.safetensors")
    assert about["bundle"]["text"] == SMALL
    assert about["class_names"] == list("0123456789")
    assert (about["input"], len(about["mean"]), about["recipe"]["epochs"]) == ([8, 8, 1], 1, 1)
    assert str(tmp_path) not in json.dumps(about)
    assert set(state) == {
        "conv1.weight",
        "bn1.weight",
        "bn1.bias",
        "bn1.running_mean",
        "bn1.running_var",
        "bn1.num_batches_tracked",
        "fc1.weight",
        "fc1.bias",
    }


def test_json_prints_only_the_summary(spec: Path, tmp_path: Path) -> None:
    result = train(spec, "--out", tmp_path / "run", "--epochs", "1", "--json")
    assert json.loads(result.stdout)["classes"] == 10
    assert result.stderr == ""


def test_the_number_of_classes_follows_the_data(colour: Path, tmp_path: Path) -> None:
    result = train(colour, "--out", tmp_path / "run", "--epochs", "1")
    assert "Colour outputs 5 classes, the data have 10: using 10 classes" in result.stderr
    assert load_file(tmp_path / "run" / "weights.safetensors")["fc1.weight"].shape == (10, 8)


def test_each_run_gets_a_new_folder(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert train(spec, "--epochs", "1").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["small-1", "small-2"]


@pytest.mark.parametrize(
    "flags",
    [
        ("--optimizer", "adamw", "--lr", "0.002"),
        ("--schedule", "step", "--warmup", "0.5"),
        ("--schedule", "plateau", "--label-smoothing", "0.1"),
        ("--accumulate", "4", "--batch", "8", "--amp", "bf16"),
    ],
)
def test_every_recipe_learns(spec: Path, tmp_path: Path, flags: tuple[str, ...]) -> None:
    result = train(spec, "--out", tmp_path / "run", "--epochs", "4", "--json", *flags)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["top1"] > 0.6


def test_a_network_trained_on_a_folder_can_be_exported_and_run(colour: Path, photos: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "run", tmp_path / "net.onnx"
    flags = ("--epochs", "6", "--batch", "8", "--lr", "0.05", "--workers", "1", "--color", "0.1")
    result = train(colour, "--data", photos, "--out", out, *flags)
    assert result.exit_code == 0, result.output
    assert "2 classes, 48 images to train on, 12 held out in `val`" in result.stderr
    assert json.loads((out / "summary.json").read_text())["top1"] == 1.0
    exported = CliRunner().invoke(main, ["export", str(out / "weights.safetensors"), "-o", str(model)])
    assert exported.exit_code == 0, exported.output
    ran = CliRunner().invoke(main, ["run", str(model), str(photos / "val" / "dark"), "--json"])
    assert ran.exit_code == 0, ran.output
    assert "dark" in ran.stdout


# ---- stopping and going on
def test_a_stopped_run_resumes_to_the_same_weights(spec: Path, tmp_path: Path) -> None:
    flags = ("--epochs", "3", "--seed", "5")
    assert train(spec, "--out", tmp_path / "whole", *flags).exit_code == 0
    stopped = tmp_path / "stopped"
    process = begin("train", spec, "--out", stopped, *flags)
    while "epoch   1/3" not in (line := process.stderr.readline()):
        assert line, "it ended too soon"
    process.send_signal(signal.SIGTERM)
    said = process.communicate()[1]
    if process.returncode == 130:  # else it was done before the signal came
        assert f"stopped; `archspec train --resume {stopped}` continues from here" in said
        assert not (stopped / "weights.safetensors").exists()
        assert train("--resume", stopped).exit_code == 0
    whole, again = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "stopped"))
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_a_killed_run_resumes_from_its_last_epoch(spec: Path, tmp_path: Path) -> None:
    flags = ("--epochs", "4", "--seed", "6")
    assert train(spec, "--out", tmp_path / "whole", *flags).exit_code == 0
    killed = tmp_path / "killed"
    process = begin("train", spec, "--out", killed, *flags)
    end = time.monotonic() + 60
    while not (killed / "latest").exists() and time.monotonic() < end:
        if process.poll() is not None:
            break
        time.sleep(0.002)
    process.kill()
    process.communicate()
    if not (killed / "weights.safetensors").exists():
        assert train("--resume", killed).exit_code == 0
    whole, again = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "killed"))
    assert all(torch.equal(whole[name], again[name]) for name in whole)


Ended = tuple[int | None, str]  # the exit status and standard error of a run


def by_torchrun(*arguments: str | Path) -> Ended:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    run = [*torchrun, "-m", "archspec", "train", *map(str, arguments)]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stderr


def forked(*arguments: str | Path) -> Ended:
    group = together(2, "train", *arguments)
    said = group.communicate()[1]
    return group.returncode, said


@pytest.mark.parametrize("start", [forked, pytest.param(by_torchrun, marks=pytest.mark.slow)])
def test_two_processes_end_with_the_weights_of_one(start: Callable[..., Ended], tmp_path: Path) -> None:
    spec = tmp_path / "plain.arch"  # no BN and no dropout, whose values belong to a process
    spec.write_text("net Plain\n[8x8x1] INPUT\nCONV 8 3x3 p1 -> RELU -> POOL 2x2 s2\nFC 10\n")
    flags = ("--epochs", "2")
    assert train(spec, "--out", tmp_path / "one", "--batch", "32", *flags).exit_code == 0
    status, said = start(spec, "--out", tmp_path / "two", "--batch", "16", *flags)
    assert status == 0, said
    assert said.count("top-1") == 3  # the first process alone
    runs = ("one", "two")
    one, two = (load_file(tmp_path / name / "weights.safetensors") for name in runs)
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-3, atol=1e-4)
    # 359 held-out images are no even number: each counts once, as in one process
    summary = json.loads((tmp_path / "two" / "summary.json").read_text())
    mistakes = [
        set(re.findall(r"digit \d+(?=</span>)", (tmp_path / name / "report.html").read_text())) for name in runs
    ]
    assert [*map(len, mistakes)] == [12, 12]
    assert (
        len(set.intersection(*mistakes)) >= 10
    )  # those of both processes, and the weights are not the same to the bit
    judged = CliRunner().invoke(main, ["eval", str(tmp_path / "two"), "--json"])
    assert judged.exit_code == 0, judged.output
    assert (summary["images"], summary["top1"]) == (359, json.loads(judged.stdout)["top1"])


# ---- bad input
def test_bad_folders_get_one_message_each(colour: Path, photos: Path, tmp_path: Path) -> None:
    empty, single, half = tmp_path / "empty", tmp_path / "single", tmp_path / "half"
    empty.mkdir()
    (single / "cats").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(single / "cats" / "a.png")
    (half / "train").mkdir(parents=True)
    cases = {
        empty: "has no folders of images",
        single: "has only one class, `cats`",
        half: "has a folder `train` but no `val`",
        tmp_path / "missing": "no such folder",
    }
    for place, said in cases.items():
        result = train(colour, "--data", place, "--out", tmp_path / "run", "--epochs", "1")
        assert result.exit_code == 1, result.output
        assert said in result.stderr
        assert "Traceback" not in result.output


def refused_folder(spec: Path, folder: Path) -> str:
    """What a run says of a folder that it refuses, on one line."""
    result = train(spec, "--data", folder, "--out", folder.parent / "run", "--epochs", "1", "--workers", "0")
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert "error[E450]" in result.stderr
    return " ".join(result.stderr.split())


def test_a_class_whose_name_is_not_text_is_refused(colour: Path, photos: Path) -> None:
    for split in ("train", "val"):
        os.rename(os.fsencode(photos / split / "dark"), os.fsencode(photos / split) + b"/d\xe4rk")  # noqa: PTH104
    assert "'d\\udce4rk'" in refused_folder(colour, photos)


def test_hidden_folders_and_links_below_a_class_are_ignored(photos: Path) -> None:
    plain = folder(photos, Volume((8, 8, 3)), Recipe())
    (photos / "train" / ".cache").mkdir()
    shutil.copytree(photos / "train" / "dark", photos / "train" / "light" / ".thumbnails")
    shutil.copy(photos / "train" / "dark" / "0.png", photos / "train" / "light" / "._0.png")
    (photos / "train" / "light" / "up").symlink_to(photos)
    (photos / "train" / "loop").symlink_to(photos / "train" / "loop")
    found = folder(photos, Volume((8, 8, 3)), Recipe())
    assert (found.class_names, len(found.train)) == (plain.class_names, len(plain.train)) == (("dark", "light"), 48)
    assert found.fingerprint == plain.fingerprint


@pytest.mark.parametrize("target", ["train", ".", "train/dark", "train/dark/inner"])
def test_a_link_that_makes_one_folder_two_classes_is_refused(target: str, colour: Path, photos: Path) -> None:
    (photos / "train" / "dark" / "inner").mkdir()
    (photos / "train" / "more").symlink_to(photos / target)
    said = refused_folder(colour, photos)
    assert "is a link to a folder that contains it" in said or "are the same folder" in said


def test_a_link_to_a_folder_elsewhere_is_a_class(photos: Path, tmp_path: Path) -> None:
    (photos / "train" / "dark").rename(tmp_path / "elsewhere")
    (photos / "train" / "dark").symlink_to(tmp_path / "elsewhere")
    assert len(folder(photos, Volume((8, 8, 3)), Recipe()).train) == 48


def test_a_class_without_images_to_train_on_is_named(colour: Path, photos: Path) -> None:
    flat = photos / "train"
    first, *others = (flat / "light").iterdir()
    for path in others:
        path.unlink()
    assert "the class `light` has no image to train on" in refused_folder(colour, flat)
    first.write_bytes(b"no image")
    assert "the class `light` has no image to train on" in refused_folder(colour, photos)


def test_a_split_without_readable_images_is_refused(colour: Path, photos: Path) -> None:
    for name in ("dark", "light"):
        for path in [*(photos / "val" / name).iterdir()][2:]:
            path.unlink()
        for path in (photos / "val" / name).iterdir():
            path.write_bytes(b"no image")
    assert "none of the held-out images can be read" in refused_folder(colour, photos)


def test_a_fingerprint_depends_on_the_files_of_a_folder_not_on_its_path(photos: Path, tmp_path: Path) -> None:
    one = folder(photos, Volume((8, 8, 3)), Recipe())
    moved = photos.rename(tmp_path / "moved")
    other = folder(moved, Volume((9, 9, 1)), Recipe(seed=3))
    assert (one.source, one.fingerprint) == ("folder", other.fingerprint)
    (moved / "val" / "dark" / "0.png").unlink()
    assert folder(moved, Volume((9, 9, 1)), Recipe()).fingerprint != one.fingerprint
    bundled = digits(Volume((8, 8, 1)), 0)
    assert (bundled.source, bundled.fingerprint) == ("digits", "")


@pytest.mark.parametrize("workers", ["0", "1"])
def test_damaged_images_are_reported_counted_and_left_out(
    colour: Path, photos: Path, tmp_path: Path, workers: str
) -> None:
    whole, text = photos / "train" / "dark" / "0.png", photos / "val" / "light" / "0.png"
    whole.write_bytes(whole.read_bytes()[:-200])  # its head is fine
    text.write_text("no image")
    flags = ("--batch", "8", "--epochs", "2", "--workers", workers)
    result = train(colour, "--data", photos, "--out", tmp_path / "run", *flags)
    assert result.exit_code == 0, result.output
    assert f"cannot read `{text}`: left out" in result.stderr
    assert f"cannot read `{whole}`: replaced by another image" in result.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["damaged_images"] == sorted(map(str, (whole, text)))
    assert summary["images"] == 11


@pytest.mark.parametrize("damage", ["no image", "half"])
def test_too_many_damaged_images_end_a_run(colour: Path, photos: Path, tmp_path: Path, damage: str) -> None:
    for path in [*(photos / "train" / "dark").iterdir()][:12]:
        path.write_bytes(b"no image" if damage == "no image" else path.read_bytes()[:-200])
    flags = ("--batch", "8", "--epochs", "9", "--workers", "0")
    result = train(colour, "--data", photos, "--out", tmp_path / "run", *flags)
    assert result.exit_code == 1
    assert "images cannot be read; at most 10 may be left out" in result.stderr
    assert not (tmp_path / "run" / "weights.safetensors").exists()


def test_colour_images_for_a_network_of_one_channel_are_refused(photos: Path, tmp_path: Path) -> None:
    spec = tmp_path / "gray.arch"
    spec.write_text("[16x16x1] INPUT\nCONV 4 3x3\nGAP -> FC 2\n")
    result = train(spec, "--data", photos, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "the network takes 1 channel" in result.stderr
    assert "`--input 16x16x3`" in result.stderr


def test_fewer_images_than_a_step_takes_are_refused(colour: Path, photos: Path, tmp_path: Path) -> None:
    result = train(colour, "--data", photos, "--out", tmp_path / "run", "--batch", "64")
    assert result.exit_code == 1
    assert "a step takes 64 images, and there are 48 to train on" in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[8x8x3] INPUT\nTOKENS\n", "has no weights"),
        ("[8x8x3] INPUT\nTOKENS -> FC 4\n", "is not an image classifier: it maps [8x8x3] to [64x4]"),
        ("[8x8x3] INPUT\nCONV 4 8x8\n", "is not an image classifier: it maps [8x8x3] to [1x1x4]"),
        ("[8x8x3] INPUT\nCONV 4 3x3 s2 p1\n", "it has no class scores for each pixel"),
        ("[8x8x3] INPUT\nCONV 4 3x3 -> UPSAMPLE 2\n", "it has no class scores for each pixel"),
        ("[8x8x3] INPUT\nCONV 4 3x3 p2\n", "it has no class scores for each pixel"),
        ("[8x8x3] INPUT\nCONV 4 3x3\n", "a map of classes: it learns from images with masks"),
        ("[9x8] INPUT\nGAP -> FC 10\n", "is not an image classifier"),
        ("[8x8x1] INPUT\nFC ten\n", "unknown"),
    ],
)
def test_a_spec_that_cannot_be_trained_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "wrong.arch"
    path.write_text(text)
    result = train(path, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert said in result.stderr


def test_a_folder_that_contains_a_run_is_left_unchanged(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert train(spec, "--out", out, "--epochs", "1").exit_code == 0
    before = (out / "weights.safetensors").read_bytes()
    result = train(spec, "--out", out, "--epochs", "1")
    assert result.exit_code == 1
    assert "choose another folder with `--out`" in result.stderr
    assert (out / "weights.safetensors").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_refused(spec: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = train(spec, "--out", tmp_path / "file" / "run")
    assert result.exit_code == 1
    assert "cannot write into" in result.stderr


@pytest.mark.parametrize("damage", [lambda data: data[:-100], lambda data: b"", lambda data: b"PK" + data[:50]])
def test_a_damaged_checkpoint_is_refused(spec: Path, tmp_path: Path, damage: object) -> None:
    out = tmp_path / "run"
    assert train(spec, "--out", out, "--epochs", "1").exit_code == 0
    (path,) = out.glob("checkpoint-*.pt")
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    result = train("--resume", out)
    assert result.exit_code == 1
    assert "no intact checkpoint in" in result.stderr


def test_no_code_in_a_checkpoint_is_run(spec: Path, tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, (f"touch {tmp_path / 'harmed'}",)

    torch.save({"rows": Harmful()}, tmp_path / "checkpoint-000000001.pt")
    assert train("--resume", tmp_path).exit_code == 1
    assert not (tmp_path / "harmed").exists()


def test_resuming_an_empty_folder_is_refused(tmp_path: Path) -> None:
    result = train("--resume", tmp_path)
    assert result.exit_code == 1
    assert "no checkpoint in" in result.stderr


def test_weights_of_another_spec_are_refused_at_the_first_difference(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert train(spec, "--out", out, "--epochs", "1").exit_code == 0
    state, about = weights.read(out / "weights.safetensors")
    about["bundle"]["text"] = SMALL.replace("CONV 8", "CONV 9")
    weights.write(out / "weights.safetensors", state, about)
    result = CliRunner().invoke(main, ["export", str(out / "weights.safetensors"), "-o", str(tmp_path / "net.onnx")])
    assert result.exit_code == 1
    assert "`conv1.weight` is 8x1x3x3" in result.stderr
    assert not (tmp_path / "net.onnx").exists()


@pytest.mark.parametrize(
    "arguments", [(), ("lenet5", "--resume", "x"), ("lenet5", "--epochs", "0"), ("lenet5", "--lr", "0")]
)
def test_invalid_usage_exits_with_status_2(arguments: tuple[str, ...]) -> None:
    assert train(*arguments).exit_code == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about a machine without CUDA")
@pytest.mark.parametrize("flags", [("--device", "cuda"), ("--amp", "fp16")])
def test_unavailable_cuda_is_reported(spec: Path, flags: tuple[str, ...]) -> None:
    result = train(spec, *flags)
    assert result.exit_code == 1
    assert "CUDA" in result.stderr


def test_resuming_a_missing_folder_says_so(tmp_path: Path) -> None:
    result = train("--resume", tmp_path / "gone")
    assert result.exit_code == 1
    assert "no such folder" in result.stderr
