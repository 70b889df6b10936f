"""Where specs are found, and the messages for one that is missing or not text."""

from pathlib import Path

import pytest

import archspec
from archspec.diagnostics.source import MAX_SIZE
from archspec.library import built_in, locate

SMALL = "[8x8x3] INPUT\n[4] FC 4\n"


def message_of(spec: str) -> str:
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.load(spec)
    return str(caught.value)


def test_a_name_is_a_built_in_spec() -> None:
    assert locate("vgg16").source.name == "vgg16.arch"
    assert "vgg16" in built_in()


def test_a_path_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.arch"
    path.write_text(SMALL)
    network = archspec.load(path)
    assert (network.name, network.params) == ("mine", 8 * 8 * 3 * 4 + 4)


def test_a_name_may_contain_a_variant() -> None:
    assert locate("resnet_r50").variant == "r50"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("lenet", "did you mean `lenet5`?"),
        ("qqqqqq", "`archspec specs` lists the built-in specs"),
        ("missing/net.arch", "no such file: missing/net.arch"),
        ("resnet_r51", "unknown variant `r51` of `resnet`"),
        ("resnet_r51", "did you mean `resnet_r50`?"),
        ("vgg", "did you mean `vgg11`, `vgg13`, `vgg16`, `vgg19` or `vgg_bn`?"),
        ("resnet5", "did you mean `resnet50` or `resnet56`?"),
        ("resnet5O", "did you mean `resnet50`?"),
        ("ResNet-50", "did you mean `resnet50`?"),
        ("efficientnet-b3", "did you mean `efficientnet_b3`?"),
        ("vgg16_x", "unknown built-in spec `vgg16_x`"),
        ("resnet50.arch", "`resnet50` for the built-in spec"),
        ("slide.txt", "no such file: slide.txt"),
        ("https://example.org/a.arch", "is an address, not a file"),
    ],
)
def test_a_missing_spec_is_reported(spec: str, said: str) -> None:
    assert said in message_of(spec)


def test_a_file_in_this_folder_is_suggested_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.arch").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    assert "`./mine.arch` for the file in this folder" in message_of("mine")


def test_a_misspelt_file_is_suggested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.arch").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    assert f"`{tmp_path / 'mine.arch'}`?" in message_of(str(tmp_path / "mien.arch"))
    assert "did you mean `mine.arch`?" in message_of("mine.acrh")
    assert "did you mean `./mine.arch`?" in message_of("./mine")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("w.safetensors", "is a weights file, not a spec\n = help: `archspec eval"),
        ("net.onnx", "is an ONNX model, not a spec\n = help: `archspec run"),
        ("notes.txt", "unknown built-in spec `notes.txt`\n = help: `./notes.txt` for the file in this folder"),
    ],
)
def test_a_file_of_another_kind_is_called_what_it_is(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(b"\xff")
    monkeypatch.chdir(tmp_path)
    assert said in message_of(name)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[8x8x3] INPUT\n\xff\n", "is not UTF-8 text: byte 0xff on line 2"),
        (b"#" * (MAX_SIZE + 1), f"is larger than {MAX_SIZE:,} bytes"),
        (b"", "contains no layers"),
    ],
)
def test_a_file_that_is_not_a_spec_gets_one_message(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "wrong.arch"
    path.write_bytes(data)
    message = message_of(str(path))
    assert said in message
    assert message.count("error[") == 1


def test_a_folder_is_not_a_spec(tmp_path: Path) -> None:
    assert "is a folder" in message_of(f"{tmp_path}/")


@pytest.mark.parametrize("data", [SMALL.encode("utf-8-sig"), SMALL.replace("\n", "\r\n").encode()])
def test_byte_order_marks_and_line_ends_of_other_systems_are_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "mine.arch"
    path.write_bytes(data)
    assert archspec.load(path).output == (4,)


def test_a_family_is_used_by_the_name_of_a_variant_too() -> None:
    network = archspec.loads("use swin_t: merge\n[8x8x96] INPUT\n[4x4x192] merge()\n")
    assert network.output == (4, 4, 192)
    with pytest.raises(archspec.ArchspecError, match=r"no such file: swin_x\.arch"):
        archspec.loads("use swin_x: merge\n[8x8x96] INPUT\nmerge()\n")


def test_a_used_file_is_found_in_the_folder_of_the_spec(tmp_path: Path) -> None:
    (tmp_path / "parts.arch").write_text("block twice(f)\n    FC f -> RELU -> FC f\n")
    (tmp_path / "mine.arch").write_text("use parts: twice\n[5] INPUT\ntwice(7)\n")
    assert archspec.load(tmp_path / "mine.arch").params == 5 * 7 + 7 + 7 * 7 + 7


def test_a_spec_never_uses_files_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "parts.arch").write_text("block one(f)\n    FC f\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "parts.arch").symlink_to(tmp_path / "parts.arch")
    (inner / "mine.arch").write_text("use parts: one\n[5] INPUT\none(7)\n")
    assert "no such file: parts.arch" in message_of(str(inner / "mine.arch"))
