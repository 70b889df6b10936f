"""Where PADCHANNELS puts its zeros."""

import torch

import archspec
from archspec.compiler import build


def test_an_odd_number_of_channels_has_one_more_behind_than_before() -> None:
    module = build(archspec.loads("[3] INPUT\nPADCHANNELS 8\n"))
    assert module(torch.ones(1, 3)).tolist() == [[0, 0, 1, 1, 1, 0, 0, 0]]
