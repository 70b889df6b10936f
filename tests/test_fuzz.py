"""Whatever a spec contains, it gets a table or findings: the sweep of `benchmarks/sweeps`, and its generators."""

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from lark import Lark

import archspec
from archspec import grammar
from archspec.diagnostics.source import Source
from archspec.graph.volume import Volume
from archspec.language.parse import parse
from archspec.layers import REGISTRY
from benchmarks.sweeps import spec_tally
from benchmarks.sweeps.spec_outcome import Broken, outcome
from benchmarks.sweeps.spec_tally import Tally, tally
from benchmarks.sweeps.spec_texts import KINDS, kind_of, make
from benchmarks.sweeps.spec_texts.derivations import TERMINALS
from benchmarks.sweeps.spec_texts.parts import MAP, SEQUENCE, VECTOR
from benchmarks.sweeps.spec_texts.spec_input import SpecInput
from benchmarks.sweeps.specs import LEAST_PAST, holds, never_met, one_line, page, sweep
from support.printer import print_file

QUICK = 150


def test_random_specs_get_a_table_or_findings() -> None:
    found = tally(range(QUICK))
    assert found.failures == []
    assert found.total == QUICK
    assert found.past_parsing.total() > LEAST_PAST * QUICK


@pytest.mark.slow
def test_10000_random_specs_get_a_table_or_findings(record_property: Callable[[str, object], None]) -> None:
    found = sweep(1_000_000, 10_000, processes=2)
    record_property("sweep", one_line(found))
    assert found.failures == []
    assert holds(found)
    assert never_met(found) == []


def test_an_input_is_made_from_its_kind_and_its_seed_alone() -> None:
    for kind in KINDS:
        assert make(kind, 7) == make(kind, 7)
        assert len({make(kind, seed).content for seed in range(20)}) > 10
    assert {kind_of(number) for number in range(100)} == set(KINDS)


def test_most_networks_of_the_generator_are_correct_and_reading_what_was_printed_gives_the_same() -> None:
    correct = 0
    for seed in range(40):
        text = str(make("network", seed).content)
        file, findings = parse(Source("spec", text))
        correct += outcome(SpecInput(text)).is_network
        if not findings:
            printed = print_file(file)
            again, wrong = parse(Source("printed", printed))
            assert not wrong
            assert print_file(again) == printed
    assert correct >= 36


def test_every_layer_is_among_the_generators_steps() -> None:
    steps = " ".join([*MAP, *SEQUENCE, *VECTOR])
    named = {layer for name, layer in REGISTRY.items() if re.search(rf"(?<![A-Z]){name}(?![A-Z])", steps)}
    assert set(REGISTRY.values()) - named == {REGISTRY["INPUT"]}


def test_the_words_for_derivations_are_those_of_the_grammar() -> None:
    text = (Path(next(iter(grammar.__path__))) / "archspec.lark").read_text(encoding="utf-8")
    terminals = Lark(text, parser="lalr", start=["line", "setting"]).terminals
    patterns = {one.name: one.pattern for one in terminals if one.pattern.type == "re" and one.name[:2] != "__"}
    assert set(patterns) == set(TERMINALS)
    for name, words in TERMINALS.items():
        for word in words:
            after = {"CALL": "(", "OUTPUT": " a:"}.get(name, "")
            found = re.match(patterns[name].to_regexp(), word + after)
            assert found and found.group() == word, (name, word)


def test_a_broken_promise_and_an_unforeseen_exception_are_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: archspec.Network, batch: int = 1) -> dict[str, object]:
        raise ZeroDivisionError("planted")

    seed = next(seed for seed in range(100) if outcome(make("network", seed)).is_network)
    found = Tally()
    with monkeypatch.context() as patch:
        patch.setattr(archspec.Network, "to_dict", refuse)
        found.count("network", seed)
    with monkeypatch.context() as patch:
        patch.setattr(archspec.Network, "__str__", lambda self: "\x1b[2J")
        found.count("network", seed)
    with monkeypatch.context() as patch:
        patch.setattr(archspec.Network, "output", property(lambda self: Volume((0,))))
        with pytest.raises(Broken, match="a size of"):
            outcome(make("network", seed))
    assert [one.why for one in found.failures] == [
        "ZeroDivisionError: planted",
        "Broken: the table has control characters",
    ]
    assert not holds(found)
    assert f"- `--only network {seed}`: ZeroDivisionError: planted" in page(found, 0, 1.0, 1)


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="alarms are a thing of POSIX")
def test_an_input_that_hangs_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(given: SpecInput) -> None:
        while True:
            pass

    monkeypatch.setattr(spec_tally, "outcome", hang)
    monkeypatch.setattr(spec_tally, "STUCK", 0.05)
    assert [one.why for one in tally([0]).failures] == ["TimeoutError: still at it after 0.05 s"]


def test_an_input_that_takes_too_long_is_a_failure_and_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec_tally, "SECONDS", -1.0)
    found = tally([0])
    assert (found.total, len(found.failures), found.networks) == (1, 1, 0)
