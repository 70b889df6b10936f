"""Where specs are: built-in ones by name, files by path, standard input as `-`.

In: a name or path. Out: the spec's text, and the variant in its name. A name is that of a built-in file, optionally
followed by one of its variants, with or without `_` between: `vgg16`, `efficientnet_b3`, `densenet121`. Files that a
spec uses are looked up in its folder and among the built-in specs, nowhere else.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from archspec.diagnostics.errors import ArchspecError, Finding, failure
from archspec.diagnostics.findings import did_you_mean, suggest
from archspec.diagnostics.source import MAX_SIZE, Source, Span
from archspec.record import Record

SUFFIX = ".arch"
NOT_FOUND = "E014"
# files that commands read, by suffix: what they are, and what to do with one
KINDS = {
    SUFFIX: ("a spec", "`archspec check {0}` checks it, `archspec train {0}` trains it"),
    ".safetensors": (
        "a weights file",
        "`archspec eval {0}` evaluates it, `archspec export {0} -o net.onnx` exports it",
    ),
    ".onnx": ("an ONNX model", "`archspec run {0} photos/` classifies images with it"),
}
MAX_NAMED = 6  # names that a hint lists
LISTS = "`archspec specs` lists the built-in specs"


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
    with os.scandir(folder()) as files:
        return tuple(sorted([file.name.removesuffix(SUFFIX) for file in files if file.name.endswith(SUFFIX)]))


def locate(spec: str) -> Located:
    """Find a spec and read it. Raises ArchspecError if it is missing, unreadable or not text."""
    if spec == "-":
        return Located("stdin", Source("<stdin>", _decoded("<stdin>", _standard_input())), None)
    need_kind((Path(spec),), SUFFIX)
    if is_path(spec):
        path = Path(spec)
        return Located(path.stem, Source(spec, _read(path, spec)), path.parent)
    return _by_name(spec)


def is_path(spec: str) -> bool:
    """Whether a spec is given by its path; others are names of built-in ones, or `-`."""
    return "/" in spec or os.sep in spec or spec.endswith(SUFFIX)


def need_kind(paths: Iterable[Path], suffix: str, code: str = NOT_FOUND) -> None:
    """Raise ArchspecError for a file that is of another kind by its suffix."""
    for path in paths:
        if path.suffix != suffix and path.suffix in KINDS:
            from archspec.regular_file import is_file  # not needed for the built-in specs

            if is_file(path):
                what, use = KINDS[path.suffix]
                raise failure(code, f"`{path}` is {what}, not {KINDS[suffix][0]}", helps=(use.format(path),))


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
            known = variants(located.source.text)
            if variant in known:
                return located
            if known and spec[len(name)] == "_":
                raise _no_variant(name, variant, known)
    raise _no_spec(spec, names)


def variants(text: str) -> tuple[str, ...]:
    """Return the names of the variants that a spec's text declares, without parsing it."""
    return tuple(re.findall(r"^variant +(\w+)", text, re.MULTILINE))


def _built_in(place: Path, file: str, name: str, variant: str | None) -> Located:
    path = place / f"{file}{SUFFIX}"
    return Located(name, Source(path.name, _decoded(path.name, path.read_bytes())), place, variant)


def _no_variant(name: str, variant: str, known: tuple[str, ...]) -> ArchspecError:
    notes = (f"its variants are {', '.join(known)}",)
    helps = did_you_mean(f"{name}_{variant}", [f"{name}_{one}" for one in known])
    return failure("E116", f"unknown variant `{variant}` of `{name}`", notes=notes, helps=helps)


def _no_spec(spec: str, names: tuple[str, ...]) -> ArchspecError:
    from archspec.regular_file import is_file, is_folder

    if not spec:
        return failure(NOT_FOUND, "the spec has no name", helps=(LISTS,))
    if "\n" in spec.strip():
        return _a_text()
    if is_folder(Path(spec)) and not did_you_mean(spec, names):
        usage = f"give a file in it: `{spec}/NAME{SUFFIX}`"
        return failure(NOT_FOUND, f"`{spec}` is a folder, not a spec", helps=(usage,))
    for path in (Path(spec), Path(spec + SUFFIX)):
        if is_file(path):
            helps = (f"`./{path}` for the file in this folder",)
            return failure(NOT_FOUND, f"unknown built-in spec `{spec}`", helps=helps)
    if Path(spec).suffix:
        return _no_file(Path(spec), spec)
    return failure(NOT_FOUND, f"unknown built-in spec `{spec}`", helps=_near(spec, names) or (LISTS,))


def _a_text() -> ArchspecError:
    helps = ("`archspec.loads(text)` reads a text; so does `archspec check -`, from standard input",)
    return failure(NOT_FOUND, "this is the text of a spec, not its name or path", helps=helps)


def _near(spec: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a hint for a misspelt name of a built-in spec, also with its variant: `ResNet-50`, `resnet5O`, `vgg`."""
    texts = ((name, (folder() / f"{name}{SUFFIX}").read_text(encoding="utf-8")) for name in names)
    known = [*names, *(f"{name}_{variant}" for name, text in texts for variant in variants(text))]
    alike = [name for name in known if _outline(name) == _outline(spec)]
    begun = [name for name in names if name.startswith(spec.lower())]
    if not alike and 1 < len(begun) <= MAX_NAMED:
        *first, last = (f"`{name}`" for name in begun)
        return (f"did you mean {', '.join(first)} or {last}?",)
    return did_you_mean(next(iter(alike), spec), known)


def _outline(name: str) -> str:
    """Return a name without what is easily confused: its case, its separators, O and 0, l and 1."""
    return re.sub(r"[-_ ]", "", name.lower()).translate(str.maketrans("oil", "011"))


def _no_file(path: Path, shown: str) -> ArchspecError:
    """Return the error for a missing file: the file beside it with the nearest name, or a built-in spec of its name."""
    if "://" in shown:
        message = f"{shown} is an address, not a file"
        return failure(NOT_FOUND, message, helps=("download it, and give the name of the file",))
    if "\n" in shown.strip():
        return _a_text()
    near = suggest(path.name, [one.name for one in path.parent.glob(f"*{SUFFIX}")])
    helps = (f"did you mean `{shown[: len(shown) - len(path.name)]}{near}`?",) if near else (LISTS,)
    if path.stem in built_in():
        helps = (f"`{path.stem}` for the built-in spec",)
    return failure(NOT_FOUND, f"no such file: {shown}", helps=helps)


def _read(path: Path, shown: str) -> str:
    from archspec.regular_file import read_regular  # not needed for the built-in specs

    try:
        if path.is_dir():
            raise failure(NOT_FOUND, f"{shown} is a folder, not a file", helps=("name the files in it",))
        data = read_regular(path, MAX_SIZE)
    except FileNotFoundError:
        raise _no_file(path, shown) from None
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
    """Return the text of a file that a spec uses: from its own folder, or else a built-in one, also by a variant.

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
    try:
        return _by_name(name).source  # of a family, such as swin_t
    except ArchspecError:
        near = {path.stem for path in place.glob(f"*{SUFFIX}")} if place else set()
    helps = did_you_mean(name, [*near, *built_in()], Span(span.source, span.start, span.start + len(name)))
    notes = ("`use` looks in the spec's folder, then among the built-in specs",)
    raise Finding(NOT_FOUND, f"no such file: {file}", span, "not found", notes=notes, helps=helps)
