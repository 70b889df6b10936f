"""Which misspellings are corrected without asking."""

import pytest

from archspec.diagnostics.spelling import is_slip, nearest_layer
from archspec.layers import REGISTRY
from support.helps import findings_in

SLIPS = """
CONVV CNOV COVN CNV CPNV CINV POOLL POL POLO RLU REUL GELUU DROPUOT DROPOT DRPOUT MAXPOL SOFMAX SIGMOD DWCNV BNN UPCNOV
MHAS MSHA TOKNES FCC SCLAE SHUFLE AVGPOL DROPOUTS LNN UPSMAPLE RLEU
"""
OTHERS = """
MINPOOL SOFTMIN TCONV CONVT UNSHUFFLE MIN FRN SRN LCN MHCA HTANH ATANH HSILU REGLU SIGLU FRELU SRELU GCONV ACONV
MBCONV SBN CBN ABN RESAMPLE SELU CELU LSTM RRN PCONV CROP
"""


@pytest.mark.parametrize("word", SLIPS.split())
def test_a_slip_of_the_fingers_is_the_layer(word: str) -> None:
    assert nearest_layer(word, REGISTRY) is not None


@pytest.mark.parametrize("word", OTHERS.split())
def test_another_layer_is_no_slip(word: str) -> None:
    assert nearest_layer(word, REGISTRY) is None
    (finding,) = findings_in(f"[8x8x4] INPUT\n{word} -> RELU\nGAP -> FC 3\n")
    assert not any(fix.is_safe for fix in finding.fixes)


@pytest.mark.parametrize("pair", ["stage4 stage3", "enc2 enc1", "decoder encoder", "width2 width1", "round16 round"])
def test_names_of_other_things_are_no_slips(pair: str) -> None:
    wrong, name = pair.split()
    assert not is_slip(wrong, name)
    assert is_slip("widht", "width")
