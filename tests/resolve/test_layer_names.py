"""Layers by name: suggestions come from the layers themselves, and the language knows none of them."""

import ast
import re
from pathlib import Path

import pytest

import archspec
from archspec.language.transform import NOISE_WORDS
from archspec.layers import REGISTRY
from archspec.resolve.layer_names import layer_from_text, lower_case_names

ROOT = Path(__file__).parents[2]
FOREIGN = sorted((name, layer.keyword) for layer in set(REGISTRY.values()) for name in layer.known_as)


def error_of(text: str) -> str:
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads(text)
    return str(caught.value)


@pytest.mark.parametrize(("name", "keyword"), FOREIGN)
def test_the_name_of_a_layer_in_another_tool_suggests_the_layer(name: str, keyword: str) -> None:
    message = error_of(f"[8x8x4] INPUT\n{name.capitalize()} 4\n")
    assert f"unknown layer `{name.capitalize()}`" in message
    assert re.search(rf"did you mean `{keyword}[` ]", message)


def test_a_foreign_name_belongs_to_one_layer() -> None:
    names = [name for name, _ in FOREIGN]
    assert len(names) == len(set(names)) == 75
    assert not {name.upper() for name in names} & set(REGISTRY)


@pytest.mark.parametrize(("line", "right"), [("conv 4 3x3", "CONV"), ("fc 10", "FC"), ("conv1: 4 3x3", "CONV1")])
def test_a_layer_in_lower_case_suggests_capitals(line: str, right: str) -> None:
    message = error_of(f"[8x8x4] INPUT\n{line}\n")
    assert "layers are written in capitals" in message
    assert f"help: `{right}`" in message


def test_a_foreign_name_in_lower_case_suggests_the_layer() -> None:
    assert "help: `FC`" in error_of("[8x8x4] INPUT\ndense 10\n")


@pytest.mark.parametrize(("word", "near"), [("relu", "RELU"), ("sofmax", "SOFTMAX"), ("maxpool", "MAXPOOL")])
def test_a_bare_word_like_a_layer_suggests_the_layer(word: str, near: str) -> None:
    message = error_of(f"[8x8x4] INPUT\n{word}\n")
    assert f"`{word}` is not a step" in message
    assert f"did you mean `{near}`?" in message


def test_the_language_contains_no_layer_names() -> None:
    for path in (ROOT / "archspec" / "language").glob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        assert not texts & {*REGISTRY, *lower_case_names()}, path.name


@pytest.mark.parametrize("word", sorted(NOISE_WORDS))
def test_a_noise_word_is_ignored(word: str) -> None:
    assert layer_from_text(f"CONV 4 3x3 {word}") == layer_from_text("CONV 4 3x3")
    if len(word) > 1:  # a single capital is a dimension
        assert layer_from_text(f"CONV 4 3x3 {word.upper()}") == layer_from_text("CONV 4 3x3")


@pytest.mark.parametrize("text", ["CONV 4 3x3", "DWCONV 3x3", "UPCONV 4 2x2", "FC 4"])
def test_a_bias_is_optional_until_it_is_written(text: str) -> None:
    open_, with_, without = (layer_from_text(f"{text}{word}") for word in ("", " bias", " nobias"))
    assert [layer.has_optional_bias for layer in (open_, with_, without)] == [True, False, False]
    assert [layer.lacks_bias for layer in (open_, with_, without)] == [False, False, True]
    assert open_.without_bias() == without
    assert not open_.is_marked_linear
    assert layer_from_text(f"{text} linear").is_marked_linear


@pytest.mark.parametrize("text", ["RELU", "BN", "MHSA 2"])
def test_other_layers_have_no_optional_bias(text: str) -> None:
    layer = layer_from_text(text)
    assert not (layer.has_optional_bias or layer.lacks_bias or layer.is_marked_linear)
    assert layer.without_bias() == layer
