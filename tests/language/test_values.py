"""What expressions are worth, and which are refused."""

import pytest

import archspec

VALUES = {
    "round(2.5)": 3,
    "round(2.4)": 2,
    "round8(8)": 8,
    "round8(9)": 16,  # 8 is less than 90 % of it
    "round8(12)": 16,
    "round8(19)": 24,
    "round8(27)": 32,
    "round8(30)": 32,
    "6/2": 3,
    "36028797018963970/2": 18014398509481985,  # a float has no odd numbers of this size
    "7//2": 3,
    "7%4": 3,
    "ceil(7/2)": 4,
    "floor(7/2)": 3,
    "min(5, 3, 4)": 3,
    "max(5, 3, 4)": 5,
    "2 + 3*4": 14,
    "(2 + 3)*4": 20,
    "9 - 3 - 2": 4,
    "sqrt(49)": 7,
}


@pytest.mark.parametrize(("expression", "value"), VALUES.items())
def test_an_expression_has_its_value(expression: str, value: int) -> None:
    assert archspec.loads(f"[4] INPUT\nFC {expression}\n").output == (value,)


@pytest.mark.parametrize("left", [1, 9])
@pytest.mark.parametrize("right", [1, 9])
@pytest.mark.parametrize("word", ["and", "or"])
def test_conditions_are_joined_as_in_python(left: int, right: int, word: str) -> None:
    block = f"block b(m, n)\n    if m > 5 {word} n > 5\n        FC 7\n    else\n        FC 3\n"
    text = f"{block}[4] INPUT\nb({left}, {right})\n"
    holds = (left > 5 and right > 5) if word == "and" else (left > 5 or right > 5)
    assert archspec.loads(text).output == (7 if holds else 3,)


@pytest.mark.parametrize(
    ("expression", "code"),
    [("8/0", "E107"), ("8//0", "E107"), ("8%0", "E107"), ("ceil(1, 2)", "E104"), ("sqrt(1-2)", "E107")],
)
def test_an_expression_without_a_value_is_refused(expression: str, code: str) -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads(f"[4] INPUT\nFC {expression}\n")
    assert [finding.code for finding in caught.value.diagnostics] == [code]


def test_h_and_w_are_the_height_and_the_width() -> None:
    network = archspec.loads("block b()\n    CONV H 1x1\n    CONV 10*W 1x1\n    CONV C+1 1x1\n[5x7x3] INPUT\nb()\n")
    assert [row.node.volume.channels for row in network.layers] == [3, 5, 70, 4]
