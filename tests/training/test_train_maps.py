"""Networks whose output is a map of classes: a run equals a plain loop, and everything around it knows pixels."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from torch import nn

import archspec
from archspec.cli import main
from archspec.compiler import build
from archspec.compiler.data.dataset import Shuffled
from archspec.compiler.data.maps.pair_data import pair_data, pair_files
from archspec.compiler.data.maps.pair_folder import pair_folder
from archspec.compiler.data.maps.pairs import MapVolumes, Pairs
from archspec.compiler.inference.classify import Classifier
from archspec.compiler.training.loop.schedule import rate
from archspec.compiler.weights import files as weights
from archspec.compiler.weights.model_metadata import MAP, ModelMetadata
from archspec.recipe import Recipe, from_dict
from support.pair_folders import NAMES, write_pairs

SPEC = "net Tiny\n[14x14x3] INPUT\nCONV 6 3x3 -> RELU\nCONV 6 3x3 same -> RELU\nCONV 2 1x1\n"  # outputs [12x12x2]
OF_THREE = SPEC.replace("CONV 2", "CONV 3")
EPOCHS = ("--epochs", "2", "--workers", "0")
STEP = ("--batch", "4", "--accumulate", "2")
SGD = ("--optimizer", "sgd", "--lr", "0.1", "--clip", "0")


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spec, a folder of pairs, and a run of it."""
    root = tmp_path_factory.mktemp("maps")
    write_pairs(root / "shapes", {"train": 16, "val": 5}, 16)
    (root / "tiny.arch").write_text(SPEC)
    flags = ("--data", root / "shapes", "--out", root / "run", *EPOCHS, *STEP, *SGD)
    result = command("train", root / "tiny.arch", *flags)
    assert result.exit_code == 0, result.output
    (root / "said.txt").write_text(result.stderr)
    return root


def recorded(run: Path) -> tuple[dict[str, torch.Tensor], Recipe]:
    state, about = weights.read(run / "weights.safetensors")
    return state, from_dict(about["recipe"])


def test_a_run_equals_a_plain_loop_over_the_same_batches(root: Path) -> None:
    state, recipe = recorded(root / "run")
    network = archspec.loads(OF_THREE)
    data = pair_data(pair_files(pair_folder(root / "shapes")), MapVolumes(network.input, network.output), recipe)
    module = build(network, seed=recipe.seed)
    decayed, others = (
        [one for one in module.parameters() if (one.dim() > 1) == is_kernel] for is_kernel in (True, False)
    )
    sgd = torch.optim.SGD(decayed, lr=0.1, momentum=recipe.momentum, weight_decay=recipe.weight_decay)
    sgd.add_param_group({"params": others, "weight_decay": 0.0})
    loss_of = nn.CrossEntropyLoss(ignore_index=255)
    mean, std = (torch.tensor(one)[:, None, None] for one in (data.mean, data.std))
    order = Shuffled(len(data.train), recipe.seed, 0, 1)
    for epoch in range(2):
        order.epoch = epoch
        keys = list(order)
        for step in range(2):
            batch = data.train.__getitems__(keys[8 * step : 8 * step + 8])
            for group in sgd.param_groups:
                group["lr"] = 0.1 * rate(recipe, epoch + step / 2)
            sgd.zero_grad()
            loss_of(module((batch.images.float() / 255 - mean) / std), batch.classes.long()).backward()
            sgd.step()
    for name, value in module.state_dict().items():
        torch.testing.assert_close(state[name], value, rtol=1e-4, atol=1e-6)


def test_the_summary_the_page_and_eval_give_the_same_iou_as_a_loop(root: Path) -> None:
    state, recipe = recorded(root / "run")
    network = archspec.loads(OF_THREE)
    module = build(network).eval()
    module.load_state_dict(state)
    data = pair_data(pair_files(pair_folder(root / "shapes")), MapVolumes(network.input, network.output), recipe)
    batch = data.held_out.__getitems__([(place, -1) for place in range(5)])
    mean, std = (torch.tensor(one)[:, None, None] for one in (data.mean, data.std))
    with torch.no_grad():
        scores = module((batch.images.float() / 255 - mean) / std)
    truth, guesses = batch.classes.long(), scores.argmax(1)
    counted = truth != 255
    ious = []
    for one in range(3):
        union = (((truth == one) | (guesses == one)) & counted).sum().item()
        if union:
            ious.append(((truth == one) & (guesses == one)).sum().item() / union)
    summary = json.loads((root / "run/summary.json").read_text())
    assert summary["mean_iou"] == pytest.approx(sum(ious) / len(ious))
    assert summary["pixel_accuracy"] == pytest.approx((guesses == truth)[counted].float().mean().item())
    assert summary["loss"] == pytest.approx(nn.CrossEntropyLoss(ignore_index=255)(scores, truth).item(), rel=1e-5)
    assert (summary["images"], summary["classes"]) == (5, 3)
    rows = [json.loads(line) for line in (root / "run/metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["mean_iou"] == summary["mean_iou"]
    assert summary["best_mean_iou"] == max(row["mean_iou"] for row in rows)
    assert "top1" not in rows[-1]
    assert weights.read(root / "run/best.safetensors")[1]["mean_iou"] == summary["best_mean_iou"]
    found = json.loads(command("eval", root / "run", "--data", root / "shapes", "--json", "--workers", "0").stdout)
    assert found == {**found, **json.loads((root / "run/evaluation.json").read_text())}
    assert found["mean_iou"] == summary["mean_iou"]
    page = (root / "run/report.html").read_text()
    assert page.count('title="prediction"') == page.count('title="mask"') == 5
    assert f"{100 * summary['mean_iou']:.2f} %" in page
    assert all(f"</i>{name}</span>" in page for name in NAMES)
    for tag in ("figure", "div", "span", "p", "table", "i"):
        assert len(re.findall(rf"<{tag}[ >]", page)) == page.count(f"</{tag}>"), tag


def test_the_first_lines_say_where_the_classes_come_from(root: Path) -> None:
    said = (root / "said.txt").read_text()
    assert "Tiny outputs 2 classes, the data have 3: using 3 classes" in said
    assert "3 classes (named in `classes.txt`), 16 images with masks to train on, 5 held out in `val`" in said
    assert "masks           cropped to the central 12x12 of 14x14 pixels, as the output; 255 is ignored" in said
    assert "cross-entropy of pixels" in said
    assert re.search(r"^mean IoU \d+\.\d+ % \(\d+\.\d+ % of [\d,]+ pixels of 5 held-out images\)", said, re.MULTILINE)


def test_a_resumed_run_has_the_weights_of_an_uninterrupted_one(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "run", tmp_path / "run")
    (tmp_path / "run/weights.safetensors").unlink()
    max((tmp_path / "run").glob("checkpoint-*.pt")).unlink()
    result = command("train", "--resume", tmp_path / "run", "--workers", "0")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run/weights.safetensors").read_bytes() == (root / "run/weights.safetensors").read_bytes()


def test_the_classes_of_pixels_are_counted_the_most_frequent_first() -> None:
    classifier = Classifier(Path("net.onnx"), Mock(), Mock(), ModelMetadata("Net", MAP, NAMES), Mock())
    output = np.zeros((3, 2, 2))
    output[1, 0], output[2, 1, 0] = 5, 3  # boxes above, a disc below, and ground where all are equal
    assert [(one.name, one.pixels, one.share) for one in classifier.shares(output)] == [
        ("box", 2, 0.5),
        ("ground", 1, 0.25),
        ("disc", 1, 0.25),
    ]


@pytest.mark.slow
def test_an_exported_map_says_how_many_pixels_are_of_which_class(root: Path, tmp_path: Path) -> None:
    assert command("export", root / "run", "-o", tmp_path / "net.onnx").exit_code == 0
    image = root / "shapes/val/images/0.png"
    entry = json.loads(command("run", tmp_path / "net.onnx", image, "--json").stdout)["images"][0]
    assert (entry["size"], sum(one["pixels"] for one in entry["classes"])) == ([12, 12], 144)
    state, recipe = recorded(root / "run")
    network = archspec.loads(OF_THREE)
    module = build(network).eval()
    module.load_state_dict(state)
    own = Pairs([image], [root / "shapes/val/masks/0.png"], MapVolumes(network.input, network.output), recipe)
    about = weights.read(root / "run/weights.safetensors")[1]
    mean, std = (torch.tensor(about[name])[:, None, None] for name in ("mean", "std"))
    with torch.no_grad():
        guesses = module((own.__getitems__([(0, -1)]).images.float() / 255 - mean) / std).argmax(1)
    counts = torch.bincount(guesses.flatten(), minlength=3).tolist()
    assert {one["name"]: one["pixels"] for one in entry["classes"]} == {
        name: count for name, count in zip(NAMES, counts, strict=True) if count
    }
    text = command("run", tmp_path / "net.onnx", image).stdout.splitlines()
    assert text[0] == f"{image}: share of 12x12 pixels"
    assert text[1] == f"{100 * max(counts) / 144:6.2f} %  {NAMES[int(np.argmax(counts))]}"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--mixup", "0.2"), "`--mixup` changes images, but not their masks"),
        (("--sampling", "balanced"), "`--sampling balanced` requires one class per image"),
        (("--pipeline", "2"), "`--pipeline` does not work with a network whose output is a map"),
    ],
)
def test_what_does_not_suit_masks_is_refused(root: Path, flags: tuple[str, ...], said: str) -> None:
    result = command("train", root / "tiny.arch", "--data", root / "shapes", "--dry-run", *flags)
    assert result.exit_code == 1
    assert said in result.stderr


def test_a_classifier_does_not_take_images_and_masks_for_two_classes(root: Path) -> None:
    (root / "flat.arch").write_text("[14x14x3] INPUT\nGAP -> FC 2\n")
    result = command("train", root / "flat.arch", "--data", root / "shapes", "--dry-run")
    assert result.exit_code == 1
    assert f"`{root}/shapes` has images and masks, but flat outputs one class per image" in result.stderr


def test_class_weights_are_of_pixels(root: Path) -> None:
    flags = ("--data", root / "shapes", "--dry-run", "--class-weights", "balanced", "--json")
    plan = json.loads(command("train", root / "tiny.arch", *flags).stdout)
    masks = [np.asarray(Image.open(path)) for path in (root / "shapes/train/masks").iterdir()]
    counts = np.bincount(np.stack(masks).ravel(), minlength=256)[:3]
    assert list(plan["class_weights"]) == list(NAMES)
    assert np.allclose(list(plan["class_weights"].values()), counts.sum() / (3 * counts))
    assert plan["recipe"]["label_smoothing"] == 0
    assert plan["memory_bytes"] == archspec.loads(OF_THREE).training_bytes(8)


def test_a_broken_mask_is_left_out_and_named(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "shapes", tmp_path / "shapes")
    (tmp_path / "shapes/train/masks/3.png").write_bytes(b"none")
    result = command("train", root / "tiny.arch", "--data", tmp_path / "shapes", "--dry-run")
    assert f"cannot read `{tmp_path}/shapes/train/masks/3.png`: left out" in result.stderr
    assert "15 images with masks to train on" in result.stdout


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), "outputs a map of classes: it is evaluated on images with masks"),
        (("--data", "shapes", "--tta", "flip"), "for which `--tta` is not supported"),
        (("--data", "other"), "and `run/weights.safetensors` have different classes"),
        (("--data", "shapes", "--split", "test"), "`shapes` has no folder `test`"),
    ],
)
def test_an_evaluation_that_is_impossible_says_why(
    root: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(root)
    (root / "other").mkdir(exist_ok=True)
    (root / "other/classes.txt").write_text("box\nground\ndisc\n")
    result = command("eval", "run", *flags)
    assert result.exit_code == 1
    assert said in result.stderr


def test_other_parts_and_folders_are_evaluated_whole(root: Path, tmp_path: Path) -> None:
    train = command("eval", root / "run", "--data", root / "shapes", "--split", "train", "--workers", "0").stdout
    assert train.startswith(f"`{root}/shapes`: 16 images with masks in `train`, used in training\n")
    write_pairs(tmp_path, {"": 4}, 16, seed=7)
    lines = command("eval", root / "run", "--data", tmp_path, "--workers", "0").stdout.splitlines()
    assert lines[0] == f"`{tmp_path}`: all 4 images with masks (the run was trained on other files)"
    assert lines[3].startswith("mean IoU        ")
    assert [line.split()[0] for line in lines[6:]] == ["class", *NAMES]


@pytest.mark.slow
def test_two_processes_learn_what_one_does(root: Path, tmp_path: Path) -> None:
    """Their batches have different numbers of pixels that count, and the loss is the mean over all of them."""
    shutil.copytree(root / "shapes", tmp_path / "shapes")
    for path in sorted((tmp_path / "shapes/train/masks").iterdir())[::3]:
        values = np.asarray(Image.open(path)).copy()
        values[:11] = 255
        Image.fromarray(values).save(path)
    base = ["train", root / "tiny.arch", "--data", tmp_path / "shapes", *EPOCHS, *SGD]
    for name, flags in (("one", ["--batch", "8"]), ("two", ["--batch", "4", "--processes", "2"])):
        words = [sys.executable, "-m", "archspec", *base, *flags, "--accumulate", "1", "--out", tmp_path / name]
        subprocess.run(list(map(str, words)), check=True, capture_output=True)
    one, two = (recorded(tmp_path / name)[0] for name in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-4, atol=1e-6)
    first, second = (json.loads((tmp_path / name / "evaluation.json").read_text()) for name in ("one", "two"))
    assert (first["images"], first["pixels"]) == (second["images"], second["pixels"])
    pages = [(tmp_path / name / "report.html").read_text().count('title="prediction"') for name in ("one", "two")]
    assert pages == [5, 5]
