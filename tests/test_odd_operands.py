"""Specs that once gave a traceback, or an error although they were right: each was found by the sweep over specs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import archspec

I8 = "[8x8x4] INPUT\n"
HUGE = "9000000000000000000"
AUX = "block use(@h)\n    add\n        | FC 3\n        | @h\n" + I8 + "aux 0.3: scores: FC 3\n"

RIGHT = {
    "the maximum of one number": I8 + "CONV max(3) min(3) x max(3)\n",
    "branches at the column of a narrow bracket's text": "[8] INPUT\nadd\n    | FC 8\n    | x\n",
    "branches at the column of a bracket's text, nested": (
        "[6x4]     INPUT\nadd\n    | [6x4] add\n            | RELU\n            | x\n    | x\n"
    ),
    "a block's lines at the column of a narrow bracket's text": "[8] INPUT\nblock b()\n    RELU\nb()\n",
    "arms at the column of a narrow bracket's text": (
        "[8]     INPUT\nparam n = 1\nif n == 1\n        RELU\nelse\n        GELU\n"
    ),
    "settings at the column of a narrow bracket's text": "[8] INPUT\nFC 3\ntrain\n    epochs 3\n",
    "a line under the text after a narrow bracket": "[8] INPUT\n    FC 8\n[8] add\n    | RELU\n    | x\n",
    "an input alone": I8,
    "a result of an aux within it": "block h()\n    a: FC 3\n    add\n        | @a\n        | FC 3\n"
    + I8
    + "aux 1: h()\n",
    "sizes near 2^63": f"[{HUGE}x{HUGE}x{HUGE}] INPUT\nFC {HUGE}\n",
    "many strides on one pixel": "[1x1x4] INPUT\n2000 x CONV 4 3x3 s999999999 p1\n",
}
WRONG = {
    "a size past 2^63": (I8 + f"UPSAMPLE {HUGE}\n", "E008"),
    "a size with hundreds of digits": (I8 + f"100 x UPSAMPLE {HUGE}\n", "E008"),
    "channels past 2^63": (f"[{HUGE}] INPUT\nconcat\n    | x\n    | x\n", "E008"),
    "a pad past 2^63": (I8 + f"PAD pad={HUGE}\n", "E008"),
    "a file with a name of 4,000 letters": (f"use {'a' * 4_000}: b\n" + I8 + "b()\n", "E014"),
    "a block as a size": ("block b\n    RELU\n" + I8 + "CONV 4 b x b\n", "E105"),
    "a block as a number of repeats": ("block b\n    RELU\n" + I8 + "b x RELU\n", "E105"),
    "an aux of no repeats": (I8 + "aux 0.3: 0 x FC 3\n", "E010"),
    "an aux whose block ends with the trunk's volume": (
        "block h(@v)\n    @v\n" + I8 + "a: RELU\naux 1: h(@a)\n",
        "E010",
    ),
    "a result of an aux given to a block": (AUX + "FC 3\nuse(@scores)\n", "E108"),
    "a result of an aux as the output": (AUX + "@scores\n", "E108"),
    "a result of an aux in another aux": (AUX + "aux 0.3: use(@scores)\n", "E108"),
    "a title in a branch": (I8 + "add\n    | RELU\n      net A title\n    | x\n", "E005"),
    "a parameter as a branch": (I8 + "add\n    | param n = 2\n    | x\n", "E005"),
    "an input in an aux": ("aux 0.3: INPUT: [8x8x4]\nRELU\n", "E110"),
}
CHANGES: dict[str, dict[str, object]] = {
    "infinity": {"f": float("inf")},
    "no number": {"f": float("nan")},
    "a number past 2^63": {"f": 10**400},
    "a truth value": {"f": True},
    "a number for a block": {"u": 8},
    "a block for a number": {"f": "b"},
    "half a surrogate pair": {"f": "\udcff"},
    "an escape sequence": {"\x1b[2J": 1},
}
FAMILY = "param f = 8\nparam u = b\nblock b\n    RELU\n" + I8 + "u()\nFC f\n"


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_spec_is_a_network(case: str) -> None:
    network = archspec.loads(RIGHT[case])
    assert str(network)
    assert json.loads(json.dumps(network.to_dict()))["params"] == network.params


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_spec_gets_one_finding(case: str) -> None:
    text, code = WRONG[case]
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads(text)
    assert [finding.code for finding in caught.value.diagnostics] == [code]
    assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize("case", CHANGES)
def test_a_wrong_value_of_a_parameter_gets_one_finding(case: str, tmp_path: Path) -> None:
    path = tmp_path / "family.arch"
    path.write_text(FAMILY)
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.load(path, set=CHANGES[case])
    (finding,) = caught.value.diagnostics
    assert finding.code == "E117"
    assert str(finding.to_dict()["message"]).isprintable()


def test_an_empty_variant_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "family.arch"
    path.write_text(FAMILY)
    with pytest.raises(archspec.ArchspecError, match="E116"):
        archspec.load(path, variant="")


@pytest.mark.parametrize("name", ["", "a\0b", "a" * 4_000, "./" + "a" * 4_000, "\udcff", "a\nb", "a/\0"])
def test_an_odd_name_of_a_spec_is_not_found(name: str) -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.load(name)
    assert [finding.code for finding in caught.value.diagnostics] == ["E014"]
    assert str(caught.value).replace("\n", "").isprintable()


def test_the_place_of_a_call_ends_with_its_own_parenthesis() -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads(I8 + "[max(3) x 2 x 1] RELU\nCONV (max(min(4), (3)) + nothing(1, (2)))*2 3x3\n")
    first, second = (finding.span for finding in caught.value.diagnostics)
    assert first is not None and second is not None
    assert first.text == "[max(3) x 2 x 1]"
    assert second.text == "nothing(1, (2))"


def test_a_title_and_a_finding_contain_nothing_that_a_terminal_would_obey() -> None:
    assert "\x1b" not in str(archspec.loads("net \x1b[2J\n" + I8))
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads(I8 + "FC \x00\x1b[2J 10\n")
    (finding,) = caught.value.diagnostics
    assert str(finding.to_dict()["message"]).isprintable()


def test_a_receptive_field_stays_a_number_that_can_be_printed() -> None:
    network = archspec.loads(RIGHT["many strides on one pixel"])
    assert network.receptive_field is not None
    assert 2**63 < network.receptive_field[0] < 2**100


@pytest.mark.skipif(sys.platform == "win32", reason="`<&-` is a shell's of POSIX")
def test_closed_standard_input_is_an_error() -> None:
    command = f"{sys.executable} -m archspec check - <&-"
    run = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("error[E014]: standard input cannot be read")
