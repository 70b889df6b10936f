"""How far apart the outputs of a network lie in its input, worked out by hand."""

from fractions import Fraction

import pytest

import archspec
from archspec.analyses.pixel_stride import pixel_strides

HEAD = "[32x32x3] INPUT\n"


@pytest.mark.parametrize(
    ("text", "strides"),
    [
        ("CONV 4 3x3\nCONV 4 3x3 d2\n", (1, 1)),
        ("CONV 4 3x3 s2 p1 -> POOL 2x2 s2\n", (4, 4)),
        ("CONV 4 3x3 s2x1 p1\n", (2, 1)),
        ("CONV 4 3x3 s2 p1 floor -> UPCONV 4 2x2 s2\n", (1, 1)),
        ("POOL 4x4 s4 -> UPSAMPLE 2 bilinear\n", (2, 2)),
        ("UPSAMPLE 2\n", (Fraction(1, 2), Fraction(1, 2))),
        ("mul\n    | x\n    | GAP -> FC 3\n", (1, 1)),  # the path that keeps places counts
        ("GAP -> FC 4\n", (None, None)),
    ],
)
def test_strides_multiply_and_upsampling_divides_them(text: str, strides: tuple[object, object]) -> None:
    assert pixel_strides(archspec.loads(HEAD + text).graph) == strides


def test_u_net_scores_each_pixel_and_resnets_features_do_not() -> None:
    assert pixel_strides(archspec.load("unet", input="64x64x3").graph) == (1, 1)
    assert pixel_strides(archspec.loads("[64x64x3] INPUT\nCONV 8 7x7 s2 p3 floor\nPOOL 2x2 s2\n").graph) == (4, 4)
