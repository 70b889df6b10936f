"""Which lines a table has, and what a closed block shows."""

import archspec
from archspec.report import report
from archspec.report.lines import MAX_LINES, fold

BLOCK = "block b()\n    CONV 8 3x3 p1 -> RELU\n    CONV 4 3x3 s2 p1 floor\n    RELU\n"


def test_a_closed_block_shows_the_volume_and_the_field_of_its_last_layer() -> None:
    network = archspec.loads(f"{BLOCK}[16x16x3] INPUT\nb()\nb()\n")
    lines, closed = fold(network, 0)
    figures = [line.figures for line in lines if line.is_block and line.figures is not None]
    assert closed == len(figures) == 2
    assert [found.output for found in figures] == [(8, 8, 4), (4, 4, 4)]
    assert [found.field.size for found in figures] == [(5, 5), (13, 13)]
    assert sum(found.params for found in figures) == network.params


def test_blocks_are_opened_as_long_as_the_table_has_at_most_forty_lines() -> None:
    assert MAX_LINES == 40
    for calls, is_open in ((7, True), (8, False)):  # a line of its own and four layers each, after INPUT
        network = archspec.loads(f"{BLOCK}[1x1x3] INPUT\n" + "b()\n" * calls)
        lines, closed = fold(network, None)
        assert (len(lines), closed) == ((1 + 5 * calls, 0) if is_open else (1 + calls, calls))


def test_the_table_names_the_variant() -> None:
    assert report(archspec.load("mixer_s16")).startswith("MLP-Mixer s16   [224x224x3] -> [1000]\n")
    assert report(archspec.load("mixer")).startswith("MLP-Mixer   [224x224x3] -> [1000]\n")


def test_the_head_of_many_outputs_is_broken_between_them_at_the_width() -> None:
    lines = [f"output long_name_{n}: @map -> CONV {n} 1x1\n" for n in range(1, 9)]
    network = archspec.loads("net Many\n[8x8x3] INPUT\nmap: CONV 8 3x3 p1\n" + "".join(lines))
    head = report(network, width=80).split("\n\n")[0].split("\n")
    ends = ", ".join(f"long_name_{n} [8x8x{n}]" for n in range(1, 9))
    assert " ".join(line.strip() for line in head) == f"Many   [8x8x3] -> {ends}"
    assert len(head) > 1
    assert max(map(len, head)) <= 80
