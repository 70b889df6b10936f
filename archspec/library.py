"""Where specs are: built-in ones by name, files by path, standard input as `-`.

In: a name or path. Out: the spec's text, and the variant in its name. A name is that of a built-in file, optionally
followed by one of its variants, with or without `_` between: `vgg16`, `efficientnet_b3`, `densenet121`. Files that a
spec uses are looked up in its folder and among the built-in specs, nowhere else.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from archspec.diagnostics.errors import ArchspecError, Finding, failure
from archspec.diagnostics.findings import did_you_mean
from archspec.diagnostics.source import MAX_SIZE, Source, Span
from archspec.record import Record

SUFFIX = ".arch"
NOT_FOUND = "E014"


class Located(Record):
    """A spec that was found: its short name, its text, its folder, and the variant in its name."""

    name: str
    source: Source
    folder: Path | None
    variant: str | None = None


def folder() -> Path:
    """Return the folder of the built-in specs."""
    return Path(__file__).parent / "specs"


def built_in() -> tuple[str, ...]:
    """Return the names of the built-in spec files, sorted."""
    return tuple(sorted(path.stem for path in folder().glob(f"*{SUFFIX}")))


def locate(spec: str) -> Located:
    """Find a spec and read it. Raises ArchspecError if it is missing, unreadable or not text."""
    if spec == "-":
        return Located("stdin", Source("<stdin>", _decoded("<stdin>", _standard_input())), None)
    if "/" in spec or os.sep in spec or spec.endswith(SUFFIX):
        path = Path(spec)
        return Located(path.stem, Source(spec, _read(path, spec)), path.parent)
    return _by_name(spec)


def _standard_input() -> bytes:
    try:
        if sys.stdin is None:  # the shell's `<&-`
            raise failure(NOT_FOUND, "standard input is closed", helps=("`archspec check - < mynet.arch`",))
        return sys.stdin.buffer.read(MAX_SIZE + 1)
    except OSError as error:
        raise failure(NOT_FOUND, f"standard input cannot be read: {error.strerror or error}") from None


def _by_name(spec: str) -> Located:
    place, names = folder(), built_in()
    if spec in names:
        return _built_in(place, spec, spec, None)
    for name in sorted(names, key=len, reverse=True):
        variant = spec[len(name) :].removeprefix("_")
        if spec.startswith(name) and variant:
            located = _built_in(place, name, spec, variant)
            if variant in variants(located.source.text) or spec[len(name)] == "_":
                return located
    raise _no_spec(spec, names)


def variants(text: str) -> tuple[str, ...]:
    """Return the names of the variants that a spec's text declares, without parsing it."""
    return tuple(re.findall(r"^variant +(\w+)", text, re.MULTILINE))


def _built_in(place: Path, file: str, name: str, variant: str | None) -> Located:
    path = place / f"{file}{SUFFIX}"
    return Located(name, Source(path.name, _decoded(path.name, path.read_bytes())), place, variant)


def _no_spec(spec: str, names: tuple[str, ...]) -> ArchspecError:
    from archspec.regular_file import is_file, is_folder

    if not spec:
        return failure(NOT_FOUND, "the spec has no name", helps=("`archspec specs` lists the built-in specs",))
    if is_folder(Path(spec)) and not did_you_mean(spec, names):
        usage = f"give a file in it: `{spec}/NAME{SUFFIX}`"
        return failure(NOT_FOUND, f"`{spec}` is a folder, not a spec", helps=(usage,))
    helps = did_you_mean(spec, names) or ("`archspec specs` lists the built-in specs",)
    for path in (Path(spec), Path(spec + SUFFIX)):
        if is_file(path):
            helps = (f"`./{path}` for the file in this folder",)
    return failure(NOT_FOUND, f"unknown built-in spec `{spec}`", helps=helps)


def _read(path: Path, shown: str) -> str:
    from archspec.regular_file import read_regular  # not needed for the built-in specs

    try:
        if path.is_dir():
            raise failure(NOT_FOUND, f"{shown} is a folder, not a file", helps=("name the files in it",))
        data = read_regular(path, MAX_SIZE)
    except FileNotFoundError:
        helps = ("`archspec specs` lists the built-in specs, which need no path",)
        raise failure(NOT_FOUND, f"no such file: {shown}", helps=helps) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise failure(NOT_FOUND, f"{shown} cannot be read: {reason}") from None
    return _decoded(shown, data)


def _decoded(shown: str, data: bytes) -> str:
    """Return the text with `\\n` as line ends. Raises ArchspecError if it is too long or not UTF-8."""
    if len(data) > MAX_SIZE:
        helps = ("is this a spec? repeats such as `3 x block(...)` keep it short",)
        raise failure("E009", f"{shown} is larger than {MAX_SIZE:,} bytes", helps=helps)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        from archspec.diagnostics.encodings import not_utf8  # only for wrong files

        raise not_utf8(shown, data, error.start) from None
    if "\0" in text:
        from archspec.diagnostics.encodings import other_format

        if other := other_format(shown, data):
            raise other
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def load_used(name: str, span: Span, place: Path | None) -> Source:
    """Return the text of a file that a spec uses: from the spec's own folder, or else a built-in one.

    Raises Finding if there is no such file.
    """
    from archspec.regular_file import is_file, is_there  # not needed without `use`

    file = name + SUFFIX
    for where in (place, folder()):
        if where is None:
            continue
        path = where / file
        if is_file(path) and path.resolve().parent == where.resolve():
            try:
                return Source(str(path) if where is place and where != folder() else file, _read(path, str(path)))
            except ArchspecError as error:
                (diagnostic,) = error.diagnostics
                raise Finding(diagnostic.code, diagnostic.message, span, helps=diagnostic.helps) from None
        if is_there(path) and not is_file(path):
            raise Finding(NOT_FOUND, f"{path} is not a regular file", span, "not a file")
    near = {path.stem for path in place.glob(f"*{SUFFIX}")} if place else set()
    helps = did_you_mean(name, [*near, *built_in()]) or (
        "`use` looks in the spec's folder, then among the built-in specs",
    )
    raise Finding(NOT_FOUND, f"no such file: {file}", span, "not found", helps=helps)
