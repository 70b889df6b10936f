"""Training with losses by name: gradients, what no loss depends on, processes, stages, and what is refused."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, distributed
from torch.nn import functional

import archspec
from archspec.analyses.partition import cut
from archspec.compiler import build
from archspec.compiler.data.augmentation.mixup import Target
from archspec.compiler.evaluation.probe import probe
from archspec.compiler.lowering.random_inputs import random_inputs
from archspec.compiler.lowering.stage_module import build_stage, stage_module
from archspec.compiler.training.loop.update import WeightUpdate
from archspec.compiler.training.parallel.engine import MicroBatch, engine
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.recorder import loss_lines
from archspec.compiler.training.records.epoch_figures import EpochFigures, loss_columns
from archspec.compiler.training.records.report_page import write_report
from archspec.compiler.training.records.run_folder import RunFolder
from archspec.compiler.training.setup import requirements
from archspec.compiler.training.setup.plan import ParameterCounts
from archspec.compiler.training.weighting.frozen import freeze, frozen_layers, without_loss
from archspec.compiler.training.weighting.layer_rates import head_layers, layer_depths
from archspec.compiler.weights import files as weights
from archspec.compiler.weights.metadata import WeightsMetadata
from archspec.compiler.weights.model_metadata import FEATURES, SCORES, result_kind
from archspec.compiler.weights.trained import first_output, open_trained
from archspec.diagnostics.errors import ArchspecError
from archspec.graph.ir import Graph, LossTerm
from archspec.recipe import Recipe
from support.processes import spawn

HEADS = """\
block unit(n) shared
    CONV n 3x3 p1 -> BN -> RELU

net heads
[8x8x1]  INPUT
         CONV 4 3x3 p1
stem:    2 x unit(4)
class:   GAP -> FC 3
teacher: @stem -> GAP -> FC 3
[3]      output scores: add
             | @class -> SCALE 0.5 fixed
             | @teacher -> SCALE 0.5 fixed
[4]      output side: @stem -> BN -> CONV 4 1x1 -> GAP -> FC 4
"""
LOSSES = "\ntrain\n    loss class 0.25, teacher 0.75\n"
CPU = Group(0, 1, torch.device("cpu"))
RECIPE = Recipe(batch=4, epochs=1)
STEPS = 2


def graph() -> Graph:
    return archspec.loads(HEADS + LOSSES).graph


def batch(step: int) -> tuple[Tensor, Tensor]:
    chance = torch.Generator().manual_seed(step)
    return torch.randn(8, 1, 8, 8, generator=chance), torch.randint(3, (8,), generator=chance)


def trained(group: Group, **changes: Any) -> dict[str, Tensor]:
    """The weights after some steps of 8 images, divided among the processes."""
    recipe = RECIPE.changed(changes)
    module = build(graph(), seed=0)
    freeze(module, frozen_layers(graph(), recipe))
    made = engine(graph(), module, recipe, group)
    made.set_mode(is_training=True)
    update = WeightUpdate(made)
    for step in range(STEPS):
        images, classes = (one.chunk(group.size)[group.rank] for one in batch(step))
        update.begin()
        loss, _ = made.backward([MicroBatch(images, Target(classes))], 1, update.scaler)
        update.apply(loss, 0.1)
        update.settle()
    return {name: value.clone() for name, value in module.named_parameters()}


def test_the_loss_is_the_weighted_sum_of_those_that_are_named() -> None:
    module = build(graph(), seed=0)
    freeze(module, frozen_layers(graph(), RECIPE))
    made = engine(graph(), module, RECIPE, CPU)
    made.set_mode(is_training=True)
    images, classes = batch(0)
    loss, seen = made.backward([MicroBatch(images, Target(classes))], 1, torch.amp.GradScaler(enabled=False))
    found = {name: one.grad for name, one in module.named_parameters() if one.grad is not None}
    again = build(graph(), seed=0).train()
    stem, conv, bn, *heads = map(again.get_submodule, ("conv1", "unit1.conv1", "unit1.bn1", "class", "teacher"))
    features = stem(images)
    for _ in range(2):  # both calls of the block
        features = torch.relu(bn(conv(features)))
    expected = [functional.cross_entropy(head(features.mean((2, 3))), classes) for head in heads]
    total = 0.25 * expected[0] + 0.75 * expected[1]
    total.backward()
    torch.testing.assert_close(loss, total.detach())
    torch.testing.assert_close(seen[0].float(), 8 * expected[0].detach())
    torch.testing.assert_close(seen[3].float(), 8 * expected[1].detach())  # each loss is counted
    for name, one in again.named_parameters():
        torch.testing.assert_close(found.pop(name, None), one.grad)
    assert not found


def test_a_linear_probe_minimises_the_losses_that_are_named() -> None:
    recipe = RECIPE.changed({"mode": "linear-probe"})
    module = build(graph(), seed=0)
    made = engine(graph(), module, recipe, CPU)
    made.set_mode(is_training=False)
    images, classes = batch(0)
    loss, seen = made.backward([MicroBatch(images, Target(classes))], 1, torch.amp.GradScaler(enabled=False))
    assert [one.name for one in made.losses] == ["class", "teacher"]
    assert not module.get_submodule("unit1.bn1").training
    torch.testing.assert_close(loss.double(), (0.25 * seen[0] + 0.75 * seen[3]) / 8)
    made.set_mode(is_training=False)
    torch.testing.assert_close(made.scores(images), module.eval()(images)[0])


def test_what_a_loss_is_of_has_class_scores_when_it_is_exported_alone() -> None:
    places = {node.name: node.index for node in graph().nodes}
    kinds = {name: result_kind(graph(), places[name]) for name in ("class", "teacher", "scores", "bn1")}
    assert kinds == {"class": SCORES, "teacher": SCORES, "scores": SCORES, "bn1": FEATURES}


def test_an_epoch_of_several_losses_shows_each_and_their_sum(tmp_path: Path) -> None:
    terms = (LossTerm("class", 1, 0.25), LossTerm("teacher", 2, 0.75))
    losses = loss_columns(terms, (2.0, 1.0))
    assert losses == {"total_loss": 1.25, "loss/class": 2.0, "loss/teacher": 1.0}
    assert loss_columns(terms[:1], (2.0,)) is None
    few: Any = dict.fromkeys(
        ("lr", "loss", "held_out_loss", "images_per_second", "data_wait", "skipped", "damaged"), 2.0
    )
    figures = EpochFigures(epoch=1, train_top1=0.5, top1=0.5, top5=0.5, seconds=1.0, losses=losses, **few)
    assert EpochFigures.from_dict(figures.to_dict()) == figures
    with pytest.raises(ValueError, match="`loss/class` of an epoch is 'x'; expected a number"):
        EpochFigures.from_dict(figures.to_dict() | {"loss/class": "x"})
    assert loss_lines(figures) == ["    losses: total 1.2500, class 2.0000, teacher 1.0000"]
    assert loss_lines(replace(figures, losses=None)) == []
    many = loss_lines(replace(figures, losses={f"loss/mask{number}": 1.0 for number in range(20)}))
    assert max(map(len, many)) <= 100
    RunFolder(tmp_path).add(figures)
    assert "total_loss,loss/class,loss/teacher" in (tmp_path / "metrics.csv").read_text()
    assert '"loss/teacher": 1.0' in (tmp_path / "metrics.jsonl").read_text()
    write_report(tmp_path / "report.html", "Net", [figures], {}, None, {})
    assert "<th>total_loss</th><th>loss/class</th><th>loss/teacher</th>" in (tmp_path / "report.html").read_text()


# ---- what no loss depends on
def test_what_no_loss_depends_on_is_not_trained_and_the_plan_says_so() -> None:
    names = without_loss(graph())
    assert len(names) == 3
    assert frozen_layers(graph(), RECIPE) == frozenset(names)
    module = build(graph(), seed=0)
    freeze(module, names)
    own = [parameter for name in names for parameter in module.get_submodule(name).parameters()]
    assert ParameterCounts.of(module).frozen == sum(one.numel() for one in own) > 0
    assert without_loss(archspec.loads(HEADS).graph) == ()


def work(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    found = trained(Group(rank, 2, torch.device("cpu")), sync_bn=False)
    torch.save(found, folder / f"{rank}.pt")
    gc.collect()  # of DDP's reducers, whose threads use the group
    distributed.barrier()
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_train_with_losses_by_name_and_shared_weights(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Without freezing what no loss depends on, the second step fails: DDP waits for its gradients."""
    spawn(work, (tmp_path,), 2)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    start = dict(build(graph(), seed=0).named_parameters())
    changed = {name for name, value in first.items() if not torch.equal(value, start[name])}
    kept = {name for name in start if name.rpartition(".")[0] in without_loss(graph())}
    assert changed == set(start) - kept
    record_property("sweep", "losses by name on two processes: two steps, weights equal, what no loss depends on kept")


# ---- layers that share weights
def test_to_freeze_a_call_is_to_freeze_the_weights_that_it_shares() -> None:
    owner = {"unit1.conv1", "unit1.bn1"}
    for pattern in ("unit1", "unit2", "unit2.*"):
        found = frozen_layers(graph(), Recipe(freeze=(pattern,)))
        assert found - {*without_loss(graph())} == owner


SHARED_HEAD = """\
block head shared
    FC 3

[6] INPUT
stem: FC 5 -> RELU
add
    | @stem -> head()
    | @stem -> FC 5 -> RELU -> head()
"""


def test_a_shared_classifier_has_the_rate_and_the_depth_of_one() -> None:
    shared = archspec.loads(SHARED_HEAD).graph
    assert head_layers(shared) == ("head1.fc1",)
    depths = layer_depths(shared)
    assert depths["head1.fc1"] == max(depths.values())
    assert frozen_layers(shared, Recipe(mode="linear-probe")) == {*depths} - {"head1.fc1"}


# ---- stages
TWINS = """\
block tower shared
    CONV 4 3x3 p1 -> BN -> RELU -> CONV 4 3x3 p1 -> GAP

[8x8x1] left: INPUT
        first: CONV 4 3x3 p1 -> RELU
[8x8x1] right: INPUT
        second: CONV 4 3x3 p1 -> RELU
        mul
            | @first -> tower()
            | @second -> tower()
        FC 5 -> RELU -> FC 3
"""


def test_users_of_the_same_weights_are_in_one_stage() -> None:
    twins = archspec.loads(TWINS).graph
    places = {node.name: node.index for node in twins.nodes}
    for count in (2, 3, 4, 5):
        for stage in cut(twins, count)[:-1]:
            assert not places["tower1.conv1"] < stage.end <= places["tower2.conv2"]
    with pytest.raises(ArchspecError, match="6 stages require as many places with weights to cut, the network has 5"):
        cut(twins, 6)


@pytest.mark.parametrize("text", [TWINS, HEADS, HEADS + LOSSES])
def test_the_stages_are_the_network(text: str) -> None:
    whole_graph = archspec.loads(text).graph
    whole = build(whole_graph, seed=0)
    first = {name: value.clone() for name, value in whole.state_dict().items()}
    inputs = random_inputs(whole_graph, 3, torch.Generator().manual_seed(1))
    for count in (2, 3):
        stages = cut(whole_graph, count)
        built = [build_stage(whole_graph, stage, seed=0).state_dict() for stage in stages]
        state = {name: value for part in built for name, value in part.items()}
        assert state.keys() == first.keys()
        assert all(torch.equal(value, state[name]) for name, value in first.items())
        for training in (True, False):
            whole.train(training)
            values: Any = inputs
            for stage in stages:
                values = stage_module(whole_graph, whole, stage)(*values)
                values = values if isinstance(values, tuple) else (values,)
            expected = whole(*inputs)
            expected = expected if isinstance(expected, tuple) else (expected,)
            assert all(torch.equal(one, two) for one, two in zip(values, expected, strict=True))


# ---- what is refused
TWO = "[8x8x1] left: INPUT\n[8x8x1] right: INPUT\nadd\n    | @left\n    | @right\nGAP -> FC 3\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TWO, "spec has 2 inputs, `left`, `right`: `archspec train` works on single images"),
        (HEADS, "heads has 2 outputs, and its recipe does not say which have losses"),
        (HEADS + LOSSES.replace("teacher", "side"), r"the loss of `side` is of \[4\], but the first output is \[3\]"),
    ],
)
def test_a_network_that_cannot_be_trained_is_refused(text: str, message: str) -> None:
    with pytest.raises(ArchspecError, match=message):
        requirements.trainable(archspec.loads(text), CPU)


def test_probe_refuses_two_images_and_lists_shared_weights_once() -> None:
    with pytest.raises(
        ArchspecError, match="spec has 2 inputs, `left`, `right`: `archspec probe` works on single images"
    ):
        probe(archspec.loads(TWO), 2, 0)
    found = [one.name for one in probe(archspec.loads(HEADS + LOSSES), 4, 0)]
    assert found == ["conv1", "unit1.conv1", "class", "teacher"]
    assert [one.name for one in probe(archspec.loads(HEADS), 4, 0)] == found


def test_the_line_that_is_offered_is_accepted() -> None:
    with pytest.raises(ArchspecError) as caught:
        requirements.trainable(archspec.loads(HEADS), CPU)
    line = str(caught.value).rpartition("`loss ")[2].partition("`")[0]
    requirements.trainable(archspec.loads(f"{HEADS}\ntrain\n    loss {line}\n"), CPU)


def test_a_linear_probe_needs_the_loss_of_the_first_output() -> None:
    network, linear = archspec.loads(HEADS + LOSSES), Recipe(mode="linear-probe")
    with pytest.raises(ArchspecError, match="`--linear-probe` trains the classifier of the first output"):
        requirements.one_classifier(network, linear)
    requirements.one_classifier(network, Recipe())
    requirements.one_classifier(archspec.loads(HEADS + "\ntrain\n    loss scores\n"), linear)


# ---- what is evaluated
def test_a_trained_network_is_evaluated_by_its_first_output(tmp_path: Path) -> None:
    network = archspec.loads(HEADS + LOSSES)
    module = build(network, seed=1).eval()
    metadata = WeightsMetadata(network, Recipe().to_dict(), ("a", "b", "c"), (0.5,), (0.5,), 0.5)
    weights.write(tmp_path / "w.safetensors", module.state_dict(), metadata.to_json())
    found = open_trained(tmp_path / "w.safetensors")
    images, _ = batch(0)
    assert torch.equal(first_output(found, found.network)(images), module(images)[0])


def test_class_scores_after_a_map_become_the_first_output_as_the_help_says() -> None:
    body = "[8x8x3] INPUT\n{first}: CONV 4 3x3 p1\nGAP\noutput class: FC 3\n"
    with pytest.raises(ArchspecError) as caught:
        requirements.trainable(archspec.loads(body.format(first="output p3")), CPU)
    assert "write `p3: ...` instead of `output p3: ...`, and end with `output p3: @p3`" in " ".join(
        str(caught.value).split()
    )
    mended = body.format(first="p3") + "output p3: @p3\ntrain\n    loss class 1\n"
    requirements.trainable(archspec.loads(mended), CPU)
