"""How much classes and layers count: class weights, balanced sampling, frozen layers, learning rates of layers."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor, nn
from torch.nn import functional

import archspec
from archspec.cli import main
from archspec.compiler import build
from archspec.compiler.data.augmentation.mixup import Target
from archspec.compiler.data.dataset import Balanced, Data, Shuffled, train_order
from archspec.compiler.data.digits import Digits
from archspec.compiler.training.loop.observer import Requests, SilentObserver
from archspec.compiler.training.loop.optimizer import optimiser
from archspec.compiler.training.loop.trainer import Trainer
from archspec.compiler.training.loop.update import WeightUpdate
from archspec.compiler.training.parallel.engine import MicroBatch, engine
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.weighting.class_weights import as_tensor, class_weights
from archspec.compiler.training.weighting.frozen import freeze, frozen_layers
from archspec.compiler.training.weighting.layer_rates import layer_depths, rate_shares, set_shares
from archspec.diagnostics.errors import ArchspecError
from archspec.recipe import Recipe
from support import processes

CPU = torch.device("cpu")
ALONE = Group(0, 1, CPU)
COUNTS = (40, 15, 5)
NAMES = ("shirt", "hat", "hat, straw")
SPEC = "net Small\n[8x8x1] INPUT\nCONV 4 3x3 p1 -> BN -> RELU\nCONV 4 3x3 s2 p1 -> BN -> RELU\nGAP -> FC 3\n"


def uneven() -> Data:
    """Images of three classes, 40, 15 and 5 of them."""
    classes = torch.arange(3).repeat_interleave(torch.tensor(COUNTS))
    chance = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (len(classes), 1, 8, 8), generator=chance, dtype=torch.uint8)
    images = Digits(pixels, classes, torch.arange(len(classes)))
    return Data(images, images, NAMES, (0.5,), (0.25,), "uneven")


DATA = uneven()
SMALL = archspec.loads(SPEC)


# ---- class weights
def test_balanced_weights_are_those_of_scikit_learn() -> None:
    expected = compute_class_weight("balanced", classes=np.arange(3), y=DATA.train.classes.numpy())
    found = class_weights(Recipe(class_weights="balanced"), DATA)
    assert list(found) == list(NAMES)
    assert list(found.values()) == pytest.approx(expected.tolist())


def test_given_weights_have_a_mean_of_1_over_the_images_of_an_epoch() -> None:
    found = class_weights(Recipe(class_weights="hat, straw=6,shirt=2"), DATA)  # and `hat` 1
    mean = (40 * 2 + 15 * 1 + 5 * 6) / 60
    assert found == pytest.approx({"shirt": 2 / mean, "hat": 1 / mean, "hat, straw": 6 / mean})
    balanced = class_weights(Recipe(class_weights="hat, straw=6,shirt=2", sampling="balanced"), DATA)
    assert sum(balanced.values()) == pytest.approx(3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hta=3", "unknown class `hta` in `--class-weights`"),
        ("hat", "`--class-weights` expects `balanced` or class=weight, got `hat`"),
        ("shirt=1,hat", "got `hat`"),
        ("hat=many", "got `hat=many`"),
        ("hat=1=", "got `hat=1=`"),
        ("=1", "unknown class ``"),
        ("hat=0", "the weight of `hat` is 0; expected a number above 0"),
        ("hat=nan", "the weight of `hat` is nan"),
        ("hat=1,hat=2", "`--class-weights` has `hat` twice"),
    ],
)
def test_weights_that_cannot_be_read_are_refused(text: str, said: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        class_weights(Recipe(class_weights=text), DATA)
    (found,) = caught.value.diagnostics
    assert (found.code, said in found.message) == ("E011", True)
    assert found.helps
    assert text != "hta=3" or found.helps == ("did you mean `hat`?",)


WEIGHTS = torch.tensor([0.5, 1.0, 3.0])


def losses(smoothing: float) -> tuple[Tensor, Tensor, Tensor]:
    scores = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
    classes = torch.tensor([0, 1, 2, 0, 0, 1])
    return scores, classes, functional.cross_entropy(scores, classes, WEIGHTS, label_smoothing=smoothing)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_torchs_weighted_mean_times_the_mean_weight(smoothing: float) -> None:
    scores, classes, torchs = losses(smoothing)
    expected = torchs * WEIGHTS[classes].mean()
    torch.testing.assert_close(Target(classes).loss(scores, smoothing, WEIGHTS), expected)
    halves = [
        Target(part).loss(own, smoothing, WEIGHTS) for own, part in zip(scores.chunk(2), classes.chunk(2), strict=True)
    ]
    torch.testing.assert_close(torch.stack(halves).mean(), expected)  # torch's own divides each half by its weights


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_blend_of_two_classes_has_the_blend_of_their_weighted_losses(smoothing: float) -> None:
    scores, first, one = losses(smoothing)
    second, share = first.roll(1), torch.full((6,), 0.3)
    other = functional.cross_entropy(scores, second, WEIGHTS, label_smoothing=smoothing)
    expected = (0.3 * one + 0.7 * other) * WEIGHTS[first].mean()  # the same classes in another order
    target = Target(first, second, share)
    torch.testing.assert_close(target.loss(scores, smoothing, WEIGHTS), expected)
    again = Target.unpacked(target.packed())
    torch.testing.assert_close(again.loss(scores, smoothing, WEIGHTS), expected)


def test_the_gradients_of_two_batches_are_those_of_one() -> None:
    """Of a layer without normalisation, by hand: (softmax - one hot) x weight of the class, times the inputs."""
    network = archspec.loads("[2x2x1] INPUT\nFC 3\n")
    images = torch.randn(4, 1, 2, 2, generator=torch.Generator().manual_seed(2))
    classes = torch.tensor([0, 2, 1, 2])
    found = []
    for count in (1, 2):
        made = engine(network.graph, build(network, seed=0), Recipe(), ALONE, WEIGHTS)
        parts = [MicroBatch(*part) for part in zip(images.chunk(count), map(Target, classes.chunk(count)), strict=True)]
        made.backward(parts, count, torch.amp.GradScaler("cpu", enabled=False))
        found.append(made.module.get_parameter("fc1.weight").grad)
        with torch.no_grad():
            wrong = made.module(images).softmax(1) - functional.one_hot(classes, 3)
            expected = (WEIGHTS[classes][:, None] * wrong).T @ images.flatten(1) / 4
        torch.testing.assert_close(found[-1], expected)


# ---- balanced sampling
def numbers(epoch: int, rank: int = 0, size: int = 1, start: int = 0) -> list[tuple[int, int]]:
    order = train_order(DATA, Recipe(sampling="balanced", seed=7), rank, size)
    order.epoch, order.start = epoch, start
    found = list(order)
    assert len(found) == len(order)
    return found


def test_every_class_comes_equally_often_in_as_many_images() -> None:
    shown: Counter[int] = Counter()
    for epoch in range(4):
        found = numbers(epoch)
        counts = Counter(DATA.train.classes[place].item() for place, _ in found)
        assert counts == {0: 20, 1: 20, 2: 20}
        of_the_smallest = Counter(place for place, _ in found if place >= 55)
        assert set(of_the_smallest.values()) == {4}  # 20 of 5
        shown.update(place for place, _ in found)
    assert len(shown) > 50  # of the largest class, each epoch has another part


def test_an_image_that_comes_again_is_augmented_anew() -> None:
    found = numbers(0)
    assert len(set(found)) == len(found) > len({place for place, _ in found})


def test_classes_differ_by_one_where_the_images_do_not_divide() -> None:
    order = Balanced(torch.tensor([0] * 9 + [1, 2]), 0, 0, 1)
    seen: Counter[int] = Counter()
    for epoch in range(6):
        order.epoch = epoch
        counts = Counter(min(1, max(0, place - 8)) + (place == 10) for place, _ in order)
        assert sorted(counts.values()) == [3, 4, 4]
        seen[min(counts, key=lambda one: counts[one])] += 1
    assert len(seen) > 1  # not always the same class


def test_balanced_orders_depend_on_seed_and_epoch_and_are_split_over_processes() -> None:
    whole = numbers(3)
    assert whole == numbers(3) != numbers(2)
    assert numbers(3, start=25) == whole[25:]
    parts = [numbers(3, rank, 2) for rank in range(2)]
    assert [pair for pairs in zip(*parts, strict=True) for pair in pairs] == whole


def test_without_balance_the_order_is_as_before() -> None:
    plain = train_order(DATA, Recipe(seed=7), 1, 2)
    assert type(plain) is Shuffled
    order = torch.randperm(60, generator=torch.Generator().manual_seed(7 * 100_003)).tolist()[1::2]
    assert list(plain) == [(place, (7 * 1_000_003 * 1_000_003 + place) % 2**62) for place in order]


# ---- frozen layers
@pytest.mark.parametrize(
    ("name", "patterns", "expected"),
    [
        ("resnet18", ("conv1", "bn1"), {"conv1", "bn1"}),
        ("resnet18", ("stage1.basic1.conv?",), {"stage1.basic1.conv1", "stage1.basic1.conv2"}),
        ("vit_b16", ("encoder1", "encoder12.ln*"), 5 + 2),
        ("resnet18", ("stage[12]",), 8 + 10),
        ("resnet18", ("stage1.*", "*.bn2"), 8 + 3 * 2),
    ],
)
def test_patterns_name_layers_or_the_blocks_around_them(
    name: str, patterns: tuple[str, ...], expected: set[str] | int
) -> None:
    found = frozen_layers(archspec.load(name).graph, Recipe(freeze=patterns))
    assert (found if isinstance(expected, set) else len(found)) == expected


@pytest.mark.parametrize(
    ("patterns", "said", "helped"),
    [
        (("fcc*",), "`--freeze fcc*` names no layer with weights", "`--freeze 'fc1*'`"),
        (("C1",), "`--freeze C1` names no layer with weights", "`--freeze 'conv1'`"),
        (("B_2*",), "`--freeze B_2*` names no layer with weights", "`--freeze 'bn2*'`"),
        (("relu1",), "`--freeze relu1` names no layer with weights", ""),
        (
            ("*1", "conv*", "bn?"),
            "`--freeze` leaves none of the 5 layers with weights to train",
            "leave out a `--freeze`",
        ),
    ],
)
def test_a_pattern_without_layers_and_one_of_all_layers_are_refused(
    patterns: tuple[str, ...], said: str, helped: str
) -> None:
    with pytest.raises(ArchspecError) as caught:
        frozen_layers(SMALL.graph, Recipe(freeze=patterns))
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("E011", said)
    assert helped in found.helps[0]
    assert said.endswith("train") or found.notes == (
        "the layers and blocks with weights are `conv1`, `bn1`, `conv2`, `bn2`, `fc1`",
    )


def taught(recipe: Recipe, module_seed: int = 0) -> Trainer:
    module = build(SMALL, seed=module_seed)
    freeze(module, frozen_layers(SMALL.graph, recipe))
    set_shares(module, rate_shares(SMALL.graph, recipe, 1))
    weights = as_tensor(class_weights(recipe, DATA), CPU)
    return Trainer(engine(SMALL.graph, module, recipe, ALONE, weights), DATA)


def test_frozen_layers_and_their_statistics_stay_and_the_others_change() -> None:
    trainer = taught(Recipe(epochs=1, batch=10, freeze=("conv1", "bn1"), weight_decay=0.1, ema=0.5))
    before = {name: value.clone() for name, value in trainer.module.state_dict().items()}
    trainer.run_steps(SilentObserver())
    assert [trainer.module.get_submodule(name).training for name in ("bn1", "bn2")] == [False, True]
    changed = {name for name, value in trainer.module.state_dict().items() if not torch.equal(value, before[name])}
    assert {name.partition(".")[0] for name in changed} == {"conv2", "bn2", "fc1"}
    assert {"bn2.running_mean", "bn2.weight", "conv2.weight"} < changed
    assert len(trainer.update.trained) == 5  # those of conv2, bn2, fc1, without a bias before a normalisation


def test_frozen_normalisations_compute_what_they_do_in_inference() -> None:
    module = build(SMALL, seed=0)
    freeze(module, ("bn1",))
    module.get_buffer("bn1.running_mean").fill_(0.3)
    seen: dict[str, Tensor] = {}

    def look(_module: nn.Module, given: tuple[Tensor], output: Tensor) -> None:
        seen.update(given=given[0].clone(), output=output.clone())

    module.get_submodule("bn1").register_forward_hook(look)
    module.train()(torch.randn(4, 1, 8, 8))
    torch.testing.assert_close(seen["output"], (seen["given"] - 0.3) / (1 + 1e-5) ** 0.5)


# ---- learning rates of layers
def test_depths_of_a_vit_are_those_of_timm() -> None:
    """timm's matcher of a ViT: patch embedding, class token and positions are 0, block i is i + 1; a norm after the
    blocks belongs to the last of them, and what matches nothing, the head, is above all: 12 blocks give 0 to 13."""
    depths = layer_depths(archspec.load("vit_b16").graph)
    stem = dict.fromkeys(("conv1", "cls1", "posembed1"), 0)
    parts = ("ln1", "mhsa1", "ln2", "fc1", "fc2")
    blocks = {f"encoder{number}.{part}": number for number in range(1, 13) for part in parts}
    assert depths == {**stem, **blocks, "ln1": 12, "fc1": 13}
    shares = rate_shares(archspec.load("vit_b16").graph, Recipe(layer_decay=0.75), 1)
    assert shares["conv1"] == pytest.approx(0.75**13)
    assert shares["encoder12.fc2"] == pytest.approx(0.75)
    assert shares["fc1"] == 1


def test_depths_count_residual_units_and_weight_layers() -> None:
    resnet = layer_depths(archspec.load("resnet18").graph)
    assert (resnet["conv1"], resnet["bn1"], resnet["fc1"]) == (0, 0, 9)
    units = [f"stage{stage}.basic{unit}." for stage in range(1, 5) for unit in (1, 2)]
    for number, unit in enumerate(units, 1):
        assert {depth for name, depth in resnet.items() if name.startswith(unit)} == {number}
    assert list(layer_depths(archspec.load("vgg11").graph).values()) == list(range(11))


def test_parallel_layers_have_one_depth_and_auxiliary_classifiers_the_top() -> None:
    text = (
        "[8x8x3] INPUT\nBN\nCONV 4 3x3 p1 -> BN\nconcat\n    | CONV 4 1x1\n    | CONV 4 1x1 -> CONV 4 1x1\nGAP\nFC 5\n"
    )
    assert list(layer_depths(archspec.loads(text).graph).values()) == [0, 0, 0, 1, 1, 2, 3]
    googlenet = layer_depths(archspec.load("googlenet").graph)
    assert {googlenet[name] for name in googlenet if name.startswith("aux_head")} == {googlenet["fc1"]} == {12}


@pytest.mark.parametrize("name", ["sgd", "adamw", "rmsprop"])
def test_a_step_moves_each_layer_at_its_rate(name: str) -> None:
    """The first step of each optimiser is proportional to the rate, so that of a share is the share of the step."""
    recipe = Recipe(optimizer=name, momentum=0.9, weight_decay=0.0, lr=0.01, batch=32)
    steps = []
    for settings in (recipe, recipe.changed({"head_lr": 0.05, "layer_decay": 0.5})):
        module = build(SMALL, seed=0)
        set_shares(module, rate_shares(SMALL.graph, settings, 1))
        update = WeightUpdate(engine(SMALL.graph, module, settings, ALONE))
        before = {name: value.clone() for name, value in module.named_parameters()}
        update.begin()
        for value in module.parameters():
            value.grad = torch.ones_like(value)
        update.apply(torch.tensor(1.0), 0.001)  # in a warm-up
        steps.append({name: before[name] - value.detach() for name, value in module.named_parameters()})
    shares = {"conv1": 0.25, "bn1": 0.25, "conv2": 0.5, "bn2": 0.5, "fc1": 5.0}
    for weight, step in steps[1].items():
        assert step.abs().max() > 0
        torch.testing.assert_close(step, shares[weight.partition(".")[0]] * steps[0][weight], rtol=1e-3, atol=1e-6)


def test_decay_and_rates_make_groups_and_without_them_there_are_two() -> None:
    module = build(SMALL, seed=0)
    assert [group["lr_scale"] for group in optimiser(module.parameters(), Recipe()).param_groups] == [1, 1]
    recipe = Recipe(layer_decay=0.5, batch=32)
    set_shares(module, rate_shares(SMALL.graph, recipe, 1))
    groups = optimiser(module.parameters(), recipe).param_groups
    assert sorted((group["weight_decay"], group["lr_scale"]) for group in groups) == [
        *((0.0, share) for share in (0.25, 0.5, 1.0)),
        *((5e-4, share) for share in (0.25, 0.5, 1.0)),
    ]
    assert sum(len(group["params"]) for group in groups) == len(list(module.parameters()))


# ---- all together
class StopAt(SilentObserver):
    """Stops before a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def requests(self, steps_done: int) -> Requests:
        """Ask to stop before that step."""
        return Requests(stop=steps_done == self.step)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_run_with_all_of_them_resumes_in_an_epoch_to_the_same_weights(name: str) -> None:
    recipe = Recipe(
        epochs=2,
        batch=10,
        optimizer=name,
        sampling="balanced",
        class_weights="hat=2",
        freeze=("conv1", "bn1"),
        head_lr=0.01,
        layer_decay=0.5,
        mixup=0.2,
    )
    whole = taught(recipe)
    while whole.epoch < recipe.epochs:
        assert whole.run_epoch(SilentObserver())
    begun = taught(recipe)
    assert begun.run_epoch(SilentObserver())
    assert begun.run_epoch(StopAt(3)) is None
    again = taught(recipe, module_seed=1)
    again.restore(begun.state())
    assert again.run_epoch(SilentObserver())
    kept = again.module.state_dict()
    assert all(torch.equal(value, kept[weight]) for weight, value in whole.module.state_dict().items())


# ---- the command
def train(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weighting") / "small.arch"
    path.write_text(SPEC.replace("FC 3", "FC 10"))
    return path


ALL = (
    *("--class-weights", "3=2,7=0.5", "--sampling", "balanced", "--freeze", "conv1", "--freeze", "bn1"),
    *("--head-lr", "0.1", "--layer-decay", "0.5"),
)


def test_the_plan_says_what_is_weighted(spec: Path) -> None:
    result = train(spec, "--dry-run", "--batch", "32", "--lr", "0.03", *ALL)
    assert result.exit_code == 0, result.output
    lines = {line[:16].strip(): line[16:] for line in result.stdout.splitlines()}
    assert lines["head rate"] == "0.1 for fc1, 3.33 x the others'"
    assert lines["layer decay"] == "x 0.5 per depth below the classifier, 2 in all: x 0.25 at the first layer"
    assert lines["frozen"] == "conv1, bn1: 2 layers, 44 parameters"
    assert lines["sampling"] == "as many images of each class in every epoch"
    assert lines["class weights"] == "0.476 (7) to 1.9 (3), 1 in the mean over an epoch's images"
    plain = {line[:16].strip() for line in train(spec, "--dry-run").stdout.splitlines()}
    assert not plain & {"head rate", "layer decay", "frozen", "sampling", "class weights"}
    data = json.loads(train(spec, "--dry-run", "--json", *ALL).stdout)
    assert (data["frozen"], data["class_weights"]["3"]) == (44, pytest.approx(2 / 1.05))
    assert (data["recipe"]["freeze"], data["recipe"]["head_lr"]) == (["conv1", "bn1"], 0.1)


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--freeze", "cnv1"), 1, "`--freeze cnv1` names no layer with weights"),
        (("--class-weights", "ten=2"), 1, "unknown class `ten`"),
        (("--sampling", "balanced", "--class-weights", "balanced"), 2, "correct the same twice"),
        (("--pipeline", "2", "--freeze", "conv1"), 1, "`--freeze` does not work with `--pipeline`"),
        (("--layer-decay", "0"), 2, "--layer-decay"),
    ],
)
def test_what_cannot_be_weighted_is_refused(spec: Path, flags: tuple[str, ...], code: int, said: str) -> None:
    result = train(spec, "--dry-run", *flags)
    assert (result.exit_code, said in result.stderr) == (code, True), result.output


@pytest.fixture(scope="module")
def of_seven_classes(spec: Path) -> Path:
    """Weights of the same network for other classes."""
    from archspec.compiler.weights import files as weights

    out = spec.parent / "first"
    assert train(spec, "--out", out, "--epochs", "1", "--batch", "256").exit_code == 0
    state, about = weights.read(out / "weights.safetensors")
    about["bundle"]["classes"], about["class_names"] = 7, about["class_names"][:7]
    state["fc1.weight"], state["fc1.bias"] = state["fc1.weight"][:7], state["fc1.bias"][:7]
    weights.write(spec.parent / "seven.safetensors", state, about)
    return spec.parent / "seven.safetensors"


def test_a_reinitialised_classifier_is_trained_at_the_full_rate(of_seven_classes: Path, spec: Path) -> None:
    flags = ("--from", of_seven_classes, "--batch", "32", "--dry-run", "--json")

    def rates(*more: str | Path) -> tuple[float, float]:
        data = json.loads(train(*flags, *more).stdout)
        return data["lr"], data["recipe"]["head_lr"]

    rate, of_head = rates()
    assert of_head == pytest.approx(10 * rate)
    assert rates("--head-lr", "0.5") == (rate, 0.5)
    assert rates("--layer-decay", "0.9")[1] == 0
    assert rates("--lr", "0.02")[1] == 0
    assert rates("--scratch-rate")[1] == 0
    assert rates("--linear-probe")[1] == 0
    same = json.loads(train("--from", spec.parent / "first", "--dry-run", "--json").stdout)
    assert same["recipe"]["head_lr"] == 0  # its classifier is not reinitialised


def test_fine_tuning_keeps_frozen_weights(of_seven_classes: Path, spec: Path) -> None:
    out = spec.parent / "tuned"
    frozen = ("--freeze", "conv1", "--freeze", "bn1")
    result = train("--from", of_seven_classes, "--out", out, "--epochs", "1", "--batch", "256", *frozen)
    assert result.exit_code == 0, result.output
    before, after = load_file(of_seven_classes), load_file(out / "weights.safetensors")
    kept = {
        name for name in before if before[name].shape == after[name].shape and torch.equal(before[name], after[name])
    }
    assert kept == {name for name in before if name.startswith(("conv1.", "bn1."))}


PLAIN = "net Plain\n[8x8x1] INPUT\nCONV 8 3x3 p1 -> RELU -> CONV 8 3x3 -> RELU -> POOL 2x2 s2\nFC 10\n"
SPLITS: dict[str, Callable[[Path], tuple[str | Path, ...]]] = {
    "two processes": lambda spec: (spec, "--batch", "16", "--freeze", "conv1"),
    "two batches": lambda spec: (spec, "--batch", "16", "--accumulate", "2", "--freeze", "conv1"),
    "a pipeline": lambda spec: (spec, "--batch", "16", "--accumulate", "2", "--pipeline", "2"),
}


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_however_a_step_is_split_the_weights_are_those_of_one_batch(
    split: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    spec = tmp_path / "plain.arch"
    spec.write_text(PLAIN)
    flags = (
        *("--epochs", "1", "--class-weights", "3=2", "--sampling", "balanced", "--layer-decay", "0.5"),
        "--head-lr",
    )
    frozen = () if split == "a pipeline" else ("--freeze", "conv1")
    assert train(spec, "--out", tmp_path / "one", "--batch", "32", *frozen, *flags, "0.05").exit_code == 0
    arguments = ("train", *SPLITS[split](spec), "--out", tmp_path / "two", *flags, "0.05")
    group = processes.together(1 if split == "two batches" else 2, *arguments)
    said = group.communicate()[1]
    assert group.returncode == 0, said
    one, two = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two"))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-3, atol=1e-4)
    most = max((one[name] - two[name]).abs().max().item() for name in one)
    record_property("sweep", f"a weighted run on {split}: the largest difference from one batch is {most:.1g}")
