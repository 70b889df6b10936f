"""grammar/README.md: its specs are accepted, and its part about layers is what the layers say."""

import re
from pathlib import Path

import pytest

import archspec
from archspec.layers import MERGES, REGISTRY
from archspec.layers.reference import describe, updated

PAGE = Path(__file__).parents[1] / "grammar" / "README.md"
SPECS = re.findall(r"^```arch\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_part_about_layers_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert updated(text) == text, "run `python -m archspec.layers.reference`"


@pytest.mark.parametrize("text", SPECS)
def test_an_example_is_a_spec_without_findings(text: str) -> None:
    assert archspec.loads(text).diagnostics == ()


def test_there_are_examples() -> None:
    assert len(SPECS) > 10


@pytest.mark.parametrize("layer", [*dict.fromkeys([*REGISTRY.values(), *MERGES.values()])])
def test_every_layer_is_described_with_all_its_arguments(layer: type) -> None:
    text = describe(layer)
    assert f"`{layer.keyword}`" in text
    assert all(f"| `{field}` |" in text for field in layer.arguments)
    assert re.search(r"\*\*: \w", text), "a docstring"


def test_links_on_the_page_lead_to_its_headings() -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"^##+ (.*)", text, re.MULTILINE)
    headings = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).strip().replace(" ", "-") for heading in found}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
