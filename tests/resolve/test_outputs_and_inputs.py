"""`output` lines and INPUT lines: what leaves a network and what enters it, in their order."""

import json
from pathlib import Path

import pytest

import archspec
from archspec.api import restore
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


def test_after_adds_nothing_to_the_last_weight_layer_before_an_output() -> None:
    lines = ("output a: CONV 4 1x1", "output b: CONV 5 1x1", "output c: @a -> CONV 6 1x1 -> BN")
    text = "\n".join(("after CONV: RELU", "[8x8x4] INPUT", *lines))
    graph = archspec.loads(text).graph
    implied = [graph.nodes[node.inputs[0]].name for node in graph.nodes if node.implied]
    assert implied == ["a"]  # which others read; the CONVs of b and c are the last


MENDED = [
    ("output FC 10", "output output1: FC 10"),
    ("output p3 = FC 10", "output p3: FC 10"),
    ("output p3:FC 10", "output p3: FC 10"),
    ("p3: output FC 10", "output p3: FC 10"),
    ("p3 output: FC 10", "output p3: FC 10"),
    ("OUTPUT p3: FC 10", "output p3: FC 10"),
    ("outputs p3: FC 10", "output p3: FC 10"),
    ("outptu p3: FC 10", "output p3: FC 10"),
    ("p3: FC 10\noutput p3", "p3: FC 10\noutput p3: @p3"),
    ("p3: FC 10\np4: RELU\noutput p3, p4", "p3: FC 10\np4: RELU\noutput p3: @p3\noutput p4: @p4"),
]


@pytest.mark.parametrize(("wrong", "right"), MENDED, ids=[wrong for wrong, _ in MENDED])
def test_an_output_in_another_form_is_one_error_that_writes_it(wrong: str, right: str) -> None:
    text = f"[8x8x4] INPUT\n{wrong}\n"
    (finding,) = findings_in(text)
    assert finding.code == "E001"
    (help_,) = finding.helps
    for edit in sorted(help_.edits, key=lambda one: -one.at.start):  # type: ignore[attr-defined]
        text = text[: edit.at.start] + edit.replacement + text[edit.at.end :]
    assert text == f"[8x8x4] INPUT\n{right}\n"
    archspec.loads(text)


IN_A_BLOCK = "block level(f)\n    output p: CONV f 3x3 p1\n    RELU\n\n[8x8x4] INPUT\n"


@pytest.mark.parametrize("calls", ["level(6)\nCONV 8 1x1 -> RELU\n", "level(6)\n", "s: level(6)\nRELU\n"])
def test_an_output_inside_a_block_is_marked_through_the_label_of_its_call(calls: str) -> None:
    text = IN_A_BLOCK + calls
    (finding,) = findings_in(text)
    assert (finding.code, finding.message) == ("E108", "`output` inside the block `level`")
    assert finding.helps[0].startswith("mark it at the end: `output p: @")
    assert all(trial.works for trial in trials(text))


def test_an_unused_result_may_become_an_output() -> None:
    text = "[8x8x4] INPUT\noutput a: FC 10\n[7] FC 7\n"
    (finding,) = findings_in(text)
    assert (finding.code, finding.helps[0]) == ("E113", "make it an output: `output fc2: ...`")
    assert all(trial.works for trial in trials(text))


def test_an_unused_input_is_an_error() -> None:
    text = "[8] left: INPUT\n[8] right: INPUT\nFC 10\n"
    (finding,) = findings_in(text)
    assert (finding.code, finding.message, [*finding.helps]) == ("E113", "unused input left", ["drop the line"])
    assert all(trial.works for trial in trials(text))


def test_the_depth_is_that_of_the_longest_path_to_an_output() -> None:
    assert archspec.loads(PYRAMID).weight_layers == 3
    assert (
        archspec.loads("[8] INPUT\noutput deep: FC 4 -> RELU -> FC 4\noutput flat: @input -> FC 4\n").weight_layers == 2
    )


def test_a_receptive_field_is_that_in_each_input_by_itself() -> None:
    network = archspec.loads(
        "[12x12x1] left: INPUT\n[12x12x1] right: INPUT\nadd\n    | @left -> CONV 4 3x3 p1\n"
        "    | @right -> CONV 4 7x7 p3\nCONV 4 3x3 p1\n"
    )
    assert {row.node.name: {name: field.size for name, field in row.fields} for row in network.layers} == {
        "left": {"left": (1, 1)},
        "right": {"right": (1, 1)},
        "conv1": {"left": (3, 3)},
        "conv2": {"right": (7, 7)},
        "add1": {"left": (3, 3), "right": (7, 7)},
        "conv3": {"left": (5, 5), "right": (9, 9)},
    }


def test_several_inputs_and_outputs_are_data_and_text() -> None:
    network = archspec.loads(TOWERS.replace("add\n", "output both: add\n") + "output ten: FC 10\n", name="towers")
    data = network.to_dict()
    assert data["inputs"] == [{"name": "left", "volume": [12, 12, 1]}, {"name": "right", "volume": [10, 12, 1]}]
    assert [(one["name"], one["layer"], one["volume"]) for one in data["outputs"]] == [
        ("both", "both", [4]),
        ("ten", "ten", [10]),
    ]
    assert data["outputs"][0]["receptive_fields"] == {"left": [14, 14], "right": [12, 14]}
    head, *rest = str(network).splitlines()
    assert head == "towers   left [12x12x1], right [10x12x1] -> both [4], ten [10]"
    assert any(line.startswith("output ten") and "14 of left, 12x14 of right" in line for line in rest)


NAMED = [
    ({"left": (6, 8, 1)}, [(6, 8, 1), (10, 12, 1)]),
    ({"right": "6x8x1", "left": "9x9x1"}, [(9, 9, 1), (6, 8, 1)]),
]


@pytest.mark.parametrize(("given", "volumes"), NAMED)
def test_inputs_are_changed_by_name_and_kept_in_the_bundle(
    tmp_path: Path, given: dict[str, str | tuple[int, ...]], volumes: list[tuple[int, ...]]
) -> None:
    path = tmp_path / "towers.arch"
    path.write_text(TOWERS, encoding="utf-8")
    network = archspec.load(path, input=given)
    assert [tuple(volume) for _, volume in network.inputs] == volumes
    again = restore(json.loads(json.dumps(network.bundle.to_dict())))
    assert again.inputs == network.inputs


REFUSED: list[tuple[str, str | dict[str, str], str, list[str]]] = [
    (
        TOWERS,
        "6x8x1",
        "`--input 6x8x1`: the spec has 2 inputs",
        ["`--input left=6x8x1`", "`--input right=6x8x1`"],
    ),
    (TOWERS, {"lefd": "6x8x1"}, "`--input lefd=6x8x1`: unknown input `lefd`", ["did you mean `left`?"]),
    (TOWERS, {"left": "1x8x8"}, "`--input left=1x8x8` has its channels first", ["`--input left=8x8x1`"]),
    (TOWERS, {"left": "8y8"}, "`--input left=8y8` is not a volume", ["`--input left=12x12x1`"]),
    ("[8] INPUT\nFC 4\n", {"image": "9"}, "`--input image=9`: unknown input `image`", ["`--input input=9`"]),
]


@pytest.mark.parametrize(("text", "given", "message", "helps"), REFUSED, ids=[one[2] for one in REFUSED])
def test_an_input_that_the_spec_does_not_have_names_those_that_it_has(
    tmp_path: Path, text: str, given: str | dict[str, str], message: str, helps: list[str]
) -> None:
    path = tmp_path / "spec.arch"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.load(path, input=given)
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.message, [*finding.helps]) == ("E117", message, helps)
