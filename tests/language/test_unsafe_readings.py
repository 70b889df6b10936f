"""What `check --fix` must not do without asking: leave out a layer, change a number, read a note as nothing."""

import pytest

from support.helps import findings_in, trials

AROUND = "[16x16x8] INPUT\nCONV 8 3x3 p1 -> RELU\n{}\nGAP -> FC 10\n"
IN_WORDS = {
    "Max pool 2x2 s2": "`MAXPOOL 2x2 s2`",
    "Batch norm": "`BN`",
    "Fully connected 10": "`FC 10`",
    "Average pooling 2x2 s2": "",
    "Strided conv 8 3x3 s2 p1": "",
    "Leaky ReLU 0.1": "",
    "SE block": "",
    "Transformer block x 12": "",
    "skip connection": "",
    "Repeat the above 2 times": "",
    "POOL2x2 s2": "",
    "CONV3x3 8 p1": "",
    "CONV3D 8 3x3 p1": "",
    "SOFTMAX2D": "",
    "FLATTEN -> BN": "",
}


@pytest.mark.parametrize("line", IN_WORDS)
def test_a_layer_in_words_is_not_left_out_without_asking(line: str) -> None:
    findings = findings_in(AROUND.format(line))
    assert findings
    assert not any(fix.is_safe for finding in findings for fix in finding.fixes)
    assert IN_WORDS[line] in {"", *map(str, findings[0].helps)}


MEANT = {
    "CONV 2**4 3x3 p1 -> RELU": "CONV 16 3x3 p1 -> RELU",
    "2**2 x RELU": "4 x RELU",
    "CONV 8 3x3 SAME -> RELU": "CONV 8 3x3 same -> RELU",
    "layer1 CONV 8 3x3 p1 -> RELU": "layer1: CONV 8 3x3 p1 -> RELU",
    "CONV 1,024 3x3 p1 -> RELU": "CONV 1024 3x3 p1 -> RELU",
    "a) CONV 8 3x3 p1 -> RELU": "CONV 8 3x3 p1 -> RELU",
    "16": "# 16",
    "CONV 8 3x3 S1 P1 -> RELU": "CONV 8 3x3 s1 p1 -> RELU",
    "stem\uff1aCONV 8 3x3 p1 -> RELU": "stem: CONV 8 3x3 p1 -> RELU",
    "CONV 8 3x3, S1, P1 -> RELU": "CONV 8 3x3, s1, p1 -> RELU",
    "CONV 8 3x3 S1P1 -> RELU": "CONV 8 3x3 s1 p1 -> RELU",
    "repeat 3: RELU": "3 x RELU",
    "repeat 3 RELU": "3 x RELU",
    "repeat 3 times: RELU": "3 x RELU",
    "3 times RELU": "3 x RELU",
    "CONV 8 3x3 p1 -> RELU memroy: 16*16*8=2048": "CONV 8 3x3 p1 -> RELU memory: 16*16*8=2048",
    "CONV 8 3x3 p1 nobias prams: (3*3*8)*8=576\nRELU": "CONV 8 3x3 p1 nobias params: (3*3*8)*8=576\nRELU",
}


@pytest.mark.parametrize("line", MEANT)
def test_a_line_is_mended_to_what_it_means(line: str) -> None:
    (trial,) = trials(AROUND.format(line))
    assert trial.text == AROUND.format(MEANT[line])
    assert trial.works


@pytest.mark.parametrize("note", ["(same padding)", "(no bias)", "(without bias)", "(with BN)"])
def test_a_note_that_says_what_changes_a_layer_is_an_error(note: str) -> None:
    (finding,) = findings_in(AROUND.format(f"CONV 8 3x3 p1 {note} -> RELU"))
    assert finding.message == "arguments and steps in a note are not read"
