"""The share of helps that work, over many mistakes, and the page that says it.

In: how many mistakes, and from which number on. Out: a `Tally`, and its page.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import version

from archspec.diagnostics.rendering import render
from benchmarks.helps.mistakes import KINDS, kind_of, mistaken
from benchmarks.helps.tally import Rates, Tally, tally
from benchmarks.helps.trials import findings_in, trials
from benchmarks.stopwatch import machine

COUNT = 5_000
ENOUGH = 0.95
CHUNK = 50  # mistakes that a process makes before it reports
SHOWN = 40  # kinds of failures on the page


def measure(first: int, count: int, processes: int) -> Tally:
    """Count what comes of so many mistakes from a number on, in as many processes."""
    chunks = [range(start, min(start + CHUNK, first + count)) for start in range(first, first + count, CHUNK)]
    found = Tally()
    if processes == 1:
        for chunk in chunks:
            found.add(tally(chunk))
        return found
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for part in pool.imap(tally, chunks):
            found.add(part)
    return found


def share(part: int, whole: int) -> float:
    """Return a part of a whole, 1 of nothing."""
    return part / whole if whole else 1.0


def holds(found: Tally) -> bool:
    """Whether enough of the helps work, and enough of the first ones."""
    return min(share(found.all.working, found.all.helps), share(found.all.first, found.all.helped)) >= ENOUGH


def one_line(found: Tally) -> str:
    """Return the summary: 5,000 mistakes: ..."""
    rates = found.all
    return (
        f"{found.total:,} mistakes: {share(found.accepted.total(), found.total):.1%} accepted;"
        f" {rates.working:,} of {rates.helps:,} helps work ({share(rates.working, rates.helps):.1%}),"
        f" the first of {share(rates.first, rates.helped):.1%} of {rates.helped:,} findings with helps"
        f" ({share(rates.helped, rates.findings):.1%} of {rates.findings:,})"
    )


def page(found: Tally, first: int, seconds: float, processes: int) -> str:
    """Return the page of a run."""
    rates, refused = found.all, found.total - found.accepted.total()
    lines = [
        "# Helps, pasted",
        "",
        f"Written by `python -m benchmarks.helps --count {found.total} --seed {first}` on {machine()},",
        f"archspec {version('archspec-nn')}; {seconds:,.0f} s in {processes} processes.",
        "",
        f"Each of {found.total:,} correct specs (built-in ones, those of the documentation, random networks) gets one mistake,",
        f"of {len(KINDS)} kinds. Every help is applied literally. It works if its finding is gone and no other has come; a help",
        "that quotes text to paste and has no edit does not work.",
        "",
        f"- helps that work: **{share(rates.working, rates.helps):.1%}** of {rates.helps:,}",
        f"- findings whose first help works: **{share(rates.first, rates.helped):.1%}** of {rates.helped:,} with helps",
        f"- findings of which some help works: {share(rates.any, rates.helped):.1%} of {rates.helped:,}",
        f"- findings with helps: {share(rates.helped, rates.findings):.1%} of {rates.findings:,}",
        f"- mistakes with one finding: {share(found.single.total(), refused):.1%} of {refused:,} with findings",
        f"- mistakes that are accepted: {share(found.accepted.total(), found.total):.1%} of {found.total:,}"
        " (most change the network into another that is correct too)",
        "",
        *_table("code", {code: found.codes[code] for code in sorted(found.codes)}),
        *_kinds(found),
        *_failures(found),
    ]
    return "\n".join(lines) + "\n"


HEAD = "findings | with helps | first help works | helps | work |"


def _row(rates: Rates) -> str:
    first, working = share(rates.first, rates.helped), share(rates.working, rates.helps)
    return f"{rates.findings:,} | {rates.helped:,} | {first:.0%} | {rates.helps:,} | {working:.0%} |"


def _table(name: str, rows: Mapping[str, Rates]) -> Iterator[str]:
    yield from (f"| {name} | {HEAD}", "| --- |" + " ---: |" * 5)
    yield from (f"| {one} | {_row(rates)}" for one, rates in rows.items())
    yield ""


def _kinds(found: Tally) -> Iterator[str]:
    yield from (f"| mistake | made | accepted | one finding | {HEAD}", "| --- |" + " ---: |" * 8)
    for kind in KINDS:
        counts = f"{found.mutants[kind]:,} | {found.accepted[kind]:,} | {found.single[kind]:,}"
        yield f"| {kind} | {counts} | {_row(found.kinds.get(kind, Rates()))}"


def _failures(found: Tally) -> Iterator[str]:
    if not found.failures:
        return
    yield from (
        "",
        "Helps that do not work, the most frequent first:",
        "",
        "| helps | code | help | why | the first |",
        "| ---: | --- | --- | --- | --- |",
    )
    for (code, text), number in Counter((one.code, one.help) for one in found.failures).most_common(SHOWN):
        first = next(one for one in found.failures if (one.code, one.help) == (code, text))
        yield f"| {number:,} | {code} | {text.replace('|', '¦')} | {first.why.replace('|', '¦')} | `--only {first.number}` |"


def show(number: str) -> None:
    """Show one mistake, its findings, and what comes of their helps."""
    text = mistaken(int(number))
    print(f"{kind_of(int(number))}\n\n{text}".encode("utf-8", "backslashreplace").decode())
    found = findings_in(text)
    print("\n".join(map(render, found)) or "no findings")
    for one in trials(text, found):
        new = "".join(f"\n    {new.code} {new.message}" for new in one.new)
        print(
            f"{'works' if one.works else 'FAILS'}: {one.finding.code} {one.help}{'' if one.is_gone else ' (stays)'}{new}"
        )


def measured(of: argparse.Namespace) -> tuple[bool, str]:
    """Return whether enough helps work, and the page."""
    start = time.monotonic()
    found = measure(of.seed, of.count, of.processes)
    return holds(found), page(found, of.seed, time.monotonic() - start, of.processes)
