"""Mutated ONNX models: opened and run on an image as by `archspec run`, in its process for models."""

from __future__ import annotations

import atexit
import json
import random
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]  # it has no stubs
from google.protobuf.message import Message  # type: ignore[import-untyped]
from PIL import Image

import archspec
from archspec.compiler import build
from archspec.compiler.data.preprocessing import default_preprocessing
from archspec.compiler.inference.classify import classify, open_classifier
from archspec.compiler.inference.model_process import ModelProcess
from archspec.compiler.onnx import emit
from archspec.compiler.onnx.export import weights_of
from archspec.diagnostics.errors import ArchspecError
from benchmarks.sweeps.damage import changed_data, damaged

SPECS = (
    "net Gray\n[8x8x1] INPUT\nCONV 4 3x3 p1 -> BN -> RELU -> POOL 2x2 s2\nFC 5\n",
    "net Colour\n[12x12x3] INPUT\nCONV 8 3x3 p1 -> LRN -> GELU\nadd\n    | CONV 8 3x3 p1\n    | x\nGAP -> FC 3 -> SOFTMAX\n",
)
NUMBERS = (-1, 0, 1, 2, 3, 7, 64, 2**31 - 1, 2**31, 2**62, -(2**62))
TEXTS = ("", "x", "../../etc/passwd", "/dev/zero", "\x1b[31m", "Loop", "Conv", "Reshape", "Cast", "batch")
FLOATS = (0.0, -1.0, 1e38, float("nan"), float("inf"))
PROPERTIES = ("archspec.preprocessing", "archspec.classes")
DEEP = "[" * 5_000
RUNNING = 5.0  # seconds for an image of a small model


def prepare(place: Path) -> None:
    """Write a model of each network."""
    for number, text in enumerate(SPECS):
        network = archspec.loads(text)
        names = tuple(f"class {one}" for one in range(network.output[0]))
        weights = weights_of(build(network, seed=number))
        model = emit(network.graph, weights, class_names=names, preprocessing=default_preprocessing(network.input))
        (place / f"{number}.onnx").write_bytes(model.SerializeToString())


def mutate(place: Path, chance: random.Random) -> tuple[str, bytes]:
    """Return damaged bytes, or a model with other metadata, fields, inputs or outputs."""
    data = chance.choice(sorted(place.iterdir())).read_bytes()
    if chance.random() < 0.3:
        return "net.onnx", damaged(data, chance)
    model = onnx.ModelProto.FromString(data)
    for _ in range(chance.choice((1, 1, 2, 3))):
        chance.choice((_field, _field, _metadata, _metadata, _value, _value, _external))(model, chance)
    return "net.onnx", model.SerializeToString()


def _metadata(model: Any, chance: random.Random) -> None:
    for entry in model.metadata_props:
        if entry.key == chance.choice(PROPERTIES) and entry.value != DEEP:
            entry.value = json.dumps(changed_data(json.loads(entry.value), chance))
            entry.value = DEEP if chance.random() < 0.05 else entry.value


def _value(model: Any, chance: random.Random) -> None:
    """Change the type or a size of an input or output, or add another."""
    values = chance.choice((model.graph.input, model.graph.output))
    if not values or chance.random() < 0.2:
        values.add().CopyFrom(chance.choice(list(model.graph.value_info) or [onnx.ValueInfoProto(name="x")]))
        return
    tensor = chance.choice(list(values)).type.tensor_type
    if chance.random() < 0.4:
        tensor.elem_type = chance.randrange(0, 24)
    elif tensor.shape.dim:
        chance.choice(list(tensor.shape.dim)).dim_value = chance.choice(NUMBERS)


def _external(model: Any, chance: random.Random) -> None:
    """Let a constant lie in another file, where none may be."""
    if model.graph.initializer:
        tensor = chance.choice(list(model.graph.initializer))
        tensor.data_location = onnx.TensorProto.EXTERNAL
        del tensor.external_data[:]
        for key, value in (("location", chance.choice(TEXTS)), ("offset", str(chance.choice(NUMBERS)))):
            tensor.external_data.add(key=key, value=value)


def _field(model: Any, chance: random.Random) -> None:
    """Change any field of the file."""
    message, field = chance.choice(list(_fields(model)))
    if _is_repeated(getattr(message, field.name)):
        _change_list(getattr(message, field.name), field, chance)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, _other(field, getattr(message, field.name), chance))


def _fields(message: Message) -> Any:
    for field, value in message.ListFields():
        yield message, field
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for one in value if _is_repeated(value) else [value]:
                yield from _fields(one)


def _is_repeated(value: Any) -> bool:
    return not isinstance(value, Message | str | bytes | int | float)


def _change_list(values: Any, field: Any, chance: random.Random) -> None:
    place = chance.randrange(len(values))
    what = chance.random()
    if what < 0.4:
        del values[place]
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        values.add().CopyFrom(values[place])
    elif what < 0.6:
        values.append(values[place])
    else:
        values[place] = _other(field, values[place], chance)


def _other(field: Any, value: Any, chance: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return chance.choice(TEXTS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return damaged(value, chance)
    if field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return chance.choice(FLOATS)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return chance.choice(list(field.enum_type.values_by_number))
    largest = 2**31 - 1 if field.type == FieldDescriptor.TYPE_INT32 else 2**62
    return max(-largest, min(largest, chance.choice(NUMBERS)))


_processes: list[ModelProcess] = []


def _process() -> ModelProcess:
    """Return this worker's process for models, which a crash ends."""
    if not _processes or _processes[0].has_ended:
        for one in _processes:
            one.close()
        _processes[:] = [ModelProcess(loading=2 * RUNNING, running=RUNNING)]
        atexit.register(_processes[0].close)
    return _processes[0]


def read(path: Path) -> None:
    """Open the model, and classify an image, or print its features."""
    image = path.with_name("image.png")
    Image.new("RGB", (9, 9), (200, 100, 50)).save(image)
    try:
        _classified(path, image, features=False)
    except ArchspecError:
        _classified(path, image, features=True)


def _classified(path: Path, image: Path, features: bool) -> None:
    classifier = open_classifier(_process(), path, "cpu", features)
    for outcome in classify(classifier, [image, image]):
        if outcome.wrong:
            raise ArchspecError([outcome.wrong])
        if not features:
            json.dumps(
                [[guess.name, guess.probability] for guess in classifier.top(outcome.output, 5)], allow_nan=False
            )
        json.dumps(outcome.output.tolist(), allow_nan=False)
