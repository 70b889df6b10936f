"""How commands report findings: text on standard error, data in JSON, and the exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, listed, omission, plural
from archspec.library import NOT_FOUND

MAX_TRIED = 20  # findings whose fixes are tried before they are promised
USAGE = {
    NOT_FOUND,
    "E116",
    "E117",
    "E120",
    "E426",
}  # what the command line asks for does not exist, or does not go together


def show(findings: Sequence[Diagnostic], strict: bool = False, file: str | None = None) -> None:
    """Print findings and their number on standard error; `file` is the spec's, if it can be fixed."""
    if not findings:
        return
    from archspec.commands.terminal import columns, has_colours  # only when there is something to show
    from archspec.diagnostics.rendering import coloured, plain, render, wrapped

    sys.stdout.flush()
    width, colours = columns(sys.stderr), has_colours(sys.stderr)
    for finding in findings[:MAX_SHOWN]:
        click.echo(render(finding, coloured if colours else plain, width), err=True, color=colours)
    for line in omission(findings):
        click.echo(line, err=True)
    errors = sum(finding.severity == "error" for finding in findings)
    counts = [plural(count, noun) for count, noun in ((errors, "error"), (len(findings) - errors, "warning")) if count]
    known = next((finding.code for finding in findings if finding.severity == "error"), findings[0].code)
    suffix = " (errors with --strict)" if strict and not errors else ""
    last = [f"{' and '.join(counts)}{suffix}; `archspec explain {known}` says more", *_fixable(findings, file)]
    lines = [line for text in last for line in wrapped("", text, 0, width)] if width else last
    click.echo("\n".join(lines), err=True)


def _fixable(findings: Sequence[Diagnostic], file: str | None) -> tuple[str, ...]:
    """Return how many fixes `check --fix` applies, if there are any: it is tried, unless that may take long."""
    if file is None or not any(one.is_safe for finding in findings for one in finding.fixes):
        return ()
    from shlex import quote

    if len(findings) > MAX_TRIED:
        return (f"`archspec check --fix {quote(file)}` applies the safe fixes",)
    from archspec.fixes.rounds import fix_files
    from archspec.fixes.spec_file import opened

    found = opened(file)
    number = len(fix_files((found,)).changes) if found else 0
    return (f"`archspec check --fix {quote(file)}` fixes {number:,}",) if number else ()


def status(findings: Sequence[Diagnostic], strict: bool = False) -> int:
    """Return the exit status: 2 for a missing spec or an invalid change, 1 for a wrong spec, or 0."""
    errors = {finding.code for finding in findings if finding.severity == "error"}
    if errors & USAGE:
        return 2
    return 1 if errors or (strict and findings) else 0


def describe(spec: str, findings: Sequence[Diagnostic]) -> dict[str, Any]:
    """Return the JSON of a spec that is wrong."""
    return {"network": spec, **listed(findings)}
