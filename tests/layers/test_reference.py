"""grammar/README.md: its specs are accepted, and its part about layers is what the layers say."""

import re
from pathlib import Path

import pytest

import archspec
from archspec.layers import MERGES, REGISTRY
from archspec.layers.base import Layer
from archspec.layers.reference import describe, updated
from archspec.recipe import OPTIMIZERS, Recipe
from archspec.resolve.train_section import UNSAID
from archspec.resolve.train_section.settings import AUGMENTATIONS, SETTINGS

PAGE = Path(__file__).parents[2] / "grammar" / "README.md"
FENCED = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
SPECS = [text for kind, text in FENCED if kind == "arch"]
SLIPS = [text for kind, text in FENCED if kind == "wrong"]


def test_the_part_about_layers_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert updated(text) == text, "run `python -m archspec.layers.reference`"


@pytest.mark.parametrize("text", SPECS)
def test_an_example_is_a_spec_without_findings(text: str) -> None:
    assert archspec.loads(text).diagnostics == ()


@pytest.mark.parametrize("text", SLIPS)
def test_a_slip_is_one_error_on_the_line_with_its_comment(text: str) -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads(text)
    (finding,) = caught.value.diagnostics
    assert finding.span
    (line,) = (number for number, line in enumerate(text.splitlines(), 1) if "#" in line)
    assert finding.span.line == line


def test_there_are_examples_and_every_fence_says_what_it_is() -> None:
    assert len(SPECS) > 10
    assert len(SLIPS) > 2
    assert {kind for kind, _ in FENCED} == {"arch", "wrong"}


def test_the_page_begins_with_a_whole_spec_and_says_what_newcomers_ask() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert archspec.loads(SPECS[0]).output == (10,)
    assert text.index("## A first spec") < text.index("## Lines") < text.index("## Volumes") < text.index("## Branches")
    assert text.index("## Branches") < text.index("## Blocks") < text.index("## Families") < text.index("## `train`")
    answers = ("called with parentheses", "Two calls share no weights", "need a comparison", "not the line\nabove")
    assert [answer for answer in answers if answer not in text] == []


@pytest.mark.parametrize("layer", [*dict.fromkeys([*REGISTRY.values(), *MERGES.values()])])
def test_every_layer_is_described_with_all_its_arguments(layer: type[Layer]) -> None:
    text = describe(layer)
    assert f"`{layer.keyword}`" in text
    assert all(f"| `{field}` |" in text for field in layer.arguments)
    assert re.search(r"\*\*: \w", text), "a docstring"


def test_links_on_the_page_lead_to_its_headings() -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"^##+ (.*)", text, re.MULTILINE)
    headings = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).strip().replace(" ", "-") for heading in found}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


# ---- recipes
def rows_about_recipes() -> tuple[list[list[str]], list[list[str]]]:
    """The cells of the two tables: settings, and the words of `augment`."""
    part = PAGE.read_text(encoding="utf-8").split("## `train`: the recipe")[1].split("\n## ")[0]
    tables = [re.findall(r"^\| (.*) \|$", table, re.MULTILINE)[2:] for table in part.split("\n\n") if table[:1] == "|"]
    first, second = ([[cell.strip() for cell in row.split("|")] for row in table] for table in tables)
    return first, second


SETTING_ROWS, AUGMENT_ROWS = rows_about_recipes()
OPTIMIZER_ROWS = [cells for cells in SETTING_ROWS if cells[0].startswith("`optimizer")]


def recipe_of(setting: str) -> Recipe | None:
    length = "" if setting.startswith("epochs") else "    epochs 90\n"
    layers = "[8x8x3] INPUT\nclass: FC 10 -> RELU\nteacher: FC 10\n"
    return archspec.loads(f"{layers}train\n    {setting}\n{length}").recipe


def test_the_part_about_recipes_has_every_setting_and_augmentation() -> None:
    names = {cells[0].split("`")[1].split()[0] for cells in SETTING_ROWS if cells[0][0] == "`"}
    assert names == set(SETTINGS)
    assert [cells[0].split()[1].strip("`") for cells in OPTIMIZER_ROWS] == list(OPTIMIZERS)
    assert {re.split("[`=]", cells[0])[1] for cells in AUGMENT_ROWS} == {"flip", *AUGMENTATIONS, "scale"}


@pytest.mark.parametrize("cells", SETTING_ROWS, ids=lambda one: one[0])
def test_the_settings_of_the_table_are_read(cells: list[str]) -> None:
    for shown in re.findall("`([^`]+)`", cells[0]):
        assert recipe_of(f"lr 0.1, {shown}" if cells[0][0] == "." else shown)


@pytest.mark.parametrize("cells", OPTIMIZER_ROWS, ids=lambda one: one[0])
def test_the_options_of_an_optimizer_have_the_defaults_of_the_table(cells: list[str]) -> None:
    optimizer = cells[0].strip("`")
    options = re.findall(r"`(\w+=)` \(([-0-9.e]+)", cells[1])
    assert len(options) == cells[1].count("=")
    for name, default in options:
        assert recipe_of(f"{optimizer} {name}{default}") == recipe_of(optimizer)


@pytest.mark.parametrize("cells", AUGMENT_ROWS, ids=lambda one: one[0])
def test_an_augmentation_has_the_default_of_the_table(cells: list[str]) -> None:
    shown, default = cells[0].strip("`"), re.match(r"[0-9.]+", cells[2])
    assert recipe_of(f"augment {shown}")
    if default:
        name = shown.split("=")[0]
        assert recipe_of(f"augment {name}") == recipe_of(f"augment {name}={default[0]}")


@pytest.mark.parametrize("setting", ["optimizer sgd", "lr 0.02, cosine", "epochs 30", "augment crop=1.125"])
def test_what_is_left_out_is_what_the_table_says(setting: str) -> None:
    assert any(f"`{setting.removeprefix('optimizer ')}`" in cells[2] for cells in SETTING_ROWS)
    assert archspec.loads(f"[8x8x3] INPUT\nFC 10\ntrain\n    {setting}\n").recipe == UNSAID
