"""Messages between `archspec run` and the process that runs its model.

In: a JSON object and bytes. Out: the same at the other end of a pipe. Nothing in a message is executed.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

LENGTHS = struct.Struct("<QQ")  # of the JSON and of the bytes that follow it


def send(pipe: BinaryIO, head: dict[str, Any], data: bytes | memoryview = b"") -> None:
    """Write a message. Raises OSError where nobody reads it."""
    text = json.dumps(head).encode()
    pipe.write(LENGTHS.pack(len(text), len(data)))
    pipe.write(text)
    pipe.write(data)
    pipe.flush()


def receive(pipe: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Read a message. Raises EOFError where the other process has ended."""
    text, data = LENGTHS.unpack(_exactly(pipe, LENGTHS.size))
    head: dict[str, Any] = json.loads(_exactly(pipe, text))
    return head, _exactly(pipe, data)


def _exactly(pipe: BinaryIO, count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data
