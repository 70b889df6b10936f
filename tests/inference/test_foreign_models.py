"""ONNX from elsewhere: whatever the file is, `archspec run` ends with classes or with one message."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.inference import model_process
from archspec.compiler.inference.classify import classify, open_classifier
from archspec.compiler.inference.messages import LENGTHS
from archspec.compiler.inference.model_process import ModelProcess
from archspec.compiler.weights.model_metadata import ModelMetadata
from archspec.diagnostics.errors import ArchspecError
from support.run_models import GRAY, write_digits, write_photos

Shape = Sequence[int | str] | None
FLOAT = TensorProto.FLOAT
CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)


@pytest.fixture(scope="module")
def process() -> Iterator[ModelProcess]:
    with ModelProcess() as one:
        yield one


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("images")) / "a.png"


def properties(**changes: Any) -> dict[str, str]:
    """The metadata of a classifier of 64 classes, with changes to its preprocessing."""
    about = dict(ModelMetadata("net", "scores", None, GRAY).properties())
    return about | {"archspec.preprocessing": json.dumps(json.loads(GRAY.to_json()) | changes)}


def write(  # noqa: PLR0913, PLR0917  # what a model may have instead
    path: Path,
    about: dict[str, str] | None = None,
    entering: Shape = ("batch", 1, 8, 8),
    leaving: Shape = ("batch", 64),
    kind: int = FLOAT,
    nodes: list[onnx.NodeProto] | None = None,
) -> Path:
    """A model that flattens its input, unless other nodes are given."""
    nodes = nodes or [helper.make_node("Flatten", ["x"], ["y"])]
    inputs = [helper.make_tensor_value_info("x", kind, entering)]
    outputs = [helper.make_tensor_value_info("y", kind, leaving)]
    return save(path, helper.make_graph(nodes, "net", inputs, outputs), properties() if about is None else about)


def save(path: Path, graph: onnx.GraphProto, about: dict[str, str]) -> Path:
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])
    helper.set_model_props(model, about)
    path.write_bytes(model.SerializeToString())
    return path


def said_of(process: ModelProcess, path: Path, image: Path, features: bool = False) -> str:
    """What is said of a model and an image; empty if the image is classified."""
    try:
        outcomes = list(classify(open_classifier(process, path, "cpu", features), [image]))
    except ArchspecError as error:
        assert not process.has_ended
        return str(error)
    return "".join(f"error[{one.wrong.code}]: {one.wrong.message}" for one in outcomes if one.wrong)


DEEP = '[{"a":' * 3_000 + "1" + "}]" * 3_000
PIXELS = "expected a number of pixels from 1 to 8,192"
FINITE = "expected finite numbers between -1e+30 and 1e+30"
WRONG_METADATA = [
    (properties(height=0), f"`height` is 0; {PIXELS}"),
    (properties(width=10**9), f"`width` is 1000000000; {PIXELS}"),
    (properties(height="8"), f"`height` is '8'; {PIXELS}"),
    (properties(height=True), f"`height` is True; {PIXELS}"),
    (properties(height=None), f"`height` is None; {PIXELS}"),
    (properties(std="x"), "`std` is 'x'; expected one number for each of 1 channel"),
    (properties(std=[0]), "`std` is [0]; a standard deviation is above 0, at least 1e-30"),
    (properties(std=[1e-320]), "a standard deviation is above 0, at least 1e-30"),
    (properties(mean=[1e300]), f"`mean` is [1e+300]; {FINITE}"),
    (properties(std=[float("nan")]), f"`std` is [nan]; {FINITE}"),
    (properties(std=[float("inf")]), f"`std` is [inf]; {FINITE}"),
    (properties(std=[10**400]), FINITE),
    (properties(std=[1, 1, 1]), "`std` is [1, 1, 1]; expected one number for each of 1 channel"),
    (properties(mean=[]), "`mean` is []; expected one number for each of 1 channel"),
    (properties(mean={}), "`mean` is {}; expected one number for each of 1 channel"),
    (properties(mean=["0"]), "`mean` is ['0']; expected one number for each of 1 channel"),
    (properties(colours="CMYK"), "`colours` is 'CMYK'; expected gray or RGB"),
    (properties(colours=[[]]), "`colours` is [[]]; expected gray or RGB"),
    (properties(more=1), "expected height, width, colours, mean, std"),
    (properties() | {"archspec.preprocessing": "[]"}, "`preprocessing` is []; expected height, width, "),
    (properties() | {"archspec.preprocessing": ""}, "`preprocessing` is not JSON"),
    (properties() | {"archspec.preprocessing": DEEP}, "they are nested too deeply"),
    (properties() | {"archspec.classes": DEEP}, "they are nested too deeply"),
    (properties() | {"archspec.classes": '"abc"'}, "`classes` is 'abc'; expected a list of names"),
    (properties() | {"archspec.classes": "["}, "`classes` is not JSON"),
    (properties() | {"archspec.classes": f"[{'9' * 10_000}]"}, "`classes` has an integer of too many digits"),
    (properties() | {"archspec.classes": "null"}, "`classes` is null; expected a list of names"),
    (properties() | {"archspec.classes": "[1, 2]"}, "`classes` is [1, 2]; expected a list of names"),
    (properties() | {"archspec.result": "x"}, "`result` is 'x'; expected scores, probabilities, features"),
    ({}, "does not describe its preprocessing"),
]


@pytest.mark.parametrize(("about", "message"), WRONG_METADATA, ids=[text[:40] for _, text in WRONG_METADATA])
def test_wrong_metadata(
    about: dict[str, str], message: str, process: ModelProcess, image: Path, tmp_path: Path
) -> None:
    said = said_of(process, write(tmp_path / "net.onnx", about), image)
    assert said.startswith("error[E431]: ")
    assert message in " ".join(said.split())
    assert "`archspec export SPEC|WEIGHTS -o net.onnx` writes a model" in said


IMAGES = "its metadata describe images of 1x8x8, channels first"
WRONG_INPUTS: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": TensorProto.INT64}, "E431", "the input `x` of `{path}` is tensor(int64); expected tensor(float)"),
    ({"kind": TensorProto.FLOAT16}, "E431", "is tensor(float16); expected tensor(float)"),
    ({"kind": TensorProto.DOUBLE}, "E431", "is tensor(double); expected tensor(float)"),
    ({"entering": ("n", 3, 8, 8), "leaving": None}, "E431", f"with channels 3, but {IMAGES}"),
    ({"entering": ("n", 1, 9, 8), "leaving": None}, "E431", f"with height 9, but {IMAGES}"),
    ({"entering": ("n", 1, "h", 9), "leaving": None}, "E431", f"with width 9, but {IMAGES}"),
    ({"entering": ("n", 64), "leaving": None}, "E431", f"is `x` ['n', 64], but {IMAGES}"),
    ({"entering": (2, 1, 8, 8), "leaving": (2, 64)}, "E431", "takes exactly 2 images at once; expected any number"),
    ({"entering": (0, 1, 8, 8), "leaving": (0, 64)}, "E431", "takes exactly 0 images at once; expected any number"),
    ({"leaving": ("n", 64, 1), "nodes": "wider"}, "E435", "outputs ['n', 64, 1]; expected [images, classes]"),
    ({"leaving": ("n", 64), "classes": 63}, "E435", "outputs 64 scores, but its metadata have 63 class names"),
    ({"leaving": ("n", "c"), "classes": 63}, "E435", "outputs 64 scores, but its metadata have 63 class names"),
    ({"leaving": ("n", 0), "nodes": "empty"}, "E435", "expected [images, classes]"),
    ({"leaving": None, "nodes": "empty later"}, "E435", "outputs [4, 0]"),
    ({"leaving": None, "nodes": "one number"}, "E435", "outputs [] for 1 image"),
    ({"nodes": "nan"}, "E464", "outputs NaN or infinity for `{image}`"),
    ({"leaving": None, "nodes": "misfit"}, "E436", "onnxruntime cannot run `{path}`"),
]
NODES: dict[str, list[tuple[str, list[str], list[str], dict[str, Any]]]] = {
    "wider": [("Flatten", ["x"], ["a"], {}), ("Unsqueeze", ["a", "two"], ["y"], {})],
    "empty": [("Flatten", ["x"], ["a"], {}), ("Slice", ["a", "zero", "zero", "one"], ["y"], {})],
    "empty later": [
        ("Sub", ["x", "x"], ["a"], {}),
        ("NonZero", ["a"], ["b"], {}),
        ("Cast", ["b"], ["y"], {"to": FLOAT}),
    ],
    "one number": [("ReduceSum", ["x"], ["y"], {"keepdims": 0})],
    "nan": [("Flatten", ["x"], ["a"], {}), ("Sub", ["a", "a"], ["b"], {}), ("Div", ["b", "b"], ["y"], {})],
    "misfit": [("Flatten", ["x"], ["a"], {}), ("Gather", ["a", "far"], ["y"], {"axis": 1})],
}
CONSTANTS = {"zero": [0], "one": [1], "two": [2], "far": [99]}


def nodes_of(name: str | None) -> list[onnx.NodeProto] | None:
    if name is None:
        return None
    constants = [
        helper.make_node("Constant", [], [one], value=helper.make_tensor(one, TensorProto.INT64, [1], value))
        for one, value in CONSTANTS.items()
    ]
    return [*constants, *(helper.make_node(kind, i, o, **more) for kind, i, o, more in NODES[name])]


@pytest.mark.parametrize(("change", "code", "message"), WRONG_INPUTS, ids=[text for *_, text in WRONG_INPUTS])
def test_a_session_unlike_the_metadata(  # noqa: PLR0913, PLR0917  # a row and fixtures
    change: dict[str, Any], code: str, message: str, process: ModelProcess, image: Path, tmp_path: Path
) -> None:
    change = dict(change)
    about = properties()
    if classes := change.pop("classes", None):
        about["archspec.classes"] = json.dumps([str(one) for one in range(classes)])
    path = write(tmp_path / "net.onnx", about, nodes=nodes_of(change.pop("nodes", None)), **change)
    said = " ".join(said_of(process, path, image).split())
    assert said.startswith(f"error[{code}]: ")
    assert message.format(path=path, image=image) in said


@pytest.mark.parametrize("features", [False, True])
def test_two_inputs_and_two_outputs(features: bool, process: ModelProcess, image: Path, tmp_path: Path) -> None:
    x, a = (helper.make_tensor_value_info(name, FLOAT, ["n", 1, 8, 8]) for name in "xa")
    y, z = (helper.make_tensor_value_info(name, FLOAT, ["n", 64]) for name in "yz")
    sums = [helper.make_node("Add", ["x", "a"], ["s"]), helper.make_node("Flatten", ["s"], ["y"])]
    path = save(tmp_path / "in.onnx", helper.make_graph(sums, "net", [x, a], [y]), properties())
    assert "has 2 inputs (`x`, `a`); expected 1, for images" in said_of(process, path, image, features)
    both = [helper.make_node("Flatten", ["x"], [name]) for name in "yz"]
    path = save(tmp_path / "out.onnx", helper.make_graph(both, "net", [x], [y, z]), properties())
    assert "has 2 outputs (`y`, `z`); expected 1" in said_of(process, path, image, features)


@pytest.mark.parametrize("kind", ["string", "sequence"])
def test_outputs_that_are_not_numbers(kind: str, process: ModelProcess, image: Path, tmp_path: Path) -> None:
    x = helper.make_tensor_value_info("x", FLOAT, ["n", 1, 8, 8])
    if kind == "string":
        node = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.STRING)
        y = helper.make_tensor_value_info("y", TensorProto.STRING, None)
    else:
        node = helper.make_node("SplitToSequence", ["x"], ["y"])
        y = helper.make_tensor_sequence_value_info("y", FLOAT, None)
    path = save(tmp_path / "net.onnx", helper.make_graph([node], "net", [x], [y]), properties())
    for features in (False, True):
        assert "expected tensor(float)" in " ".join(said_of(process, path, image, features).split())


def test_models_that_fit_are_run(process: ModelProcess, image: Path, tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"entering": (1, 1, 8, 8), "leaving": (1, 64)},
        {"leaving": None},
        {"leaving": ("n", "c")},
    ]
    for change in changes:
        path = write(tmp_path / "net.onnx", **change)
        classifier = open_classifier(process, path, "cpu", features=False)
        outcomes = list(classify(classifier, [image, image, image]))
        assert all(one.wrong is None and len(one.output) == 64 for one in outcomes)
        np.testing.assert_array_equal(outcomes[0].output, outcomes[2].output)


def test_a_batch_is_no_larger_than_the_memory_for_it(process: ModelProcess, tmp_path: Path) -> None:
    large = Preprocessing(4096, 4096, "gray", (0.5,), (0.5,))
    about = dict(ModelMetadata("net", "scores", None, large).properties())
    path = write(tmp_path / "net.onnx", about, ("n", 1, "h", "w"), ("n", "c"))
    assert open_classifier(process, path, "cpu", features=False).batch == 4


# ---- a process that ends
def endless(path: Path) -> Path:
    """A model whose loop has 2^62 rounds."""
    state, condition = (helper.make_tensor_value_info("s", FLOAT, ["n", 64]), bit("c"))
    number = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    more = [helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("Neg", ["s"], ["s2"])]
    out = [bit("c2"), helper.make_tensor_value_info("s2", FLOAT, ["n", 64])]
    body = helper.make_graph(more, "body", [number, condition, state], out)
    rounds = helper.make_node("Constant", [], ["n"], value=helper.make_tensor("n", TensorProto.INT64, [], [2**62]))
    loop = helper.make_node("Loop", ["n", "", "f"], ["y"], body=body)
    return write(path, nodes=[rounds, helper.make_node("Flatten", ["x"], ["f"]), loop])


def bit(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.BOOL, [])


def test_a_model_that_never_ends_is_stopped(image: Path, tmp_path: Path) -> None:
    with ModelProcess(running=1) as process:
        with pytest.raises(ArchspecError, match=r"E436.*did not finish running `.*` on 1 image within 1 second"):
            list(classify(open_classifier(process, endless(tmp_path / "net.onnx"), "cpu", False), [image]))
        assert process.has_ended


@pytest.mark.parametrize("number", [signal.SIGKILL, *(pytest.param(one, marks=pytest.mark.slow) for one in CRASHES)])
def test_a_crash_is_one_message_that_names_the_signal(number: int, image: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "net.onnx")
    with ModelProcess() as process:
        classifier = open_classifier(process, path, "cpu", False)
        os.kill(process.pid, number)
        with pytest.raises(ArchspecError) as raised:
            list(classify(classifier, [image]))
    said = " ".join(str(raised.value).split())
    assert said.startswith(f"error[E436]: onnxruntime crashed ({signal.Signals(number).name}) while running `{path}`")
    assert ("out of memory" in said) == (number == signal.SIGKILL)


def test_a_model_that_asks_for_more_memory_than_there_is_fails_alone(
    process: ModelProcess, image: Path, tmp_path: Path
) -> None:
    shape = helper.make_node("Constant", [], ["s"], value=helper.make_tensor("s", TensorProto.INT64, [2], [2**20] * 2))
    nodes = [
        shape,
        helper.make_node("ReduceSum", ["x"], ["a"], keepdims=0),
        helper.make_node("Expand", ["a", "s"], ["y"]),
    ]
    path = write(tmp_path / "net.onnx", nodes=nodes, leaving=None)
    assert "error[E436]: onnxruntime cannot run" in said_of(process, path, image)


def test_a_module_in_the_working_directory_is_not_imported(tmp_path: Path, image: Path) -> None:
    for name in ("numpy", "onnxruntime", "json", "ctypes"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger ran')\n")
    program = f"import sys; sys.path[:] = {[one for one in sys.path if one]!r}\nfrom archspec.cli import main; main()"
    model = write_digits(tmp_path)
    command = [sys.executable, "-P", "-c", program, "run", str(model), str(image)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "stranger" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "answer", [LENGTHS.pack(3, 0) + b"{x}", LENGTHS.pack(2**63, 2**63), b"\xff" * 99], ids=["text", "long", "noise"]
)
def test_an_answer_that_is_none_is_one_message(answer: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_process, "ENDING", 0.1)
    path = write(tmp_path / "net.onnx")
    with ModelProcess() as process:
        assert process._process.stdout is not None
        process._process.stdout.close()
        monkeypatch.setattr(process._process, "stdout", io.BytesIO(answer))
        with pytest.raises(ArchspecError, match="onnxruntime gave no valid answer while loading"):
            process.open(path, "cpu")
