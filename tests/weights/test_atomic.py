"""Files are written completely or not at all."""

import os
from pathlib import Path

import pytest

from archspec.compiler.weights import atomic
from archspec.compiler.weights.atomic import replace_file
from archspec.compiler.weights.left_overs import is_temporary
from archspec.diagnostics.errors import ArchspecError


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    target.write_bytes(b"old")
    link.symlink_to(target)
    replace_file(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_only_regular_files_are_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in ("pipe", "folder", "file/under", "loop", "a\0b", "a" * 300, "/dev/full"):
        with pytest.raises(ArchspecError, match="E422"):
            replace_file(tmp_path / path, b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "loop", "pipe"]


def test_a_file_is_flushed_under_its_temporary_name_then_renamed_then_its_folder_is_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[object] = []
    write, rename, flush = atomic.write_flushed, Path.replace, os.fsync

    def written(path: Path, fill: object) -> None:
        steps.append(("write", path.parent, path.name))
        write(path, fill)  # type: ignore[arg-type]  # passed on

    def renamed(path: Path, target: Path) -> Path:
        steps.append(("rename", path.read_bytes(), target.name))
        return rename(path, target)

    def flushed(number: int) -> None:
        steps.append("flush")
        flush(number)

    monkeypatch.setattr(atomic, "write_flushed", written)
    monkeypatch.setattr(Path, "replace", renamed)
    monkeypatch.setattr(os, "fsync", flushed)
    replace_file(tmp_path / "latest", b"new")
    (name,) = [step[2] for step in steps if isinstance(step, tuple) and step[0] == "write"]
    assert is_temporary(name, lambda of: of == "latest")
    assert steps == [("write", tmp_path, name), "flush", ("rename", b"new", "latest"), "flush"]
    assert [path.name for path in tmp_path.iterdir()] == ["latest"]


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "latest").write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArchspecError, match="No space left on device"):
        replace_file(tmp_path / "latest", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("latest", b"old")]
