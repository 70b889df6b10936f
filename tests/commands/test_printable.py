"""Names of files and classes are printed so that no terminal acts on them, whatever the encoding."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from archspec.compiler.data.decode import find
from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.pages.confusion_picture import confusion_picture
from archspec.compiler.progress import Progress
from archspec.compiler.training.records.report_page import write_report
from support.evals import evaluated, write_weights
from support.run_models import NAMES, archspec_run, write_model

EVIL = "\x1b[31mred\x1b]0;title\x07\r\n\N{RIGHT-TO-LEFT OVERRIDE}\x00"  # as a class; no file can have a zero byte
FILE = EVIL[:-1] + "\udcff"  # as Python shows a byte that is not UTF-8
BAD = frozenset("\x1b\x07\r\x00\u202e")
GRAY = Preprocessing(8, 8, "gray", (0.25,), (0.5,))
ENCODINGS = [
    pytest.param({"PYTHONIOENCODING": "ascii"}, marks=pytest.mark.slow),
    pytest.param({"LC_ALL": "C"}, marks=pytest.mark.slow),
    pytest.param({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}),
]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    names = (EVIL, "caf\N{LATIN SMALL LETTER E WITH ACUTE}", *NAMES[2:])
    return write_model(tmp_path / "net.onnx", class_names=names, preprocessing=GRAY)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("L", (8, 8)).save(folder / f"{FILE}.png")
    (folder / f"damaged{FILE}.png").write_text("not an image")
    return folder


def is_safe(text: str) -> bool:
    return not BAD & set(text) and not any(0xD800 <= ord(letter) < 0xE000 for letter in text)


def test_run_prints_files_and_classes(model: Path, photos: Path) -> None:
    result = archspec_run(model, photos, "--top", "10")
    assert result.exit_code == 1
    assert is_safe(result.stdout + result.stderr)
    assert "red" in result.stdout
    assert len(result.stdout.splitlines()) == 11
    found = json.loads(archspec_run(model, photos, "--json", "--top", "10").stdout)
    assert EVIL in [one["name"] for one in found["images"][0]["top"]]
    assert Path(found["images"][0]["image"]).name == f"{FILE}.png"
    assert Path(found["images"][0]["image"]) in find((photos,))[0]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_other_encodings(encoding: dict[str, str], model: Path, photos: Path) -> None:
    command = [sys.executable, "-m", "archspec", "run", str(model), str(photos), "--top", "10"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    done = subprocess.run(command, capture_output=True, check=False, env=environment | encoding)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"E432" in done.stderr
    assert b"red" in done.stdout
    assert not {*b"\x1b\x07\r\x00"} & {*done.stdout, *done.stderr}


def test_eval_prints_files_and_classes(tmp_path: Path) -> None:
    names = ("a", EVIL.replace("\x00", ""), "c")
    text = "net N\n[12x12x3] INPUT\nCONV 8 3x3 p1 -> RELU\nGAP -> FC 3\n"
    weights = write_weights(tmp_path / "weights.safetensors", text, names)
    for name in names:
        (tmp_path / "data" / "val" / name).mkdir(parents=True)
        Image.new("RGB", (12, 12)).save(tmp_path / "data" / "val" / name / "1.png")
    (tmp_path / "data" / "val" / "a" / f"{FILE}.png").write_text("not an image")
    result = evaluated(weights, "--data", tmp_path / "data", "--plot", tmp_path / "plot.svg", "--workers", "0")
    assert result.exit_code == 0, result.stdout + result.stderr
    assert is_safe(result.stdout + result.stderr)
    assert is_safe((tmp_path / "plot.svg").read_text())


def test_pages_are_well_formed(tmp_path: Path) -> None:
    found = Evaluation.of_matrix((EVIL, "b"), ((1, 1), (0, 2)), (2, 2))
    picture = confusion_picture(FILE, found)
    assert is_safe(picture)
    ElementTree.fromstring(picture)
    write_report(tmp_path / "report.html", FILE, (), {EVIL: EVIL}, found, {"data": FILE})
    assert is_safe((tmp_path / "report.html").read_text())


def test_progress_is_one_line() -> None:
    stream = StringIO()
    Progress(quiet=False, stream=stream).line(f"cannot read `{FILE}`: left out")
    assert is_safe(stream.getvalue())
    assert stream.getvalue().count("\n") == 1
