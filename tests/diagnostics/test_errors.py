"""What is said of wrong specs, word for word: tests/errors/NAME.arch and what stands in NAME.txt."""

import ast
import re
from pathlib import Path

import pytest

import archspec
from archspec.cli import LateCommands
from archspec.diagnostics.codes import CODES
from archspec.diagnostics.command_examples import COMMAND_CODES, command_example
from archspec.diagnostics.findings import Diagnostic
from archspec.diagnostics.rendering import render

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests" / "errors").glob("*.arch"))
# what no text of a spec gives: files that are not there or no text, too long, flags, and what needs torch or onnx
NOT_OF_A_TEXT = {"E009", "E015", "E116", "E117"} | {code for code in CODES if code[1] == "4"}


def findings_of(spec: str | Path, text: str | None = None) -> tuple[Diagnostic, ...]:
    try:
        return (archspec.load(spec) if text is None else archspec.loads(text)).diagnostics
    except archspec.ArchspecError as error:
        return error.diagnostics


def said_of(path: Path) -> str:
    """What `archspec check` prints on standard error, under the file's name without its folder."""
    text = "\n".join(render(finding) for finding in findings_of(path))
    return text.replace(f"{path.parent}/", "")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_wrong_spec_gets_its_message(path: Path, request: pytest.FixtureRequest) -> None:
    expected = path.with_suffix(".txt")
    said = said_of(path)
    if request.config.getoption("--update-golden"):
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")
    assert said


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_message_has_a_place_and_fits_into_100_columns(path: Path) -> None:
    for finding in findings_of(path):
        assert finding.labels or finding.code in ("E010", "E116")
        assert len(finding.message) <= 100, finding.message
        assert not re.search(r"[A-Z]{3,}_|Token\(|\$END|LPAR|object at", finding.message + "".join(finding.helps))


@pytest.mark.parametrize("code", sorted(CODES))
def test_the_wrong_example_of_an_explanation_triggers_only_its_code_and_the_right_one_no_finding(code: str) -> None:
    explanation = CODES[code]
    if not explanation.wrong:
        assert code in NOT_OF_A_TEXT | {"E014", "E115"}
        assert command_example(code)
        return
    assert command_example(code) is None
    assert [finding.code for finding in findings_of("", explanation.wrong)] == [code]
    assert findings_of("", explanation.right) == ()


def templates() -> list[str]:
    """A pattern for every text of the program that is long enough to tell."""
    found = []
    for path in [*(ROOT / "archspec").rglob("*.py"), *(ROOT / "compiler").rglob("*.py")]:
        if path.name == "command_examples.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [str(one.value) if isinstance(one, ast.Constant) else "\0" for one in node.values]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                parts = [node.value]
            else:
                continue
            if len("".join(parts).replace("\0", "")) >= 10:
                found.append(re.escape("".join(parts)).replace("\0", ".+"))
    return found


def test_the_messages_of_the_examples_are_those_of_the_program_and_their_flags_exist() -> None:
    patterns = re.compile("|".join(f"(?:{one})" for one in templates()))
    for code in sorted(COMMAND_CODES):
        example = command_example(code)
        assert example is not None
        assert patterns.fullmatch(example.message.partition(": ")[2]), example.message
        for line in (example.wrong, example.right):
            words = line.split()
            if "archspec" in words and "check" not in line:
                command = LateCommands().get_command(None, words[words.index("archspec") + 1])  # type: ignore[arg-type]
                assert command is not None, line
                flags = {flag for one in command.params for flag in one.opts}
                given = {word for word in words[words.index("archspec") :] if word.startswith("--")}
                assert given <= flags, line


def codes_used() -> set[str]:
    sources = [*(ROOT / "archspec").rglob("*.py"), *(ROOT / "compiler").rglob("*.py")]
    texts = [
        path.read_text(encoding="utf-8") for path in sources if path.name not in ("codes.py", "command_examples.py")
    ]
    return {code for text in texts for code in re.findall(r'"([EW]\d{3})"', text)}


def test_exactly_the_codes_in_use_are_explained() -> None:
    assert codes_used() == set(CODES)


def test_every_code_that_a_spec_can_trigger_has_a_case() -> None:
    given = {finding.code for path in CASES for finding in findings_of(path)}
    assert set(CODES) - given == NOT_OF_A_TEXT


def test_explanations_fit_into_100_columns() -> None:
    for code, explanation in CODES.items():
        text = re.sub(r"(\d\+){20,}", "", f"{explanation}\n{command_example(code) or ''}")
        assert max(map(len, text.splitlines())) <= 100, code


# a case of tests/errors, what its help shows, what to replace, and the replacement: then the finding is gone
HELPS = [
    ("alexnet_on_224", "p2", "pad 0", "p2"),
    ("alexnet_on_224", "227x227", "224x224x3", "227x227x3"),
    ("add_of_different_channels", "CONV 16 1x1", "    | x", "    | CONV 16 1x1"),
    ("add_of_different_sizes", "CONV 8 1x1 s2", "    | x", "    | CONV 8 1x1 s2"),
    ("arrow_missing", "CONV 64 3x3 p1 -> BN", "CONV 64 3x3 p1 BN", "CONV 64 3x3 p1 -> BN"),
    ("arrow_missing_between_two_words", "BN -> RELU", "BN RELU", "BN -> RELU"),
    ("aux_without_layers", "aux 0.3: FC 10", "aux 0.3: @stem", "aux 0.3: FC 10"),
    ("aux_of_an_empty_block", "aux 0.3: FC 10", "aux 0.3: head()", "aux 0.3: FC 10"),
    ("argument_missing", "CONV 3x3 64", "CONV 3x3", "CONV 3x3 64"),
    ("argument_not_whole", "floor(C/3)", "C/3", "floor(C/3)"),
    ("argument_percent", "0.5", "50", "0.5"),
    ("argument_unknown", "stride", "strides", "stride"),
    ("bracket_channels_first", "[224x224x3]", "[3x224x224]", "[224x224x3]"),
    ("bracket_wrong", "[27x27x256]", "[27x27x255]", "[27x27x256]"),
    ("bracket_inside_a_chain", "CONV 8 3x3", "CONV 8 3x3 p1", "CONV 8 3x3"),
    ("block_unknown", "bottleneck", "botleneck", "bottleneck"),
    ("conv_of_zero_filters", "CONV3-64", "CONV3-0", "CONV3-64"),
    ("conv_of_a_window_of_zero", "CONV3-8", "CONV-8", "CONV3-8"),
    ("fc_of_zero_neurons", "FC-4096", "FC-0", "FC-4096"),
    ("fc_without_a_number", "FC 64", "FC", "FC 64"),
    ("groups_do_not_divide", "g2", "g3", "g2"),
    ("heads_do_not_divide", "MHSA 6", "MHSA 7", "MHSA 6"),
    ("layer_misspelt", "CONV", "CONVV", "CONV"),
    ("layer_in_lower_case", "CONV", "conv", "CONV"),
    ("memory_claim_wrong", "memory: 112*112*3", "memory:  112*112*64=800K", "memory: 112*112*3"),
    ("params_claim_wrong", "params: (3*3*3)*64 = 1,728", "params: (3*3*3)*46 = 1,242", "params: (3*3*3)*64 = 1,728"),
    ("params_figure_wrong", "1,728", "1,782", "1,728"),
    ("pool_of_zero", "POOL2", "POOL0", "POOL2"),
    ("pool_without_stride", "POOL 2x2 s2", "POOL 2x2", "POOL 2x2 s2"),
    ("same_with_an_even_window", "p0:1x0:1", "same", "p0:1x0:1"),
    ("sequence_needed", "TOKENS", "MHSA 4", "TOKENS -> MHSA 4"),
    ("slice_past_the_channels", "SLICE 4 8", "SLICE 4 9", "SLICE 4 8"),
    ("total_params_wrong", "TOTAL params: 1.51M", "TOTAL params: 2M", "TOTAL params: 1.51M"),
    (
        "total_memory_wrong",
        "TOTAL memory: 151K * 4 bytes ~= 0.6022MB",
        "TOTAL memory: 24M * 4 bytes ~= 96MB",
        "TOTAL memory: 151K * 4 bytes ~= 0.6022MB",
    ),
    ("window_too_large", "p2", "CONV 8 7x7", "CONV 8 7x7 p2"),
    ("window_with_stride_misfits", "p1", "s2", "s2 p1"),
]


@pytest.mark.parametrize(("case", "shown", "wrong", "right"), HELPS)
def test_pasting_the_help_fixes_the_spec(case: str, shown: str, wrong: str, right: str) -> None:
    text = (ROOT / "tests" / "errors" / f"{case}.arch").read_text(encoding="utf-8")
    first = findings_of("", text)[0]
    assert any(shown in help_ for help_ in first.helps)
    assert wrong in text
    assert first.code not in [finding.code for finding in findings_of("", text.replace(wrong, right))]
