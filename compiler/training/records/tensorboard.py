"""The figures of each epoch for TensorBoard.

In: a run's folder. Out: an event file beside its metrics, which `tensorboard --logdir` reads. torch's SummaryWriter
writes the same, but needs TensorBoard on the machine that trains, and time to import it.

The format: records of TFRecord (length, masked CRC-32C of it, data, masked CRC-32C of that), whose data are `Event`
messages of TensorFlow's event.proto.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from functools import cache
from itertools import count
from pathlib import Path

from archspec.compiler.training.records.epoch_figures import EpochFigures
from archspec.diagnostics.errors import failure

VERSION = b"brain.Event:2"  # of the format, in the first record
CASTAGNOLI = 0x82F63B78  # the polynomial of CRC-32C, reflected
MASK = 0xA282EAD8
WORD = 2**32
BYTES, DOUBLE, FLOAT, VARINT = 2, 1, 5, 0  # protobuf's wire types
WALL_TIME, STEP, FILE_VERSION, SUMMARY = 1, 2, 3, 5  # fields of Event
VALUE = 1  # of Summary
TAG, SIMPLE_VALUE = 1, 2  # of Summary.Value


class ScalarWriter:
    """Writes the figures of epochs as scalars; without a folder it writes nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.path: Path | None = None  # until the first epoch ends

    def add(self, figures: EpochFigures) -> None:
        """Write every figure but the epoch, which is the step of the others. Raises ArchspecError."""
        if self.folder is None:
            return
        values = [_value(name, value) for name, value in figures.to_dict().items() if name != "epoch"]
        try:
            if self.path is None:
                self.path = _new(self.folder)
            with self.path.open("ab") as file:
                file.write(record(_event(_number(STEP, figures.epoch), _bytes(SUMMARY, b"".join(values)))))
        except OSError as error:
            message = f"cannot write `{self.path or self.folder}`: {error.strerror or error}"
            raise failure("E422", message) from None


def record(data: bytes) -> bytes:
    """Return data as a record of TFRecord."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))


def masked_crc(data: bytes) -> int:
    """Return the CRC-32C of data, rotated and shifted as TFRecord has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _table()[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + MASK) % WORD


@cache
def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (CASTAGNOLI if crc & 1 else 0)
        found.append(crc)
    return tuple(found)


def _new(folder: Path) -> Path:
    """Make a new event file: a resumed run adds one to those that it has."""
    begun = f"events.out.tfevents.{int(time.time()):010}.{socket.gethostname()}.{os.getpid()}"
    for number in count():
        path = folder / f"{begun}.{number}"
        try:
            with path.open("xb") as file:
                file.write(record(_event(_bytes(FILE_VERSION, VERSION))))
        except FileExistsError:
            continue
        return path
    raise AssertionError("there are enough numbers")


# ---- messages
def _event(*fields: bytes) -> bytes:
    return _key(WALL_TIME, DOUBLE) + struct.pack("<d", time.time()) + b"".join(fields)


def _value(name: str, value: float) -> bytes:
    found = _bytes(TAG, name.encode()) + _key(SIMPLE_VALUE, FLOAT) + struct.pack("<f", value)
    return _bytes(VALUE, found)


def _bytes(field: int, data: bytes) -> bytes:
    return _key(field, BYTES) + _varint(len(data)) + data


def _number(field: int, value: int) -> bytes:
    return _key(field, VARINT) + _varint(value)


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
