"""Helps that are proposed only if they work: each is applied to the text, which is then parsed again.

In: the findings about a text. Out: the same findings, without the helps that leave them or bring others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from archspec.diagnostics.edits import applied
from archspec.diagnostics.findings import Diagnostic, Help
from archspec.diagnostics.source import Source
from archspec.record import replace

LONGEST = 40_000  # characters of a text that is parsed again
MOST_TRIALS = 24
MOST_SHOWN = 3


def proved(
    source: Source, findings: Sequence[Diagnostic], parse: Callable[[Source], Sequence[Diagnostic]]
) -> list[Diagnostic]:
    """Return the findings with up to three helps each that work when applied alone."""
    if len(source.text) > LONGEST:
        return list(findings)
    trials = 0
    before = _count(findings)
    proved_: list[Diagnostic] = []
    for finding in findings:
        kept: list[str] = []
        for text in finding.helps:
            if not isinstance(text, Help) or not text.edits or trials >= MOST_TRIALS:
                kept.append(text)
                continue
            trials += 1
            after = _count(parse(Source(source.name, applied(source, text.edits))))
            key = _key(finding)
            if after[key] < before[key] and not after - before:
                kept.append(text)
        proved_.append(replace(finding, helps=tuple(kept[:MOST_SHOWN])))
    return proved_


def _key(finding: Diagnostic) -> tuple[str, str]:
    return finding.code, finding.message


def _count(findings: Sequence[Diagnostic]) -> Counter[tuple[str, str]]:
    return Counter(map(_key, findings))
