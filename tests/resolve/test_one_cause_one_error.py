"""One cause gives one error, and a name that is not a spec's says why."""

import pytest

import archspec
from archspec.diagnostics.findings import Diagnostic


def findings_of(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(archspec.ArchspecError) as raised:
        archspec.loads(text)
    return raised.value.diagnostics


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[8x8x3] INPUT\nlet a = 1/0\nCONV a 3x3\n", "E107"),
        ("[8] INPUT\nlet a = a\nFC a\n", "E101"),
        ("[8] INPUT\nlet q = max()\nFC q\n", "E104"),
        ("param p = 1/0\nparam q = 2*p\n[8] INPUT\nFC p\nFC q\n", "E107"),
    ],
)
def test_a_let_or_param_that_fails_gives_one_error(text: str, code: str) -> None:
    assert [finding.code for finding in findings_of(text)] == [code]


def test_an_exponent_that_is_too_large_suggests_no_space() -> None:
    (finding,) = findings_of("[8] INPUT\nFC 3\naux 1e999\n  FC 3\n")
    assert (finding.code, finding.message, finding.helps) == ("E008", "a number larger than 2^63", ())


@pytest.mark.parametrize(("name", "message"), [(".", "`.` is a folder, not a spec"), ("", "the spec has no name")])
def test_a_folder_and_an_empty_name_are_called_so(name: str, message: str) -> None:
    with pytest.raises(archspec.ArchspecError, match=message):
        archspec.load(name)


def test_a_line_that_ends_too_early_says_what_is_expected() -> None:
    (finding,) = findings_of("[8] INPUT\n3 x\n")
    assert [label.text for label in finding.labels] == ["expected more on this line"]
