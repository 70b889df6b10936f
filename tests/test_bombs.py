"""No spec takes more time than twice that of a plain chain of its size, or 500 MB, or prints without end."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from archspec import ArchspecError, load, loads
from archspec.commands.findings import describe
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, listed, omission
from archspec.language import parse
from benchmarks.bomb_shapes import SHAPES, Size, size_of
from benchmarks.bombs import Cost, chain_cost, check, costs
from benchmarks.long_chain import lines as plain_chain

LINES = 15_000  # of the chain in the sweep
HEAD = "[8x8x8] INPUT\n"
CHAIN = Cost(seconds=1.0, peak=10**8, status=0, errors="")
QUICK = ["repeats of repeats", "a block of idle lines", "calls with many parameters", "nonsense", "comments"]


def test_the_shapes_are_many_and_within_their_size() -> None:
    size = size_of(500)
    assert len(SHAPES) >= 60
    for name, shape in SHAPES.items():
        if name not in {"a block of idle lines", "a long after rule"}:
            assert len(shape(Size(size.bytes + 5_000, size.steps))) <= size.bytes + 5_000, name


@pytest.mark.parametrize("name", QUICK)
def test_a_small_bomb_gets_a_network_or_findings(name: str) -> None:
    try:
        loads(SHAPES[name](size_of(500)), max_layers=20_000)
    except ArchspecError as error:
        assert str(error).count("error[") <= MAX_SHOWN


@pytest.mark.parametrize(
    ("cost", "fault"),
    [
        (CHAIN, []),
        (CHAIN._replace(seconds=2.6), ["2.60 s, the limit is 2.50"]),
        (CHAIN._replace(peak=501 * 10**6), ["501 MB"]),
        (CHAIN._replace(status=-9), ["exit status -9"]),
        (CHAIN._replace(errors="Traceback (most recent call last):\n"), ["a traceback"]),
        (CHAIN._replace(errors="error[E001]: no\n" * 51), ["51 findings"]),
    ],
)
def test_a_missed_limit_is_named(cost: Cost, fault: list[str]) -> None:
    assert cost.faults(CHAIN) == fault


BODIES: dict[str, Callable[[int], str]] = {
    "lines that add no layer": lambda n: f"block u()\n    x\n{HEAD}RELU -> {n} x u()\n",
    "lets": lambda n: block("".join(f"    let a{i} = 1\n" for i in range(n // 4))) + "8 x u()\n",
    "arms of an if": lambda n: block("    if 1 > 2\n        RELU\n" * (n // 4)) + "8 x u()\n",
    "branches": lambda n: block("    add\n" + "        | x\n" * (n // 4)) + "8 x u()\n",
    "repeats that do nothing": lambda n: f"{HEAD}{n} x 0 x RELU\n",
    "layers without a volume": lambda n: block("    RELU\n" * (n // 4)) + "POOL 9x9 s1 -> 8 x u()\n",
    "parameters": lambda n: f"block u({', '.join(f'a{i}=1' for i in range(50))})\n    RELU\n{HEAD}{n // 40} x u()\n",
    "long expressions": lambda n: f"block u()\n    CONV (1{'+1' * 75}) 1x1\n{HEAD}{n // 3} x u()\n",
    "long names": lambda n: f"block {'b' * 150}()\n    {n // 3} x RELU\n{HEAD}{'b' * 150}()\n",
}


def block(body: str) -> str:
    """A block with these lines, and the input of a network that may call it."""
    return f"block u()\n{body}    RELU\n{HEAD}"


@pytest.mark.parametrize("name", BODIES)
def test_everything_that_takes_time_counts_towards_the_bound(name: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        loads(BODIES[name](400), max_layers=400)
    bound = [one for one in caught.value.diagnostics if one.code == "E112"]
    assert bound and bound[0].span is not None
    try:
        loads(BODIES[name](40), max_layers=400)
    except ArchspecError as error:
        assert "E112" not in {one.code for one in error.diagnostics}


def test_more_lines_than_the_bound_are_refused_before_they_are_parsed() -> None:
    with pytest.raises(ArchspecError, match="more than 10 lines"):
        loads(HEAD + "?\n" * 20, max_layers=10)
    assert len(loads(HEAD + "# a comment\n\n" * 20 + "RELU\n", max_layers=10).layers) == 2


def test_a_text_of_too_many_words_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "MAX_TOKENS", 100)
    with pytest.raises(ArchspecError, match="more than 100 words and signs"):
        loads(HEAD + "RELU -> RELU\n" * 40)


def test_a_spec_uses_at_most_fifty_files(tmp_path: Path) -> None:
    for number in range(51):
        (tmp_path / f"f{number}.arch").write_text("block a()\n    RELU\n")
    (tmp_path / "all.arch").write_text("".join(f"use f{number}: a\n" for number in range(51)) + HEAD + "RELU\n")
    with pytest.raises(ArchspecError, match="more than 50 files are used"):
        load(tmp_path / "all.arch")


def test_lines_of_used_files_count(tmp_path: Path) -> None:
    (tmp_path / "long.arch").write_text("block a()\n    RELU\n" + "# nothing\n" * 250_000)
    (tmp_path / "uses.arch").write_text("use long: a\n" + HEAD + "a()\n")
    with pytest.raises(ArchspecError, match="the files that the spec uses have more than 250,000 lines"):
        load(tmp_path / "uses.arch")


def test_an_after_rule_counts_in_both_runs() -> None:
    text = f"after CONV: RELU\n{HEAD}" + "CONV 8 1x1\n" * 20
    assert len(loads(text, max_layers=90).layers) == 40
    with pytest.raises(ArchspecError, match="more than 60 steps"):
        loads(text, max_layers=60)


def test_fifty_findings_are_shown_and_the_others_counted() -> None:
    with pytest.raises(ArchspecError) as caught:
        loads(HEAD + "".join(f"[8x8x8] CON{n}X 8\n" for n in range(200)))
    text = str(caught.value)
    assert text.count("error[") == MAX_SHOWN
    assert text.endswith("... and 150 more errors\n")
    assert len(caught.value.diagnostics) == 200
    data = describe("spec", caught.value.diagnostics)
    assert (len(data["diagnostics"]), data["omitted"]) == (MAX_SHOWN, 150)


def test_few_findings_are_all_shown() -> None:
    assert omission([Diagnostic("E001", "no")] * MAX_SHOWN) == ()
    assert listed([Diagnostic("W201", "no")])["omitted"] == 0


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.arch"
    path.touch()
    os.truncate(path, 10**10)
    with pytest.raises(ArchspecError, match="larger than 4,194,304 bytes"):
        load(path)


@pytest.mark.slow
def test_no_bomb_is_slower_or_larger_than_its_size_allows(record_property: Callable[[str, str], None]) -> None:
    chain = chain_cost(LINES)
    found = {name: cost for name, _, cost in costs(LINES)}
    late = [name for name, cost in found.items() if cost.faults(chain)]
    for name in late:  # once more, beside a chain of the same minute: other work slows one of them by half now and then
        found[name] = min(found[name], check(SHAPES[name](size_of(LINES))))
    chain = max(chain, chain_cost(LINES)) if late else chain
    faults = {name: cost.faults(chain) for name, cost in found.items()}
    slowest = max(found, key=lambda name: found[name].seconds)
    largest = max(found, key=lambda name: found[name].peak)
    record_property(
        "sweep",
        f"{len(found)} bombs of up to {len(plain_chain(LINES)):,} bytes beside a chain of {chain.seconds:.1f} s:"
        f" slowest {found[slowest].seconds:.1f} s ({slowest}), largest {found[largest].peak / 1e6:.0f} MB ({largest})",
    )
    assert {name: wrong for name, wrong in faults.items() if wrong} == {}
