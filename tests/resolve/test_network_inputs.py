"""Inputs: those with which a network fits, torch's order, batches and videos."""

import pytest

import archspec
from support.helps import findings_in, trials

DEEP = (
    "[{side}x{side}x3] INPUT\nCONV 8 3x3 p1 -> RELU -> POOL 2x2 s2\nCONV 8 3x3 p1 -> RELU -> POOL 2x2 s2\nGAP -> FC 2\n"
)


def test_a_misfit_inside_names_an_input_of_the_network() -> None:
    (finding,) = findings_in(DEEP.format(side=30))
    assert finding.labels[0].span.line == 3
    assert finding.helps[-1] == "`--input 32x32x3` fits"
    archspec.loads(DEEP.format(side=32))


def test_a_misfit_of_the_input_itself_is_an_edit_of_its_bracket() -> None:
    text = "[224x224x3] INPUT\nCONV 96 11x11 s4 -> RELU\nGAP -> FC 10\n"
    (finding,) = findings_in(text)
    assert finding.fixes[-1] == "`[223x223x3]` as the network's input fits"
    assert all(trial.works for trial in trials(text))


def test_a_sequence_as_a_map_of_height_1_keeps_its_height() -> None:
    for line, fits in (
        ("CONV 4 1x80 s1x4\nMAXPOOL 1x4 s1x4", "`--input 1x15996x1` fits"),
        ("CONV 4 1x80 s1x7 -> BN -> RELU", "`[1x15998x1]` as the network's input fits"),
    ):
        (finding,) = findings_in(f"[1x16000x1] INPUT\n{line}\nGAP -> FC 35\n")
        assert fits in finding.helps


CHANNELS_FIRST = [
    "[3x224x224] INPUT\nCONV 8 7x7 s2 p3 -> RELU\nPOOL 2x2 s2\nGAP -> FC 10\n",
    "[3x32x32] INPUT\nCONV 8 5x5 -> RELU\nGAP -> FC 10\n",
    "[3x32x32] INPUT\n[8x28x28] CONV 8 5x5 -> RELU\n[8x14x14] POOL 2x2 s2\nGAP -> FC 10\n",
]


@pytest.mark.parametrize("text", CHANNELS_FIRST)
def test_channels_first_is_said_before_any_window(text: str) -> None:
    (finding,) = findings_in(text)
    assert "channels first" in finding.message or finding.code == "W202"
    assert finding.labels[0].span.line == 1
    assert all(trial.works for trial in trials(text))


def test_a_video_gives_one_error() -> None:
    text = (
        "[16x112x112x3] INPUT\nCONV 64 3x3x3 p1 -> BN -> RELU\nPOOL 1x2x2 s1x2x2\nCONV 128 3x3x3 p1x1x1 -> RELU\n"
        "[8x28x28x128] CONV 256 3x3x3 p1\nGAP -> FC 10\n"
    )
    (finding,) = findings_in(text)
    assert finding.message == "[16x112x112x3] has 4 dimensions: video and volumes are not handled"
    assert finding.helps == ()


@pytest.mark.parametrize("shape", ["1x32x32x3", "1x3x32x32"])
def test_a_batch_is_left_out(shape: str) -> None:
    text = f"[{shape}] INPUT\nCONV 8 3x3 -> RELU\nGAP -> FC 10\n"
    (finding,) = findings_in(text)
    assert "the batch is not written" in finding.message
    assert [trial.text.splitlines()[0] for trial in trials(text)] == ["[32x32x3] INPUT"]


@pytest.mark.parametrize(("shape", "image"), [("28x28", "28x28x1"), ("784", "28x28x1"), ("3072", "32x32x3")])
def test_an_image_without_channels_is_completed(shape: str, image: str) -> None:
    text = f"[{shape}] INPUT\nCONV 8 3x3 -> RELU\nGAP -> FC 10\n"
    (finding,) = findings_in(text)
    assert finding.fixes[0].edits[0].replacement == f"[{image}]"
    assert all(trial.works for trial in trials(text))


@pytest.mark.parametrize("line", ["INPUT 32x32x3", "INPUT 3x32x32", "INPUT 32 32 3", "INPUT: 32x32x3"])
def test_an_input_without_brackets_gets_them(line: str) -> None:
    text = f"{line}\nCONV 8 3x3 -> RELU\nGAP -> FC 10\n"
    assert [trial.text.splitlines()[0] for trial in trials(text) if trial.works] == ["[32x32x3] INPUT"]


FLATTENED = {
    "FC 64 -> RELU\nCONV 8 3x3 p1 -> RELU\nPOOL 2x2 s2\nCONV 8 3x3 p1 -> RELU\n": "CONV 64 1x1 -> RELU",
    "GAP -> RELU\nCONV 8 3x3 p1 -> RELU\nCONV 8 3x3 p1 -> RELU\n": "RELU",
}


@pytest.mark.parametrize(("lines", "mended"), FLATTENED.items())
def test_a_map_flattened_too_early_gives_one_error_that_points_at_the_layer(lines: str, mended: str) -> None:
    text = f"[32x32x3] INPUT\nCONV 8 3x3 p1 -> RELU\n{lines}FC 10\n"
    (finding,) = findings_in(text)
    assert finding.labels[1].text.startswith("turns [32x32x8] into")
    (trial,) = trials(text)
    assert trial.text.splitlines()[2] == mended
    assert trial.is_gone


def test_each_of_several_inputs_is_checked_for_torchs_order() -> None:
    text = "[3x8x8] left: INPUT\n[8x8x3] right: INPUT\n[3x9x9] third: INPUT\nconcat\n"
    lines = "".join(f"    | @{name} -> CONV 4 1x1 -> GAP\n" for name in ("left", "right", "third"))
    assert [finding.span and finding.span.line for finding in findings_in(text + lines)] == [1, 3]
