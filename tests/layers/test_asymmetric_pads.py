"""A window that leaves pixels over: padding at the end may be dropped, pixels may not."""

import pytest

import archspec

HEAD = "[9x9x1] INPUT\n"


@pytest.mark.parametrize("layer", ["CONV 1 3x3", "POOL 3x3", "AVGPOOL 3x3"])
def test_padding_is_dropped_at_the_end_and_pixels_are_not(layer: str) -> None:
    assert archspec.loads(f"{HEAD}{layer} s2 p0:1\n").output == (4, 4, 1)
    with pytest.raises(archspec.ArchspecError, match="E201"):
        archspec.loads(f"{HEAD}{layer} s2 p1:0\n")


@pytest.mark.parametrize("other", ["5x3", "3x5"])
def test_concat_wants_one_height_and_one_width(other: str) -> None:
    text = f"[5x5x1] INPUT\nconcat\n    | CONV 1 3x3\n    | CONV 1 {6 - int(other[0])}x{6 - int(other[2])}\n"
    with pytest.raises(archspec.ArchspecError, match="E206"):
        archspec.loads(text)
