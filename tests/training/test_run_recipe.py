"""Which recipe a run takes: the spec's, one chosen for the images, and what the flags make of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

import archspec
from archspec.cli import main
from archspec.compiler.training.setup.chosen_recipe import chosen_recipe, step_images, usual_rate
from archspec.recipe import OPTIMIZER_DEFAULTS
from support.image_folders import write_images

SECTION = "train\n    optimizer adamw weight_decay=0.3\n    lr 0.004 for batch 256, cosine\n    epochs 90\n"


def train(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments), "--dry-run"])


def planned(*arguments: object) -> dict[str, Any]:
    result = train(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


# ---- which recipe
def test_a_built_in_network_gets_a_recipe_for_its_images_and_the_paper_s_is_a_word_away() -> None:
    paper = archspec.load("resnet18").recipe
    assert paper is not None
    found = planned("resnet18", "--input", "32x32x3")
    assert found["recipe"]["epochs"] == 30
    assert found["why"]["recipe"].startswith("chosen for 1,438 images of [32x32x3], 10 classes and the network")
    assert found["why"]["optimizer"] == "the network has batch normalisation"
    found = planned("resnet18", "--input", "32x32x3", "--recipe", "paper")
    assert (found["recipe"]["epochs"], found["recipe"]["lr"]) == (paper.epochs, paper.lr)
    assert found["lr"] == pytest.approx(paper.lr * found["step_images"] / 256)
    assert found["why"] == {"recipe": "the `train` section of `resnet18.arch`"}


def test_a_file_s_own_section_is_used_unless_another_recipe_is_asked_for(tmp_path: Path) -> None:
    spec = tmp_path / "own.arch"
    spec.write_text(f"[8x8x1] INPUT\nFC 10\n{SECTION}")
    assert planned(spec)["recipe"]["epochs"] == 90
    assert planned(spec, "--recipe", "auto")["recipe"]["epochs"] == 30
    spec.write_text("[8x8x1] INPUT\nFC 10\n")
    assert planned(spec)["recipe"]["epochs"] == 30
    result = train(spec, "--recipe", "paper")
    assert result.exit_code == 1
    assert "has no `train` section" in result.stderr


def test_the_plan_shows_the_recipe_with_its_reasons_in_100_columns() -> None:
    lines = train("vit", "--input", "32x32x3", "--set", "patch=8").stdout.splitlines()
    assert all(len(line) <= 100 for line in lines)
    text = " ".join(" ".join(lines).split())
    assert "AdamW, betas 0.9 and 0.999 (the network has attention)" in text
    assert "`--recipe paper` takes that of its `train` section" in text


# ---- rates
def test_lr_is_the_rate_of_the_run_unless_it_is_for_a_batch() -> None:
    for recipe in ("auto", "paper"):
        plain = ("resnet18", "--input", "32x32x3", "--batch", 32, "--recipe", recipe, "--lr", 0.02)
        assert planned(*plain)["lr"] == 0.02
        assert planned(*plain, "--lr-for-batch", 256)["lr"] == pytest.approx(0.02 * 32 / 256)
        assert "0.02 x 32/256 = 0.0025" in train(*plain, "--lr-for-batch", 256).stdout
    result = train("lenet5", "--lr-for-batch", 256)
    assert result.exit_code == 2
    assert "--lr-for-batch requires --lr RATE" in result.stderr


@pytest.mark.parametrize("recipe", ["auto", "paper"])
@pytest.mark.parametrize("optimizer", ["adamw", "rmsprop", "sgd"])
def test_an_optimizer_brings_its_own_rate_decay_and_momentum(recipe: str, optimizer: str) -> None:
    flags = ("resnet18", "--input", "32x32x3", "--batch", 32)
    found = planned(*flags, "--recipe", recipe, "--optimizer", optimizer)
    if recipe == "auto" or optimizer != "sgd":  # the paper's own
        rate, why = usual_rate(archspec.load("resnet18"), optimizer, 32)
        assert (found["lr"], found["why"]["lr"]) == (rate, why)
        assert found["recipe"]["weight_decay"] == OPTIMIZER_DEFAULTS[optimizer]["weight_decay"]
    else:
        assert found["recipe"]["weight_decay"] == 1e-4


def test_two_processes_take_the_rate_of_all_their_images() -> None:
    network = archspec.load("resnet18", input="32x32x3")
    one, _ = usual_rate(network, "sgd", 64)
    two, _ = usual_rate(network, "sgd", 128)
    assert two == 2 * one
    assert usual_rate(network, "adamw", 256)[0] == 2 * usual_rate(network, "adamw", 64)[0]
    assert usual_rate(archspec.load("vgg11"), "sgd", 64)[0] < one


# ---- choices
@pytest.mark.parametrize(("images", "step"), [(100, 32), (3_068, 32), (4_096, 64), (50_000, 256), (1_281_167, 256)])
def test_an_epoch_has_at_least_64_steps_where_there_are_images_enough(images: int, step: int) -> None:
    assert step_images(images) == step


def test_few_images_get_large_crops_and_every_run_a_warm_up() -> None:
    network = archspec.load("resnet18")
    few, many = (chosen_recipe(network, images, True, {}).recipe for images in (3_000, 1_200_000))
    assert (few.area, many.area) == (0.35, 0.08)
    assert (few.warmup, few.flip, few.label_smoothing) == (3.0, True, 0.1)
    assert chosen_recipe(network, 3_000, True, {"epochs": 12}).recipe.warmup == 3.0
    assert chosen_recipe(network, 3_000, True, {"epochs": 1}).recipe.warmup == 0.25
    digits = chosen_recipe(network, 1_438, False, {}).recipe
    assert (digits.flip, digits.area, digits.label_smoothing) == (False, 0.0, 0.0)


@pytest.mark.parametrize(
    ("network", "optimizer", "clip"),
    [("resnet18", "sgd", 0.0), ("vit", "adamw", 1.0), ("mixer", "adamw", 1.0), ("convnext", "adamw", 1.0)],
)
def test_the_optimizer_fits_the_network(network: str, optimizer: str, clip: float) -> None:
    recipe = chosen_recipe(archspec.load(network), 3_000, True, {}).recipe
    assert (recipe.optimizer, recipe.clip) == (optimizer, clip)


# ---- what a flag changes along with itself
def test_what_is_counted_in_epochs_keeps_its_share_in_a_chosen_recipe() -> None:
    found = planned("lenet5", "--epochs", 3, "--schedule", "step")["recipe"]
    assert found["milestones"] == pytest.approx([1, 2, 8 / 3])
    assert planned("lenet5", "--epochs", 60, "--schedule", "plateau")["recipe"]["patience"] == 10


def test_a_reason_goes_with_the_way_to_crop_that_a_flag_replaces(tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (0, 0, len(list(tmp_path.rglob("*"))))).save(tmp_path / name)
    plain = ("lenet5", "--input", "32x32x3", "--data", tmp_path)
    assert planned(*plain)["why"]["area"] == "few images: crops keep much of each"
    assert "area" not in planned(*plain, "--pad", 4)["why"]
    many = ("--pad", 4, "--randaugment", 9, "--erasing", 0.25, "--color", 0.4, "--mixup", 0.2, "--cutmix", 1)
    lines = [line for line in train(*plain, *many).stdout.splitlines() if str(tmp_path) not in line]
    assert any("cutmix 1" in line for line in lines)
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("flag", ["--pad", "--randaugment"])
def test_flags_for_photographs_are_refused_for_the_digits(flag: str) -> None:
    result = train("lenet5", flag, 4)
    assert result.exit_code == 2
    assert f"{flag} requires --data: the bundled digits are only shifted" in result.stderr


@pytest.mark.parametrize("other", [("--crop", 1.2), ("--area", 0.2), ("--scale", 1, 2)])
def test_padding_is_refused_beside_another_way_to_crop(other: tuple[object, ...]) -> None:
    result = train("lenet5", "--data", ".", "--pad", 4, *other)
    assert result.exit_code == 2
    assert f"--pad and {other[0]} are two ways to crop: leave out one" in result.stderr


def test_a_reason_is_not_given_for_what_a_flag_has_changed(tmp_path: Path) -> None:
    photos = write_images(tmp_path, {"cat": 50, "dog": 50})
    flags = ("resnet18", "--input", "32x32x3", "--data", photos)
    assert {"area", "batch"} <= planned(*flags)["why"].keys()
    for crop in (("--crop", 1.2), ("--pad", 4), ("--scale", 1, 2)):
        assert "area" not in planned(*flags, *crop)["why"]
    assert "batch" not in planned(*flags, "--accumulate", 2)["why"]
