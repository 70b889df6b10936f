"""`output` lines and INPUT lines: what leaves a network and what enters it, in their order."""

import pytest

import archspec
from archspec.graph.ir import Output
from support.helps import findings_in, trials

PYRAMID = """\
[28x28x8]  INPUT
[28x28x4]  output p3: CONV 4 3x3 p1
           RELU
[14x14x4]  output d4: MAXPOOL 2x2 s2 -> CONV 4 3x3 p1
[14x14x6]  m: CONV 6 1x1
           output last: @m -> RELU
           output same: @m
"""

TOWERS = """\
[12x12x1]  left: INPUT
[10x12x1]  right: INPUT
add
    | @left -> CONV 4 3x3 p1 -> GAP
    | @right -> CONV 4 3x3 p1 -> GAP
"""


def test_outputs_leave_in_the_order_of_their_lines() -> None:
    graph = archspec.loads(PYRAMID).graph
    assert [output.name for output in graph.outputs] == ["p3", "d4", "last", "same"]
    assert [graph.nodes[output.node].name for output in graph.outputs] == ["p3", "d4", "last", "m"]
    assert graph.output == graph.outputs[0].node


def test_without_output_lines_the_last_line_is_the_output() -> None:
    graph = archspec.loads("[8] INPUT\nFC 4 -> RELU\n").graph
    assert graph.outputs == (Output("relu1", 2),)


def test_an_output_counts_as_a_reader() -> None:
    graph = archspec.loads(PYRAMID).graph
    readers = dict(zip((node.name for node in graph.nodes), graph.readers, strict=True))
    assert (readers["p3"], readers["d4"], readers["last"], readers["m"]) == (2, 2, 1, 2)


def test_a_label_may_be_called_output() -> None:
    graph = archspec.loads("[8] INPUT\noutput: FC 4\nadd\n    | @output\n    | x\noutput output2: RELU\n").graph
    assert [output.name for output in graph.outputs] == ["output2"]


def test_inputs_are_the_sources_in_the_order_of_their_lines() -> None:
    network = archspec.loads(TOWERS)
    assert [(node.name, tuple(node.volume)) for node in network.graph.sources] == [
        ("left", (12, 12, 1)),
        ("right", (10, 12, 1)),
    ]
    assert network.graph.nodes[0].name == "left"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("add\n    | output a: CONV 8 1x1\n    | x\n", "`output` inside a branch"),
        ("aux 0.3: output a: FC 10\n", "`output` inside an `aux`"),
        ("output a: RELU\noutput a: CONV 8 1x1\n", "the label `a` is given twice"),
        ("output a: RELU\noutput a: @input -> RELU\n", "the label `a` is given twice"),
        ("output a: RELU\noutput a: @input\n", "the label `a` is given twice"),
        ("[4x4x8] INPUT\n", "a second INPUT without a label"),
    ],
)
def test_where_no_result_leaves_and_no_input_enters(line: str, message: str) -> None:
    text = f"[4x4x8] INPUT\n{line}"
    messages = [finding.message for finding in findings_in(text)]
    assert message in messages
    assert all(trial.works for trial in trials(text))
