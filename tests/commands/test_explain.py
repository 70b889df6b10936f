"""`archspec explain`: codes, layers and the words of the language."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import archspec
from archspec.cli import main
from archspec.commands.explain_words import BY_NAME, WORDS
from archspec.commands.language_word import LanguageWord
from archspec.diagnostics.codes import CODES

GRAMMAR = Path(archspec.__file__).parent / "grammar" / "archspec.lark"


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("explain", *arguments))


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.names[0])
def test_the_example_of_a_word_is_a_correct_spec_that_uses_it(word: LanguageWord) -> None:
    assert archspec.loads(word.example).diagnostics == ()
    assert any(name in word.example for name in word.names)
    text = explain(word.names[0]).stdout
    assert max(map(len, text.splitlines())) <= 100
    assert word.title in text


def test_no_name_stands_for_two_words() -> None:
    assert len(BY_NAME) == sum(len(word.names) for word in WORDS)


def test_every_keyword_of_the_grammar_is_explained() -> None:
    keywords = set(re.findall(r'"([a-z]+) ?"', GRAMMAR.read_text(encoding="utf-8")))
    assert {"block", "let", "if", "use", "aux"} <= keywords
    missing = {word for word in keywords if explain(word).exit_code}
    assert missing <= {"and", "or", "not", "elif", "bytes", "image"}


@pytest.mark.parametrize(
    "name",
    [
        *("block", "x", "train", "stride", "pad", "let", "param", "variant", "use", "after", "aux", "if", "add", "mul"),
        *("concat", "@", "@before", "same", "floor", "TOTAL", "net", "INPUT", "label", "bracket", "->", "|", "Block"),
    ],
)
def test_the_words_of_the_language_are_known(name: str) -> None:
    result = explain(name)
    assert result.exit_code == 0
    assert "Example:" in result.stdout


def test_without_an_argument_everything_is_listed() -> None:
    lines = explain().stdout.splitlines()
    assert "Codes:" in lines
    assert "Words of the language:" in lines
    assert all(any(line.startswith(code) for line in lines) for code in CODES)
    assert any(line.startswith("block ") for line in lines)
    assert any("CONV, DWCONV" in line or "CONV" in line.split(", ") for line in lines)


def test_an_unknown_word_gets_the_nearest_and_status_2() -> None:
    result = explain("blok")
    assert result.exit_code == 2
    assert "did you mean `block`?" in result.stderr
    assert "`archspec explain` lists them all" in result.stderr


def test_json() -> None:
    assert json.loads(explain("block", "--json").stdout)["example"].startswith("block unit")
    assert json.loads(explain("E102", "--json").stdout)["right"] == CODES["E102"].right
    assert json.loads(explain("E451", "--json").stdout)["commands"]["message"].startswith("error[E451]")
    assert json.loads(explain("CONV", "--json").stdout)["layer"] == "CONV"
    listed = json.loads(explain("--json").stdout)
    assert listed["codes"]["E102"] == CODES["E102"].title
    assert listed["words"]["x"]


def test_a_code_that_no_spec_shows_has_a_command_as_its_example() -> None:
    assert "    $ archspec train lenet5 --out runs/a\n    error[E451]: " in explain("E451").stdout


@pytest.mark.parametrize(("name", "layer"), [("conv2d", "CONV"), ("MaxPool2d", "POOL"), ("nn.Linear", "FC")])
def test_a_layer_is_found_by_its_name_in_other_tools(name: str, layer: str) -> None:
    result = explain(name)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"`{name}` is {layer} here.")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("3x3", "window"),
        ("11x11", "window"),
        ("s4", "stride"),
        ("p0x3", "pad"),
        ("g32", "groups"),
        ("[55x55x96]", "bracket"),
    ],
)
def test_a_size_and_a_short_form_are_explained_with_any_number(name: str, first: str) -> None:
    assert explain(name).stdout.startswith(f"{first}: ")


def test_what_is_to_be_copied_is_not_broken_at_its_hyphen() -> None:
    assert "install `archspec-nn[all]`." in " ".join(explain("E424").stdout.split())
