"""A file that is not UTF-8 text is named for what it is."""

from pathlib import Path

import pytest

import archspec

TEXT = "[32x32x3] INPUT\nCONV 64 3×3\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (TEXT.encode("utf-16"), "is UTF-16 text, not UTF-8"),
        (TEXT.encode("utf-16-le"), "is UTF-16 text, not UTF-8"),
        (TEXT.encode("utf-16-be"), "is UTF-16 text, not UTF-8"),
        (TEXT.encode("utf-32"), "is UTF-32 text, not UTF-8"),
        (TEXT.encode("utf-32-be"), "is UTF-32 text, not UTF-8"),
        (TEXT.encode("cp1252"), "the byte is `×` in Windows-1252"),
        ("CONV 64 3x3 – RELU\n".encode("cp1252"), "the byte is `–` in Windows-1252"),
        (b"%PDF-1.7\n\xe2\xe3", "is a PDF file, not text"),
        (b"PK\x03\x04\x14\x00\xff", "is a zip archive, as Word documents and PyTorch weights are, not text"),
        (b"\x89PNG\r\n\x1a\n", "is a PNG image, not text"),
        (bytes(range(256)) * 4, "it seems to be a binary file"),
    ],
)
def test_another_encoding_or_format_is_named(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_bytes(data)
    with pytest.raises(archspec.ArchspecError) as raised:
        archspec.load(path)
    (finding,) = raised.value.diagnostics
    assert finding.code == "E015"
    assert said in f"{finding.message} {finding.notes} {finding.helps}"


def test_a_zero_byte_in_utf8_is_a_character_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_bytes(b"[32x32x3] INPUT\nRELU \0\n")
    with pytest.raises(archspec.ArchspecError) as raised:
        archspec.load(path)
    assert [one.message for one in raised.value.diagnostics] == ["unexpected character U+0000"]
