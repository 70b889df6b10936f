"""Where the marks under a line stand."""

from typing import Any

from archspec.diagnostics.findings import Diagnostic, Label
from archspec.diagnostics.rendering import render
from archspec.diagnostics.source import Source, Span


def rendered(text: str, *words: str) -> list[str]:
    source = Source("x.arch", text)
    labels = tuple(Label(Span(source, text.index(word), text.index(word) + len(word))) for word in words)
    return render(Diagnostic("E101", "wrong", labels)).splitlines()


def test_the_mark_of_a_long_line_stands_under_its_word() -> None:
    *_, line, marks = rendered("a " * 300 + "WORD" + " b" * 300, "WORD")
    assert line[marks.index("^") : marks.index("^") + marks.count("^")] == "WORD"
    assert line.count("…") == 2


def wrapped(columns: int | None, **texts: Any) -> list[str]:
    return render(Diagnostic("E101", texts.pop("message", "wrong"), **texts), columns=columns).splitlines()


def test_notes_and_helps_wrap_at_the_columns_and_quoted_text_stays_whole() -> None:
    text = "this fits, says `CONV 64 3x3 s2 p1 -> BN -> RELU -> CONV 64` and more words follow it here"
    lines = wrapped(55, notes=(text,), helps=(text,))
    assert max(map(len, lines)) <= 55
    assert sum("`CONV 64 3x3 s2 p1 -> BN -> RELU -> CONV 64`" in line for line in lines) == 2
    assert " ".join(" ".join(lines).split()).count(text) == 2


def test_a_message_wraps_only_in_a_terminal() -> None:
    message = "a window 11 wide at stride 4 does not fit 224 rows of a map that is too small"
    assert wrapped(None, message=message) == [f"error[E101]: {message}"]
    lines = wrapped(40, message=message)
    assert len(lines) == 3
    assert max(map(len, lines)) <= 40
    assert all(line.startswith("    ") for line in lines[1:])


def test_the_text_of_a_mark_goes_below_it_if_there_is_no_room() -> None:
    source = Source("x.arch", "CONV 64 3x3 s2 p1 -> BN -> RELU")
    labels = (Label(Span(source, 21, 31), "produces [112x112x64]"),)
    *_, marks, text = wrapped(40, labels=labels)
    assert (marks.count("^"), text.strip(" |")) == (10, "produces [112x112x64]")
    assert max(len(marks), len(text)) <= 40
    assert wrapped(100, labels=labels)[-1].endswith("^^^^^^^^^^ produces [112x112x64]")


def test_lines_that_are_left_out_between_two_labels_are_dots() -> None:
    assert not any("..." in line for line in rendered("ONE\nTWO\n", "ONE", "TWO"))
    assert sum("..." in line for line in rendered("ONE\nand\nTWO\n", "ONE", "TWO")) == 1
