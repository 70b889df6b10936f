"""How near a rounded figure must be."""

import pytest

from archspec.analyses.claims import near


@pytest.mark.parametrize(("figure", "holds"), [(989, False), (991, True), (1000, True), (1009, True), (1011, False)])
def test_a_rounded_figure_holds_within_one_percent(figure: int, holds: bool) -> None:
    assert near(figure, 1000) == holds
