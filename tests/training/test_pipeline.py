"""Model parallelism: how a network is cut, that its stages are the network, and that processes train it as one."""

import gc
import json
import warnings
from collections.abc import Sequence
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, distributed, nn
from torch.nn import functional

import archspec
from archspec.analyses.partition import Stage, crossing_bytes, cut, cuts, results_of
from archspec.compiler import build
from archspec.compiler.data.augmentation.mixup import Target
from archspec.compiler.lowering.stage_module import build_stage, stage_module
from archspec.compiler.training.loop.optimizer import optimiser
from archspec.compiler.training.parallel.pipeline import Pipeline
from archspec.compiler.training.parallel.pipeline_optimizer import gathered_memory, restore_memory
from archspec.compiler.training.parallel.processes import Group
from archspec.graph.ir import Graph
from archspec.recipe import Recipe
from archspec.report.stage_table import stages_data, stages_table
from support.processes import spawn

SMALL = (32, 32, 3)
BUILT_IN = {
    "lenet5": None,
    "resnet20": None,
    "resnet50": SMALL,
    "preresnet50": SMALL,
    "vit": SMALL,
    "densenet": SMALL,
    "mobilenet_v2": SMALL,
    "shufflenet_v2": SMALL,
    "unet": SMALL,
    "squeezenet": SMALL,
    "convnext": SMALL,
    "se_resnet50": SMALL,
    "gmlp_s16": SMALL,
    "googlenet": None,
}


# ---- the cut
COST = st.sampled_from([0, 1, 2, 3, 300, 301, 302])  # zeros and near misses, so that many cuts are as good


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(COST, st.booleans(), st.integers(0, 3)), min_size=2, max_size=9), st.integers(1, 4))
def test_no_cut_is_better(nodes: list[tuple[int, bool, int]], count: int) -> None:
    costs, has_weights, crossed = zip(*nodes, strict=True)
    size = len(nodes)
    allowed = {
        places: max(sum(costs[begin:end]) for begin, end in pairwise(places))
        for places in ((0, *inner, size) for inner in combinations(range(1, size), count - 1))
        if all(any(has_weights[begin:end]) for begin, end in pairwise(places))
    }
    if not allowed:
        return
    bound = min(allowed.values())
    weighted = [place for place, has in enumerate(has_weights) if has]
    found = tuple(cuts(costs, weighted, (*crossed, 0), count))
    assert allowed[found] <= bound + bound // 100
    assert weight(found, crossed) == min(
        weight(places, crossed) for places, cost in allowed.items() if cost <= bound + bound // 100
    )


def weight(places: tuple[int, ...], crossed: tuple[int, ...]) -> int:
    return sum(crossed[place] for place in places[1:-1])


@pytest.mark.parametrize("count", [2, 3, 4])
def test_what_crosses_is_what_is_read_behind_the_cut(count: int) -> None:
    graph = archspec.loads(TRICKY).graph
    stages = cut(graph, count)
    for stage, data in zip(stages[:-1], stages_data(graph, stages), strict=False):
        expected = [
            node
            for node in graph.nodes[: stage.end]
            if node.index in results_of(graph) or any(reader >= stage.end for reader in graph.consumers[node.index])
        ]
        assert data["passes_on"] == [node.name for node in expected]
        assert data["bytes_passed_on"] == sum(4 * node.volume.values for node in expected)
        assert data["bytes_passed_on"] == crossing_bytes(graph)[stage.end]


def test_more_stages_than_layers_with_weights_are_refused() -> None:
    with pytest.raises(archspec.ArchspecError, match=r"E470.*\n.*at most 5 processes"):
        cut(archspec.load("lenet5").graph, 9)


# name, stages: the most of the work that is in one of them, and the megabytes that an image makes cross
@pytest.mark.parametrize(
    ("name", "count", "most", "crossing_mb"),
    [
        ("resnet50", 2, 0.505, 1.61),
        ("resnet50", 4, 0.26, 5.82),
        ("vit_b16", 4, 0.26, 1.82),
        ("googlenet", 2, 0.53, 1.81),
    ],
)
def test_built_in_networks_are_balanced(name: str, count: int, most: float, crossing_mb: float) -> None:
    graph = archspec.load(name).graph
    data = stages_data(graph, cut(graph, count))
    assert max(stage["work"] for stage in data) < most
    assert sum(stage["bytes_passed_on"] for stage in data) / 1e6 == pytest.approx(crossing_mb, abs=0.01)
    assert sum(stage["params"] for stage in data) >= archspec.load(name).params


def test_the_cut_is_shown() -> None:
    graph = archspec.load("resnet50").graph
    stages = cut(graph, 2)
    assert stages_table(graph, stages) == (
        "stage  first layer               last layer                  work  parameters  passes on, per image\n"
        "    1  input                     stage2.bottleneck4.relu3  50.0 %   1,444,928  1.61 MB: [28x28x512]\n"
        "    2  stage3.bottleneck1.conv1  fc1                       50.0 %  24,112,104\n"
    )
    assert json.loads(json.dumps(stages_data(graph, stages)))[0]["passes_on"] == ["stage2.bottleneck4.relu3"]


@pytest.mark.parametrize("name", ["unet", "nasnet_a_large", "mobilenet_v2", "resnet1202"])
def test_a_shown_cut_fits_into_100_columns(name: str) -> None:
    graph = archspec.load(name).graph
    assert max(map(len, stages_table(graph, cut(graph, 8)).splitlines())) <= 100


def test_the_output_of_an_auxiliary_classifier_crosses_to_the_loss() -> None:
    graph = archspec.load("googlenet").graph
    names = stages_data(graph, cut(graph, 4))[2]["passes_on"]
    assert "aux_head1.fc2" in names


# ---- the stages are the network
TRICKY = """\
[8x8x4] INPUT
add
    | CONV 4 3x3 p1 -> DROPOUT 0 -> RELU
    | x
DROPOUT 0 -> RELU
aux 0.3: GAP -> FC 3
concat
    | x
    | CONV 4 1x1 -> BN -> RELU
TOKENS -> LN -> TRANSPOSE -> FC 64 -> TRANSPOSE
add
    | FC 8 -> GELU
    | x
GAP -> FC 3
"""


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_stages_of_a_network_are_the_network(name: str) -> None:
    graph = archspec.load(name, input=BUILT_IN[name]).graph
    compare(graph, [cut(graph, count) for count in (2, 3)])


def test_wherever_a_network_is_cut_its_stages_are_the_network() -> None:
    graph = archspec.loads(TRICKY).graph
    size = len(graph.nodes)
    compare(graph, [(Stage(0, place, 0, 0, ()), Stage(place, size, 0, 0, ())) for place in range(1, size)])


def compare(graph: Graph, cuts: Sequence[tuple[Stage, ...]]) -> None:
    """The stages of each cut must compute what the whole network does, which is run once."""
    whole = build(graph, seed=0, follow_init=False)
    images = torch.randn(2, *graph.nodes[0].volume.laid_out, generator=torch.Generator().manual_seed(1))
    first = {name: tensor.clone() for name, tensor in whole.state_dict().items()}
    outputs, gradients, state = trained(whole, [whole], images, first)
    assert len(outputs) == 1 + len(graph.heads)
    with torch.no_grad():
        scores = whole.eval()(images)
    for stages in cuts:
        parts = [stage_module(graph, whole, stage) for stage in stages]
        names = [name for part in parts for name in part.state_dict()]
        assert sorted(names) == sorted(whole.state_dict())
        by_parts, part_gradients, part_state = trained(whole, parts, images, first)
        assert all(map(torch.equal, outputs, by_parts))
        if not all(map(torch.equal, part_gradients, gradients)):  # which takes a tenth of the time
            torch.testing.assert_close(part_gradients, gradients)
        assert all(torch.equal(state[name], part_state[name]) for name in state)
        for part in parts:
            part.eval()
        with torch.no_grad():
            assert torch.equal(forward(parts, images)[-1][1][0], scores)


def trained(whole: nn.Module, parts: Sequence[nn.Module], images: Tensor, first: dict[str, Tensor]) -> Any:
    """The outputs of a training step, the gradients, and the state that it leaves."""
    whole.load_state_dict(first)
    whole.zero_grad(set_to_none=True)
    for part in parts:
        part.train()
    torch.manual_seed(2)
    passed = forward(parts, images)
    outputs = [output.detach().clone() for output in passed[-1][1]]
    backward(passed)
    gradients = [parameter.grad for parameter in whole.parameters()]
    return outputs, gradients, {name: tensor.clone() for name, tensor in whole.state_dict().items()}


def forward(parts: Sequence[nn.Module], images: Tensor) -> list[Any]:
    """What goes into each part and what comes out; as in another process, what goes in has no past."""
    values: tuple[Tensor, ...] = (images,)
    passed = []
    for part in parts:
        entered = tuple(value.detach().requires_grad_(value.requires_grad) for value in values)
        found = part(*entered)
        values = found if isinstance(found, tuple) else (found,)
        assert part is parts[-1] or all(value.is_contiguous() for value in values)  # or they cannot be sent
        passed.append((entered, values))
    return passed


def backward(passed: list[Any]) -> None:
    grads: list[Tensor | None] = [torch.ones_like(value) for value in passed[-1][1]]
    for entered, values in reversed(passed):
        pairs = [(value, grad) for value, grad in zip(values, grads, strict=True) if value.requires_grad]
        torch.autograd.backward([value for value, _ in pairs], [grad for _, grad in pairs])
        grads = [value.grad for value in entered]


# ---- processes
TEXT = """\
[8x8x3] INPUT
CONV 8 3x3 p1 -> BN -> RELU
aux 0.3: GAP -> FC 5
add
    | CONV 8 3x3 p1 -> BN
    | x
RELU
add
    | CONV 8 3x3 p1
    | x
TOKENS -> FC 16 -> GELU -> FC 16 -> GELU
GAP -> FC 5
"""
STEPS = 3
# processes: micro-batches and precision of their runs; with fewer micro-batches than stages it is GPipe
RUNS = {2: ((4, "off"), (2, "bf16")), 3: ((2, "off"),)}


def recipe(parts: int) -> Recipe:
    return Recipe(batch=4, accumulate=parts, lr=0.1, momentum=0.9, label_smoothing=0.1)


def batch(number: int, size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(number)
    return torch.randn(size, 3, 8, 8, generator=generator), torch.arange(size) % 5


def precision(name: str) -> Any:
    return torch.autocast("cpu", torch.bfloat16, enabled=name == "bf16")


def work(rank: int, folder: Path, processes: int) -> None:
    """What each process does: some steps, the last of them from a state that was saved."""
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=processes)
    for parts, amp in RUNS[processes]:
        train(Group(rank, processes, torch.device("cpu")), folder, parts, amp)
    gc.collect()
    distributed.barrier()
    distributed.destroy_process_group()


def train(group: Group, folder: Path, parts: int, amp: str) -> None:
    graph = archspec.loads(TEXT).graph
    pipeline, optimizer = started(graph, group, parts, amp, seed=0)
    seen = []
    for number in range(STEPS):
        if number == STEPS - 1:  # go on in another pipeline
            torch.save((pipeline.state_dict(), gathered_memory(pipeline, optimizer)), folder / f"state{group.rank}.pt")
            distributed.barrier()
            state, memory = torch.load(folder / "state0.pt")
            pipeline, optimizer = started(graph, group, parts, amp, seed=1)
            pipeline.load_state_dict(state)
            restore_memory(pipeline, optimizer, memory)
        optimizer.zero_grad()
        images, classes = batch(number, pipeline.images)
        seen.append(pipeline.train_step(images, Target(classes).packed()))
        optimizer.step()
        scores = pipeline.evaluate(batch(9, 2 * pipeline.images + 3)[0])  # the last ones do not fill a step
    torch.save((seen, scores, pipeline.state_dict()), folder / f"{amp}{group.rank}.pt")


def started(graph: Graph, group: Group, parts: int, amp: str, seed: int) -> tuple[Pipeline, torch.optim.Optimizer]:
    module = build_stage(graph, cut(graph, group.size)[group.rank], seed)
    pipeline = Pipeline(graph, module, recipe(parts), group, partial(precision, amp))
    return pipeline, optimiser(pipeline.parameters(), recipe(parts))


def alone(parts: int, amp: str) -> tuple[list[Tensor], Tensor, dict[str, Tensor]]:
    """The same in one process, without a pipeline."""
    module = build(archspec.loads(TEXT), seed=0)
    optimizer = optimiser(module.parameters(), recipe(parts))
    seen = []
    for number in range(STEPS):
        module.train()
        optimizer.zero_grad()
        images, classes = batch(number, 4 * parts)
        total = torch.zeros(4, dtype=torch.float64)
        for part, labels in zip(images.chunk(parts), classes.chunk(parts), strict=True):
            with precision(amp):
                outputs = module(part)
            losses = [functional.cross_entropy(one.float(), labels, label_smoothing=0.1) for one in outputs]
            ((losses[0] + 0.3 * losses[1]) / parts).backward()
            total += Target(labels).seen(outputs[0].detach(), *(one.detach() for one in losses))
        optimizer.step()
        seen.append(total)
    module.eval()
    with torch.no_grad(), precision(amp):
        return seen, module(batch(9, 8 * parts + 3)[0]).float(), module.state_dict()


@pytest.mark.parametrize("processes", RUNS)
def test_processes_train_as_one_does(tmp_path: Path, processes: int) -> None:
    spawn(work, (tmp_path, processes), processes)
    for parts, amp in RUNS[processes]:
        seen, scores, state = alone(parts, amp)
        rtol, atol = (2e-2, 2e-2) if amp == "bf16" else (1e-4, 1e-5)
        for rank in range(processes):
            said, found, whole = torch.load(tmp_path / f"{amp}{rank}.pt")
            torch.testing.assert_close(said, seen, rtol=rtol, atol=atol)
            torch.testing.assert_close(found, scores, rtol=rtol, atol=atol)
            torch.testing.assert_close(whole, state if rank == 0 else {}, rtol=rtol, atol=atol)
            if rank == 0:
                build(archspec.loads(TEXT)).load_state_dict(whole)


def test_a_pipeline_of_one_process_is_refused() -> None:
    graph = archspec.loads(TEXT).graph
    with pytest.raises(archspec.ArchspecError, match="E471"):
        Pipeline(graph, build_stage(graph, cut(graph, 1)[0], 0), recipe(2), Group(0, 1, torch.device("cpu")))
