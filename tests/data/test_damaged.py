"""How many damaged images may be left out, and which are named."""

import pytest

from archspec.compiler.data.damaged import first_few, most_damaged


@pytest.mark.parametrize(("images", "most"), [(0, 10), (1, 10), (1099, 10), (1100, 11), (1_281_167, 12_811)])
def test_one_image_in_a_hundred_or_ten_may_be_damaged(images: int, most: int) -> None:
    assert most_damaged(images) == most


@pytest.mark.parametrize(("count", "more"), [(0, ()), (10, ()), (11, ("and 1 more",)), (2010, ("and 2,000 more",))])
def test_the_first_ten_are_listed_and_the_others_counted(count: int, more: tuple[str, ...]) -> None:
    items = [str(number) for number in range(count)]
    assert first_few(items) == (*items[:10], *more)
