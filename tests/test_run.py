"""`archspec run`: images as a network takes them, what it says of them, and what is wrong with files that are none."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from onnx_models import HandNetwork, randomised, run, weights_of
from PIL import Image

import archspec
from archspec.cli import main
from archspec.compiler import runtime
from archspec.compiler.about import Preprocessing, untrained
from archspec.compiler.classify import open_classifier, softmax
from archspec.compiler.image import find, load
from archspec.compiler.onnx import emit
from archspec.compiler.runtime import CPU, CUDA, installed_packages, missing_for_cuda, not_on_cuda, open_session
from archspec.diagnostics import SpecError
from archspec.volume import Volume

SPEC = "net Digits\n[8x8x1] INPUT\nCONV 4 3x3 -> RELU\nhidden: FC 12 -> RELU\nFC 10\n"
NAMES = tuple(f"digit {number}" for number in range(10))
GRAY = Preprocessing(8, 8, "gray", (0.25,), (0.5,))
PLAIN = Preprocessing(4, 4, "RGB", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def archspec_run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["run", *map(str, arguments)])


def write_model(path: Path, text: str = SPEC, output: str | None = None, **about: Any) -> Path:
    graph = archspec.loads(text).graph
    weights = weights_of(randomised(HandNetwork(graph)))
    path.write_bytes(emit(graph, weights, output=output, **about).SerializeToString())
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "digits.onnx", class_names=NAMES, preprocessing=GRAY)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three images, one of them in a folder of its own, and a file that is none."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name, shape in (("a.png", (8, 8)), ("b.jpg", (30, 20, 3)), ("more/c.webp", (9, 40, 3))):
        Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("no image")
    return folder


# ---- from a file to what the network takes
def test_each_colour_is_scaled_and_normalised(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (255, 51, 0)).save(tmp_path / "red.png")
    array = load(tmp_path / "red.png", Preprocessing(4, 4, "RGB", (0.5, 0.0, 0.25), (0.5, 0.2, 1.0)))
    assert array.shape == (3, 4, 4)
    assert array.dtype == np.float32
    np.testing.assert_allclose(array[:, 0, 0], [1.0, 1.0, -0.25], rtol=1e-6)


def test_an_image_covers_the_input_and_is_cut_in_the_middle(tmp_path: Path) -> None:
    image = Image.new("RGB", (12, 4), "black")
    image.paste("white", (4, 0, 8, 4))
    image.save(tmp_path / "stripe.png")
    assert (load(tmp_path / "stripe.png", PLAIN) == 1).all()


def test_the_rows_of_an_image_are_the_rows_of_the_input(tmp_path: Path) -> None:
    image = Image.new("L", (4, 4), 0)
    image.paste(255, (0, 0, 4, 1))
    image.save(tmp_path / "top.png")
    array = load(tmp_path / "top.png", PLAIN)
    assert array[0, 0].tolist() == [1, 1, 1, 1]
    assert not array[:, 1:].any()


def test_a_camera_that_was_turned_is_turned_back(tmp_path: Path) -> None:
    image = Image.new("L", (4, 4), 0)
    image.paste(255, (0, 0, 4, 1))
    orientation = Image.Exif()
    orientation[0x0112] = 3  # upside down
    image.save(tmp_path / "turned.png", exif=orientation)
    assert load(tmp_path / "turned.png", PLAIN)[0, :, 0].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LA"])
@pytest.mark.parametrize("preprocessing", [GRAY, PLAIN], ids=["gray", "RGB"])
def test_every_kind_of_pixel_becomes_the_networks(mode: str, preprocessing: Preprocessing, tmp_path: Path) -> None:
    file = tmp_path / ("image.jpg" if mode == "CMYK" else "image.png")
    Image.new("RGB", (10, 10), "white").convert(mode).save(file)
    array = load(file, preprocessing)
    assert array.shape == (len(preprocessing.mean), preprocessing.height, preprocessing.width)
    np.testing.assert_allclose(array, (1 - preprocessing.mean[0]) / preprocessing.std[0], atol=0.02)


@pytest.mark.parametrize(("volume", "colours"), [((8, 6, 3), "RGB"), ((8, 6, 1), "gray")])
def test_a_network_that_saw_no_data_has_the_preprocessing_of_its_input(volume: tuple[int, ...], colours: str) -> None:
    found = untrained(Volume(volume))
    assert found is not None
    assert (found.height, found.width, found.colours, len(found.mean)) == (8, 6, colours, volume[2])
    assert Preprocessing.from_json(found.to_json()) == found


def test_a_folder_is_searched_through_in_order(photos: Path) -> None:
    found, wrong = find((photos, photos / "a.png"))
    assert [path.relative_to(photos).as_posix() for path in found] == ["a.png", "b.jpg", "more/c.webp", "a.png"]
    assert wrong == []


# ---- what it says
def test_the_likeliest_classes_come_first_by_name(model: Path, photos: Path) -> None:
    result = archspec_run(model, photos / "a.png", "--top", "3")
    assert result.exit_code == 0
    title, *rows = result.stdout.splitlines()
    assert title == str(photos / "a.png")
    scores = run(onnx.load(model), [as_input(photos / "a.png")])[0]
    order = np.argsort(-scores)[:3]
    shares = np.exp(scores) / np.exp(scores).sum()
    assert rows == [f"{100 * shares[number]:6.2f} %  {NAMES[number]}" for number in order]


def as_input(path: Path) -> Any:
    import torch

    return torch.from_numpy(load(path, GRAY))[None]


def test_json_has_every_image_and_its_probabilities(model: Path, photos: Path) -> None:
    result = archspec_run(model, photos, "--json", "--top", "10")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert [Path(one["image"]).name for one in document["images"]] == ["a.png", "b.jpg", "c.webp"]
    for image in document["images"]:
        shares = [guess["probability"] for guess in image["top"]]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1)
        assert all(guess["name"] == NAMES[guess["class"]] for guess in image["top"])
    assert document["diagnostics"] == []


def test_more_images_than_a_batch_holds_are_all_classified(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(35):
        Image.new("L", (8, 8), 7 * number).save(folder / f"{number:02}.png")
    entries = json.loads(archspec_run(model, folder, "--json").stdout)["images"]
    alone = json.loads(archspec_run(model, folder / "33.png", "--json").stdout)["images"]
    assert [Path(entry["image"]).stem for entry in entries] == [f"{number:02}" for number in range(35)]
    (batched, single) = (found["top"][0] for found in (entries[33], alone[0]))
    assert batched["name"] == single["name"]
    assert batched["probability"] == pytest.approx(single["probability"], rel=1e-5)


def test_features_are_the_output_itself(tmp_path: Path, photos: Path) -> None:
    cut = write_model(tmp_path / "cut.onnx", output="hidden", preprocessing=GRAY)
    expected = run(onnx.load(cut), [as_input(photos / "a.png")])[0]
    line = archspec_run(cut, photos / "a.png", "--features").stdout
    name, numbers = line.rstrip("\n").split("\t")
    assert name == str(photos / "a.png")
    np.testing.assert_allclose(np.array(numbers.split(), dtype=float), expected, rtol=1e-4, atol=1e-6)
    (entry,) = json.loads(archspec_run(cut, photos / "a.png", "--features", "--json").stdout)["images"]
    np.testing.assert_allclose(entry["features"], expected, rtol=1e-5)


def test_classes_without_names_go_by_number(tmp_path: Path, photos: Path) -> None:
    nameless = write_model(tmp_path / "nameless.onnx", preprocessing=GRAY)
    assert "%  class " in archspec_run(nameless, photos / "a.png").stdout


def test_a_network_that_ends_in_softmax_gives_its_own_probabilities(tmp_path: Path, photos: Path) -> None:
    text = SPEC.replace("FC 10\n", "FC 10 -> SOFTMAX\n")
    path = write_model(tmp_path / "soft.onnx", text, preprocessing=GRAY)
    probabilities = run(onnx.load(path), [as_input(photos / "a.png")])[0]
    (entry,) = json.loads(archspec_run(path, photos / "a.png", "--json").stdout)["images"]
    assert entry["top"][0]["probability"] == pytest.approx(probabilities.max(), rel=1e-5)


def test_softmax_of_large_scores_is_finite() -> None:
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000.0, -1000.0], dtype=np.float32)), [0.5, 0.5, 0.0])


# ---- what is wrong
def test_wrong_images_are_named_and_the_others_are_done(model: Path, photos: Path) -> None:
    (photos / "text.jpg").write_text("no image")
    (photos / "empty.png").touch()
    (photos / "cut.jpg").write_bytes((photos / "b.jpg").read_bytes()[:-200])
    (photos / "noise.png").write_bytes(bytes(range(128, 256)))
    result = archspec_run(model, photos, photos / "gone.png")
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if not line.startswith(" ")] == [
        str(photos / name) for name in ("a.png", "b.jpg", "more/c.webp")
    ]
    for message in (
        f"error[E432]: `{photos / 'text.jpg'}` is no image\n = it holds text\n",
        f"error[E432]: `{photos / 'empty.png'}` is no image\n = it is empty\n",
        f"error[E432]: `{photos / 'noise.png'}` is no image\n = it holds no format that Pillow knows\n",
        f"error[E432]: `{photos / 'cut.jpg'}` cannot be read as an image\n = image file is truncated",
        f"error[E432]: there is no file `{photos / 'gone.png'}`\n",
    ):
        assert message in result.stderr
    assert "5 errors" in result.stderr


def test_json_has_what_was_wrong(model: Path, photos: Path) -> None:
    (photos / "text.jpg").write_text("no image")
    result = archspec_run(model, photos, "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert len(document["images"]) == 3
    assert [finding["code"] for finding in document["diagnostics"]] == ["E432"]


def test_a_folder_without_images_is_an_error(model: Path, tmp_path: Path) -> None:
    empty, texts = tmp_path / "empty", tmp_path / "texts"
    empty.mkdir()
    texts.mkdir()
    (texts / "notes.txt").write_text("no image")
    result = archspec_run(model, empty, texts)
    assert result.exit_code == 1
    assert f"no image in the folder `{empty}`\n = it is empty\n" in result.stderr
    assert f"no image in the folder `{texts}`\n = none of its 1 files ends as images do" in result.stderr


def gone(folder: Path) -> Path:
    return folder / "gone.onnx"


def text(folder: Path) -> Path:
    path = folder / "text.onnx"
    path.write_text("no model")
    return path


def strangers(folder: Path) -> Path:
    """Valid ONNX that says nothing of itself."""
    path = write_model(folder / "stranger.onnx")
    model = onnx.load(path)
    del model.metadata_props[:]
    path.write_bytes(model.SerializeToString())
    return path


def of_vectors(folder: Path) -> Path:
    return write_model(folder / "vectors.onnx", "[8] INPUT\nFC 3\n", preprocessing=untrained(Volume((8,))))


def of_features(folder: Path) -> Path:
    return write_model(folder / "features.onnx", output="relu1", preprocessing=GRAY)


NO_CLASSIFIERS = pytest.mark.parametrize(
    ("make", "code", "message"),
    [
        (gone, "E430", "there is no model `"),
        (text, "E430", "onnxruntime cannot load `"),
        (strangers, "E431", "does not say how it takes images: `archspec export` did not write it"),
        (of_vectors, "E431", "takes no images: its input is ['batch', 8]"),
        (of_features, "E435", "ends in `relu1` [4, 6, 6], which are no scores of classes"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)


@NO_CLASSIFIERS
def test_a_model_that_cannot_classify_is_an_error(
    make: Callable[[Path], Path], code: str, message: str, tmp_path: Path, photos: Path
) -> None:
    result = archspec_run(make(tmp_path), photos)
    assert result.exit_code == 1
    assert f"error[{code}]: " in result.stderr
    assert message in result.stderr
    assert result.stdout == ""


WRONG_LINES = [(), ("net.onnx",), ("net.onnx", "a.png", "--top", "0"), ("net.onnx", "a.png", "--device", "tpu")]


@pytest.mark.parametrize("arguments", WRONG_LINES)
def test_a_wrong_command_line_ends_with_status_2(arguments: tuple[str, ...]) -> None:
    assert archspec_run(*arguments).exit_code == 2


# ---- devices
def test_auto_says_what_it_took_and_why(model: Path, photos: Path) -> None:
    result = archspec_run(model, photos / "a.png")
    missing = missing_for_cuda()
    told = f"cpu: no CUDA: {missing}" if missing else "cuda: every node runs on the GPU"
    assert result.stderr == f"{model} on {told}\n"


def test_cuda_is_used_or_what_it_lacks_is_said(model: Path, photos: Path) -> None:
    result = archspec_run(model, photos / "a.png", "--device", "cuda")
    missing = missing_for_cuda()
    assert (result.exit_code == 0) == (missing is None)
    assert (f"CUDA cannot be used: {missing}" if missing else f"{model} on cuda: as asked") in result.stderr


def test_a_session_that_fell_back_is_not_cudas(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing seems to be missing and onnxruntime takes the CPU all the same."""
    monkeypatch.setattr(runtime, "missing_for_cuda", lambda: None)
    real = runtime._session
    monkeypatch.setattr(runtime, "_session", lambda path, providers: real(path, [CPU]))
    assert open_session(model, "auto").why == "no CUDA: onnxruntime fell back to the CPU"
    with pytest.raises(SpecError, match="CUDA cannot be used: onnxruntime fell back to the CPU"):
        open_classifier(model, "cuda", False)


@pytest.mark.parametrize(
    ("providers", "assigned", "reason"),
    [
        ([CUDA, CPU], {CUDA: ("Conv", "Relu")}, None),
        ([CUDA, CPU], {CUDA: ("Conv",), CPU: ("LRN", "LRN")}, "2 of 3 nodes run on the CPU: LRN"),
        ([CUDA, CPU], {CPU: ("Conv", "Relu")}, "2 of 2 nodes run on the CPU: Conv, Relu"),
        ([CPU], {CPU: ("Conv",)}, "onnxruntime fell back to the CPU"),
    ],
)
def test_cuda_counts_only_if_every_node_is_on_it(providers: list[str], assigned: Any, reason: str | None) -> None:
    assert not_on_cuda(providers, assigned) == reason


def test_a_session_says_where_its_nodes_run(model: Path) -> None:
    found = runtime.assignment(open_session(model, "cpu").session)
    assert set(found) == {CPU}
    assert "Gemm" in found[CPU] or "FusedGemm" in found[CPU]


class Distribution:
    def __init__(self, name: str) -> None:
        self.metadata = {"Name": name}


@pytest.mark.parametrize(
    ("names", "both"),
    [(["onnxruntime"], False), (["onnxruntime_gpu"], False), (["onnxruntime", "numpy", "onnxruntime-gpu"], True)],
)
def test_both_packages_of_onnxruntime_at_once_are_noticed(
    names: list[str], both: bool, monkeypatch: pytest.MonkeyPatch, model: Path, photos: Path
) -> None:
    monkeypatch.setattr("importlib.metadata.distributions", lambda: map(Distribution, names))
    assert (len(installed_packages()) == 2) == both
    result = archspec_run(model, photos / "a.png")
    assert ("warning[W431]: onnxruntime and onnxruntime-gpu are both installed" in result.stderr) == both
    assert result.exit_code == 0


def test_running_a_model_needs_neither_torch_nor_onnx(model: Path, photos: Path) -> None:
    program = (
        "import sys\nfrom archspec.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert not {'torch', 'onnx'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", program, "run", str(model), str(photos)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("%") == 15
