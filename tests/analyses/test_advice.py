"""Warnings about what is legal and looks like a mistake."""

import pytest

import archspec

CHANNELS_FIRST = {
    "[3x224x224]": True,
    "[1x28x28]": True,
    "[4x64x64]": True,
    "[5x64x64]": False,
    "[4x4x4]": False,
    "[3x224x225]": False,
    "[224x224x4]": False,
}


@pytest.mark.parametrize(("volume", "warned"), CHANNELS_FIRST.items())
def test_an_input_of_up_to_four_rows_and_as_many_channels_as_columns_looks_channels_first(
    volume: str, warned: bool
) -> None:
    network = archspec.loads(f"{volume} INPUT\nGAP -> FC 10\n")
    assert ("W202" in [finding.code for finding in network.diagnostics]) == warned
