"""What surrounds a spec on the page that it was copied from is read over, and look-alikes are what they mean."""

from pathlib import Path

import pytest

from archspec.diagnostics.source import Source
from archspec.language import syntax as s
from archspec.language.parse import parse
from archspec.resolve import lower_case_names

CLEAN = "[32x32x3] INPUT\nCONV 64 3x3 p1 -> BN -> RELU\nadd\n    | CONV 64 3x3 p1\n    | x\nFC 10\n"

# what is added to the clean spec, and where
AROUND = [
    ("(not counting biases)\n", "[32"),
    ("(see section 3 (and table 2 (b)))\n", "[32"),
    ("    (not counting biases)\n", "CONV 64 3x3 p1 ->"),
    ("(notes (in notes) are notes).\n", "FC"),
    ("```\n", "[32"),
    ("```arch\n", "[32"),
    ("---\n", "FC"),
    ("==========\n", "FC"),
    ("***\n", "FC"),
    ("// a comment\n", "FC"),
    ("/* a comment */\n", "FC"),
    ("/* a comment\n   of CONV three\n   lines */\n", "FC"),
    ("% a comment\n", "FC"),
    ("; a comment\n", "FC"),
    ("<!-- a comment -->\n", "FC"),
    ("-- a comment\n", "FC"),
    ("\ufeff", "[32"),
    ("- ", "FC"),
    ("* ", "FC"),
    ("• ", "FC"),
    ("> ", "FC"),
    (">>> ", "FC"),
    ("$ ", "FC"),
    ("1. ", "FC"),
    ("12) ", "FC"),
    ("(3) ", "FC"),
    ("-> ", "FC"),
    ("→ ", "FC"),
    ("   -> ", "CONV 64 3x3 p1 ->"),
]

# a part of the clean spec, and what means the same
SAME = [
    ("-> BN", "⇒ BN"),
    ("-> BN", "—> BN"),
    ("-> BN", "–> BN"),
    ("-> BN", "➔ BN"),
    ("-> BN", "⟶ BN"),
    ("-> BN", "→ BN"),
    ("3x3 p1 -> BN", "3×3 p1 -> BN"),
    ("3x3 p1 -> BN", "3✕3 p1 -> BN"),
    ("CONV 64 3x3 p1 ->", "CONV\u00a064\u20073x3\u3000p1 ->"),
    ("CONV 64 3x3 p1 ->", "CO\u00adNV\u200b 64 3x\u200b3 p1\ufeff ->"),
    ("    | x", "\u00a0\u00a0\u00a0\u00a0| x"),
    ("CONV 64 3x3 p1 ->", "ＣＯＮＶ ６４ ３x３ p1 ->"),
    ("p1 -> BN -> RELU", "p1 -> BN -> RELU // and a comment"),
    ("p1 -> BN -> RELU", "p1 -> BN -> RELU /* a comment */"),
    ("p1 -> BN -> RELU", "p1 -> BN -> RELU ; a comment"),
    ("FC 10", "FC 10 // classes"),
    ("| x", "- | x"),
]


def read(text: str) -> s.File:
    file, findings = parse(Source("spec", text), lower_case_names())
    assert findings == ()
    return file


@pytest.mark.parametrize(("pasted", "before"), AROUND)
def test_what_is_around_a_spec_is_read_over(pasted: str, before: str) -> None:
    assert before in CLEAN
    assert read(CLEAN.replace(before, pasted + before, 1)) == read(CLEAN)


@pytest.mark.parametrize(("clean", "pasted"), SAME)
def test_what_has_one_meaning_is_accepted(clean: str, pasted: str) -> None:
    assert clean in CLEAN
    assert read(CLEAN.replace(clean, pasted, 1)) == read(CLEAN)


@pytest.mark.parametrize("sign", ["- ", "* ", "• ", "– "])
def test_a_list_is_a_spec(sign: str) -> None:
    lines = ["[32x32x3] INPUT", "CONV 64 3x3 -> RELU", "FC 10"]
    assert read("".join(f"{sign}{line}\n" for line in lines)) == read("\n".join(lines))
    assert read("".join(f"{place}. {line}\n" for place, line in enumerate(lines, 9))) == read("\n".join(lines))


def test_ligatures_are_letters() -> None:
    assert read("[8x8x4] INPUT\nCONV 4 3x3 ﬁlters\n") == read("[8x8x4] INPUT\nCONV 4 3x3 filters\n")


def test_a_chain_may_continue_over_lines_that_begin_with_an_arrow() -> None:
    same = "block b()\n    add\n        | CONV 4 1x1\n          BN\n          RELU\n        | x\n[8x8x4] INPUT\nb()\n"
    text = same.replace("          BN", "            -> BN").replace("          RELU", "            -> RELU")
    text = text.replace("\nb()", "\n  -> b()")
    assert read(text) == read(same)


def test_operators_are_not_comments() -> None:
    file = read(
        "block b(f, half)\n    CONV f // 2 1x1\n    CONV f // half 1x1 -> SLICE 0 C // 2\n[8x8x4] INPUT\nb(8, 2)\n"
    )
    (block,) = file.declarations
    assert isinstance(block, s.BlockDefinition)
    values = [
        step.arguments
        for chain in block.body
        if isinstance(chain, s.Chain)
        for step in chain.steps[:1]
        if isinstance(step, s.LayerStep)
    ]
    assert all(isinstance(given[0].value, s.Binary) and given[0].value.operator == "//" for given in values)


def test_repeats_are_not_numbers_of_a_list() -> None:
    file = read("block b(n)\n    RELU\n    (n-1) x b(n)\n    (2) x b(n)\n[8x8x4] INPUT\n")
    (block,) = file.declarations
    assert isinstance(block, s.BlockDefinition)
    assert [type(chain.steps[0]) for chain in block.body if isinstance(chain, s.Chain)] == [
        s.LayerStep,
        s.RepeatStep,
        s.RepeatStep,
    ]


def test_the_lectures_slide_is_a_spec_as_it_stands() -> None:
    """`(not counting biases)` stands on a line of its own beside the columns of CS231n's VGG slide."""
    listing = Path(__file__).with_name("listings") / "vgg16.txt"
    lines = listing.read_text(encoding="utf-8").strip().split("\n")
    for place in (0, 1, len(lines)):
        text = "\n".join([*lines[:place], "(not counting biases)", *lines[place:]])
        assert read(text) == read("\n".join(lines))
