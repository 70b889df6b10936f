"""Gives the front end random specs: each must come to a network or to errors with a text, a known code and a place.

    python -m benchmarks.sweeps.specs --count 100000 --seed 0 --output benchmarks/results/sweep_specs.md
    python -m benchmarks.sweeps.specs --only mutated 4711     # one input again, with its traceback

Input number n is made from its kind and the seed n alone. Ends with status 1 where a promise of `spec_outcome` is broken.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Iterator, Sequence

from archspec.commands.usage import CODE as USAGE
from archspec.diagnostics.codes import CODES
from benchmarks.program import run, sweep_parser
from benchmarks.stopwatch import machine
from benchmarks.sweeps.spec_outcome import outcome
from benchmarks.sweeps.spec_tally import NETWORK, SECONDS, Extreme, Tally, tally
from benchmarks.sweeps.spec_texts import KINDS, make

CHUNK = 250  # inputs that a process counts before it reports
LEAST_PAST = 0.3  # of the inputs come past parsing, or the sweep proves little of what follows it
SHOWN = 20  # failures on the page
COLUMNS = (NETWORK, "E0", "E1", "E2", "E3", "E4", "failures")


def sweep(first: int, count: int, processes: int) -> Tally:
    """Count what comes of `count` inputs from number `first` on, in as many processes."""
    found = Tally()
    chunks = [range(start, min(start + CHUNK, first + count)) for start in range(first, first + count, CHUNK)]
    if processes == 1:
        for chunk in chunks:
            found.add(tally(chunk))
        return found
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for part in pool.imap_unordered(tally, chunks):
            found.add(part)
    return found


def never_met(found: Tally) -> list[str]:
    """Return the codes of the front end that no input gave; a wrong command line is not an input."""
    return [code for code in CODES if code[1] in "0123" and code not in found.codes and code != USAGE]


def holds(found: Tally) -> bool:
    """Whether every promise held, and enough inputs came past parsing."""
    return not found.failures and found.past_parsing.total() >= LEAST_PAST * found.total


def one_line(found: Tally) -> str:
    """Return the summary of a sweep: 10,000 specs: 4,123 networks, ..."""
    slow, past = max(found.slowest), found.past_parsing.total()
    return (
        f"{found.total:,} specs: {found.networks:,} networks, {past:,} past parsing, {len(found.codes)} codes met,"
        f" {len(found.failures)} failures; slowest {slow.amount:.2f} s ({slow.kind} {slow.seed})"
    )


def page(found: Tally, first: int, seconds: float, processes: int) -> str:
    """Return the page of a sweep."""
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    past = found.past_parsing.total()
    lines = [
        "# The front end under random specs",
        "",
        f"Written by `python -m benchmarks.sweeps.specs --count {found.total} --seed {first}` on {machine()};",
        f"{seconds:,.0f} s in {processes} processes, of which none had more than {peak // 1024:,} MiB.",
        "",
        f"Each of {found.total:,} inputs must come to a network or to errors: no other exception, no empty text, known codes,",
        "places inside the text, nothing that a terminal would obey, JSON that any program reads, figures that are whole",
        f"numbers, a bundle that gives the same network, and at most {SECONDS:g} s of a processor.",
        "",
        f"**Failures: {len(found.failures):,}.** Past parsing (a network, or an error about volumes or claims):",
        f"{past:,}, {past / found.total:.0%}.",
        "",
        *_results(found),
        "",
        "`network` is a mostly correct network, `faulty` one with changes, `odd` odd operands, `mutated` and `spliced` are made",
        "of the built-in specs and those of tests/errors, `derived` of the grammar, `changed` has changes as of the command",
        "line, `encoded` is a file's bytes. The column is the group of the first error.",
        "",
        *_extremes("Slowest", "seconds", "{:.3f}", found.slowest),
        *_extremes("Largest output", "bytes of text and JSON", "{:,.0f}", found.largest),
        *_codes(found),
        *_failures(found),
    ]
    return "\n".join(lines) + "\n"


def _results(found: Tally) -> Iterator[str]:
    yield f"| kind | inputs | {' | '.join(COLUMNS)} | past parsing |"
    yield "| --- |" + " ---: |" * (len(COLUMNS) + 2)
    for kind in KINDS:
        counts = [found.results[kind, column] for column in COLUMNS]
        total = sum(count for (one, _), count in found.results.items() if one == kind)
        yield (
            "| " + " | ".join([kind, *(f"{number:,}" for number in (total, *counts, found.past_parsing[kind]))]) + " |"
        )


def _extremes(title: str, unit: str, form: str, extremes: Sequence[Extreme]) -> Iterator[str]:
    yield from (f"| {title} | {unit} |", "| --- | ---: |")
    yield from (f"| `--only {one.kind} {one.seed}` | {form.format(one.amount)} |" for one in extremes)
    yield ""


def _codes(found: Tally) -> Iterator[str]:
    counts = ", ".join(f"{code} {count:,}" for code, count in sorted(found.codes.items()))
    yield from ("Inputs with each code:", "", counts, "")
    yield f"Never met: {', '.join(never_met(found)) or 'none'}."


def _failures(found: Tally) -> Iterator[str]:
    if found.failures:
        yield from ("", "Failures:", "")
        yield from (f"- `--only {one.kind} {one.seed}`: {one.why}" for one in found.failures[:SHOWN])


def show(kind: str, seed: str) -> None:
    """Show one input and what comes of it."""
    given = make(kind, int(seed))
    print(str(given).encode("utf-8", "backslashreplace").decode())
    print(outcome(given))


def _measured(of: argparse.Namespace) -> tuple[bool, str]:
    start = time.monotonic()
    found = sweep(of.seed, of.count, of.processes)
    return holds(found), page(found, of.seed, time.monotonic() - start, of.processes)


def main() -> int:
    """Run the command line."""
    return run(sweep_parser(__doc__, 10_000, "inputs", ("KIND", "SEED")), _measured, show)


if __name__ == "__main__":
    sys.exit(main())
