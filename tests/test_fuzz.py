"""Whatever a spec holds, it gets a table or a diagnostic: never another exception, in the sweep within a second."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec.library import folder

SPECS = [path.read_text(encoding="utf-8") for path in sorted(folder().glob("*.arch"))]
ERRORS = [path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "errors").glob("*.arch"))]
SEEDS = [text for text in [*SPECS, *ERRORS] if text]
MOST = 3_000  # layers: a mutated repeat count makes more, which take their time
PIECES = """
CONV FC POOL2 POOL BN RELU GAP add concat mul x @h @before 3x3 1x7 s2 p1 p0:1 g2 d2 same floor ceil linear
nobias -> | [ ] ( ) [8x8x4] [28 x 28 x 4*k] INPUT: INPUT block if else let param variant net use after aux
0.3: 64 0 -1 1e9 99999999999999999999 C H W N f n stride=2 params: memory: 3.2M = 1,728 TOTAL # : , * / // % +
- == < and or not round8( max( unit(f) 3 x (n-1) x MHSA 4 TOKENS LN DROPOUT 0.5 DROPPATH 0 to 0.2 SLICE UPCONV
window=7 train epochs lr augment é → × “ \t \u00a0 \x00
""".split()  # noqa: SIM905  # a page of words

SETTINGS = """
optimizer lr warmup epochs augment label_smoothing clip ema sgd adamw rmsprop momentum=0.9 weight_decay=0 nesterov
beta1=0.9 beta2=1 decay=0.9 eps=1 for batch constant cosine to divided by on plateau of at times every epoch , 0 1
0.5 90 1e-4 1e30 256 flip crop crop=1.2 resized_crop=0.08 scale=1 color cutout mixup=0.2 cutmix -1 x |
""".split()  # noqa: SIM905


def outcome(text: str) -> None:
    """Read the text; anything but a network or a ArchspecError is raised."""
    try:
        network = archspec.loads(text, max_layers=MOST)
    except archspec.ArchspecError as error:
        assert str(error)
    else:
        assert str(network)
        assert network.to_dict()["params"] == network.params


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A spec with some of its lines, words and characters moved, dropped, doubled or replaced."""
    text = draw(st.sampled_from(SEEDS))
    chance = draw(st.randoms(use_true_random=False))
    for _ in range(draw(st.integers(1, 6))):
        text = chance.choice(CHANGES)(text, chance)
    return text


def change_lines(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.randrange(5)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(to, lines[at])
    elif kind == 2:
        lines[at], lines[to] = lines[to], lines[at]
    elif kind == 3:
        lines[at] = " " * chance.randrange(9) + lines[at].lstrip()
    else:
        lines.insert(to, chance.choice(chance.choice(SEEDS).split("\n")))
    return "\n".join(lines)


def change_words(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    words = lines[at].split(" ")
    place = chance.randrange(len(words))
    if chance.random() < 0.3:
        del words[place]
    else:
        words.insert(place, chance.choice(PIECES))
    lines[at] = " ".join(words)
    return "\n".join(lines)


def change_characters(text: str, chance: random.Random) -> str:
    if not text:
        return "x"
    at = chance.randrange(len(text))
    kind = chance.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + chance.choice("x[]()|@->=:,.#0123456789 \t\nABCabc*/%é\x00") + text[at:]
    return text[:at] + chance.choice("0123456789") + text[at + 1 :]


CHANGES = (change_lines, change_words, change_words, change_characters)
made_up = st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join), max_size=8).map("\n".join)
made_up_recipes = st.lists(st.lists(st.sampled_from(SETTINGS), max_size=8).map(" ".join), max_size=8).map(
    lambda lines: "\n    ".join(["[8x8x4] INPUT\nFC 10\ntrain", *lines])
)
binary = st.binary(max_size=200).map(lambda data: data.decode("latin-1"))
specs = mutated() | made_up | made_up_recipes | st.text(max_size=200) | binary


@settings(max_examples=300, deadline=None)
@given(specs)
def test_a_spec_gets_a_table_or_a_diagnostic(text: str) -> None:
    outcome(text)


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(specs)
def test_20000_specs_get_a_table_or_a_diagnostic_within_a_second(text: str) -> None:
    start = time.process_time()  # not what others take of the machine
    outcome(text)
    assert time.process_time() - start < 1
