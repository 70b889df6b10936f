"""Where the marks under a line stand."""

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


def test_lines_that_are_left_out_between_two_labels_are_dots() -> None:
    assert not any("..." in line for line in rendered("ONE\nTWO\n", "ONE", "TWO"))
    assert sum("..." in line for line in rendered("ONE\nand\nTWO\n", "ONE", "TWO")) == 1
