"""What to write instead of a layer step: in the step's own terms, and right when pasted."""

import pytest

from support.helps import findings_in, trials

# a spec with one mistake, and what its first help quotes
RESPELT = {
    "[224x224x3] INPUT\nCONV 96 11x11 s4 -> RELU\n": "CONV 96 11x11 s4 p2",
    "[224x224x3] INPUT\nCONV1: 96 11x11 filters at stride 4, pad 0\n": "CONV1: 96 11x11 filters at stride 4, pad 2",
    "[17x17x3] INPUT\nCONV 8 4x4 stride=4 pad=0 -> RELU\n": "CONV 8 4x4 stride=4 pad=2",
    "[1x17x8] INPUT\nCONV 8 1x4 s4 -> RELU\n": "CONV 8 1x4 s4 p0x2",
    "[16x16x8] INPUT\nCONV 8 4x4 same -> RELU\n": "CONV 8 4x4 p1:2",
    "[7x7x8] INPUT\nPOOL2\n": "POOL 2x2 s2 p1",
    "[16x16x8] INPUT\nCONV 16 3x3 g3, p1 -> RELU\n": "CONV 16 3x3 g2, p1",
    "[9x8] INPUT\nMHSA 4 shift=3\n": "MHSA 4",
    "[9x8] INPUT\nMHSA 4 window=3 shift=1 relpos\n": "MHSA 4",
    "[8x8x4] INPUT\nMHSA 4\n": "TOKENS -> MHSA 4",
    "[8x8x4] INPUT\nGAP -> CONV 10 1x1\n": "FC 10",
    "[8x8x4] INPUT\nmul\n    | x\n    | GAP -> CONV 2 1x1 -> RELU -> CONV 4 1x1\n": "FC 2",
    "[8x8x4] INPUT\nCONV 4 3x3 nobias bias_init=1\n": "CONV 4 3x3 bias_init=1",
    "[8x8x4] INPUT\nIN init=0\n": "IN init=0 affine",
    "[0x32x3] INPUT\nFC 2\n": "[32x32x3]",
    "block b(p)\n    RELU -> DROPPATH p\n[8x8x4] INPUT\nb(4)\n": "b(0.04)",
    # numbers as the bracket, the block's parameters, and the layers nearby have them
    "[32x32x3] INPUT\n[8x8x6] CONV 6 4x4 s3\n": "CONV 6 4x4 s4",
    "[8x8x4] INPUT\n[10] FC 1.5\n": "FC 10",
    "[8x8x4] INPUT\nadd\n    | CONV 3x3 same\n    | x\n": "CONV 4 3x3 same",
    "block b(f)\n    CONV 3x3 -> RELU\n[8x8x4] INPUT\nb(8)\n": "CONV f 3x3",
    "block b(g)\n    CONV 8 3x3 groups=3 -> RELU\n[8x8x4] INPUT\nb(2)\n": "CONV 8 3x3 groups=g",
    "block b(f, s)\n    CONV f 2x2 stride=s -> RELU\n[8x8x4] INPUT\n[4x4x16] b(2, 16)\n": "b(16, 2)",
    "[8x8x4] INPUT\n[8*8*4] RELU\n": "[8x8x4]",
    "after CONV: RELU\n[9x9x4] INPUT\n[5x5x4] CONV 4 3x3 s4 p1\n": "CONV 4 3x3 s2 p1",
    "block b()\n    [H x W x 2*C] CONV 4*C 3x3 p1 -> RELU\n[8x8x4] INPUT\nb()\n": "CONV 2*C 3x3 p1",
    "after CONV: POOL 2x2 s2\n[31x31x3] INPUT\nCONV 8 3x3 p1\nGAP -> FC 10\n": "POOL 2x2 s2 p1",
    "[8x8x4] INPUT\nDROPOUT 50\n": "DROPOUT 0.5",
    "[8x8x4] INPUT\nCONV 8 3x3x3 -> RELU\n": "CONV 8 3x3",
    "[8x8x4] INPUT\nCONV3-0 -> RELU\n": "CONV3-64",
    "[8x8x4] INPUT\nCONV 8 3x3 s1 stride=2 p1 -> RELU\n": "CONV 8 3x3 s1 p1",
    # in a block: the names stay
    "block b(f, s)\n    CONV f 3x3 stride=s -> RELU\n[32x32x8] INPUT\nb(16, 1)\nb(32, 2)\n": "CONV f 3x3 stride=s p1",
    "block b(f, g)\n    CONV f 3x3 groups=g -> RELU\n[32x32x8] INPUT\nb(16, 3)\nb(32, 2)\n": "b(16, 2)",
    "block b(f, g=3)\n    CONV f 3x3 groups=g -> RELU\n[32x32x8] INPUT\nb(16)\nb(18, 2)\n": "b(16, g=2)",
    "block c(g)\n    CONV 8 1x1 groups=g -> RELU\nblock b(h)\n    c(h)\n[32x32x8] INPUT\nb(3)\n": "b(2)",
    "param g = 3\n[32x32x8] INPUT\nCONV 16 3x3 groups=g -> RELU\n": "param g = 2",
    # a bracket, with a RELU after the layer that is wrong
    "[32x32x3] INPUT\n[32x32x64] CONV 64 3x3 -> RELU\n[16x16x64] POOL 2x2 s2\n": "CONV 64 3x3 p1",
    "[32x32x3] INPUT\n[32x32x64] CONV 32 3x3 p1 -> RELU\n[16x16x64] POOL 2x2 s2\n": "CONV 64 3x3 p1",
    "[32x32x3] INPUT\n[32x32x3] CONV 8 3x3 p1 -> RELU\n[32x32x8] POOL 2x2 s2\n": "[32x32x3] INPUT",
}


@pytest.mark.parametrize(("text", "quoted"), RESPELT.items())
def test_a_step_is_respelt_in_its_own_terms_and_works(text: str, quoted: str) -> None:
    (finding,) = findings_in(text)
    assert f"`{quoted}`" in finding.fixes[0]
    assert all(trial.works for trial in trials(text))


# a step in other words, on [32x32x3]; how it is written here
SLIPS = {
    "CONV 64 3": "CONV 64 3x3",
    "CONV 3x3": "CONV 64 3x3",
    "CONV 64 k3": "CONV 64 3x3",
    "CONV 64 3x3 s=1 padding=1": "CONV 64 3x3 s1 p1",
    "CONV 64 3x3 strides 1": "CONV 64 3x3 s1",
    "CONV 64 3x3 activation=relu": "CONV 64 3x3 -> RELU",
    "CONV 64 3x3 relu": "CONV 64 3x3 -> RELU",
    "CONV 64 3x3 padding=same": "CONV 64 3x3 same",
    "CONV 64 3x3 padding=valid": "CONV 64 3x3",
    "CONV 3 64 3x3": "CONV 64 3x3",
    "CONV 3 64 3 1 1": "CONV 64 3x3 s1 p1",
    "CONV in_channels=3 out_channels=64 kernel_size=3": "CONV 64 3x3",
    "CONV 64 3x3 use_bias=false": "CONV 64 3x3 nobias",
    "CONV 64 3x3 dilation_rate=2": "CONV 64 3x3 d2",
    "CONV 64 (3)": "CONV 64 3x3",
    "CONV 64 3*3": "CONV 64 3x3",
    "CONV 64 3x3 p1px": "CONV 64 3x3 p1",
    "CONV 64 3x3 weight_init=0": "CONV 64 3x3 init=0",
    "DWCONV 64 3x3": "DWCONV 3x3",
    "CONV3-64 relu": "CONV3-64 -> RELU",
    "CONV1: 64 kernel_size=3": "CONV1: 64 3x3",
    "DWCONV 3 3x3": "DWCONV 3x3",
    "POOL 2": "POOL 2x2 s2",
    "POOL 2x2": "POOL 2x2 s2",
    "MAXPOOL pool_size=2": "MAXPOOL 2x2 s2",
    "MAXPOOL 2 2": "MAXPOOL 2x2 s2",
    "UPSAMPLE 2x2": "UPSAMPLE 2",
    "PAD 1": "PAD p1",
    "FC units=10": "FC 10",
    "FC 3072 10": "FC 10",
    "FC in_features=3072 out_features=10": "FC 10",
    "DROPOUT rate=0.5": "DROPOUT 0.5",
    "BN 3": "BN",
    "RELU inplace=true": "RELU",
    "GAP 7x7": "GAP",
}


@pytest.mark.parametrize(("written", "meant"), SLIPS.items())
def test_arguments_of_other_tools_are_understood(written: str, meant: str) -> None:
    text = f"[32x32x3] INPUT\n{written}\n"
    (finding,) = findings_in(text)
    assert finding.fixes[0] == f"`{meant}`"
    assert all(trial.is_gone and not trial.new for trial in trials(text))


def test_a_missing_number_is_that_of_the_bracket() -> None:
    (finding,) = findings_in("[32x32x3] INPUT\n[30x30x48] CONV 3x3\n")
    assert finding.fixes[0] == "`CONV 48 3x3`"


@pytest.mark.parametrize("line", ["DROPOUT 0 5"])
def test_a_surplus_number_is_not_dropped(line: str) -> None:
    (finding,) = findings_in(f"[32x32x3] INPUT\n{line}\n")
    assert finding.fixes == ()


def test_a_layer_that_keeps_its_channels_says_so() -> None:
    (finding,) = findings_in("[32x32x3] INPUT\nDWCONV 64 3x3\n")
    assert finding.message == "DWCONV does not take `64`"
    assert finding.notes[0] == "DWCONV keeps the number of channels"


def test_an_unknown_word_is_not_guessed_over() -> None:
    (finding,) = findings_in("[32x32x3] INPUT\nCONV wdith 3x3\n")
    assert finding.fixes == ()


@pytest.mark.parametrize("word", ["3 x ", ""])
def test_a_number_in_a_block_that_only_fits_one_instance_is_no_edit(word: str) -> None:
    text = f"block b(f)\n    let g = f + 1\n    CONV f 1x1 groups=g -> RELU\n[8x8x8] INPUT\n{word}b(8)\n"
    (finding,) = findings_in(text)
    assert finding.code == "E203"
    assert finding.fixes == ()


def test_a_number_that_an_earlier_error_left_unknown_is_still_given() -> None:
    text = "block b()\n    SLICE C/2 C\n[8x8x4] INPUT\nCONV 8 1x1 g3\nb()\n"
    assert [finding.code for finding in findings_in(text)] == ["E203"]
