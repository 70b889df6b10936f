"""Results inside calls, `@s.coarse` and `@last.coarse`, and lists of volumes, `@more...`."""

import pytest

import archspec
from archspec.network import MeasuredNetwork

I = "[8x8x4] INPUT\n"  # noqa: E741  # the input
PAIR = "block pair(f)\n    fine: CONV f 3x3 p1 -> RELU\n    low: CONV 2*f 3x3 p1 -> RELU\n    CONV f 3x3 p1 -> RELU\n"
FUSE = (
    "block fuse(f, @b=@last.low)\n    add\n        | CONV f 3x3 p1\n        | @b -> CONV f 1x1\n"
    "    low: RELU\n    CONV f 3x3 p1 -> RELU\n"
)
JOIN = "block join(f, @more...)\n    concat\n        | @more\n        | x\n    CONV f 1x1 -> RELU\n"


def inputs(network: MeasuredNetwork, name: str) -> list[str]:
    """Return the names of what a node reads."""
    graph = network.graph
    return [graph.nodes[index].name for index in network[name].node.inputs]


def found_in(text: str) -> list[str]:
    """Return the messages of a spec's errors."""
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads(text)
    return [finding.message for finding in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("branch", "reader", "label"),
    [
        ("@s.low -> CONV 4 1x1", "conv1", "s.low"),
        ("CONV 4 1x1 -> fuse(4, @s.low)", "fuse1.conv2", "s.low"),
        ("@s.fine -> TANH", "tanh1", "s.fine"),
    ],
)
def test_a_result_inside_a_call_has_the_name_of_its_path(branch: str, reader: str, label: str) -> None:
    network = archspec.loads(f"{PAIR}{FUSE}{I}s: pair(4)\nadd\n    | x\n    | {branch}\n")
    assert inputs(network, reader) == [label]


def test_labels_are_followed_into_calls_inside_calls() -> None:
    stage = "block stage(f)\n    first: pair(f)\n    pair(f)\n"
    network = archspec.loads(f"{PAIR}{stage}{I}e: stage(4)\nadd\n    | x\n    | @e.first.low -> CONV 4 1x1\n")
    assert inputs(network, "conv1") == ["e.first.low"]


def test_a_label_on_a_chain_shows_its_last_call() -> None:
    network = archspec.loads(f"{PAIR}{I}s: pair(4) -> 2 x pair(4) -> RELU\nadd\n    | x\n    | @s.fine\n")
    assert inputs(network, "add1") == ["s", "pair3.fine"]


def test_the_last_call_is_the_one_above_whatever_is_between() -> None:
    lines = "pair(4) -> BN\nadd\n    | x\n    | fuse(4)\nRELU -> fuse(4)\n"
    network = archspec.loads(f"{PAIR}{FUSE}{I}{lines}")
    assert inputs(network, "fuse1.conv2") == inputs(network, "fuse2.conv2") == ["pair1.low"]


def test_a_repeat_hands_on_both_volumes() -> None:
    network = archspec.loads(f"{PAIR}{FUSE}{I}s: pair(4)\n@s -> 3 x fuse(4)\n")
    assert [inputs(network, f"fuse{n}.conv2") for n in (1, 2, 3)] == [["s.low"], ["fuse1.low"], ["fuse2.low"]]


def test_the_last_call_of_a_block_is_unknown_inside_it_and_the_other_way_round() -> None:
    outer = "block outer\n    fuse(4)\n"
    assert found_in(f"{PAIR}{FUSE}{outer}{I}pair(4)\nouter()\n") == ["`fuse` requires a volume for `@b`"]
    inside = "block outer\n    pair(4)\n"
    assert found_in(f"{PAIR}{inside}{I}outer()\nadd\n    | x\n    | @last.low\n") == [
        "the call before, `outer1`, has no result `low`: no line in it has a label"
    ]


def test_labels_of_an_arm_that_is_not_taken_are_not_shown() -> None:
    block = "block b(n)\n    if n > 1\n        one: RELU\n    else\n        two: TANH\n"
    assert archspec.loads(f"{block}{I}s: b(2)\nCONV 4 1x1\nadd\n    | x\n    | @s.one\n")
    assert found_in(f"{block}{I}s: b(1)\nCONV 4 1x1\nadd\n    | x\n    | @s.one\n") == [
        "`s` has no result `one`: its labels are two"
    ]


def test_a_call_that_failed_is_reported_once() -> None:
    text = f"{PAIR}{FUSE}{I}s: pair(4, 5)\nfuse(4) -> fuse(4, @last.low)\nadd\n    | x\n    | @s.coarze\n"
    assert found_in(text) == ["`pair` takes 1 argument, got 2"]


def test_a_result_of_an_auxiliary_classifier_stays_in_it() -> None:
    text = f"{PAIR}{I}aux 0.3: a: pair(4)\nadd\n    | x\n    | @a.low\n"
    assert found_in(text) == ["a result of an auxiliary classifier, used outside it"]


# ---- lists
def test_a_list_is_a_branch_for_each_volume_in_their_order() -> None:
    labels = "a: CONV 1 1x1 -> RELU\nb: CONV 2 1x1 -> RELU\n"
    network = archspec.loads(f"{JOIN}{I}{labels}c: join(3, @a, @b, @a)\n")
    assert inputs(network, "c.concat1") == ["a", "b", "a", "b"]


def test_what_follows_the_list_is_there_for_each() -> None:
    block = "block join(@more...)\n    add\n        | @more -> CONV 4 1x1\n          BN\n        | x\n"
    network = archspec.loads(f"{block}{I}a: CONV 1 1x1 -> RELU\nb: CONV 4 1x1 -> RELU\njoin(@a, @b)\n")
    assert inputs(network, "join1.add1") == ["join1.bn1", "join1.bn2", "b"]
    assert [inputs(network, f"join1.conv{n}") for n in (1, 2)] == [["a"], ["b"]]


def test_a_merge_with_one_branch_left_is_that_branch() -> None:
    network = archspec.loads(f"{JOIN}{I}a: CONV 4 1x1 -> RELU\njoin(3)\n")
    assert inputs(network, "join1.conv1") == ["a"]
    alone = JOIN.replace("        | x\n", "")
    assert inputs(archspec.loads(f"{alone}{I}a: CONV 4 1x1 -> RELU\njoin(3, @a)\n"), "join1.conv1") == ["a"]


def test_a_list_is_handed_on_to_another_list() -> None:
    outer = "block outer(@all...)\n    join(3, @all, @all)\n"
    network = archspec.loads(f"{JOIN}{outer}{I}a: CONV 4 1x1 -> RELU\nouter(@a, @input)\n")
    assert inputs(network, "outer1.join1.concat1") == ["a", "input", "a", "input", "a"]


def test_a_volume_is_given_by_name() -> None:
    for argument in ("@b=@s.low", "b=@s.low"):
        text = f"{PAIR}{FUSE}{I}s: pair(4)\nCONV 4 1x1 -> RELU\nfuse(b=@s.low, f=4)\n".replace("b=@s.low", argument)
        assert inputs(archspec.loads(text), "fuse1.conv2") == ["s.low"]


def test_labels_may_look_like_short_arguments() -> None:
    network = archspec.loads(f"{I}s2: CONV 4 3x3 s1 p1 -> RELU\nd0: CONV 4 3x3 d2 p2\nadd\n    | @s2\n    | @d0\n")
    assert inputs(network, "add1") == ["s2", "d0"]


def test_doubling_a_list_at_each_level_ends_at_the_bound() -> None:
    text = (
        "block twice(n, @more...)\n    if n > 0\n        twice(n-1, @more, @more)\n"
        f"    else\n        add\n            | @more\n            | x\n{I}a: RELU\ntwice(60, @a)\n"
    )
    (message,) = found_in(text)
    assert message.startswith("the network takes more than")
