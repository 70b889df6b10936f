"""The grammar is LALR(1) without conflicts, and its tables are those of the grammar."""

import warnings
from pathlib import Path

import pytest
from lark import Lark
from lark.exceptions import GrammarError, LexError

from archspec.language import tables
from archspec.language.transform import SyntaxBuilder

GRAMMAR = Path(__file__).parents[2] / "grammar" / "archspec.lark"


def strict(text: str) -> Lark:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how interegular reads lookaheads
        return Lark(text, parser="lalr", start=["line", "setting"], strict=True)


def test_the_grammar_has_no_conflict() -> None:
    strict(GRAMMAR.read_text(encoding="utf-8"))


def test_a_grammar_conflict_would_be_detected() -> None:
    ambiguous = GRAMMAR.read_text(encoding="utf-8") + '\nnet2: "net" TITLE\n'
    with pytest.raises((GrammarError, LexError)):
        strict(ambiguous.replace("?line: chain | net", "?line: chain | net | net2"))


def test_the_grammar_contains_no_layer_names() -> None:
    from archspec.layers import REGISTRY

    rules = [line for line in GRAMMAR.read_text(encoding="utf-8").splitlines() if not line.startswith("//")]
    words = {word.strip('"') for line in rules for word in line.split() if word.startswith('"')}
    assert not words & set(REGISTRY)


def test_tables_are_rebuilt_when_the_grammar_changes(tmp_path: Path) -> None:
    folder = tmp_path / "grammar"
    folder.mkdir()
    (folder / "archspec.lark").write_text(GRAMMAR.read_text(encoding="utf-8") + "// changed\n", encoding="utf-8")
    assert tables.load_parser(folder, SyntaxBuilder()) is not None
    key = (folder / "tables.py").read_text(encoding="utf-8").split("KEY = ")[1].splitlines()[0]
    from archspec.grammar import tables as shipped

    assert key != repr(shipped.KEY)


def test_tables_contain_only_literals() -> None:
    import ast

    from archspec import grammar

    source = (Path(next(iter(grammar.__path__))) / "tables.py").read_text(encoding="utf-8")
    for statement in ast.parse(source).body:
        assert isinstance(statement, ast.Assign)
        ast.literal_eval(statement.value)
