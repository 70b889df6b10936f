"""Signals of one dimension are offered as maps of height 1; video and recurrent layers are refused once, with why."""

import pytest

import archspec
from archspec.diagnostics.findings import Diagnostic, Edit, Help


def findings_of(text: str) -> tuple[Diagnostic, ...]:
    try:
        return archspec.loads(text).diagnostics
    except archspec.ArchspecError as error:
        return error.diagnostics


def pasted(text: str, help_: Help) -> str:
    """The text with the edits of a help."""
    edits: list[Edit] = sorted(help_.edits, key=lambda edit: edit.at.start, reverse=True)
    for edit in edits:
        text = text[: edit.at.start] + edit.replacement + text[edit.at.end :]
    return text


AS_ROWS = (
    "[1x8000x1] INPUT\nCONV 128 1x80 s1x4 floor -> RELU\nMAXPOOL 1x4 s1x4 floor\nCONV 32 1x3 p0x1 -> RELU\n"
    "GAP -> FC 10\n"
)


@pytest.mark.parametrize(
    "text",
    [
        "[8000x1] INPUT\nCONV 128 80 s4 -> RELU\nMAXPOOL 4 s4\nCONV 32 3 p1 -> RELU\nGAP -> FC 10\n",
        "[8000x1] INPUT\nCONV1D 128 80 s4 -> RELU\nMAXPOOL1D 4 s4\nCONV1D 32 3 p1 -> RELU\nGAP -> FC 10\n",
        "[8000x1] INPUT\nCONV 128 1x80 s1x4 -> RELU\nMAXPOOL 1x4 s1x4\nCONV 32 1x3 p0x1 -> RELU\nGAP -> FC 10\n",
    ],
)
def test_windows_on_a_sequence_are_offered_as_those_of_a_map_of_height_1(text: str) -> None:
    first = findings_of(text)[0]
    assert "as a map of height 1" in first.helps[0]
    assert pasted(text, first.fixes[0]) == AS_ROWS
    assert findings_of(AS_ROWS) == ()


def test_layers_of_torch_of_one_dimension_are_translated() -> None:
    text = (
        "nn.Sequential(\n    nn.Conv1d(1, 128, kernel_size=80, stride=4),\n    nn.ReLU(),\n    nn.MaxPool1d(4),\n"
        "    nn.Conv1d(128, 32, kernel_size=3, padding=1),\n    nn.ReLU(),\n    nn.AdaptiveAvgPool1d(1),\n"
        "    nn.Flatten(),\n    nn.Linear(32, 10),\n)\n"
    )
    (found,) = findings_of(text)
    network = archspec.loads(pasted(text, found.fixes[0]))
    assert network.params == 128 * 80 + 128 + 32 * 128 * 3 + 32 + 10 * 32 + 10
    assert network.input == (1, 8000, 1)


@pytest.mark.parametrize(
    "layers", ["LSTM 128\nLSTM 128\nGRU 64", "BILSTM 128 -> RNN 10\nGRU 8", "2 x LSTM 8\nConvLSTM2D 8\nGRU 2"]
)
def test_recurrent_layers_are_refused_once(layers: str) -> None:
    (found,) = findings_of(f"[100x40] INPUT\n{layers}\nTAKE 0 -> FC 10\n")
    assert found.code == "E102"
    assert "recurrent layers are not handled" in found.message
    assert any("attention" in note for note in found.notes)


def test_one_recurrent_layer_may_become_attention() -> None:
    text = "[100x40] INPUT\nLSTM 128\nTAKE 0 -> FC 10\n"
    (found,) = findings_of(text)
    assert findings_of(pasted(text, found.fixes[0])) == ()


@pytest.mark.parametrize(
    "text",
    [
        "[16x112x112x3] INPUT\n[16x56x56x64] CONV 64 3x7x7 s1x2x2 p1x3x3 -> BN -> RELU\nGAP -> FC 10\n",
        "[16x112x112x3] INPUT\nCONV3D 64 3x3x3 s1x2x2\nMAXPOOL3D 2x2x2\nCONV3D 64 3x3x3\nGAP -> FC 10\n",
        "[112x112x3] INPUT\nCONV3D 64 3x3x3 s1x2x2\nMAXPOOL3D 2x2x2\nCONV3D 64 3x3x3\nGAP -> FC 10\n",
    ],
)
def test_video_is_refused_once(text: str) -> None:
    (found,) = findings_of(text)
    assert "video and volumes are not handled" in found.message


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("self.lstm = nn.LSTM(40, 128)\nself.fc = nn.Linear(128, 10)\n", "PyTorch", "recurrent layers"),
        (
            "model = Sequential([\n    LSTM(128, input_shape=(100, 40)),\n    Dense(10),\n])\n",
            "Keras",
            "recurrent layers",
        ),
        ("self.conv = nn.Conv3d(3, 64, 3)\nself.fc = nn.Linear(128, 10)\n", "PyTorch", "video and volumes"),
    ],
)
def test_code_with_them_says_so(text: str, language: str, kind: str) -> None:
    (found,) = findings_of(text)
    assert language in found.message
    assert any(f"{kind} are not handled" in note for note in found.notes)
