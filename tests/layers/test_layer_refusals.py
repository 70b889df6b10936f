"""What layers refuse, in which words, and that the layer mended as the hint says is accepted."""

import re

import pytest

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.layers import MERGES
from archspec.resolve.layer_names import layer_from_text
from support.helps import trials

# a step and what enters it; the code and message; the step with the hint pasted in
REFUSALS = [
    ("CONV 8 3x3 g3", (8, 8, 4), "E203", "3 groups do not divide 4 channels", "CONV 8 3x3 g2"),
    ("CONV 9 3x3 g2", (8, 8, 4), "E203", "2 groups do not divide 9 filters", "CONV 9 3x3 g1"),
    ("CONV 8 4x3 same d2", (9, 9, 4), "E205", "`same` needs an odd kernel, and 4 is even", "CONV 8 4x3 p3x2 d2"),
    (
        "CONV 8 11x11 s4",
        (224, 224, 3),
        "E201",
        "a window 11 wide at stride 4 does not fit 224 rows",
        "CONV 8 11x11 s4 p2",
    ),
    ("CONV 8 7x7", (4, 9, 3), "E202", "a window 7 wide does not fit 4 rows", "CONV 8 7x7 p2"),
    ("CONV 8 1x7 p0x0:1", (4, 3, 3), "E202", "a window 7 wide does not fit 3 columns", "CONV 8 1x7 p0x2"),
    ("CONV 8 3x3", (9,), "E204", "CONV needs a map, [HxWxC], got the vector [9]", None),
    ("POOL 3x3 s2 p2", (9, 9, 4), "E205", "pad 2 is more than half of the window's 3", "POOL 3x3 s2 p1"),
    ("GAP", (9,), "E204", "GAP needs a map or a sequence, got the vector [9]", None),
    (
        "UPCONV 8 3x3 s2 p1:3",
        (4, 4, 2),
        "E205",
        "an UPCONV at stride 2 cannot crop 1 at the start and 3 at the end",
        "UPCONV 8 3x3 s2 p3:2",
    ),
    (
        "UPCONV 8 3x3 s2 p2:0",
        (4, 4, 2),
        "E205",
        "an UPCONV at stride 2 cannot crop 2 at the start and 0 at the end",
        "UPCONV 8 3x3 s2 p2:1",
    ),
    (
        "UPCONV 8 3x3 p0:1",
        (4, 4, 2),
        "E205",
        "an UPCONV at stride 1 cannot crop 0 at the start and 1 at the end",
        "UPCONV 8 3x3 p1",
    ),
    ("UPCONV 8 3x3 p2", (2, 2, 2), "E205", "pads of 4 crop all 4 rows of the output", "UPCONV 8 3x3 p1"),
    ("GN 32", (7, 7, 48), "E203", "32 groups do not divide 48 channels", "GN 24"),
    ("GN 2", (9, 8), "E204", "GN needs a map, [HxWxC], got the sequence [9x8]", None),
    ("IN", (1, 1, 8), "E205", "IN has only 1 value per channel to normalise in [1x1x8]", "LN"),
    ("GN 8", (1, 1, 8), "E205", "GN has only 1 value per group to normalise in [1x1x8]", "LN"),
    ("SHUFFLE 3", (7, 7, 1), "E203", "3 groups do not divide 1 channel", "SHUFFLE 1"),
    ("SLICE 4 9", (7, 8), "E205", "SLICE takes channels up to 9, but [7x8] has 8", "SLICE 4 8"),
    ("SLICE 4 4", (8,), "E205", "SLICE from 4 to 4 takes no channel", "SLICE 4 5"),
    ("PADCHANNELS 4", (5, 5, 8), "E205", "PADCHANNELS outputs 4 channels, but [5x5x8] has 8", "SLICE 0 4"),
    ("SPACE2DEPTH 2", (7, 8, 3), "E203", "blocks of 2x2 do not tile [7x8x3]", "PAD p0:1x0 -> SPACE2DEPTH 2"),
    ("SHIFT", (7, 7, 6), "E203", "SHIFT moves 4 groups of channels, but 4 does not divide 6", "PADCHANNELS 8 -> SHIFT"),
    ("TAKE 6", (6, 8), "E205", "TAKE 6 of a sequence of 6 vectors", "TAKE 5"),
    ("CLS", (7, 7, 8), "E204", "CLS needs a sequence, [NxC], got the map [7x7x8]", "TOKENS -> CLS"),
    ("TRANSPOSE", (8,), "E204", "TRANSPOSE needs a sequence, [NxC], got the vector [8]", None),
    ("POSEMBED", (8,), "E204", "the vector [8] has no positions for POSEMBED", None),
    ("MHSA 5", (9, 12), "E203", "5 heads do not divide 12 channels", "MHSA 4"),
    (
        "MHSA 4",
        (7, 7, 8),
        "E204",
        "MHSA without `window` needs a sequence, [NxC], got the map [7x7x8]",
        "TOKENS -> MHSA 4",
    ),
    ("MHSA 4 window=7", (9, 8), "E204", "MHSA 4 window=7 needs a map, [HxWxC], got the sequence [9x8]", None),
    ("MHSA 4 relpos", (9, 8), "E205", "`relpos` requires windows of a map, and MHSA got the sequence [9x8]", None),
    ("MHSA 4 window=7", (16, 24, 8), "E203", "windows of 7x7 do not tile [16x24x8]", "MHSA 4 window=4"),
    (
        "MHSA 4 window=4 shift=4",
        (8, 8, 8),
        "E205",
        "a shift of 4 must be less than the window of 4",
        "MHSA 4 window=4 shift=2",
    ),
]


def run(chain: str, volume: Volume) -> Volume:
    for step in chain.split(" -> "):
        volume = layer_from_text(step).output((volume,))
    return volume


@pytest.mark.parametrize(("text", "volume", "code", "message", "mended"), REFUSALS)
def test_a_refusal_says_both_numbers_and_its_helps_hold(
    text: str, volume: tuple[int, ...], code: str, message: str, mended: str | None
) -> None:
    with pytest.raises(Finding) as caught:
        run(text, Volume(volume))
    assert (caught.value.code, str(caught.value)) == (code, message)
    found = list(trials(f"{Volume(volume)} INPUT\n{text}\n"))
    assert all(trial.works for trial in found)
    if mended is not None:
        pasted = [trial.text.splitlines()[1] for trial in found]
        assert mended in pasted
        run(mended, Volume(volume))


LEFT_OVER = {
    (7, 8, 3): "7 % 2 = 1: 1 row left over",
    (8, 7, 3): "7 % 2 = 1: 1 column left over",
}


@pytest.mark.parametrize(("volume", "note"), LEFT_OVER.items())
def test_blocks_that_do_not_tile_say_which_pixels_are_left_over(volume: tuple[int, ...], note: str) -> None:
    with pytest.raises(Finding) as caught:
        run("SPACE2DEPTH 2", Volume(volume))
    assert caught.value.notes == (note,)


MERGED = [
    ("add", ((8, 8, 3), (8, 8, 4)), "`add` cannot add [8x8x3] and [8x8x4]"),
    ("concat", ((8, 8, 3), (4, 4, 3)), "`concat` cannot join [8x8x3] and [4x4x3]"),
    ("mul", ((8, 8, 3), (4,)), "`mul` cannot multiply [8x8x3] and [4]"),
]


@pytest.mark.parametrize(("name", "volumes", "message"), MERGED)
def test_a_merge_says_which_volumes_it_cannot_join(
    name: str, volumes: tuple[tuple[int, ...], ...], message: str
) -> None:
    with pytest.raises(Finding, match=re.escape(message)) as caught:
        MERGES[name]().output(tuple(map(Volume, volumes)))
    assert caught.value.code == "E206"


def test_numbers_near_2_to_the_63_are_refused_at_once() -> None:
    huge = 2**62
    for text in (f"CONV {huge} 1x1 g{10**9 - 1}", f"SHUFFLE {huge - 1}", f"GN {huge + 1}"):
        with pytest.raises(Finding, match="do not divide"):
            run(text, Volume((8, 8, huge)))
    with pytest.raises(Finding, match="does not fit"):
        run(f"CONV 1 {huge}x1 s{10**9 - 1} p0", Volume((huge + 5, 1, 1)))
