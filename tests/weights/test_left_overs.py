"""What killed processes left is cleared by the next one that writes to the same place, and nothing else is."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import onnx
import pytest
import torch

import archspec
from archspec.compiler.onnx.file import staged
from archspec.compiler.weights.atomic import replace_file
from archspec.compiler.weights.left_overs import MARK, held, is_temporary, temporary_name
from support import processes

SPEC = "net Small\n[8x8x1] INPUT\nCONV 8 3x3 -> BN -> RELU\nFC 10\n"


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def left_over(folder: Path, *inside: str, of: str = "net.onnx") -> Path:
    """A folder as a killed export leaves it."""
    path = folder / temporary_name(of)
    path.mkdir()
    for name in inside:
        (path / name).write_bytes(b"part")
    return path


# ---- names
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (".latest.0f3a9c21.archspec-tmp", True),
        (".latest.0F3A9C21.archspec-tmp", False),
        (".latest.0f3a9c2.archspec-tmp", False),
        (".latest.\N{ARABIC-INDIC DIGIT ONE}f3a9c21.archspec-tmp", False),
        ("latest.0f3a9c21.archspec-tmp", False),
        (".latest.0f3a9c21.archspec-tmp.bak", False),
        (".0f3a9c21.archspec-tmp", False),
        (".other.0f3a9c21.archspec-tmp", False),
        (".latest.more.0f3a9c21.archspec-tmp", False),
        (".latest.4711", False),
    ],
)
def test_only_the_temporary_names_of_known_files_are_recognised(name: str, expected: bool) -> None:
    assert is_temporary(name, lambda known: known == "latest") == expected
    assert is_temporary(temporary_name("a\nb.c"), lambda known: known == "a\nb.c")


# ---- what is cleared
def test_an_export_clears_what_a_killed_one_left(tmp_path: Path) -> None:
    left_over(tmp_path, "net.onnx", "net.onnx.data")
    left_over(tmp_path)
    with staged(tmp_path / "net.onnx") as folder:
        assert names(tmp_path) == [folder.name]
        (folder / "net.onnx").write_bytes(b"whole")
    assert names(tmp_path) == ["net.onnx"]


def test_nothing_else_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "net.onnx").write_bytes(b"mine")
    link = tmp_path / temporary_name("net.onnx")
    link.symlink_to("far")
    other = left_over(tmp_path, "other.onnx", of="other.onnx")
    strange = left_over(tmp_path, "net.onnx", "diary.txt")
    deep = left_over(tmp_path)
    (deep / "net.onnx").mkdir()
    linked = left_over(tmp_path)
    (linked / "net.onnx").symlink_to(tmp_path / "far" / "net.onnx")
    os.mkfifo(tmp_path / temporary_name("net.onnx"))
    mine = [".net.onnx.backup", ".net.onnx.12345678", ".net.onnx.abcd1234", f"net.onnx{MARK}"]
    for name in mine:
        (tmp_path / name).mkdir()
    before = names(tmp_path)
    with staged(tmp_path / "net.onnx"):
        pass
    assert names(tmp_path) == before
    assert (tmp_path / "far" / "net.onnx").read_bytes() == b"mine"
    assert (names(other), names(strange), names(linked)) == (["other.onnx"], ["diary.txt"], ["net.onnx"])


def test_a_file_that_a_killed_process_left_is_cleared_by_the_next_write(tmp_path: Path) -> None:
    for name in (temporary_name("plot.svg"), temporary_name("other.svg")):
        (tmp_path / name).write_bytes(b"part")
    replace_file(tmp_path / "plot.svg", b"whole")
    assert names(tmp_path) == [name, "plot.svg"]


def test_what_a_running_process_writes_stays(tmp_path: Path) -> None:
    busy = tmp_path / temporary_name("plot.svg")
    busy.write_bytes(b"part")
    with held(busy):
        replace_file(tmp_path / "plot.svg", b"whole")
    assert busy.exists()
    replace_file(tmp_path / "plot.svg", b"whole")
    assert not busy.exists()


def test_two_exports_to_one_place_at_once_both_finish_and_the_later_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    with ExitStack() as first:
        one = first.enter_context(staged(path))
        for name in ("net.onnx", "net.onnx.data"):
            (one / name).write_bytes(b"first")
        with staged(path) as two:
            assert sorted(names(tmp_path)) == sorted([one.name, two.name])
            for name in ("net.onnx", "net.onnx.data"):
                (two / name).write_bytes(b"second")
        assert path.read_bytes() == path.with_name("net.onnx.data").read_bytes() == b"second"
    assert names(tmp_path) == ["net.onnx", "net.onnx.data"]
    assert path.read_bytes() == path.with_name("net.onnx.data").read_bytes() == b"first"


# ---- real exports, killed
def spec_in(folder: Path) -> Path:
    path = folder / "small.arch"
    path.write_text(SPEC)
    return path


def begun(spec: Path, path: Path) -> processes.Started:
    return processes.begin("export", spec, "-o", path, "--external-data")


def staged_folders(folder: Path) -> Iterator[Path]:
    yield from folder.glob(f".net.onnx.*{MARK}")


@pytest.mark.parametrize("kills", [1, pytest.param(12, marks=pytest.mark.slow)])
def test_an_export_that_is_killed_at_any_moment_leaves_nothing_after_the_next(kills: int, tmp_path: Path) -> None:
    spec, chance, path = spec_in(tmp_path), random.Random(kills), tmp_path / "net.onnx"
    left = 0
    for _ in range(20 * kills):  # one that ended before it was killed left nothing
        process = begun(spec, path)
        while process.poll() is None and not any(staged_folders(tmp_path)):
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.02))
        process.kill()
        process.communicate()
        assert process.returncode in (-signal.SIGKILL, 0)
        there = len(list(staged_folders(tmp_path)))
        assert there <= 1, "what an earlier one left"
        left += there
        if left >= kills:
            break
    assert left >= kills
    process = begun(spec, path)
    said = process.communicate()[1]
    assert process.returncode == 0, said
    assert names(tmp_path) == ["net.onnx", "net.onnx.data", "small.arch"]
    onnx.checker.check_model(path)


@pytest.mark.slow
def test_many_exports_to_one_place_at_once_leave_one_whole_model(tmp_path: Path) -> None:
    spec, path = spec_in(tmp_path), tmp_path / "net.onnx"
    running = [processes.begin("export", spec, "-o", path, "--external-data", "--seed", str(n)) for n in range(6)]
    for process in running:
        said = process.communicate()[1]
        assert process.returncode == 0, said
    assert names(tmp_path) == ["net.onnx", "net.onnx.data", "small.arch"]
    model = onnx.load(path)
    weights = [onnx.numpy_helper.to_array(one) for one in model.graph.initializer]
    whole = [archspec.compiler.build(archspec.loads(SPEC).graph, seed=seed) for seed in range(6)]
    fits = [
        any(
            torch.equal(torch.tensor(one), own["fc1.weight"]) for one in weights if one.shape == own["fc1.weight"].shape
        )
        for own in (module.state_dict() for module in whole)
    ]
    assert sum(fits) == 1
