"""What is written is checked also where no run comes: names, layers and arguments, but not volumes."""

import subprocess
import sys

import pytest

import archspec
from archspec.library import built_in, folder, variants
from support.helps import findings_in, trials

I = "[8x8x4] INPUT\n"  # noqa: E741  # the input
TAIL = I + "CONV 4 3x3\n"
ARM = "block unit(f)\n    if f > 9\n        {}\n    else\n        CONV f 3x3\n" + I + "unit(4)\n"
BLOCK = "block unit(f, @h)\n    {}\n" + TAIL
PLACES = {"a block": BLOCK, "an arm": ARM, "an arm at the top": I + "if 1 > 2\n    {}\nCONV 4 3x3\n"}
WRONG = {
    "CONVV 4 3x3": "E102",
    "CONV 4": "E106",
    "CONV 4 3x3 strid=2": "E103",
    "CONV 4 3x3 s1 s2": "E106",
    "CONV 0 3x3": "E105",
    "CONV 7/2 3x3": "E105",
    "CONV 2*undefinedname 3x3": "E101",
    "CONV 4+maxx(3, 4) 3x3": "E101",
    "CONV 4/0 3x3": "E107",
    "RELU -> other(4)": "E101",
    "let g = f2 + 1": "E101",
    "concatt\n        {0}| RELU\n        {0}| TANH": "E102",
    "add\n        {0}| RELU\n        {0}| CONVV 4 3x3": "E102",
    "add\n        {0}| RELU": "E104",
    "@nothing": "E101",
    "0 x RELUUU": "E102",
    "aux 0.3: SOFTMX": "E102",
    "if 3\n            {0}RELU": "E105",
    "RELU -> @h": "E114",
}


def codes_of(text: str) -> list[str]:
    return [finding.code for finding in findings_in(text)]


@pytest.mark.parametrize("line", WRONG)
@pytest.mark.parametrize("place", PLACES)
def test_a_line_that_is_not_reached_gives_the_same_error_as_one_that_is(place: str, line: str) -> None:
    text = PLACES[place].format(line.format("    "))
    if line == "RELU -> @h" and place != "a block":
        text = text.replace("RELU -> @h", "RELU -> @input")
    assert codes_of(text) == [WRONG[line]], text


@pytest.mark.parametrize(
    "line",
    [
        "CONV f 3x3 p1 -> BN -> RELU",
        "CONV C/3 3x3",  # of what enters, which is unknown
        "unit(f-1, @h)",
        "add\n        | x\n        | @h",
        "let g = 2*f\n    CONV g 3x3",
        "if f > 3\n        a: RELU\n    else\n        a: TANH\n    @a",
        "if f > 3\n        let g = 3\n    else\n        let g = 4\n    CONV g 3x3",
        "f x RELU",
        "CONV 4/(f-4) 3x3",
        "[H x W x C] RELU",
    ],
)
def test_what_depends_on_volumes_and_values_waits_for_a_call(line: str) -> None:
    assert codes_of(BLOCK.format(line)) == []


def test_a_default_that_no_call_works_out_is_checked() -> None:
    text = "block unit(f, g={})\n    CONV f 3x3 groups=g\n" + I + "unit(4, 1)\n"
    assert codes_of(text.format("h")) == ["E101"]
    assert codes_of(text.format("C/2")) == []
    assert codes_of(text.format("f/2")) == []


def test_an_after_rule_that_never_applies_is_checked() -> None:
    assert codes_of("after FC: RELUUU\n" + TAIL) == ["E102"]
    assert codes_of("after FC: unit()\nblock unit()\n    RELU\n" + TAIL) == ["E105"]
    assert codes_of("after FC: DROPOUT 0.5\n" + TAIL) == []


def test_a_condition_that_is_cut_short_is_checked_to_its_end() -> None:
    text = "block unit(f)\n    if f > 3 and {} > 2\n        RELU\n    CONV f 3x3\n" + I + "unit(1)\n"
    assert codes_of(text.format("g")) == ["E101"]
    assert codes_of(text.format("C")) == []


def test_an_error_that_a_run_meets_is_reported_once() -> None:
    text = "block unit(f)\n    CONVV f 3x3\n    if f > 9\n        CONV f 3x3 q2\n" + I + "unit(4)\n"
    assert codes_of(text) == ["E102", "E101"]


def test_every_variant_is_checked_whichever_is_asked_for(tmp_path: object) -> None:
    text = "param width = 1\nvariant small: {}\nvariant large: width=2\n" + I + "CONV 4*width 3x3\n"
    for binding, code in (("widht=0.5", "E103"), ("width=two", "E101"), ("width=1 width=2", "E106")):
        assert codes_of(text.format(binding)) == [code]
        assert all(trial.works for trial in trials(text.format(binding)))
    assert codes_of(text.format("width=1")) == []


def test_files_of_blocks_only_are_checked() -> None:
    assert codes_of("block unit(f)\n    CONVV f 3x3\n") == ["E102"]


@pytest.mark.parametrize("name", built_in())
def test_built_in_specs_have_no_such_findings(name: str) -> None:
    first = next(iter(variants((folder() / f"{name}.arch").read_text(encoding="utf-8"))), None)
    found = [finding.code for finding in archspec.load(name, variant=first).diagnostics]
    assert [code for code in found if code[:2] in ("E1", "W1")] == []


def test_a_spec_without_unreached_lines_imports_nothing_for_them() -> None:
    program = "import sys, archspec; archspec.load('lenet5')\n"
    program += "print(*(name for name in sys.modules if 'unreached' in name or 'resolve.names' in name))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
