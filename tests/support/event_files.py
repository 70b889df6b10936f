"""TensorBoard's event files, read as TensorBoard reads them: TFRecord by hand, messages by Google's protobuf.

The fields are those of TensorFlow's event.proto and summary.proto. Nothing here is imported from archspec.
"""

import struct
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

# it ships no types
descriptor_pb2, descriptor_pool, message_factory = (
    import_module(f"google.protobuf.{name}") for name in ("descriptor_pb2", "descriptor_pool", "message_factory")
)
KIND: Any = descriptor_pb2.FieldDescriptorProto


def crc32c(data: bytes) -> int:
    """The CRC-32C of data, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        for place in range(8):
            lowest = (crc ^ byte >> place) & 1
            crc = crc >> 1 ^ (0x82F63B78 if lowest else 0)
    return crc ^ 0xFFFFFFFF


def records(path: Path) -> list[bytes]:
    """The records of a file, whose checksums are right."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        (length,) = struct.unpack("<Q", data[at : at + 8])
        body = data[at + 12 : at + 12 + length]
        assert len(body) == length
        for part, check in ((data[at : at + 8], at + 8), (body, at + 12 + length)):
            crc = crc32c(part)
            assert struct.unpack("<I", data[check : check + 4])[0] == ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32
        found.append(body)
        at += 16 + length
    return found


@cache
def event_class() -> Any:
    """The message `tensorflow.Event`, of the fields that scalars need."""
    file = descriptor_pb2.FileDescriptorProto(name="event_of_tests.proto", package="tensorflow")
    event, summary = file.message_type.add(name="Event"), file.message_type.add(name="Summary")
    event.field.add(name="wall_time", number=1, type=KIND.TYPE_DOUBLE, label=KIND.LABEL_OPTIONAL)
    event.field.add(name="step", number=2, type=KIND.TYPE_INT64, label=KIND.LABEL_OPTIONAL)
    event.field.add(name="file_version", number=3, type=KIND.TYPE_STRING, label=KIND.LABEL_OPTIONAL)
    event.field.add(
        name="summary", number=5, type=KIND.TYPE_MESSAGE, label=KIND.LABEL_OPTIONAL, type_name=".tensorflow.Summary"
    )
    value = summary.nested_type.add(name="Value")
    value.field.add(name="tag", number=1, type=KIND.TYPE_STRING, label=KIND.LABEL_OPTIONAL)
    value.field.add(name="simple_value", number=2, type=KIND.TYPE_FLOAT, label=KIND.LABEL_OPTIONAL)
    name = ".tensorflow.Summary.Value"
    summary.field.add(name="value", number=1, type=KIND.TYPE_MESSAGE, label=KIND.LABEL_REPEATED, type_name=name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Event"))


def events(path: Path) -> list[Any]:
    """The messages of a file."""
    return [event_class().FromString(data) for data in records(path)]


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """By tag the steps and values of all event files in a folder, in the order of their names."""
    found: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(folder.glob("*tfevents*")):
        first, *others = events(path)
        assert first.file_version == "brain.Event:2"
        for event in others:
            assert event.wall_time >= first.wall_time > 1.7e9
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found
