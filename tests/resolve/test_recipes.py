"""Recipes: every setting of a `train` section with its words, bounds and defaults; `use ...: train`; the papers'."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archspec
from archspec.diagnostics.findings import MAX_SHOWN
from archspec.library import built_in
from archspec.recipe import Recipe, from_dict
from archspec.resolve.train_section import UNSAID
from archspec.resolve.train_section.settings import EXAMPLES, SETTINGS
from support.helps import findings_in, trials

BODY = "[8x8x3] INPUT\nFC 10\n"
LABELLED = "[8x8x3] INPUT\nclass: FC 10\nRELU\nteacher: FC 10\n"


def recipe(*settings: str) -> Recipe:
    body = LABELLED if any(line.startswith("loss") for line in settings) else BODY
    found = archspec.loads(f"{body}train\n" + "".join(f"    {line}\n" for line in settings)).recipe
    assert found is not None
    return found


def refused(*settings: str) -> list[str]:
    with pytest.raises(archspec.ArchspecError) as caught:
        recipe(*settings)
    assert {finding.code for finding in caught.value.diagnostics} <= {"E011", "E001"}
    return [finding.message for finding in caught.value.diagnostics]


# ---- settings ------------------------------------------------------------------------------------------------------
READ: list[tuple[str, dict[str, Any]]] = [
    ("optimizer sgd", {"optimizer": "sgd", "momentum": 0.9, "nesterov": False, "weight_decay": 5e-4}),
    ("optimizer sgd momentum=0.8 weight_decay=1e-4", {"momentum": 0.8, "weight_decay": 1e-4}),
    ("optimizer sgd nesterov, momentum=0", {"nesterov": True, "momentum": 0.0}),
    ("optimizer adamw", {"optimizer": "adamw", "momentum": 0.9, "beta2": 0.999, "weight_decay": 0.05, "lr": 5e-4}),
    ("optimizer adamw beta1=0.8 beta2=0.95 weight_decay=0.3", {"momentum": 0.8, "beta2": 0.95, "weight_decay": 0.3}),
    ("optimizer rmsprop", {"optimizer": "rmsprop", "momentum": 0.9, "beta2": 0.9, "eps": 1e-3, "weight_decay": 1e-5}),
    ("optimizer rmsprop decay=0.99 momentum=0 eps=1", {"beta2": 0.99, "momentum": 0.0, "eps": 1.0}),
    ("lr 0.1", {"lr": 0.1, "schedule": "cosine", "lr_end": 0.0, "batch": 32, "reference_batch": 32}),
    ("lr 0.1 for batch 256", {"lr": 0.1, "batch": 256, "reference_batch": 256}),
    ("lr 0.1, constant", {"schedule": "constant"}),
    ("lr 4e-3 for batch 4096, cosine", {"schedule": "cosine", "lr_end": 0.0}),
    ("lr 4e-3, linear to 1e-5", {"schedule": "linear", "lr_end": 1e-5}),
    ("lr 4e-3, cosine to 1e-5", {"schedule": "cosine", "lr_end": 1e-5}),
    ("lr 0.1, divided by 10 on plateau", {"schedule": "plateau", "factor": 0.1, "patience": 5}),
    ("lr 0.1, divided by 5 on plateau of 8 epochs", {"schedule": "plateau", "factor": 0.2, "patience": 8}),
    ("lr 0.1, divided by 2 on plateau of 1 epoch", {"factor": 0.5, "patience": 1}),
    ("lr 0.1, divided by 10 at 5 10 20", {"schedule": "step", "factor": 0.1, "milestones": (5.0, 10.0, 20.0)}),
    ("lr 0.1 divided by 4 at epochs 5, 7.5", {"schedule": "step", "factor": 0.25, "milestones": (5.0, 7.5)}),
    ("lr 0.1, divided by 10 at epoch 20", {"milestones": (20.0,)}),
    ("lr 0.1, times 0.97 every 2.4 epochs", {"schedule": "exponential", "factor": 0.97, "every": 2.4}),
    ("lr 0.1, times 0.5 every 1 epoch", {"schedule": "exponential", "factor": 0.5, "every": 1.0}),
    ("warmup 5", {"warmup": 5.0}),
    ("warmup 2.5 epochs", {"warmup": 2.5}),
    ("warmup 1 epoch", {"warmup": 1.0}),
    ("epochs 90", {"epochs": 90}),
    ("augment", {"flip": False, "crop": 1.0, "color": 0.0}),
    ("augment flip", {"flip": True, "crop": 1.0}),
    ("augment crop", {"flip": False, "crop": 1.143}),
    ("augment crop=1.25 flip", {"flip": True, "crop": 1.25}),
    ("augment resized_crop", {"area": 0.08, "crop": 1.0}),
    ("augment resized_crop=0.25, color=0.2", {"area": 0.25, "color": 0.2}),
    ("augment scale=1.143 to 2.286 flip", {"scale": (1.143, 2.286), "flip": True, "crop": 1.0}),
    ("augment color cutout mixup cutmix", {"color": 0.4, "cutout": 0.5, "mixup": 0.2, "cutmix": 1.0}),
    ("augment pad flip", {"pad": 4, "crop": 1.0, "flip": True}),
    ("augment pad=2", {"pad": 2}),
    ("augment randaugment erasing", {"randaugment": 9.0, "erasing": 0.25}),
    ("augment randaugment=5.5 erasing=0.1", {"randaugment": 5.5, "erasing": 0.1}),
    ("augment cutout=0.25 mixup=0.8 cutmix=0.5", {"cutout": 0.25, "mixup": 0.8, "cutmix": 0.5}),
    ("label_smoothing 0.1", {"label_smoothing": 0.1}),
    ("clip 1", {"clip": 1.0}),
    ("ema 0.9999", {"ema": 0.9999}),
    ("loss class", {"losses": (("class", 1.0),)}),
    ("loss class 2", {"losses": (("class", 2.0),)}),
    ("loss class 0.5, teacher 0.5", {"losses": (("class", 0.5), ("teacher", 0.5))}),
]


@pytest.mark.parametrize(("setting", "fields"), READ, ids=[setting for setting, _ in READ])
def test_a_setting_is_read_with_its_defaults(setting: str, fields: dict[str, Any]) -> None:
    found = recipe(setting)
    assert {name: getattr(found, name) for name in fields} == fields
    assert {name: type(value) for name, value in found.to_dict().items()} == {
        name: type(value) for name, value in UNSAID.to_dict().items()
    }


def test_every_setting_has_a_valid_example() -> None:
    assert EXAMPLES.keys() == SETTINGS.keys()
    assert {setting.split()[0] for setting, _ in READ} == SETTINGS.keys()
    for example in EXAMPLES.values():
        recipe(example)


def test_omitted_settings_have_archspecs_defaults_but_no_warm_up() -> None:
    found = recipe("epochs 30")
    assert found == UNSAID == Recipe(warmup=0.0)


def test_the_order_of_settings_and_options_is_irrelevant() -> None:
    settings = ["epochs 90", "lr 0.1 for batch 256, divided by 10 at 30 60", "augment flip crop", "warmup 5"]
    assert recipe(*settings) == recipe(*reversed(settings))
    assert recipe("optimizer sgd nesterov momentum=0.8") == recipe("optimizer sgd momentum=0.8 nesterov")


# a setting with a number in place of {}, the least and the largest, and what is just outside
BOUNDS: list[tuple[str, tuple[float | str, ...], tuple[float | str, ...]]] = [
    ("optimizer sgd momentum={}", (0, 0.9999), (1, "1.5")),
    ("optimizer sgd weight_decay={}", (0, 10), (10.1,)),
    ("optimizer adamw beta1={}", (0, 0.9999), (1,)),
    ("optimizer adamw beta2={}", (0, 0.999999), (1,)),
    ("optimizer rmsprop decay={}", (0, 0.9999), (1,)),
    ("optimizer rmsprop eps={}", ("1e-12", 10), (0, 10.1)),
    ("lr {}", ("1e-12", 1000), (0, 1001)),
    ("lr 0.1 for batch {}", (1, 2**20), (0, 2**20 + 1, "32.0")),
    ("lr 0.1, cosine to {}", (0, 0.1), (0.2,)),
    ("lr 0.1, divided by {} on plateau", (1.0001, "1e6"), (1, 0, "1e7")),
    ("lr 0.1, divided by 2 on plateau of {} epochs", (1, 10_000), (0, 1.5, 10_001)),
    ("lr 0.1, divided by 2 at 5 {}", (5, 29.9), (4.9, 30)),
    ("lr 0.1, times {} every 2 epochs", ("1e-6", 0.999999), (0, 1)),
    ("lr 0.1, times 0.5 every {} epochs", (0.001, "1e6"), (0, "1e7")),
    ("warmup {}", (0, 29.9), (30, "1e7")),
    ("epochs {}", (1, 10**6), (0, 10**6 + 1, "1e3")),
    ("augment crop={}", (1, 10), (0.9, 10.1)),
    ("augment resized_crop={}", (0.01, 1), (0, 1.1)),
    ("augment scale={} to 10", (1, 10), (0.9, 10.1)),
    ("augment scale=2 to {}", (2, 10), (1.9, 10.1)),
    ("augment color={}", (0, 1), (1.1,)),
    ("augment cutout={}", (0, 1), (1.1,)),
    ("augment pad={}", (1, 64), (0, 4.5, 65)),
    ("augment randaugment={}", (0, 10), (10.1,)),
    ("augment erasing={}", (0, 1), (1.1,)),
    ("augment mixup={}", (0, 100), (101,)),
    ("augment cutmix={}", (0, 100), (101,)),
    ("label_smoothing {}", (0, 0.999), (1,)),
    ("clip {}", ("1e-6", "1e9"), (0, "1e10")),
    ("ema {}", (0, 0.999999), (1,)),
    ("loss class {}", ("1e-6", "1e6"), (0, "1e7")),
]


# what is wrong with a `loss` line, and the helps
LOSSES = [
    ("loss clas 0.5, teacher 0.5", "unknown result `clas`", ["did you mean `class`?"]),
    ("loss cross_entropy", "unknown result `cross_entropy`", ["leave out this line"]),
    ("loss input 1", "`input` is an input, not a result", ["leave out this line"]),
    ("loss side 1", "`side` is of an `aux`, whose weight is in its own line", ["leave out this line"]),
    ("loss class, teacher 0.5", "`class` needs a weight", ["`class 1`"]),
    ("loss class 0.5, teacher", "`teacher` needs a weight", ["`teacher 1`"]),
    ("loss class 0.5, teacher 1, class 0.5", "`class` is given twice", ["`loss class 0.5 teacher 1`"]),
    ("loss class=0.5", "`class=0.5` has an equals sign", ["`class 0.5`"]),
    ("loss 0.5 class, 1 teacher", "`0.5` is not a label", ["`loss class 0.5, teacher 1`"]),
    ("loss", "`loss` needs a label", ["leave out this line"]),
]


@pytest.mark.parametrize(("setting", "message", "helps"), LOSSES, ids=[setting for setting, _, _ in LOSSES])
def test_a_loss_is_of_labels_with_weights(setting: str, message: str, helps: list[str]) -> None:
    body = LABELLED.replace("RELU\n", "RELU\naux 0.3: side: FC 10\n")
    text = f"{body}train\n    epochs 2\n    {setting}\n"
    (finding,) = findings_in(text)
    assert (finding.message, [*finding.helps]) == (message, helps)
    assert all(one.works for one in trials(text))


def test_losses_are_kept_with_the_graph_and_through_json() -> None:
    text = f"{LABELLED}train\n    loss class 0.25, teacher 0.75\n"
    network = archspec.loads(text)
    assert [(one.name, network.graph.nodes[one.node].name, one.weight) for one in network.losses] == [
        ("class", "class", 0.25),
        ("teacher", "teacher", 0.75),
    ]
    assert network.recipe is not None
    assert from_dict(json.loads(json.dumps(network.recipe.to_dict()))) == network.recipe
    assert network.graph.readers[1] == 2  # the RELU, and the loss: nothing may be written over it


def test_losses_are_kept_where_blocks_share_their_weights() -> None:
    lines = ["block head shared", "    FC 10", "[4] INPUT", "class: head()", "teacher: @input -> head()"]
    lines += ["train", "    loss class 0.25, teacher 0.75"]
    losses = archspec.loads("\n".join(lines) + "\n").losses
    assert [(one.name, one.weight) for one in losses] == [("class", 0.25), ("teacher", 0.75)]


def test_without_a_loss_line_the_loss_is_of_the_only_output_and_of_each_aux() -> None:
    network = archspec.loads(LABELLED.replace("RELU\n", "RELU\naux 0.3: side: FC 10\n"))
    assert [(one.name, one.weight) for one in network.losses] == [("teacher", 1.0), ("side", 0.3)]
    several = archspec.loads("[8x8x3] INPUT\noutput a: FC 10\nRELU\noutput b: FC 10\n")
    assert several.losses == ()


@pytest.mark.parametrize(("setting", "inside", "outside"), BOUNDS, ids=[setting for setting, _, _ in BOUNDS])
def test_a_number_must_be_within_its_bounds(
    setting: str, inside: tuple[float | str, ...], outside: tuple[float | str, ...]
) -> None:
    for number in inside:
        recipe(setting.format(number))
    for number in outside:
        assert len(refused(setting.format(number))) == 1


def test_all_errors_of_a_section_are_reported_in_one_run() -> None:
    said = refused("lr fast", "epoch 90", "augment flop", "optimizer adam", "epochs 9")
    assert [message.split("`")[1] for message in said] == ["fast", "train", "flop", "adam"]


def test_the_number_of_errors_in_a_section_is_limited() -> None:
    assert len(refused(*["lr"] * 1_000)) == MAX_SHOWN
    assert len(refused(*["?"] * 1_000)) == MAX_SHOWN


def test_an_error_in_the_layers_does_not_hide_one_in_the_recipe() -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads("[8x8x3] INPUT\nCONV 4 9x9\ntrain\n    epochs 0\n")
    assert [finding.code for finding in caught.value.diagnostics] == ["E202", "E011"]


# ---- runs that change a recipe -------------------------------------------------------------------------------------
def test_changing_the_epochs_scales_warm_up_milestones_and_intervals() -> None:
    found = recipe("lr 0.1, divided by 10 at 30 60", "warmup 6", "epochs 90").changed({"epochs": 30})
    assert (found.epochs, found.warmup, found.milestones) == (30, 2.0, (10.0, 20.0))
    assert recipe("lr 0.1, times 0.9 every 2 epochs", "epochs 10").changed({"epochs": 5}).every == 1.0


def test_values_given_together_with_the_epochs_are_not_scaled() -> None:
    found = recipe("warmup 6", "epochs 90").changed({"epochs": 30, "warmup": 6.0, "milestones": (1.0,)})
    assert (found.warmup, found.milestones) == (6.0, (1.0,))


def test_one_kind_of_crop_replaces_another() -> None:
    found = recipe("augment scale=1.143 to 2.143 flip")
    assert (found.changed({"crop": 1.25}).crop, found.changed({"crop": 1.25}).scale) == (1.25, ())
    assert (found.changed({"area": 0.08}).area, found.changed({"area": 0.08}).scale) == (0.08, ())
    assert found.changed({"flip": False}).scale == (1.143, 2.143)


def test_the_patience_scales_with_the_epochs_as_milestones_do() -> None:
    found = recipe("lr 0.1, divided by 10 on plateau of 8 epochs", "epochs 120")
    assert found.changed({"epochs": 30}).patience == 2
    assert found.changed({"epochs": 3}).patience == 1
    assert recipe("lr 0.1, divided by 10 on plateau", "epochs 120").patience == 5


def test_another_optimizer_has_its_own_rate_and_decays() -> None:
    found = recipe("optimizer sgd momentum=0.8 nesterov weight_decay=1e-4", "lr 0.1 for batch 256, cosine to 0.01")
    changed = found.changed({"optimizer": "adamw"})
    assert (changed.lr, changed.reference_batch, changed.momentum, changed.weight_decay) == (5e-4, 32, 0.9, 0.05)
    assert changed.lr_end == pytest.approx(5e-5)
    assert found.changed({"optimizer": "sgd"}) == found
    assert found.changed({"optimizer": "adamw", "lr": 0.1, "weight_decay": 0.3}).lr == 0.1


def test_other_changes_do_not_affect_the_epochs() -> None:
    found = recipe("lr 0.1, divided by 10 at 30 60", "warmup 6", "epochs 90")
    assert found.changed({"lr": 0.2}).to_dict() == {**found.to_dict(), "lr": 0.2}
    assert found.changed({}) == found


def test_the_learning_rate_is_scaled_with_the_batch_size() -> None:
    found = recipe("lr 0.1 for batch 256")
    assert found.scaled_lr(1) == pytest.approx(0.1)
    assert found.changed({"batch": 64, "accumulate": 2}).scaled_lr(4) == pytest.approx(0.2)


@st.composite
def sections(draw: st.DrawFn) -> list[str]:
    """Some settings in some order, each one that is read."""
    chosen = draw(st.lists(st.sampled_from([setting for setting, _ in READ]), unique_by=lambda one: one.split()[0]))
    return chosen or ["epochs 30"]


@given(sections())
def test_a_recipe_survives_a_round_trip_through_json(settings: list[str]) -> None:
    found = recipe(*settings)
    again = from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found
    assert hash(again) == hash(found)


@pytest.mark.parametrize("data", [{"epoch": 3}, {"batch": 3, "dropout": 0.5}])
def test_invalid_data_are_not_a_recipe(data: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="no field"):
        from_dict(data)


# ---- use -----------------------------------------------------------------------------------------------------------
def spec(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.arch"
    path.write_text(text, encoding="utf-8")
    return path


def test_use_imports_the_recipe_of_another_spec(tmp_path: Path) -> None:
    spec(tmp_path, "first", f"{BODY}train\n    epochs 7\n")
    spec(tmp_path, "second", f"use first: train\n{BODY}")
    third = archspec.load(spec(tmp_path, "third", f"use second: train\n{BODY}"))
    assert third.recipe == recipe("epochs 7")


def test_a_spec_that_imports_only_blocks_has_no_recipe(tmp_path: Path) -> None:
    spec(tmp_path, "parts", f"block unit(f)\n    FC f -> RELU\n{BODY}train\n    epochs 7\n")
    uses = "use parts: {}\n[8x8x3] INPUT\nunit(4)\nFC 10\n"
    assert archspec.load(spec(tmp_path, "a", uses.format("unit"))).recipe is None
    assert archspec.load(spec(tmp_path, "b", uses.format("unit, train"))).recipe == recipe("epochs 7")


@pytest.mark.parametrize("own_is_first", [True, False])
def test_a_section_of_the_file_itself_replaces_an_imported_one_entirely(tmp_path: Path, own_is_first: bool) -> None:
    spec(tmp_path, "other", f"{BODY}train\n    epochs 7\n    ema 0.9\n")
    parts = ["train\n    epochs 8\n", "use other: train\n"]
    text = "".join([*(parts if own_is_first else reversed(parts)), BODY])
    assert archspec.load(spec(tmp_path, "own", text)).recipe == recipe("epochs 8")


def test_an_error_in_an_imported_recipe_is_shown_in_its_own_file(tmp_path: Path) -> None:
    spec(tmp_path, "other", f"{BODY}train\n    epochs 0\n")
    with pytest.raises(archspec.ArchspecError, match=r"other\.arch:4"):
        archspec.load(spec(tmp_path, "own", f"use other: train\n{BODY}"))


def test_an_unused_recipe_is_not_checked(tmp_path: Path) -> None:
    spec(tmp_path, "other", f"block unit()\n    RELU\n{BODY}train\n    epochs 0\n")
    assert archspec.load(spec(tmp_path, "own", f"use other: unit\n{BODY}unit()\n")).recipe is None


def test_a_call_of_an_unknown_block_called_train_is_reported(tmp_path: Path) -> None:
    with pytest.raises(archspec.ArchspecError, match="unknown block `train`"):
        archspec.load(spec(tmp_path, "own", f"use alexnet: train\n{BODY}train(3)\n"))


# ---- the papers' ---------------------------------------------------------------------------------------------------
TOKENS = ("gpt2", "bert_base", "clip_b32")
# archspec's own; no classifiers of images
WITHOUT = {"lenet5", "unet", "inception_naive", "fpn_resnet50", "siamese", "dcgan", *TOKENS}

# optimizer, rate and its batch, weight decay, epochs, schedule
PAPERS: dict[str, tuple[str, float, int, float, int, str]] = {
    "alexnet": ("sgd", 0.01, 128, 5e-4, 90, "plateau"),
    "vgg19": ("sgd", 0.01, 256, 5e-4, 74, "plateau"),
    "resnet50": ("sgd", 0.1, 256, 1e-4, 120, "plateau"),
    "resnet56": ("sgd", 0.1, 128, 1e-4, 164, "step"),
    "resnet1202": ("sgd", 0.1, 128, 1e-4, 164, "step"),
    "wrn28_10": ("sgd", 0.1, 128, 5e-4, 200, "step"),
    "densenet": ("sgd", 0.1, 256, 1e-4, 90, "step"),
    "se_resnet50": ("sgd", 0.6, 1024, 1e-4, 100, "step"),
    "mobilenet_v2": ("rmsprop", 0.045, 96, 4e-5, 300, "exponential"),
    "shufflenet_v2": ("sgd", 0.5, 1024, 4e-5, 240, "linear"),
    "inception_resnet_v2": ("rmsprop", 0.045, 32, 4e-5, 100, "exponential"),
    "efficientnet_b3": ("rmsprop", 0.256, 4096, 1e-5, 350, "exponential"),
    "convnext": ("adamw", 4e-3, 4096, 0.05, 300, "cosine"),
    "vit_b16": ("adamw", 3e-3, 4096, 0.3, 300, "cosine"),
    "swin_t": ("adamw", 1e-3, 1024, 0.05, 300, "cosine"),
    "deit_tiny": ("adamw", 5e-4, 512, 0.05, 300, "cosine"),
    "mixer": ("adamw", 1e-3, 4096, 0.1, 300, "linear"),
    "mobilenet_v3_small": ("rmsprop", 0.1, 4096, 1e-5, 600, "exponential"),
    "regnet_y_400mf": ("sgd", 0.8, 1024, 5e-5, 100, "cosine"),
    "repvgg_a0": ("sgd", 0.1, 256, 1e-4, 120, "cosine"),
    "resnest50": ("sgd", 0.1, 256, 1e-4, 270, "cosine"),
    "hrnet_w18": ("sgd", 0.1, 256, 1e-4, 100, "step"),
    "nasnet_a_large": ("rmsprop", 1.5, 1600, 5e-5, 250, "exponential"),
}
# what is done to images
AUGMENTED: dict[str, dict[str, float]] = {
    **{name: {"pad": 4, "crop": 1.0, "flip": True} for name in ("resnet20", "resnet56", "resnet110", "resnet1202")},
    **{name: {"pad": 4, "crop": 1.0, "flip": True} for name in ("plain20", "plain56", "wrn28_10")},
    **{name: {"randaugment": 9, "erasing": 0.25, "mixup": 0.8} for name in ("convnext", "swin_t", "resmlp12")},
    "mixer": {"randaugment": 10, "erasing": 0, "mixup": 0.5},
}


@pytest.mark.parametrize("network", built_in())
def test_a_built_in_classifier_has_a_recipe(network: str) -> None:
    assert (archspec.load(network).recipe is None) == (network in WITHOUT)


@pytest.mark.parametrize(("network", "expected"), AUGMENTED.items())
def test_a_built_in_recipe_augments_as_its_paper_does(network: str, expected: dict[str, float]) -> None:
    found = archspec.load(network).recipe
    assert found is not None
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(("network", "headline"), PAPERS.items())
def test_a_built_in_recipe_follows_its_paper(network: str, headline: tuple[str, float, int, float, int, str]) -> None:
    found = archspec.load(network).recipe
    assert found is not None
    assert (
        found.optimizer,
        found.lr,
        found.reference_batch,
        found.weight_decay,
        found.epochs,
        found.schedule,
    ) == headline


@pytest.mark.parametrize("network", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnet_r101"])
def test_a_family_shares_one_recipe(network: str) -> None:
    assert archspec.load(network).recipe == archspec.load("resnet").recipe


@pytest.mark.parametrize(("wrong", "right"), [("cutout=16", "cutout=0.5"), ("crop=256", "crop=1.143")])
def test_an_augmentation_in_pixels_becomes_the_usual_fraction(wrong: str, right: str) -> None:
    (finding,) = findings_in(f"{BODY}train\n    epochs 2\n    augment flip {wrong}\n")
    assert finding.fixes == (f"`{right}`",)
    assert "not pixels" in finding.notes[0]
    assert all(one.works for one in trials(finding.span.source.text if finding.span else ""))
