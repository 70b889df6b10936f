"""A profile: every moment of the profiled steps belongs to one line of the spec, or to one part outside the layers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archspec.cli import main
from archspec.compiler.training.profile.measure import with_ranges
from archspec.compiler.training.profile.spec_lines import OutsideLayers, Profile, SpecLine
from archspec.compiler.training.profile.text import MOST, profile_lines
from archspec.compiler.training.profile.timeline import (
    BACKWARD,
    EVALUATED,
    FORWARD,
    IMAGES,
    LAYER,
    LOSS,
    OPTIMISER,
    WINDOW,
    Event,
    Owner,
    device_times,
    durations,
    segments,
)

# one line of the spec has nearly all of the work: 8x8 positions x 7x7x64x64 weights
HUGE = """net Huge
[8x8x1] INPUT
CONV 64 1x1 -> RELU
add
    | CONV 64 7x7 p3
    | x
POOL 8x8 s8 -> FC 10
"""


# ---- the division of time, on events made by hand
def step(at: float) -> list[Event]:
    """A step of 100 microseconds: images, two layers, a loss, their backward passes, the optimiser."""
    events = [
        ("enumerate(DataLoader)#X.__next__", 0, 10, -1),
        (LAYER + "conv1", 20, 30, -1),
        ("aten::conv2d", 21, 29, 7),
        ("aten::view", 28, 29, 8),  # recorded with the number of the next operator
        (LAYER + "fc1", 32, 40, -1),
        ("aten::linear", 33, 39, 8),
        ("aten::cross_entropy_loss", 42, 44, 9),
        (EVALUATED + "LossBackward0", 46, 48, -1),
        ("LossBackward0", 46, 48, 9),
        (EVALUATED + "AddmmBackward0", 49, 60, -1),
        ("AddmmBackward0", 50, 59, 8),
        (EVALUATED + "torch::autograd::AccumulateGrad", 60, 62, -1),
        (EVALUATED + "ConvolutionBackward0", 62, 80, -1),
        ("ConvolutionBackward0", 63, 79, 7),
        ("aten::norm", 82, 85, -1),
        ("Optimizer.step#SGD.step", 85, 95, -1),
    ]
    return [Event(name, at + start, at + end, number) for name, start, end, number in events]


EXPECTED = {
    Owner(IMAGES): 20,  # 10 of loading, 10 until the first layer
    Owner(FORWARD, "conv1"): 10,
    Owner(FORWARD, "fc1"): 10,  # with the Python before it
    Owner(LOSS): 8,  # to the end of its own backward pass
    Owner(BACKWARD, "fc1"): 14,  # with the gradient's accumulation
    Owner(BACKWARD, "conv1"): 18,
    Owner(OPTIMISER): 20,
}


def test_every_moment_of_a_step_has_one_owner() -> None:
    found = durations(segments([Event(WINDOW, 0, 100), *step(0)]))
    assert found == EXPECTED
    assert sum(found.values()) == 100


def test_steps_add_up() -> None:
    # a sequence number belongs to one step of a real trace
    second = [one._replace(sequence=one.sequence + 10 if one.sequence >= 0 else -1) for one in step(100)]
    found = segments([Event(WINDOW, 0, 200), *step(0), *second])
    assert durations(found) == {owner: 2 * time for owner, time in EXPECTED.items()}
    assert [one.end for one in found[:-1]] == [one.start for one in found[1:]]


def test_a_layer_that_is_computed_again_in_the_backward_pass_has_that_time() -> None:
    again = [Event(LAYER + "conv1", 64, 70), Event("aten::conv2d", 65, 69, 11)]
    found = durations(segments([Event(WINDOW, 0, 100), *step(0), *again]))
    assert found == EXPECTED  # here its own backward pass contains it
    other = [Event(LAYER + "conv1", 51, 55), Event("aten::conv2d", 52, 54, 11)]
    found = durations(segments([Event(WINDOW, 0, 100), *step(0), *other]))
    assert (found[Owner(BACKWARD, "conv1")], found[Owner(BACKWARD, "fc1")]) == (22, 10)


def test_a_pass_that_computes_layers_again_belongs_to_them() -> None:
    """As with activation checkpointing: a backward pass that runs a forward and a backward pass of its own."""
    events = [
        (LAYER + "conv1", 0, 10, -1),
        (EVALUATED + "RecomputedBackward", 10, 100, -1),
        ("RecomputedBackward", 10, 100, 3),
        (LAYER + "conv1", 20, 30, -1),
        ("aten::conv2d", 21, 29, 9),
        (EVALUATED + "ConvolutionBackward0", 40, 80, -1),
        ("ConvolutionBackward0", 41, 79, 9),
        ("aten::copy_", 90, 95, -1),
    ]
    found = segments([Event(WINDOW, 0, 100), *(Event(name, start, end, number) for name, start, end, number in events)])
    assert durations(found) == {Owner(FORWARD, "conv1"): 10, Owner(BACKWARD, "conv1"): 90}


def test_the_time_of_kernels_belongs_to_whoever_launched_them() -> None:
    """A GPU's kernels run later; which operator launched them is what counts."""
    events = [Event(WINDOW, 0, 100), *step(0)]
    kernels = {"aten::conv2d": 5.0, "ConvolutionBackward0": 11.0, "aten::norm": 1.0, "aten::cross_entropy_loss": 2.0}
    launched = [one._replace(device=kernels.get(one.name, 0.0)) for one in events]
    assert device_times(segments(events), launched) == {
        Owner(FORWARD, "conv1"): 5.0,
        Owner(LOSS): 2.0,
        Owner(BACKWARD, "conv1"): 11.0,
        Owner(OPTIMISER): 1.0,
    }


def test_each_statement_of_a_forward_pass_is_a_range() -> None:
    code = "def forward(self, v0):\n    v1 = self.conv1(v0)  # conv1\n    del v0\n    return v1\n"
    assert with_ranges(code) == (
        "def forward(self, v0):\n"
        "    with torch.autograd.profiler.record_function('layer conv1'):\n"
        "        v1 = self.conv1(v0)  # conv1\n"
        "    del v0\n"
        "    return v1\n"
    )


# ---- the table
def made(lines: int) -> Profile:
    found = tuple(SpecLine("net.arch", n, f"CONV {n}", (f"conv{n}",), 1.0, 2.0) for n in range(1, lines + 1))
    return Profile("Net", "cpu", 32, 10, 5.0, found, (OutsideLayers(LOSS, 1.0), OutsideLayers(IMAGES, 3.0)), "t.json")


@pytest.mark.parametrize("lines", [1, 10, 11, 40])
def test_the_shares_of_the_table_add_up_to_100_percent(lines: int) -> None:
    _, _, *rows, whole, _ = profile_lines(made(lines))
    assert len(rows) == min(lines, MOST) + (lines > MOST) + 2
    shares = [float(row.split("%")[0]) for row in rows]
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(rows))
    assert whole.split()[0] == "100.0"
    assert all(len(row) <= 100 for row in rows)


# ---- the command
def profile(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments), "--profile"])


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Result]]:
    folder = tmp_path_factory.mktemp("profile")
    (folder / "huge.arch").write_text(HUGE)
    yield folder, profile(folder / "huge.arch", "--out", folder / "run", "--json", "--batch", "8", "--epochs", "1")


def test_the_line_of_a_huge_layer_is_the_first(ran: tuple[Path, Result]) -> None:
    _, result = ran
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    lines, outside = found["lines"], {one["name"]: one for one in found["outside"]}
    assert (lines[0]["line"], lines[0]["text"], lines[0]["layers"]) == (5, "| CONV 64 7x7 p3", ["conv2"])
    assert lines[0]["share"] > 0.3
    assert lines[0]["backward_ms"] > lines[0]["forward_ms"] > 0
    assert {line["line"]: line["layers"] for line in lines} == {
        3: ["conv1", "relu1"],
        4: ["add1"],
        5: ["conv2"],
        7: ["pool1", "fc1"],
    }
    assert all(line["forward_ms"] > 0 and line["backward_ms"] > 0 for line in lines)
    assert set(outside) == {IMAGES, LOSS, OPTIMISER}
    parts = [*lines, *found["outside"]]
    assert sum(one["ms"] for one in parts) == pytest.approx(found["ms"])
    assert sum(one["share"] for one in parts) == pytest.approx(1)
    assert (found["steps"], found["images"], found["device"]) == (10, 8, "cpu")


def test_the_trace_is_written_and_no_weights(ran: tuple[Path, Result]) -> None:
    folder, _ = ran
    events = json.loads((folder / "run" / "trace.json").read_text())["traceEvents"]
    names = [one.get("name") for one in events]
    assert names.count("layer conv2") == 10
    assert {path.name for path in (folder / "run").iterdir()} <= {"trace.json", ".lock", "run.lock", "lock"}


@pytest.mark.parametrize("more", [("--dry-run",), ("--compile",), ("--pipeline", "2"), ("--resume", "run")])
def test_what_a_profile_cannot_be_used_with(more: tuple[str, ...]) -> None:
    spec = () if "--resume" in more else ("lenet5",)
    result = profile(*spec, *more)
    assert result.exit_code == 2
    assert "--profile" in result.stderr
