"""The plan of a run, the weights it starts from, its optimiser and its schedule."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file

import archspec
from archspec.cli import main
from archspec.compiler import build
from archspec.compiler.data.digits import digits
from archspec.compiler.data.loader import WORKERS
from archspec.compiler.training.loop.optimizer import optimiser
from archspec.compiler.training.loop.schedule import rate
from archspec.compiler.training.loop.weight_average import WeightAverage
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.records.throughput import step_flops, throughput
from archspec.compiler.training.setup import requirements
from archspec.compiler.training.setup.batch_size import with_batch
from archspec.compiler.training.setup.configuration import RunConfiguration
from archspec.compiler.training.setup.options import Options
from archspec.compiler.training.setup.plan import ParameterCounts, plan
from archspec.compiler.weights import files as weights
from archspec.recipe import Recipe

BACKBONE = "CONV 8 3x3 p1 -> BN -> RELU -> POOL 2x2 s2\nDROPOUT 0.2\n"
RECIPE = """\
train
    optimizer adamw weight_decay=0.05
    lr 0.004 for batch 256, cosine
    warmup 3 epochs
    epochs 30
    label_smoothing 0.1
"""


def train(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "small.arch"
    path.write_text(f"net Small\n[8x8x1] INPUT\n{BACKBONE}FC 10\n{RECIPE}")
    return path


# ---- the plan
def test_a_dry_run_prints_the_resolved_recipe_and_writes_nothing(spec: Path, tmp_path: Path) -> None:
    result = train(spec, "--dry-run", "--batch", "128", "--accumulate", "8", "--epochs", "10")
    assert result.exit_code == 0, result.output
    lines = {line[:16].strip(): line[16:] for line in result.stdout.splitlines()}
    assert lines["learning rate"] == "0.004 x 1024/256 = 0.016"
    assert lines["step"] == "1,024 images: 128 x 8 batches"
    assert lines["steps"] == "1 per epoch x 10 epochs = 10"
    assert lines["schedule"] == "warm-up for 1 epoch, then cosine to 0"
    assert lines["optimizer"] == "AdamW, betas 0.9 and 0.999"
    assert lines["weight decay"] == "0.05 on 1,352 weights; none on 26 biases and norm parameters"
    assert list(tmp_path.iterdir()) == [spec]
    found = json.loads(train(spec, "--dry-run", "--json").stdout)
    assert found["recipe"]["label_smoothing"] == 0.1
    assert found["memory_bytes"] > 4 * found["params"]


def test_flags_override_the_recipe_of_the_spec(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert train(spec, "--out", out, "--epochs", "1", "--optimizer", "sgd", "--lr", "0.1").exit_code == 0
    recipe = weights.read(out / "weights.safetensors")[1]["recipe"]
    assert (recipe["optimizer"], recipe["lr"], recipe["weight_decay"], recipe["reference_batch"]) == (
        "sgd",
        0.1,
        5e-4,
        143,
    )


def test_the_batch_fits_the_data_and_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    network = archspec.load("vgg16")
    alone = Group(0, 1, torch.device("cpu"))
    recipe = Recipe(reference_batch=256)
    monkeypatch.setattr("archspec.compiler.training.setup.batch_size.memory_of", lambda _: 8 * 2**30)
    found = with_batch(network, recipe, 256, 1_000_000, alone)
    assert found.batch * found.accumulate == 256
    assert network.training_bytes(found.batch) < 0.8 * 8 * 2**30 < network.training_bytes(2 * found.batch)
    assert found.scaled_lr(1) == recipe.lr
    few = with_batch(network, recipe, 256, 100, alone)
    assert few.batch * few.accumulate == 10
    assert few.scaled_lr(1) == pytest.approx(recipe.lr * 10 / 256)
    four = with_batch(network, recipe, 256, 1_000_000, Group(0, 4, torch.device("cpu")))
    assert four.batch * four.accumulate * 4 == 256


def test_processes_of_one_machine_share_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    network, recipe, gib = archspec.load("vgg16"), Recipe(reference_batch=256), 2**30
    monkeypatch.setattr("archspec.compiler.training.setup.batch_size.memory_of", lambda _: 16 * gib)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    four = Group(0, 4, torch.device("cpu"))
    together = with_batch(network, recipe, 256, 1_000_000, four)
    assert together.batch * together.accumulate * 4 == 256
    assert 4 * network.training_bytes(together.batch) < 0.8 * 16 * gib < 4 * network.training_bytes(2 * together.batch)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")  # on each of two machines
    assert with_batch(network, recipe, 256, 1_000_000, four).batch == 256 / 4


def test_a_step_has_to_fit_once_for_each_process(monkeypatch: pytest.MonkeyPatch) -> None:
    network, cpu = archspec.load("vgg16"), torch.device("cpu")
    has = 3 * network.training_bytes(1)
    monkeypatch.setattr("archspec.compiler.memory.memory_of", lambda _: has)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    requirements.memory(network, Group(0, 3, cpu))
    requirements.memory(network, Group(0, 4, cpu, is_pipeline=True))
    with pytest.raises(archspec.ArchspecError, match="a step of one image in each of 4 processes takes"):
        requirements.memory(network, Group(0, 4, cpu))


def test_stages_on_one_machine_share_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    network, recipe, gib = archspec.load("vgg16"), Recipe(reference_batch=256), 2**30
    monkeypatch.setattr("archspec.compiler.training.setup.batch_size.memory_of", lambda _: 8 * gib)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    cpu, gpu = (Group(0, 4, torch.device(kind), is_pipeline=True) for kind in ("cpu", "cuda"))
    stages = with_batch(network, recipe, 256, 1_000_000, cpu)
    assert stages.batch * stages.accumulate == 256
    kept = 4 * stages.batch  # the images whose values a stage keeps; all stages together are the network
    assert network.training_bytes(kept) < 0.8 * 8 * gib < network.training_bytes(2 * kept)
    alone = with_batch(network, recipe, 256, 1_000_000, gpu)
    assert (alone.batch, alone.accumulate) == (32, 8)  # each has a GPU


def test_every_parameter_is_counted() -> None:
    network = archspec.load("resnet18", input="32x32x3")
    counts = ParameterCounts.of(build(network))
    assert (counts.decayed + counts.not_decayed, counts.frozen) == (network.params, 0)
    configuration = RunConfiguration(network, Recipe(batch=8), digits(network.input, 0))
    found = plan(configuration, counts, Group(0, 2, torch.device("cpu")))
    assert found.steps_per_epoch == 1438 // 2 // 8


def test_the_default_number_of_workers_is_the_one_in_the_help(tmp_path: Path) -> None:
    assert f"images; {WORKERS} by default with --data" in " ".join(train("--help").output.split())
    assert (Options(data=tmp_path).loader_workers, Options().loader_workers) == (WORKERS, 0)


# ---- weights of an earlier run
@pytest.fixture
def trained(spec: Path, tmp_path: Path) -> Path:
    out = tmp_path / "first"
    assert train(spec, "--out", out, "--epochs", "1", "--lr", "0.01").exit_code == 0
    return out / "weights.safetensors"


def test_a_linear_probe_changes_only_the_last_layer(trained: Path, tmp_path: Path) -> None:
    result = train("--from", trained, "--linear-probe", "--out", tmp_path / "probe", "--epochs", "2")
    assert result.exit_code == 0, result.output
    assert "linear probe: only fc1 is trained" in result.stderr
    assert "on 1,280 weights; none on 10 biases and norm parameters; 88 frozen" in result.stderr
    before, after = load_file(trained), load_file(tmp_path / "probe" / "weights.safetensors")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"fc1.weight", "fc1.bias"}  # the statistics of the batch normalisation are as they were


def test_fine_tuning_uses_a_tenth_of_the_learning_rate(trained: Path, tmp_path: Path) -> None:
    result = train("--from", trained, "--out", tmp_path / "tuned", "--epochs", "1", "--batch", "64")
    assert result.exit_code == 0, result.output
    assert "0.005 (a tenth of 0.05, so that fine-tuning keeps what was learned)" in result.stderr
    flags = ("--dry-run", "--json", "--batch", "64")
    assert json.loads(train("--from", trained, "--scratch-rate", *flags).stdout)["lr"] == 0.05
    assert json.loads(train("--from", trained, "--lr", "0.3", *flags).stdout)["lr"] == 0.3
    paper = json.loads(train("--from", trained, "--recipe", "paper", *flags).stdout)
    assert paper["lr"] == pytest.approx(0.004 * 64 / 256 * 0.1)
    _, about = weights.read(tmp_path / "tuned" / "weights.safetensors")
    assert about["recipe"]["mode"] == "fine-tune"
    assert about["mean"] == weights.read(trained)[1]["mean"]


def test_the_last_layer_is_reinitialised_for_other_classes(trained: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.arch"
    other.write_text(f"net Other\n[8x8x1] INPUT\n{BACKBONE}FC 10\n")
    state, about = weights.read(trained)
    about["bundle"]["classes"], about["class_names"] = 7, about["class_names"][:7]
    state["fc1.weight"], state["fc1.bias"] = state["fc1.weight"][:7], state["fc1.bias"][:7]
    about["class_names"] = about["class_names"][:7]
    weights.write(tmp_path / "seven.safetensors", state, about)
    result = train("--from", tmp_path / "seven.safetensors", "--out", tmp_path / "run", "--epochs", "1")
    assert result.exit_code == 0, result.output
    assert "reinitialised for other classes: fc1.weight, fc1.bias" in result.stderr
    result = train(other, "--from", tmp_path / "seven.safetensors", "--out", tmp_path / "run2", "--epochs", "1")
    assert result.exit_code == 0, result.output


def test_a_linear_probe_works_at_the_full_rate_and_flags_change_the_network_of_weights(
    trained: Path, tmp_path: Path
) -> None:
    result = train("--from", trained, "--linear-probe", "--scratch-rate", "--dry-run")
    assert "88 frozen" in result.stdout
    result = train("--from", trained, "--set", "foo=1", "--dry-run")
    assert result.exit_code == 2
    assert "unknown parameter `foo`" in result.stderr
    result = train("--from", trained, "--input", "16x16x1", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "`fc1.weight` is 10x128" in result.stderr


def test_a_resumed_run_keeps_the_normalisation_that_it_began_with(trained: Path, tmp_path: Path) -> None:
    state, about = weights.read(trained)
    about["mean"], about["std"] = [0.4], [0.2]
    weights.write(trained, state, about)
    flags = ("--epochs", "2", "--batch", "64")
    assert train("--from", trained, "--out", tmp_path / "whole", *flags).exit_code == 0
    assert train("--from", trained, "--out", tmp_path / "torn", *flags).exit_code == 0
    for path in (*(tmp_path / "torn").glob("*.safetensors"), sorted((tmp_path / "torn").glob("checkpoint-*.pt"))[-1]):
        path.unlink()
    assert train("--resume", tmp_path / "torn").exit_code == 0
    whole, torn = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "torn"))
    assert all(torch.equal(whole[name], torn[name]) for name in whole)
    assert weights.read(tmp_path / "torn" / "weights.safetensors")[1]["mean"] == [0.4]


def test_the_end_of_a_schedule_scales_with_the_rate() -> None:
    recipe = Recipe(lr=0.1, lr_end=0.05, schedule="cosine", warmup=0, epochs=10).changed({"lr": 0.001})
    assert [recipe.lr * rate(recipe, at) for at in (0, 10)] == pytest.approx([0.001, 0.0005])


@pytest.mark.parametrize(
    ("text", "flags", "said"),
    [
        (
            "[8x8x1] INPUT\nGAP -> FC 8\nBN -> FC 10\n",
            ("--batch", "1"),
            "error[E475]: bn1 has a single value per channel in a batch of 1",
        ),
        ("[8x8x10] INPUT\nGAP\n", (), "has no weights to train"),
        ("[8x8x1] INPUT\nFC 1000000000 -> FC 10\n", ("--dry-run",), "a step of one image takes"),
        (
            "[8x8x1] INPUT\nFC 10\n",
            ("--warmup", "3", "--epochs", "3"),
            "the warm-up takes 3 epochs, but the run has only 3",
        ),
        ("[8x8x1] INPUT\nFC 10\n", ("--batch", "32", "--accumulate", "100"), "`--batch 14`"),
        ("[8x8x1] INPUT\nFC 10\n", ("--lr", "1e36", "--clip", "1", "--warmup", "0", "--batch", "1400"), "not finite"),
    ],
)
def test_what_cannot_be_trained_is_reported(tmp_path: Path, text: str, flags: tuple[str, ...], said: str) -> None:
    path = tmp_path / "odd.arch"
    path.write_text(text)
    result = train(path, "--out", tmp_path / "run", *flags)
    assert result.exit_code == 1, result.output
    assert said in result.stderr


def test_processes_that_cannot_connect_are_reported(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    result = train(spec, "--dry-run")
    assert result.exit_code == 1
    assert "cannot connect 2 processes" in result.stderr


def test_a_dry_run_shows_a_pipeline(spec: Path) -> None:
    result = train(spec, "--pipeline", "2", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "x 4 batches" in result.stdout
    assert train(spec, "--pipeline", "2", "--dry-run", "--compile").exit_code == 1


def test_position_embeddings_are_not_decayed() -> None:
    for name, decayed in (("vit_b32", "pos"), ("swin_t", "relative_position_bias_table")):
        module = build(archspec.load(name, input="32x32x3") if name == "vit_b32" else archspec.load(name))
        weights_, others = optimiser(module.parameters(), Recipe()).param_groups
        names = {id(one): key for key, one in module.named_parameters()}
        assert any(decayed in names[id(one)] for one in others["params"])
        assert not any(decayed in names[id(one)] for one in weights_["params"])


def test_weights_of_another_network_are_refused(trained: Path, tmp_path: Path) -> None:
    result = train("lenet5", "--from", trained, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "`conv1.weight` is 8x1x3x3" in result.stderr
    assert not (tmp_path / "run").exists()


# two heads, from which the scores come by way of a learned scale
MERGED = """\
net Merged
[8x8x1] INPUT
features: CONV 8 3x3 p1 -> RELU -> GAP
left: FC 20 linear
@features -> FC 20
add
    | @left -> SCALE 0.5 fixed
    | x -> SCALE 0.5
"""
HEADS = ["left.weight", "left.bias", "fc2.weight", "fc2.bias", "scale2.weight"]


def test_both_of_two_merged_heads_are_resized_reinitialised_and_probed(tmp_path: Path) -> None:
    spec, run, flags = tmp_path / "merged.arch", tmp_path / "run", ("--epochs", "1", "--batch", "512")
    spec.write_text(MERGED)
    assert train(spec, "--out", run, *flags).exit_code == 0
    state, about = weights.read(run / "weights.safetensors")
    assert state.keys() == {"conv1.weight", "conv1.bias", *HEADS}
    assert {len(state[name]) for name in HEADS} == {10}
    seven = tmp_path / "seven.safetensors"
    about["bundle"]["classes"], about["class_names"] = 7, about["class_names"][:7]
    weights.write(seven, {name: value[:7] if name in HEADS else value for name, value in state.items()}, about)
    result = train("--from", seven, "--linear-probe", "--out", tmp_path / "probe", *flags)
    assert result.exit_code == 0, result.output
    assert f"reinitialised for other classes: {', '.join(HEADS)}" in result.stderr
    assert "linear probe: only left and fc2 and scale2 are trained" in result.stderr
    probed, _ = weights.read(tmp_path / "probe" / "weights.safetensors")
    assert {name for name in state if torch.equal(state[name], probed[name])} == {"conv1.weight", "conv1.bias"}


def test_a_network_whose_scores_cannot_be_resized_is_refused(tmp_path: Path) -> None:
    spec = tmp_path / "joined.arch"
    spec.write_text("[8x8x1] INPUT\nCONV 8 3x3 -> GAP\nconcat\n    | FC 5\n    | FC 6\n")
    result = train(spec, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "the 11 channels of concat1 come from `concat`, which cannot be resized" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("lenet5", "--linear-probe"),
        ("lenet5", "--lr", "nan"),
        ("lenet5", "--scale", "3", "1"),
        ("--resume", "x", "--lr", "1"),
        ("--resume", "x", "--seed", "1"),
        (),
    ],
)
def test_flags_that_do_not_go_together_are_refused(arguments: tuple[str, ...]) -> None:
    result = train(*arguments)
    assert result.exit_code == 2
    assert "Usage" in result.stderr


# ---- what is averaged, and what is told
def test_an_average_is_the_mean_of_the_weights_with_its_decay() -> None:
    module = torch.nn.Linear(2, 1, bias=False)
    average = WeightAverage(module, 0.5)
    expected = average.values["weight"].clone()
    finite = torch.tensor(True)
    for step in range(1, 9):
        with torch.no_grad():
            module.weight.add_(step)
        average.see(module, step, finite)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * module.weight.detach()
    torch.testing.assert_close(average.values["weight"], expected)
    average.see(module, 9, torch.tensor(False))
    torch.testing.assert_close(average.values["weight"], expected)


@pytest.mark.parametrize("name", ["sgd", "adamw", "rmsprop"])
def test_optimisers_do_what_torchs_own_do(name: str) -> None:
    """Ours is fused, and begins with its momenta at 0."""
    recipe = Recipe(optimizer=name, lr=0.01, weight_decay=0.1)
    ours, theirs = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)
    theirs.load_state_dict(ours.state_dict())
    groups = [{"params": [theirs.weight], "weight_decay": 0.1}, {"params": [theirs.bias], "weight_decay": 0.0}]
    plain: dict[str, Callable[[], torch.optim.Optimizer]] = {
        "sgd": lambda: torch.optim.SGD(groups, lr=0.01, momentum=0.9),
        "adamw": lambda: torch.optim.AdamW(groups, lr=0.01),
        "rmsprop": lambda: torch.optim.RMSprop(groups, lr=0.01, momentum=0.9, alpha=0.999, eps=1e-3**0.5),
    }
    own = plain[name]()
    mine = optimiser(ours.parameters(), recipe)
    for seed in range(4):
        images = torch.randn(5, 4, generator=torch.Generator().manual_seed(seed))
        for module, one in ((ours, mine), (theirs, own)):
            one.zero_grad()
            module(images).square().mean().backward()
            one.step()
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


def test_learning_rates_of_all_schedules() -> None:
    assert [rate(Recipe(schedule="exponential", factor=0.5, every=2, warmup=0), at) for at in (0, 1.9, 2, 5)] == [
        1,
        1,
        0.5,
        0.25,
    ]
    ends = Recipe(schedule="cosine", epochs=10, warmup=0, lr=0.1, lr_end=0.01)
    assert [rate(ends, at) for at in (0, 5, 10)] == pytest.approx([1, 0.55, 0.1])
    line = ends.changed({"schedule": "linear", "lr_end": 0.0, "warmup": 2})
    assert [rate(line, at) for at in (2, 4, 6, 10)] == pytest.approx([1, 0.75, 0.5, 0])


def test_throughput_counts_three_passes_and_auxiliary_classifiers() -> None:
    network = archspec.load("resnet50")
    assert step_flops(network) == 6 * network.macs
    googlenet = archspec.load("googlenet")
    assert step_flops(googlenet) > 6 * googlenet.macs
    found = throughput(network, 1000.0, 2, 100.0)
    assert found.tflops == pytest.approx(6 * network.macs * 500 / 1e12)
    assert found.mfu == pytest.approx(found.tflops / 100)
    assert throughput(network, 1000.0, 1, None).mfu is None
