"""A FIFO, device or socket under the name of a file: refused by name, and at once, instead of waited for."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

import archspec
from archspec.compiler.data.folder import checked, folder
from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.training.records.run_folder import RunFolder
from archspec.compiler.weights.trained import open_trained
from archspec.diagnostics.errors import ArchspecError
from archspec.graph.volume import Volume
from archspec.recipe import Recipe
from archspec.regular_file import open_regular, read_regular
from support.run_models import archspec_run, write_digits, write_photos

GRAY = Preprocessing(8, 8, "gray", (0.5,), (0.5,))


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link_to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def link_to_a_fifo(path: Path) -> None:
    os.mkfifo(path.with_name("far"))
    path.symlink_to("far")


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(path))


KINDS = [
    (fifo, "it is a FIFO, not a regular file"),
    (link_to_a_fifo, "it is a FIFO, not a regular file"),
    (link_to_zeros, "it is a device, not a regular file"),
    (bound_socket, "it is a socket, not a regular file"),
]
EVERY_KIND = pytest.mark.parametrize(("make", "reason"), KINDS, ids=lambda value: getattr(value, "__name__", ""))
ALONE = pytest.mark.parametrize(  # of those, the tests that start a process
    ("make", "reason"),
    [pytest.param(*one, marks=pytest.mark.slow) if one[0] is not fifo else one for one in KINDS],
    ids=lambda value: getattr(value, "__name__", ""),
)
Make = Callable[[Path], None]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)  # the path of a socket is limited to about 100 bytes
    yield tmp_path


@EVERY_KIND
def test_a_spec(make: Make, reason: str, tmp_path: Path) -> None:
    make(tmp_path / "net.arch")
    with pytest.raises(ArchspecError) as raised:
        archspec.load("./net.arch")
    assert f"error[E014]: ./net.arch cannot be read: {reason}\n" in str(raised.value)


@EVERY_KIND
def test_a_spec_that_another_uses(make: Make, reason: str, tmp_path: Path) -> None:
    assert reason
    make(tmp_path / "parts.arch")
    (tmp_path / "net.arch").write_text("use parts: unit\n[8] INPUT\nunit()\n")
    with pytest.raises(ArchspecError) as raised:
        archspec.load(str(tmp_path / "net.arch"))
    assert f"error[E014]: {tmp_path / 'parts.arch'} is not a regular file\n" in str(raised.value)


@EVERY_KIND
def test_weights(make: Make, reason: str, tmp_path: Path) -> None:
    make(tmp_path / "weights.safetensors")
    for path in (tmp_path, tmp_path / "weights.safetensors"):
        with pytest.raises(ArchspecError) as raised:
            open_trained(path)
        assert f"is not a weights file of archspec\n = {reason}\n" in str(raised.value)


@EVERY_KIND
def test_a_checkpoint_and_latest(make: Make, reason: str, tmp_path: Path) -> None:
    make(tmp_path / "checkpoint-000000001.pt")
    for name in ("", "latest"):
        if name:
            (tmp_path / "far").unlink(missing_ok=True)
            make(tmp_path / name)
        with pytest.raises(ArchspecError) as raised:
            RunFolder(tmp_path).load()
        assert f"`checkpoint-000000001.pt`: {reason}\n" in str(raised.value)


@ALONE
def test_a_model(make: Make, reason: str, tmp_path: Path) -> None:
    photos = write_photos(tmp_path)
    make(tmp_path / "net.onnx")
    result = archspec_run(tmp_path / "net.onnx", photos)
    assert result.exit_code == 1
    assert f"error[E430]: `{tmp_path / 'net.onnx'}` cannot be opened\n = {reason}\n" in result.stderr


@ALONE
def test_an_image_beside_others_is_named_and_the_others_are_classified(make: Make, reason: str, tmp_path: Path) -> None:
    photos = write_photos(tmp_path)
    make(photos / "more" / "pipe.png")
    (photos / "gone.png").symlink_to("nowhere")
    (photos / "loop.png").symlink_to("loop.png")
    result = archspec_run(write_digits(tmp_path), photos)
    assert result.exit_code == 1
    assert sum(not line.startswith(" ") for line in result.stdout.splitlines()) == 3
    assert f"`{photos / 'more' / 'pipe.png'}` cannot be read as an image\n = {reason}\n" in result.stderr
    assert f"no such file: `{photos / 'gone.png'}`\n" in result.stderr
    assert f"`{photos / 'loop.png'}` cannot be read as an image\n" in result.stderr


@EVERY_KIND
def test_images_to_train_on_are_left_out_as_damaged_ones(make: Make, reason: str, tmp_path: Path) -> None:
    assert reason
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("L", (8, 8)).save(tmp_path / "data" / name / f"{number}.png")
    make(tmp_path / "data" / "a" / "pipe.png")
    (tmp_path / "data" / "b" / "gone.png").symlink_to("nowhere")
    (tmp_path / "data" / "b" / "loop").symlink_to(tmp_path / "data")
    data = checked(folder(tmp_path / "data", Volume((8, 8, 1)), Recipe()))
    assert sorted(Path(path).name for path in data.damaged) == ["gone.png", "pipe.png"]
    assert len(data.train) + len(data.held_out) == 8


def test_a_file_that_is_replaced_by_a_fifo_in_between_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("archspec.regular_file.need_regular", lambda _path: None)
    with pytest.raises(OSError, match="it is a FIFO, not a regular file"):
        open_regular(tmp_path / "pipe")


def test_no_more_is_read_than_asked_for(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**40)
    assert read_regular(tmp_path / "sparse", 10) == bytes(11)
    with pytest.raises(ArchspecError, match="E009"):
        (tmp_path / "sparse").rename(tmp_path / "sparse.arch")
        archspec.load("./sparse.arch")
