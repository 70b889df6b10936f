"""Files that are not UTF-8 text: what they are instead.

In: the bytes of a file. Out: the error that names their encoding or their format.
"""

from __future__ import annotations

from archspec.diagnostics.errors import ArchspecError, failure

# UTF-32 before UTF-16, whose mark is its beginning
_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_FORMATS = (
    (b"%PDF", "a PDF file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"PK\x03\x04", "a zip archive, as Word documents and PyTorch weights are"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Word or PowerPoint file"),
    (b"\x89HDF", "an HDF5 file, as Keras weights are"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x7fELF", "a program"),
    (b"{\\rtf", "an RTF document"),
)
_LATIN = "cp1252"  # Windows in western Europe; Latin-1 is a part of it


def other_format(shown: str, data: bytes) -> ArchspecError | None:
    """Return the error for a file that is not text, or has several bytes for each character; `shown` is its name."""
    for magic, kind in _FORMATS:
        if data.startswith(magic):
            return failure("E015", f"{shown} is {kind}, not text", helps=("a spec is a text file",))
    encoding = _wide(data)
    if encoding is None:
        return None
    notes = ("Windows PowerShell's `>` writes UTF-16",) if encoding == "UTF-16" else ()
    return failure("E015", f"{shown} is {encoding} text, not UTF-8", notes=notes, helps=("save it as UTF-8",))


def not_utf8(shown: str, data: bytes, place: int) -> ArchspecError:
    """Return the error for bytes that are not UTF-8 text from `place` on."""
    if other := other_format(shown, data):
        return other
    line = data.count(b"\n", 0, place) + 1
    message = f"{shown} is not UTF-8 text: byte 0x{data[place]:02x} on line {line}"
    if _is_binary(data):
        return failure("E015", message, helps=("is it a spec? it seems to be a binary file",))
    character = data[place : place + 1].decode(_LATIN, "replace")
    notes = (f"the byte is `{character}` in Windows-1252, in which the file seems to be",)
    return failure("E015", message, notes=notes if character.isprintable() else (), helps=("save it as UTF-8",))


def _wide(data: bytes) -> str | None:
    """Return the encoding of text with two or four bytes for each character."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    sample = data[:400]
    zeros = sample.count(0)
    if not sample or zeros * 5 < len(sample) * 2:
        return None
    return "UTF-32" if zeros * 3 > len(sample) * 2 else "UTF-16"


def _is_binary(data: bytes) -> bool:
    sample = data[:2000]
    return sum(byte < 9 or 13 < byte < 27 for byte in sample) * 50 > len(sample)
