"""Files are written completely or not at all."""

import os
from pathlib import Path

import pytest

from archspec.compiler.weights import atomic
from archspec.compiler.weights.atomic import is_temporary, replace_file, temporary_name
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
    name = f".latest.{os.getpid()}"
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


def test_a_temporary_name_is_hidden_and_ends_in_the_process() -> None:
    assert temporary_name("latest") == f".latest.{os.getpid()}"
    assert is_temporary(temporary_name("a.b"), lambda name: name == "a.b")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (".latest.4711", True),
        ("latest.4711", False),
        (".latest.", False),
        (".latest", False),
        (".latest.x1", False),
        (".latest.-1", False),
        (".latest.\N{SUPERSCRIPT TWO}", False),
        (".latest.\N{ARABIC-INDIC DIGIT ONE}", False),
        (".env.2024", False),
        (".latest.4711.5", False),
    ],
)
def test_only_the_temporary_names_of_known_files_are_recognised(name: str, expected: bool) -> None:
    assert is_temporary(name, lambda known: known == "latest") == expected
