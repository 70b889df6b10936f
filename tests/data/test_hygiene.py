"""What is found in a folder of images: against plain loops over the files' bytes and Pillow's own decoding."""

import random
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archspec.compiler.data.hygiene.copies import END, copies
from archspec.compiler.data.hygiene.findings import FolderFinding, ImagePart, ImageSet, findings
from archspec.compiler.data.hygiene.headers import Header, decoded, header
from archspec.compiler.data.hygiene.survey import survey
from archspec.graph.volume import Volume
from support.image_folders import write_images


# ---- copies
def test_copies_are_the_files_with_the_same_bytes(tmp_path: Path) -> None:
    chance = random.Random(0)
    body = chance.randbytes(3 * END)
    kinds = [body, b"x" + body[1:], body[:-1] + b"x", body + b"x", b"", b"a", body[:END], b"y" + body[1:END]]
    contents = {tmp_path / f"{number:02}": chance.choice(kinds) for number in range(40)}
    for path, content in contents.items():
        path.write_bytes(content)
    by_content: dict[bytes, list[Path]] = {}
    for path, content in contents.items():
        by_content.setdefault(content, []).append(path)
    expected = {tuple(own) for own in by_content.values() if len(own) > 1}
    assert set(copies(contents)) == expected
    assert len(expected) == len(kinds)


def test_a_file_that_cannot_be_read_has_no_copies(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(b"same")
    paths = [tmp_path / "a", tmp_path / "missing", tmp_path / "b", tmp_path]
    assert copies(paths) == [(tmp_path / "a", tmp_path / "b")]


# ---- headers
def png_of_16_bits(path: Path) -> Path:
    """A PNG of 4x4 pixels with three channels of 16 bits, which Pillow cannot write."""
    rows = b"".join(b"\0" + bytes(range(24)) for _ in range(4))
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


@pytest.mark.parametrize(
    ("mode", "suffix", "colours"),
    [
        ("RGB", "png", "RGB"),
        ("RGB", "jpg", "RGB"),
        ("1", "png", "gray"),
        ("L", "jpg", "gray"),
        ("LA", "png", "transparent"),
        ("RGBA", "png", "transparent"),
        ("P", "png", "palette"),
        ("CMYK", "jpg", "CMYK"),
        ("I;16", "png", "16 bit"),
        ("F", "tif", "16 bit"),
    ],
)
def test_the_colours_of_an_image_are_read_from_its_header(mode: str, suffix: str, colours: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.new(mode, (5, 7)).save(path)
    for found in (header(path), decoded(path)):
        assert found is not None
        assert (found.colours, found.size) == (colours, (5, 7))


def test_16_bits_of_each_colour_and_a_transparent_palette_are_seen(tmp_path: Path) -> None:
    deep = header(png_of_16_bits(tmp_path / "deep.png"))
    assert deep is not None
    assert (deep.mode, deep.colours) == ("RGB", "16 bit")
    Image.new("P", (4, 4)).save(tmp_path / "clear.png", transparency=0)
    clear = header(tmp_path / "clear.png")
    assert clear is not None
    assert clear.colours == "transparent"


def test_an_image_that_is_cut_short_is_found_only_by_decoding_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.effect_noise((64, 64), 90).save(path)
    assert decoded(path) is not None
    path.write_bytes(path.read_bytes()[:-300])
    assert header(path) is not None
    assert decoded(path) is None


# ---- findings
def found_in(root: Path, volume: Volume | None = None) -> dict[str, FolderFinding]:
    found = survey(root, volume, header, lambda _done, _of: None).findings
    assert len({(one.kind, one.message) for one in found}) == len(found)
    return {one.kind: one for one in found}


def copy(root: Path, source: str, *targets: str) -> None:
    for target in targets:
        (root / target).write_bytes((root / source).read_bytes())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    counts = {f"{part}/{name}": 4 for part in ("train", "val", "test") for name in ("cat", "dog")}
    return write_images(tmp_path / "my photos", counts)


def test_a_folder_in_order_has_no_findings(photos: Path) -> None:
    found = survey(photos, Volume((32, 32, 3)), header, lambda _done, _of: None)
    assert (found.findings, found.refusals, found.images) == ((), (), 24)
    uses = [(part.path.name, part.use) for part in found.parts]
    assert uses == [("train", "to train on"), ("val", "held out"), ("test", "for `eval --split test`")]


def test_an_image_in_two_parts_is_a_leak(photos: Path) -> None:
    copy(photos, "train/cat/0.png", "val/cat/9.png", "val/cat/8.png")
    found = survey(photos, None, header, lambda _done, _of: None).findings
    (leak,) = (one for one in found if one.kind == "leaks")
    assert leak.message == "2 images in `val` are also in `train`: the accuracy will be too high"
    assert leak.listed == (photos / "train/cat/0.png",)
    assert f"archspec data '{photos}' --list leaks" in leak.advice
    (again,) = (one for one in found if one.kind == "duplicates")  # val has it twice
    assert (again.count, again.listed) == (1, (photos / "val/cat/9.png",))
    copy(photos, "train/dog/1.png", "test/dog/9.png")
    copy(photos, "val/dog/1.png", "test/dog/8.png")
    messages = [one.message for one in survey(photos, None, header, lambda _done, _of: None).findings]
    assert [text.partition(":")[0] for text in messages[:3]] == [
        "2 images in `val` are also in `train`",
        "1 image in `test` is also in `train`",
        "1 image in `test` is also in `val`",
    ]


def test_an_image_under_two_labels_is_found_within_and_between_parts(photos: Path) -> None:
    copy(photos, "train/cat/0.png", "train/dog/9.png")
    copy(photos, "train/dog/1.png", "val/cat/9.png")
    found = found_in(photos)
    first, second = (f"`{photos / name}`" for name in ("train/cat/0.png", "train/dog/9.png"))
    assert found["labels"].message == f"2 images are in two classes: {first} is {second}"
    assert len(found["labels"].listed) == 4
    assert "duplicates" not in found
    assert found["leaks"].count == 1


def test_copies_in_a_class_are_duplicates_and_the_first_is_kept(tmp_path: Path) -> None:
    root = write_images(tmp_path, {"cat": 4, "dog": 4})
    copy(root, "cat/0.png", "cat/1.png", "cat/2.png")
    found = found_in(root)
    assert [*found] == ["duplicates"]
    assert found["duplicates"].groups == (tuple(root / f"cat/{number}.png" for number in range(3)),)
    assert found["duplicates"].listed == (root / "cat/1.png", root / "cat/2.png")
    assert found["duplicates"].message.startswith("2 images in")


def test_unreadable_files_are_counted_and_are_no_copies_of_each_other(tmp_path: Path) -> None:
    root = write_images(tmp_path, {"cat": 4, "dog": 4})
    for number in range(2):
        (root / "cat" / f"{number}.png").write_bytes(b"")
    found = found_in(root)
    assert [*found] == ["unreadable"]
    assert found["unreadable"].listed == (root / "cat/0.png", root / "cat/1.png")


def test_images_that_are_not_rgb_are_counted_by_kind(tmp_path: Path) -> None:
    root = write_images(tmp_path, {"cat": 4, "dog": 4})
    for number, mode in enumerate(("L", "LA", "L")):
        Image.new(mode, (40, 40 + number)).save(root / "cat" / f"{number}.png")
    found = found_in(root)["colours"]
    assert found.message == "3 images are not RGB (2 gray, 1 transparent): training converts them"
    assert "colours" not in found_in(root, Volume((8, 8, 1)))


def test_a_folder_of_gray_images_is_offered_one_channel(tmp_path: Path) -> None:
    root = write_images(tmp_path, {"cat": 2, "dog": 2})
    for number, path in enumerate(sorted(root.rglob("*.png"))):
        Image.new("L", (40, 40 + number)).save(path)
    assert found_in(root, Volume((28, 24, 3)))["colours"].advice == "`--input 28x24x1` trains on one channel"


@pytest.mark.parametrize(
    ("size", "volume", "is_tiny"),
    [
        ((32, 32), None, False),
        ((31, 90), None, True),
        ((90, 31), None, True),
        ((64, 48), (48, 64, 3), False),
        ((48, 64), (48, 64, 3), False),  # a photograph may be turned
        ((63, 48), (48, 64, 3), True),
        ((8, 8), (8, 8, 3), False),
    ],
)
def test_an_image_is_tiny_if_it_does_not_cover_the_input(
    size: tuple[int, int], volume: tuple[int, int, int] | None, is_tiny: bool, tmp_path: Path
) -> None:
    root = write_images(tmp_path, {"cat": 2, "dog": 2}, size)
    assert ("tiny" in found_in(root, Volume(volume) if volume else None)) == is_tiny


def test_a_smaller_input_is_proposed_if_many_images_are_smaller(tmp_path: Path) -> None:
    root = write_images(tmp_path, {"cat": 20, "dog": 19}, (52, 60))
    Image.new("RGB", (9, 9)).save(root / "dog" / "small.png")
    found = found_in(root, Volume((64, 64, 3)))["tiny"]
    assert found.message == "40 images are smaller than the input of 64x64 (9x9 and up): enlarged"
    assert found.advice == "`--input 48x48x3` enlarges at most 5 % of them"
    assert found_in(root, Volume((48, 48, 3)))["tiny"].count == 1  # of 40


def test_no_larger_input_is_proposed_for_images_of_another_shape(tmp_path: Path) -> None:
    root = write_images(tmp_path, {"cat": 20, "dog": 20}, (60, 60))
    found = found_in(root, Volume((32, 64, 3)))["tiny"]  # 56x56 would be higher
    assert found.advice.startswith("`archspec data ")


@pytest.mark.parametrize(
    ("counts", "ratio"), [((40, 10), "4.0"), ((39, 10), None), ((10, 10), None), ((50, 4), "12.5")]
)
def test_uneven_classes_are_those_of_training(counts: tuple[int, int], ratio: str | None) -> None:
    train = {Path(f"{name}{number}"): name for name, count in zip("ab", counts, strict=True) for number in range(count)}
    held_out = {Path(f"{number}"): "a" for number in range(99)} | {Path("b"): "b"}
    known = {path: Header("RGB", (99, 99)) for path in (*train, *held_out)}
    images = ImageSet(Path("photos"), (ImagePart("`train`", train), ImagePart("`val`", held_out)), known)
    found = [one.message for one in findings(images)]
    expected = f"the class `a` has {counts[0]} images to train on, {ratio} times as many as `b` with {counts[1]}"
    assert found == ([expected] if ratio else [])


def test_sizes_and_colours_are_those_of_the_images(tmp_path: Path) -> None:
    root = write_images(tmp_path, {"cat": 3, "dog": 3})
    chance = np.random.default_rng(0)
    sizes = [(int(width), int(height)) for width, height in chance.integers(33, 99, (6, 2))]
    for number, path in enumerate(root.rglob("*.png")):
        Image.new("RGB", sizes[number], number).save(path)
    found = survey(root, None, header, lambda _done, _of: None)
    sizes.sort(key=lambda size: size[0] * size[1])
    assert found.sides is not None
    assert (found.sides.smallest, found.sides.largest) == (sizes[0], sizes[-1])
    assert found.sides.median == sorted(map(min, sizes))[2]
    assert dict(found.colours) == {"RGB": 6}


def test_a_second_folder_of_held_out_images_is_a_finding(tmp_path: Path) -> None:
    write_images(tmp_path, {f"{part}/{name}": 2 for part in ("train", "val", "validation", "valid") for name in "ab"})
    (one,) = survey(tmp_path, Volume((8, 8, 3)), header, lambda *_: None).findings
    assert (one.kind, one.count) == ("unused", 2)
    assert one.message == "`validation`, `valid` are not used: the images in `val` are held out"
    shutil.rmtree(tmp_path / "val")
    (one,) = survey(tmp_path, Volume((8, 8, 3)), header, lambda *_: None).findings
    assert one.message == "`valid` is not used: the images in `validation` are held out"
    shutil.rmtree(tmp_path / "valid")
    assert survey(tmp_path, Volume((8, 8, 3)), header, lambda *_: None).findings == ()
