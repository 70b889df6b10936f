"""What is said of wrong specs, word for word: tests/errors/NAME.arch and what stands in NAME.txt."""

import ast
import re
from functools import cache
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
NOT_OF_A_TEXT = {"E009", "E015", "E116", "E117", "E120"} | {code for code in CODES if code[1] == "4"}


@cache
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
