"""Reading: the lecture's forms as they stand, every form of the language, and what was printed reads the same."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec.diagnostics.source import Source, Span
from archspec.language import syntax as s
from archspec.language.parse import parse
from archspec.library import built_in, folder
from support.printer import expression, print_file

SPAN = Span(Source("", ""), 0, 0)

FORMS = """\
net A title with CONV and [1x2x3] in it
cites Someone et al. 2015, section 3
license BSD-3-Clause
published top1=76.13, top5=92.862 params=25.6M
published b1: params=1,728 macs=4000
use parts: one, train, two
param width = 1.0
param unit = one
variant b1: width=1.1, unit=two
variant big
after CONV FC: RELU -> DROPOUT 0.5
init CONV FC: 0.02/width
block unit(f, stride=1, @h, @g=@before)
    add
        | CONV f k x k stride=stride same -> BN
        | [28 x 28 x 4*f] CONV f 1x1
          RELU
          concat
              | x
              | @h
        | x
    if C == f and not (stride > 1)
        x
    else if H // 2 >= 7 or W % 2 != 0
        let w = round8(32*f) + max(1, -f)
        (n-1) x unit(w, @h=@before)
    else
        n x CONV w 1x7 p0x3 -> POOL 2x2 s2 floor
[224x224x3] INPUT
[55x55x96] CONV1: 96 11x11 filters at stride 4, pad 0
stem: MAX POOL1: 3x3 filters at stride 2
@stem
3 x unit(64, 2, @stem, @g=@stem) -> [8x8x64] -> RELU
aux 0.3: GAP -> FC 10
CONV3-64: [224x224x64]  memory:  224*224*64=3.2M   params: (3*3*3)*64 = 1,728
FC: [1x1x4096]  memory:  4096  params: 7*7*512*4096 = 102,760,448
CONV 8 3x3 p0:1 g2 d2 nobias groups=2
DROPPATH 0 to 0.2
TOTAL memory: 24M * 4 bytes ~= 96MB
TOTAL params: 138M
train
    optimizer rmsprop decay=0.9, momentum=0.9 weight_decay=1e-5
    lr 0.1 for batch 256, divided by 10 at 30, 60
    augment scale=1.143 to 2.286 flip color
    epochs 90
    ema 0.9999
"""


def read(text: str) -> s.File:
    file, findings = parse(Source("spec", text))
    assert findings == ()
    return file


def test_every_construct_of_the_language_is_parsed() -> None:
    file = read(FORMS)
    assert len(file.declarations) == 16
    assert len(file.body) == 10


@pytest.mark.parametrize("text", [FORMS, *(path.read_text() for path in sorted(folder().glob("*.arch")))])
def test_printed_syntax_parses_to_the_same_tree(text: str) -> None:
    file = read(text)
    assert read(print_file(file)) == file


def test_there_are_specs_to_print() -> None:
    assert len(built_in()) > 10


names = st.sampled_from(["n", "width", "C", "H"])
numbers = st.builds(
    lambda value: s.Number(value, SPAN), st.integers(0, 2**40) | st.floats(0, 1e6, allow_nan=False).map(abs)
)


def operations(inner: st.SearchStrategy[s.Expression]) -> st.SearchStrategy[s.Expression]:
    operators = st.sampled_from(["+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!=", "and", "or"])
    return st.one_of(
        st.builds(lambda operator, left, right: s.Binary(operator, left, right, SPAN), operators, inner, inner),
        st.builds(lambda operand: s.Negate(operand, SPAN), inner),
        st.builds(lambda operand: s.Not(operand, SPAN), inner),
        st.builds(lambda given: s.Function("max", tuple(given), SPAN), st.lists(inner, min_size=1, max_size=3)),
    )


expressions = st.recursive(numbers | st.builds(lambda name: s.Name(name, SPAN), names), operations, max_leaves=8)


@given(expressions)
def test_printed_expressions_parse_to_the_same_tree(node: s.Expression) -> None:
    (let,) = read(f"let value = {expression(node)}\n").body
    assert isinstance(let, s.Let)
    assert let.value == node


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("1 + 2 * 3", "1 + (2 * 3)"),
        ("1 - 2 - 3", "(1 - 2) - 3"),
        ("8 / 4 / 2", "(8 / 4) / 2"),
        ("-n + 1", "(-n) + 1"),
        ("a or b and not c == 1", "a or (b and (not (c == 1)))"),
        ("2*n % 3 + 1", "((2*n) % 3) + 1"),
    ],
)
def test_operators_bind_as_in_python(text: str, same_as: str) -> None:
    assert read(f"let v = {text}") == read(f"let v = {same_as}")


@pytest.mark.parametrize("name", ["alexnet", "vgg16"])
def test_specs_contain_the_lecture_listings_verbatim(name: str) -> None:
    notation = Path(__file__).with_name("listings") / f"{name}.txt"
    listing = notation.read_text(encoding="utf-8").strip()
    assert listing in (folder() / f"{name}.arch").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["add\n   |\n    | x\n", "\tRELU\n    RELU\n", "|\n | x\n"])
def test_lines_under_an_invalid_line_are_still_read(text: str) -> None:
    assert parse(Source("spec", text))[1]
