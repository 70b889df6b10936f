"""Names that nothing refers to get a warning, with the edit that drops them."""

import pytest

import archspec
from archspec.layers import REGISTRY
from support.helps import findings_in, trials

I = "[8x8x4] INPUT\n"  # noqa: E741  # the input

UNUSED = {
    I + "let w = 3\nFC 10\n": ["unused `let w`"],
    "param width = 1\n" + I + "FC 10\n": ["unused parameter `width`"],
    "param width = 1\nvariant big: width=2\n" + I + "FC 10\n": ["unused parameter `width`"],
    "param width = 1\nparam n = 2\nvariant b: n=1 width=2\n" + I + "FC n\n": ["unused parameter `width`"],
    "block b(f, n)\n    FC f\n" + I + "b(4, 2)\n": ["unused parameter `n` of `b`"],
    "block b(f, n=3)\n    FC f   # n neurons\n" + I + "b(f=4) -> RELU -> b(4, n=2)\n": ["unused parameter `n` of `b`"],
    "block b(f, @h)\n    FC f\n" + I + "b(4, @input)\n": ["unused parameter `h` of `b`"],
    "block b(f, stride)\n    CONV f 3x3 stride=1\n" + I + "b(4, 2)\n": ["unused parameter `stride` of `b`"],
    "block b(f)\n    let g = f\n    FC f\n" + I + "b(4)\n": ["unused `let g`"],
    "block b(f)\n    FC f\n" + I + "let f = 3\nb(4)\n": ["unused `let f`"],
}
USED = [
    "param width = 1\nparam twice = 2*width\n" + I + "FC twice\n",
    "param unit = first\nblock first(f, n)\n    FC f\nblock second(f, n)\n    n x FC f -> RELU\n" + I + "unit(4, 2)\n",
    "param n = 2\n" + I + "n x RELU\n",
    "param n = 2\n" + I + "[n*4 x 8 x 4] RELU\n",
    "param p = 0.5\nafter FC: DROPOUT p\n" + I + "FC 10\n",
    "block b(f, s=f)\n    FC s\n" + I + "b(4)\n",
    "block b(f)\n    RELU\n" + I + "FC 10\n",  # a part that others use
    "block b(f, @h)\n    add\n        | @h\n        | CONV f 1x1\n" + I + "b(4, @input)\n",
    "block b(deep)\n    if deep > 3\n        RELU\n    FC 10\n" + I + "b(2)\n",
]


@pytest.mark.parametrize("text", UNUSED)
def test_an_unused_name_is_reported_and_can_be_dropped(text: str) -> None:
    found = findings_in(text)
    assert [(finding.code, finding.message) for finding in found] == [("W101", message) for message in UNUSED[text]]
    assert [trial.works for trial in trials(text)] == [True] * len(found)


@pytest.mark.parametrize("text", USED)
def test_a_name_that_is_used_is_not_reported(text: str) -> None:
    assert findings_in(text) == ()


def test_a_misspelt_use_is_one_finding() -> None:
    text = I + "let width = 3\nFC widht+1\n"
    assert [finding.code for finding in findings_in(text)] == ["E101"]


def test_an_init_line_for_a_layer_that_is_only_in_an_uncalled_block_or_after_is_used() -> None:
    head = "init DWCONV LN: 0.02\nafter CONV: LN\nblock idle()\n    DWCONV 3x3 p1\n"
    text = head + I + "CONV 8 3x3 p1\nGAP -> FC 10\n"
    assert [one.message for one in archspec.loads(text).diagnostics if one.code == "W101"] == []
    wrong = text.replace("after CONV: LN\n", "").replace("    DWCONV 3x3 p1", "    RELU")
    found = [one.message for one in archspec.loads(wrong).diagnostics if one.code == "W101"]
    assert found == [f"unused `init {name}`: this file has no {name}" for name in ("DWCONV", "LN")]


FREE = sorted({word for layer in REGISTRY.values() for word in layer.free_words})
FLAGS = sorted({word for layer in REGISTRY.values() for word in layer.words if word not in layer.free_words})


@pytest.mark.parametrize("name", FLAGS)
def test_no_parameter_and_no_let_has_the_name_of_a_flag(name: str) -> None:
    heads = (f"param {name} = 1\n", f"block unit({name})\n    RELU\n", f"block unit(f)\n    let {name} = 2\n    RELU\n")
    for head in heads:
        with pytest.raises(archspec.ArchspecError, match=rf"E118\]: `{name}` cannot be a name"):
            archspec.loads(f"{head}{I}unit(1)\nFC 10\n")


@pytest.mark.parametrize("name", FREE)
def test_a_flag_where_no_value_can_stand_may_be_the_name_of_a_parameter(name: str) -> None:
    text = f"block unit({name})\n    CONV {name} 1x1 -> PRELU single\n[8x8x4] INPUT\nunit(8)\nGAP channels\n"
    net = archspec.loads(text)
    assert [tuple(node.volume) for node in net.graph.nodes][1:] == [(8, 8, 8), (8, 8, 8), (8, 8, 1)]
    assert net.params == (4 * 8 + 8) + 1


def test_a_parameter_called_causal_is_the_number_of_heads_where_it_is_missing_and_a_flag_after_it() -> None:
    head = "param causal = 2\n[6x8] INPUT\n"
    heads = archspec.loads(f"{head}MHSA causal -> FC causal\n").graph.nodes[1].layer
    assert (heads.heads, heads.causal) == (2, False)  # type: ignore[attr-defined]
    both = archspec.loads(f"{head}MHSA 4 causal -> FC causal\n").graph.nodes[1].layer
    assert (both.heads, both.causal) == (4, True)  # type: ignore[attr-defined]
