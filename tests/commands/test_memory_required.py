"""`train`, `export` and `probe` refuse what cannot fit before they allocate anything: E474, with both numbers."""

import re
import resource
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import archspec
from archspec.cli import main
from archspec.compiler.evaluation import probe
from archspec.compiler.memory import CPU, Memory, found_memory, group_limits
from archspec.compiler.onnx.requirements import forward_values

WIDE = "net Wide\n[4000000x4000000x3] INPUT\nCONV 8 3x3 p1 -> RELU\nGAP -> FC 10\n"
HEAVY = "net Heavy\n[8x8x3] INPUT\nfirst: FC 4 -> RELU\nFC 100000000 -> RELU\nhidden: FC 1000000 -> RELU\nFC 10\n"
OWNER = "(machine|container|process)"  # whichever of them has the least
COMMANDS = {"train": "a step of one image", "export": "an export with its proof", "probe": "a batch of 16 images"}


def run(command: str, spec: Path, *flags: str) -> Result:
    wanted = {"train": ("--epochs", "1"), "export": ("-o", str(spec.with_suffix(".onnx"))), "probe": ()}[command]
    return CliRunner().invoke(main, [command, str(spec), *wanted, *flags])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("text", [WIDE, HEAVY], ids=["activations", "weights"])
def test_what_cannot_fit_is_refused_with_both_numbers(command: str, text: str, tmp_path: Path) -> None:
    spec = tmp_path / "large.arch"
    spec.write_text(text)
    result = run(command, spec)
    assert result.exit_code == 1
    size = r"(more than )?\d+(,\d{3})*(\.\d+)? [MG]iB"
    assert re.search(rf"error\[E474\]: {COMMANDS[command]} takes {size}, but the {OWNER} has {size}", result.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["large.arch"]


@pytest.mark.parametrize(
    ("text", "fix"), [(WIDE, "use a smaller `--input`"), (HEAVY, "export a part of it with `--output`")]
)
def test_an_export_names_the_flag_that_helps(text: str, fix: str, tmp_path: Path) -> None:
    spec = tmp_path / "large.arch"
    spec.write_text(text)
    assert fix in run("export", spec).stderr
    flags = ("--input", "8x8x3") if text == WIDE else ("--output", "first")
    assert run("export", spec, *flags).exit_code == 0


@pytest.mark.parametrize("command", ["train", "probe"])
def test_a_smaller_input_is_proposed_only_where_it_can_help(command: str, tmp_path: Path) -> None:
    spec = tmp_path / "large.arch"
    for text, fix in ((WIDE, "use a smaller `--input`"), (HEAVY, "use smaller layers")):
        spec.write_text(text)
        assert re.search(rf"{fix}, or use a {OWNER} with more memory", run(command, spec).stderr)


def test_a_probe_names_the_batch_that_fits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in ("memory", "evaluation.probe"):
        monkeypatch.setattr(f"archspec.compiler.{module}.memory_of", lambda _: 20 * 2**20)
    spec = tmp_path / "small.arch"
    spec.write_text("[64x64x3] INPUT\nCONV 16 3x3 p1 -> RELU\nGAP -> FC 10\n")
    refused = run("probe", spec, "--batch", "100")
    assert "error[E474]: a batch of 100 images takes" in refused.stderr
    fits = re.search(r"`(--batch) (\d+)`", refused.stderr)
    assert fits
    assert probe.LEAST_BATCH < int(fits[2]) < 100
    assert run("probe", spec, *fits.groups()).exit_code == 0


def cgroups(root: Path, lines: str, **limits: str) -> Path:
    """The files of a system: those of /proc/self/cgroup, and limits by their paths below /sys/fs/cgroup."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(lines)
    for path, limit in limits.items():
        file = root / "sys/fs/cgroup" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{limit}\n")
    return root


LIMITS: dict[str, tuple[str, dict[str, str], list[int]]] = {
    "the group's own": ("0::/job\n", {"job/memory.max": "1000"}, [1000]),
    "a group above": ("0::/slurm/job/task\n", {"slurm/job/task/memory.max": "max", "slurm/memory.max": "7"}, [7]),
    "a container that sees itself as the top": ("0::/\n", {"memory.max": "500"}, [500]),
    "a path of the host": ("0::/../docker/abc\n", {"memory.max": "500"}, [500]),
    "version 1": ("4:cpu:/a\n3:memory:/b\n", {"memory/b/memory.limit_in_bytes": "600", "memory.max": "5"}, [600]),
    "version 1, not limited": ("3:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, []),
    "both": ("3:hugetlb,memory:/b\n0::/\n", {"memory/memory.limit_in_bytes": "6", "unified/memory.max": "8"}, [6, 8]),
    "no groups": ("", {}, []),
}


@pytest.mark.parametrize("case", LIMITS)
def test_the_limit_of_a_container_is_found(case: str, tmp_path: Path) -> None:
    lines, limits, found = LIMITS[case]
    assert group_limits(cgroups(tmp_path, lines, **limits)) == found


def test_where_the_system_has_no_such_files_there_is_no_limit(tmp_path: Path) -> None:
    assert group_limits(tmp_path) == []


def test_a_container_has_the_memory_that_it_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("archspec.compiler.memory.group_limits", lambda: [2 * 2**30, 3 * 2**30])
    assert found_memory(CPU) == Memory(2 * 2**30, "container")
    spec = tmp_path / "large.arch"
    spec.write_text(WIDE)
    said = " ".join(run("train", spec).stderr.split())
    assert "but the container has 2.00 GiB" in said
    assert "use a smaller `--input`, or use a container with more memory" in said


def test_the_limit_of_a_process_is_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2**20, resource.RLIM_INFINITY))
    assert found_memory(CPU) == Memory(2**20, "process")


def test_the_values_alive_are_counted_with_the_copies_of_a_convolution() -> None:
    graph = archspec.loads("[4x4x2] INPUT\nCONV 3 3x3 p1 -> RELU\nGAP -> FC 5\n").graph
    assert forward_values(graph) == 4 * 4 * (2 + 3) + 4 * 4 * 9 * 2
