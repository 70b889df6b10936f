"""Options of every test run: `--summary FILE` writes what was run, where, and with which outcome.

`make thorough` keeps that file in the repository, because its sweeps are too long to run on every change.
"""

import gc
import importlib.metadata
import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

# Tests run in parallel, a process per core. If each used all cores, their threads would wait for each other, up to ten
# times as long as the work takes. Processes that tests start inherit it.
os.environ["OMP_NUM_THREADS"] = "1"

PACKAGES = ("archspec-nn", "lark", "click", "torch", "hypothesis", "pytest")
OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
SLOWEST = 10
NETWORKS = {"network": ":---", "input": ":---", "done": ":---", "parameters": "---:"}  # recorded by tests

started = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--summary", type=Path, metavar="FILE", help="write a Markdown summary of the run")
    parser.addoption("--update-golden", action="store_true", help="replace expected texts by what is printed now")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[started] = time.monotonic()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    path: Path | None = config.getoption("--summary")
    if path is not None:
        seconds = time.monotonic() - config.stash[started]
        lines = [*_heading(config, seconds), *_outcomes(terminalreporter), *_failures(terminalreporter)]
        lines += _slowest(terminalreporter)
        lines += _sweeps(terminalreporter)
        lines += _networks(terminalreporter)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _heading(config: pytest.Config, seconds: float) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name)))
    words = config.option.keyword
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return [
        "# The last thorough run",
        "",
        "Written by `make thorough`; do not edit.",
        "",
        f"- when: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, in {seconds / 60:.1f} minutes",
        f"- what: the tests that match `{config.option.markexpr}`" + (f" and `{words}`" if words else ""),
        f"- with: {versions}",
        f"- on: Python {platform.python_version()}, {machine}",
        "",
    ]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _outcomes(reporter: pytest.TerminalReporter) -> list[str]:
    counted = [(outcome, len(reporter.stats.get(outcome, ()))) for outcome in OUTCOMES]
    shown = [(outcome, number) for outcome, number in counted if number or outcome in ("passed", "failed")]
    rows = [f"| {outcome} | {number:,} |" for outcome, number in shown]
    reasons = sorted({str(report.longrepr[2]) for report in reporter.stats.get("skipped", ())})
    skipped = ["", *(f"- {reason}" for reason in reasons)] if reasons else []
    return ["| outcome | tests |", "| --- | ---: |", *rows, *skipped]


def _failures(reporter: pytest.TerminalReporter) -> list[str]:
    """Each test that failed, with the line that says why."""
    failed = [*reporter.stats.get("failed", ()), *reporter.stats.get("error", ())]
    rows = [f"- `{report.nodeid}`: {_reason(report)}" for report in failed]
    return ["", f"Failed: {len(rows)}", "", *rows] if rows else []


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash else report.longrepr)
    return f"`{next(filter(None, text.splitlines()), 'no message')[:200]}`"


def _ran(reporter: pytest.TerminalReporter) -> list[pytest.TestReport]:
    return [
        report
        for reports in reporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
    ]


def _slowest(reporter: pytest.TerminalReporter) -> list[str]:
    slowest = sorted(_ran(reporter), key=lambda report: report.duration, reverse=True)[:SLOWEST]
    rows = [f"| `{report.nodeid}` | {report.duration:.1f} |" for report in slowest]
    return ["", f"The {len(rows)} longest:", "", "| test | seconds |", "| --- | ---: |", *rows]


def _sweeps(reporter: pytest.TerminalReporter) -> list[str]:
    """A line for each sweep: what the test recorded of it, `record_property("sweep", "1,000 files: ...")`."""
    found = sorted(str(value) for report in _ran(reporter) for key, value in report.user_properties if key == "sweep")
    return ["", "What the sweeps met:", "", *(f"- {line}" for line in found)] if found else []


def _networks(reporter: pytest.TerminalReporter) -> list[str]:
    """A row for each network that a test ran end to end, as the test recorded it."""
    told = [dict(report.user_properties) for report in _ran(reporter) if report.passed]
    found = sorted((one for one in told if one.keys() >= NETWORKS.keys()), key=lambda one: str(one["network"]))
    rows = [f"| {' | '.join(_cell(one[key]) for key in NETWORKS)} |" for one in found]
    head = [f"| {' | '.join(NETWORKS)} |", f"| {' | '.join(NETWORKS.values())} |"]
    title = f"Built-in networks that tests/test_end_to_end.py ran, and what was done: {len(rows)}"
    return ["", title, "", *head, *rows] if rows else []


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def pytest_collection_finish() -> None:
    """Leave what all tests share, torch and the tests themselves, out of the garbage collector's walks."""
    gc.collect()
    gc.freeze()
