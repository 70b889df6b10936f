"""`archspec check --fix` and `--diff`: the safe fixes of files, applied or shown."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from typing import Any

import click

from archspec.api import overrides
from archspec.diagnostics.errors import ArchspecError
from archspec.diagnostics.findings import Diagnostic, plural, printable
from archspec.fixes.rounds import Change, FixedFiles, fix_files
from archspec.fixes.spec_file import SpecFile, opened, write
from archspec.library import folder, is_path, locate
from archspec.record import Record


class FixedSpecs(Record):
    """The changes that were written, and why some specs could not be, by their names."""

    changes: tuple[Change, ...] = ()
    unwritten: Mapping[str, tuple[Diagnostic, ...]] = {}


def refuse(specs: Sequence[str], is_diff_as_json: bool) -> None:
    """Raise UsageError for what has no file of the user's own to fix."""
    if is_diff_as_json:
        raise click.UsageError("`--diff` prints a diff: leave out `--json`, which lists the edits as `fixes`")
    for spec in specs:
        if spec == "-" or os.path.abspath(spec).startswith(("/dev/", "/proc/")):  # noqa: PTH100  # a link as it is named
            raise click.UsageError("`--fix` changes files, not standard input: save the spec in a file")
        file = opened(spec) if is_path(spec) else None
        is_built_in = file.path.parent == folder().resolve() if file else not is_path(spec) and not unread(spec)
        if is_built_in:
            name = spec if file is None else file.path.stem
            copy = f"`archspec specs --show {printable(name)} > {printable(name)}.arch`"
            raise click.UsageError(f"`--fix` does not change built-in specs: {copy} copies one to a file")


def unread(spec: str) -> tuple[Diagnostic, ...]:
    """Return why a spec cannot be read, if it cannot."""
    try:
        locate(spec)
    except ArchspecError as error:
        return error.diagnostics
    return ()


def fix(specs: Sequence[str], flags: Mapping[str, Any], as_json: bool) -> FixedSpecs:
    """Write the fixed texts of all files, and say on standard error what changed."""
    fixed = _fixed(specs, flags)
    unwritten: dict[str, tuple[Diagnostic, ...]] = {}
    for file in fixed.files:
        try:
            if file.is_changed:
                write(file)
        except ArchspecError as error:
            unwritten[file.spec] = error.diagnostics
    changes = tuple(change for change in fixed.changes if change.spec not in unwritten)
    if not as_json:
        for change in changes:
            click.echo(change, err=True)
        number = len({change.spec for change in changes})
        places = f" in {plural(number, 'file')}" if number > 1 else ""
        click.echo(f"{plural(len(changes), 'fix')} applied{places}{_left_out(fixed)}\n", err=True)
    return FixedSpecs(changes, unwritten)


def show_diff(specs: Sequence[str], flags: Mapping[str, Any]) -> int:
    """Print what `fix` would change, and return the exit status: 1 for a change."""
    missing = tuple(finding for spec in specs if opened(spec) is None for finding in unread(spec))
    fixed = _fixed(specs, flags)
    for file in fixed.files:
        if file.is_changed:
            click.echo(_diff(file), nl=False)
    click.echo(f"{plural(len(fixed.changes), 'fix')} to apply{_left_out(fixed)}", err=True)
    if missing:
        from archspec.commands.findings import show, status

        click.echo(err=True)
        show(missing)
        return status(missing)
    return int(bool(fixed.changes))


def _left_out(fixed: FixedFiles) -> str:
    """Return why fewer fixes were applied than there are, if so."""
    if not fixed.refused:
        return ""
    were, it = ("was", "it") if fixed.refused == 1 else ("were", "each")
    return f"; {fixed.refused} {were} left out: {it} would bring another error"


def _fixed(specs: Sequence[str], flags: Mapping[str, Any]) -> FixedFiles:
    """Return the files, each once, with their new texts; with an invalid flag, which `check` reports, no files."""
    try:
        given = {name: flags[name] for name in ("input", "classes", "variant")}
        changes = overrides(**given, values=flags["set"])
    except ArchspecError:
        return FixedFiles()
    files = {file.path: file for file in map(opened, reversed(specs)) if file is not None}
    return fix_files(tuple(reversed(files.values())), changes)


def _diff(file: SpecFile) -> str:
    old, new = (re.findall(r"[^\n]*\n|[^\n]+", data.decode("utf-8")) for data in (file.data, file.text.encoded()))
    lines = []
    for line in unified_diff(old, new, file.spec, file.spec):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    text = "".join(lines)
    return "\n".join(map(printable, text.split("\n"))) if sys.stdout.isatty() else text
