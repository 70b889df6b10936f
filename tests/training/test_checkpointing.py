"""Activation checkpointing: everything that a run computes is what it computes without, in less memory."""

import gc
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from torch import Tensor, distributed, nn

import archspec
from archspec.analyses.memory import training_peak
from archspec.analyses.memory.recomputation import checkpointed_peak
from archspec.analyses.memory.segments import best_cuts, places
from archspec.cli import main
from archspec.compiler import build
from archspec.compiler.data.augmentation.mixup import Target
from archspec.compiler.data.digits import digits
from archspec.compiler.lowering.checkpointed import checkpointed_code
from archspec.compiler.training.loop.observer import SilentObserver
from archspec.compiler.training.loop.trainer import Trainer
from archspec.compiler.training.loop.update import WeightUpdate
from archspec.compiler.training.parallel import engine as engines
from archspec.compiler.training.parallel.engine import MicroBatch
from archspec.compiler.training.parallel.processes import Group
from archspec.graph.ir import Graph
from archspec.recipe import Recipe
from support.memory_measures import training_bytes
from support.processes import spawn

SPEC = """block unit(channels)
    add
        | CONV channels 3x3 p1 -> BN -> RELU -> DROPOUT 0.3 -> CONV channels 3x3 p1 -> BN -> DROPPATH 0.3
        | x
    RELU

[16x16x3] INPUT
CONV 8 3x3 p1 -> BN -> RELU
3 x unit(8)
aux 0.3: GAP -> FC 10
CONV 16 3x3 p1 -> BN -> RELU
GAP -> FC 10
"""
SETTINGS: dict[str, dict[str, Any]] = {
    "float32": {},
    "bf16": {"amp": "bf16"},
    "channels last": {"channels_last": True},
    "accumulated": {"accumulate": 2},
}
CPU = Group(0, 1, torch.device("cpu"))
BATCH, STEPS = 4, 3


def graph() -> Graph:
    return archspec.loads(SPEC).graph


def steps(cuts: tuple[int, ...], group: Group = CPU, **changes: Any) -> Iterator[dict[str, Tensor]]:
    """Losses, gradients, weights and statistics after each of some steps."""
    module = build(graph(), seed=0)
    recipe = Recipe(batch=BATCH, **changes)
    made = engines.engine(graph(), module, recipe, group)
    if cuts:
        module.train_with(checkpointed_code(graph(), cuts))
    made.set_mode(is_training=True)
    update = WeightUpdate(made)
    chance = torch.Generator().manual_seed(1 + group.rank)
    for step in range(STEPS):
        group.seed(step + 100 * group.rank)
        update.begin()
        parts = [_part(chance, recipe) for _ in range(recipe.accumulate)]
        loss, _ = made.backward(parts, len(parts), update.scaler)
        gradients = {f"gradient of {name}": one.grad.clone() for name, one in module.named_parameters()}  # type: ignore[union-attr]
        update.apply(loss, 0.1)
        yield {"loss": loss, **gradients, **{name: one.clone() for name, one in module.state_dict().items()}}


def _part(chance: torch.Generator, recipe: Recipe) -> MicroBatch:
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    images = torch.randn(BATCH, 3, 16, 16, generator=chance).contiguous(memory_format=layout)
    return MicroBatch(images, Target(torch.randint(10, (BATCH,), generator=chance)))


# ---- the same numbers
@pytest.mark.parametrize("setting", SETTINGS)
def check(group: Group = CPU, **changes: Any) -> None:
    cuts = tuple(places(graph()))
    assert len(cuts) > 4
    for plain, again in zip(steps((), group, **changes), steps(cuts, group, **changes), strict=True):
        assert plain.keys() == again.keys()
        different = [name for name in plain if not torch.equal(plain[name], again[name])]
        assert not different, different


@pytest.mark.parametrize("setting", SETTINGS)
def test_losses_gradients_weights_and_statistics_are_those_without_it(setting: str) -> None:
    """Dropout and stochastic depth draw the same numbers, and running statistics are updated once a step."""
    check(**SETTINGS[setting])


def work(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    for accumulate in (1, 2):
        check(Group(rank, 2, torch.device("cpu")), accumulate=accumulate)
    gc.collect()  # of DDP's reducers, whose threads use the group
    distributed.barrier()
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_compute_what_they_do_without_it(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    spawn(work, (tmp_path,), 2)
    record_property("sweep", "activation checkpointing on two processes: equal to plain steps, accumulated ones too")


def test_a_run_resumes_to_the_weights_of_one_without_it() -> None:
    network = archspec.loads(SPEC.replace("16x16x3", "8x8x1"))
    data = digits(network.input, 0)
    quiet = SilentObserver()

    def trainer(**changes: Any) -> Trainer:
        recipe = Recipe(batch=256, epochs=1, **changes)
        return Trainer(engines.engine(network.graph, build(network, seed=0), recipe, CPU), data)

    plain, first, second = trainer(), trainer(checkpoint=True), trainer(checkpoint=True)
    assert "recomputed" in second.engine.module.training_code  # type: ignore[operator]
    plain.run_epoch(quiet)
    for number in range(2):
        first._step([next(first._remaining_batches())])
        first.steps_done = number + 1
    first._settle()
    second.restore(first.state())
    second.run_epoch(quiet)
    expected, found = plain.engine.module.state_dict(), second.engine.module.state_dict()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def test_statistics_are_counted_once_a_step() -> None:
    *_, last = steps(tuple(places(graph())))
    counts = {name: int(value) for name, value in last.items() if name.endswith("num_batches_tracked")}
    assert len(counts) == 8
    assert set(counts.values()) == {STEPS}


def test_segments_are_computed_twice_and_the_last_one_once() -> None:
    module = build(graph(), seed=0)
    module.train_with(checkpointed_code(graph(), best_cuts(graph(), BATCH)))
    seen: list[str] = []
    for name, part in module.named_modules():
        if isinstance(part, nn.BatchNorm2d):
            part.register_forward_hook(lambda *_, name=name: seen.append(name))
    module(torch.randn(BATCH, 3, 16, 16))[0].sum().backward()
    times = {name: seen.count(name) for name in seen}
    assert times.pop("bn2") == 1
    assert set(times.values()) == {2}, times


def test_what_is_not_trained_is_not_recomputed() -> None:
    module = build(graph(), seed=0)
    module.train_with(checkpointed_code(graph(), tuple(places(graph()))))
    with torch.no_grad():
        scores = module.eval()(torch.ones(1, 3, 16, 16))
    assert torch.equal(scores, build(graph(), seed=0).eval()(torch.ones(1, 3, 16, 16)))


# ---- memory
class Checkpointed(nn.Module):
    """The compiler's module of a graph, cut at some places."""

    def __init__(self, graph: Graph, cuts: tuple[int, ...]) -> None:
        super().__init__()
        self.module = build(graph, seed=0)
        self.module.train_with(checkpointed_code(graph, cuts))

    def forward(self, images: Tensor) -> list[Tensor]:
        return [self.module(images)]


CHAIN = "[32x32x16] INPUT\n8 x CONV 16 3x3 p1 -> BN -> RELU\nPOOL 2x2 s2\n3 x CONV 32 3x3 p1 -> RELU\nGAP -> FC 10\n"
SEQUENCE = """block encoder
    add
        | x
        | LN -> MHSA 4
    add
        | x
        | LN -> FC 256 -> GELU -> DROPOUT 0.1 -> FC 64

[32x32x3] INPUT
CONV 64 4x4 s4 -> TOKENS
5 x encoder()
LN -> GAP -> FC 10
"""


@pytest.mark.parametrize("text", [CHAIN, SEQUENCE])
def test_the_predicted_peak_is_that_of_torch(text: str) -> None:
    network = archspec.loads(text).graph
    cuts = best_cuts(network, 16)
    measured = training_bytes(network, 16, make=lambda graph: Checkpointed(graph, cuts))
    assert checkpointed_peak(network, cuts, 16, weight_decay=False).total / measured - 1 == pytest.approx(0, abs=0.01)
    assert measured < 0.8 * training_peak(network, 16, weight_decay=False).total


# ---- where it cuts
@pytest.mark.parametrize("name", ["resnet18", "swin_t", "googlenet"])
def test_segments_save_a_third_of_the_memory_of_maps_or_more(name: str) -> None:
    network = archspec.load(name)
    weights = 3 * 4 * network.params
    assert network.checkpointed_bytes(16) - weights < 0.65 * (network.training_bytes(16) - weights)


def test_networks_whose_blocks_read_two_values_are_cut_too() -> None:
    network = archspec.load("unet")
    assert len(best_cuts(network.graph, 2)) > 1
    assert network.checkpointed_bytes(2) < 0.8 * network.training_bytes(2)


# ---- the command
def train(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "small.arch"
    path.write_text(SPEC.replace("16x16x3", "16x16x1"))
    return path


def test_the_plan_says_what_it_saves(spec: Path) -> None:
    flags = (spec, "--dry-run", "--batch", "256", "--json")
    plain, found = (json.loads(train(*flags, *more).stdout) for more in ((), ("--checkpoint",)))
    assert found["recipe"]["checkpoint"] is True
    assert found["other_memory_bytes"] == plain["memory_bytes"] > found["memory_bytes"]
    assert plain["other_memory_bytes"] is None
    assert "without `--checkpoint`)" in train(*flags[:-1], "--checkpoint").stdout


def test_a_split_batch_names_it(spec: Path) -> None:
    assert "with `--checkpoint`)" in train(spec, "--dry-run", "--batch", "256", "--accumulate", "2").stdout


def test_a_step_that_fits_only_with_it_names_it(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = archspec.load(str(spec))
    room = (network.checkpointed_bytes() + network.training_bytes()) // 2
    assert network.checkpointed_bytes() < room < network.training_bytes()
    for module in ("memory", "training.setup.requirements"):
        monkeypatch.setattr(f"archspec.compiler.{module}.memory_of", lambda _: room)
    refused = train(spec, "--dry-run", "--batch", "4")
    assert refused.exit_code == 1
    assert "help: `--checkpoint` takes" in refused.stderr
    assert train(spec, "--dry-run", "--batch", "4", "--checkpoint").exit_code == 0


def test_it_is_refused_where_it_does_not_work(spec: Path) -> None:
    compiled = train(spec, "--checkpoint", "--compile")
    assert (compiled.exit_code, "--checkpoint does not work with --compile" in compiled.stderr) == (2, True)
    piped = train(spec, "--checkpoint", "--pipeline", "2", "--dry-run")
    assert (piped.exit_code, "`--checkpoint` does not work with `--pipeline`" in piped.stderr) == (1, True)
