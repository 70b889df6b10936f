"""From an image file to what a network takes."""

import json
import logging
import os
import random
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import EpsImagePlugin, Image

from archspec.compiler.data.decode import SUFFIXES, find, load
from archspec.compiler.data.hygiene.headers import header
from archspec.compiler.data.photos import Photos
from archspec.compiler.data.preprocessing import Preprocessing, default_preprocessing
from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.recipe import Recipe
from support.run_models import GRAY, write_photos

PLAIN = Preprocessing(4, 4, "RGB", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def test_each_colour_is_scaled_and_normalised(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (255, 51, 0)).save(tmp_path / "red.png")
    array = load(tmp_path / "red.png", Preprocessing(4, 4, "RGB", (0.5, 0.0, 0.25), (0.5, 0.2, 1.0)))
    assert array.shape == (3, 4, 4)
    assert array.dtype == np.float32
    np.testing.assert_allclose(array[:, 0, 0], [1.0, 1.0, -0.25], rtol=1e-6)


def test_an_image_covers_the_input_and_is_cropped_to_the_centre(tmp_path: Path) -> None:
    image = Image.new("RGB", (12, 4), "black")
    image.paste("white", (4, 0, 8, 4))
    image.save(tmp_path / "stripe.png")
    assert (load(tmp_path / "stripe.png", PLAIN) == 1).all()


def test_a_centre_crop_keeps_its_share_of_the_short_side(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 8, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "portrait.png")
    array = load(tmp_path / "portrait.png", Preprocessing(6, 6, "RGB", PLAIN.mean, PLAIN.std, 0.75))
    np.testing.assert_array_equal(array.transpose(1, 2, 0), pixels[5:11, 1:7] / np.float32(255))


def test_a_centre_crop_is_that_of_a_resized_image(tmp_path: Path) -> None:
    """A short side of 32, then the 28 pixels in the middle: 256 and 224 of the papers. Also of a JPEG that is decoded
    at half its size."""
    rows, columns = np.mgrid[0:128, 0:192]
    pixels = np.stack([columns * 255 / 191, rows * 255 / 127, 128 + 60 * np.sin(rows / 9 + columns / 14)], -1)
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photo.jpg", quality=95)
    with Image.open(tmp_path / "photo.jpg") as opened:
        whole = opened.resize((48, 32), Image.Resampling.BICUBIC).crop((10, 2, 38, 30))
    preprocessing = Preprocessing(28, 28, "RGB", PLAIN.mean, PLAIN.std, 0.875)
    assert preprocessing.decoded_size == (32, 32)
    array = load(tmp_path / "photo.jpg", preprocessing)
    np.testing.assert_allclose(array.transpose(1, 2, 0) * 255, np.asarray(whole), atol=4)
    photos = Photos([tmp_path / "photo.jpg"], torch.tensor([0]), Volume((28, 28, 3)), Recipe(eval_crop=0.875))
    assert np.array_equal(photos.__getitems__([(0, -1)]).images[0].numpy() / np.float32(255), array)


def test_preprocessing_without_a_crop_is_that_of_early_files() -> None:
    whole = Preprocessing(28, 28, "RGB", PLAIN.mean, PLAIN.std, 0.875)
    assert Preprocessing.from_json(whole.to_json()) == whole
    early = {name: value for name, value in json.loads(whole.to_json()).items() if name != "crop"}
    assert Preprocessing.from_json(json.dumps(early)).crop == 1
    for wrong in (0, 1.1, "0.875", None, True):
        with pytest.raises(ValueError, match=r"`crop` is .*; expected a number from 0.1 to 1"):
            Preprocessing.from_json(json.dumps({**early, "crop": wrong}))


def test_the_rows_of_an_image_are_the_rows_of_the_input(tmp_path: Path) -> None:
    image = Image.new("L", (4, 4), 0)
    image.paste(255, (0, 0, 4, 1))
    image.save(tmp_path / "top.png")
    array = load(tmp_path / "top.png", PLAIN)
    assert array[0, 0].tolist() == [1, 1, 1, 1]
    assert not array[:, 1:].any()


def test_the_exif_orientation_is_applied(tmp_path: Path) -> None:
    image = Image.new("L", (4, 4), 0)
    image.paste(255, (0, 0, 4, 1))
    orientation = Image.Exif()
    orientation[0x0112] = 3  # upside down
    image.save(tmp_path / "turned.png", exif=orientation)
    assert load(tmp_path / "turned.png", PLAIN)[0, :, 0].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LA"])
@pytest.mark.parametrize("preprocessing", [GRAY, PLAIN], ids=["gray", "RGB"])
def test_every_pixel_format_is_converted(mode: str, preprocessing: Preprocessing, tmp_path: Path) -> None:
    file = tmp_path / ("image.jpg" if mode == "CMYK" else "image.png")
    Image.new("RGB", (10, 10), "white").convert(mode).save(file)
    array = load(file, preprocessing)
    assert array.shape == (len(preprocessing.mean), preprocessing.height, preprocessing.width)
    np.testing.assert_allclose(array, (1 - preprocessing.mean[0]) / preprocessing.std[0], atol=0.02)


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I", "F", "F of 255"])
@pytest.mark.parametrize("preprocessing", [Preprocessing(4, 4, "gray", (0.0,), (1.0,)), PLAIN], ids=["gray", "RGB"])
def test_16_bit_and_float_grays_keep_their_range(mode: str, preprocessing: Preprocessing, tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 16).reshape(4, 4)
    most, kind = {
        "I;16": (65535, "<u2"),
        "I;16B": (65535, ">u2"),
        "I": (65535, "<i4"),
        "F": (1, "<f4"),
        "F of 255": (255, "<f4"),
    }[mode]
    path = tmp_path / "deep.tif"
    image = Image.fromarray((ramp * most).astype(kind))
    image.save(path)
    np.testing.assert_allclose(load(path, preprocessing)[0], ramp, atol=1 / 255)
    channels = len(preprocessing.mean)
    photos = Photos([path], torch.zeros(1), Volume((4, 4, channels)), Recipe())
    np.testing.assert_allclose(photos.__getitems__([(0, -1)]).images[0, -1] / 255, ramp, atol=1 / 255)


@pytest.mark.parametrize("error", [RuntimeError, NotImplementedError, MemoryError, EOFError, KeyError, struct.error])
def test_any_exception_in_a_decoder_is_a_finding(
    error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (4, 4)).save(path)

    def damaged(*_: object) -> None:
        raise error

    monkeypatch.setattr(Image, "open", damaged)
    with pytest.raises(Finding, match="cannot be read as an image"):
        load(path, PLAIN)
    photos = Photos([path], torch.zeros(1), Volume((4, 4, 3)), Recipe())
    assert photos.__getitems__([(0, -1), (0, 5)]).damaged[0] == str(path)
    assert header(path) is None


def test_an_image_of_too_many_pixels_is_refused_by_its_head(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("L", (4, 4)).save(path)
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 30_000, 30_000)  # width and height
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    with pytest.raises(Finding, match="cannot be read as an image") as caught:
        load(path, PLAIN)
    assert "decompression bomb" in caught.value.notes[0]


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"


def test_postscript_named_like_an_image_starts_no_ghostscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = tmp_path / "started"
    ghostscript = tmp_path / "bin" / "gs"
    ghostscript.parent.mkdir()
    ghostscript.write_text(f"#!/bin/sh\ntouch {started}\n", encoding="utf-8")
    ghostscript.chmod(0o755)
    monkeypatch.setenv("PATH", str(ghostscript.parent), prepend=os.pathsep)
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # look for it again
    path = tmp_path / "cat.jpg"
    path.write_bytes(POSTSCRIPT)
    with pytest.raises(Finding, match="is not an image"):
        load(path, PLAIN)
    assert header(path) is None
    photos = Photos([path], torch.zeros(1), Volume((4, 4, 3)), Recipe())
    assert photos.__getitems__([(0, -1), (0, 5)]).damaged[0] == str(path)
    assert not started.exists()
    with Image.open(path) as opened, suppress(Exception):  # the same file as Pillow alone would take it
        opened.load()
    assert started.exists()


def test_only_named_bitmap_formats_are_looked_for() -> None:
    assert {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif"} <= SUFFIXES
    assert SUFFIXES.isdisjoint({".eps", ".ps", ".pdf", ".wmf", ".emf", ".h5", ".grib"})


def test_a_file_with_a_changed_byte_is_an_image_or_one_finding(tmp_path: Path) -> None:
    chance = random.Random(0)
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    for suffix in (".avif", ".jp2", ".webp", ".gif", ".tif", ".bmp", ".jpg", ".png"):
        if suffix not in SUFFIXES:
            continue
        path = tmp_path / f"a{suffix}"
        Image.fromarray(pixels).save(path)
        whole = path.read_bytes()
        for _ in range(60):
            data = bytearray(whole)
            data[chance.randrange(min(len(data), 200))] = chance.randrange(256)
            path.write_bytes(data)
            with suppress(Finding):
                load(path, PLAIN)
            header(path)


STATISTICS = {
    "RGB": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),  # of ImageNet, as torchvision has them
    "gray": ((0.5,), (0.5,)),
}


@pytest.mark.parametrize(("volume", "colours"), [((8, 6, 3), "RGB"), ((8, 6, 1), "gray")])
def test_an_untrained_network_has_the_preprocessing_of_its_input(volume: tuple[int, ...], colours: str) -> None:
    found = default_preprocessing(Volume(volume))
    assert found is not None
    assert (found.height, found.width, found.colours, found.channels) == (8, 6, colours, volume[2])
    assert (found.mean, found.std) == STATISTICS[colours]
    assert (found.size, found.mode) == ((6, 8), {"RGB": "RGB", "gray": "L"}[colours])
    assert Preprocessing.from_json(found.to_json()) == found


def test_a_folder_is_searched_recursively_and_in_order(tmp_path: Path) -> None:
    photos = write_photos(tmp_path)
    found, wrong = find((photos, photos / "a.png"))
    assert [path.relative_to(photos).as_posix() for path in found] == ["a.png", "b.jpg", "more/c.webp", "a.png"]
    assert wrong == []


def test_what_pillow_logs_of_a_bad_file_is_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's; without any, Python prints it
    tags = {256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 8, 277: 127, 279: 1}  # 127 samples a pixel
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    (tmp_path / "x.tif").write_bytes(b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4))
    with pytest.raises(Finding):
        load(tmp_path / "x.tif", PLAIN)
    assert capsys.readouterr().err == ""
