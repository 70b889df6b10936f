"""Errors that come from the command line's changes, not from the spec.

In: the findings of a spec with the changes and as written, and its input as written. Out: findings that name the flag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from archspec.diagnostics.errors import ArchspecError, Finding, failure
from archspec.diagnostics.findings import Diagnostic, did_you_mean
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.record import replace
from archspec.resolve.changes.class_count import BAD_CHANGE, misfit
from archspec.resolve.declarations import DeclarationReader, FileNames, Overrides

CLAIMS = ("E301", "E302", "E303")
Run: TypeAlias = Callable[[Overrides], Iterable[Diagnostic]]
AXES = {1: "features", 2: "vectors x channels", 3: "height x width x channels"}
MOST_COLOURS = 4  # channels of an image: a map with so few has them last


def need_inputs(changes: Overrides, own: Mapping[str, Volume | None]) -> None:
    """Raise ArchspecError if `--input` names no input, or has its channels first; `own` are the inputs as written."""
    if changes.input and len(own) > 1:
        text = _sizes(changes.input)
        helps = tuple(f"`--input {name}={text}`" for name in own)
        message = f"`--input {text}`: the spec has {len(own)} inputs"
        raise failure(BAD_CHANGE, message, notes=(f"they are {', '.join(own)}",), helps=helps)
    for name, sizes in changes.inputs:
        if own and name not in own:
            notes = (f"the inputs are {', '.join(own)}" if len(own) > 1 else f"the input is `{next(iter(own))}`",)
            helps = did_you_mean(name, own) or tuple(f"`--input {one}={_sizes(sizes)}`" for one in own)
            raise failure(
                BAD_CHANGE, f"`--input {name}={_sizes(sizes)}`: unknown input `{name}`", notes=notes, helps=helps
            )
    for name, sizes in _given(changes, own):
        volume = own.get(name)
        if volume is not None:
            _need_channels_last(sizes, volume, f"{name}=" if changes.inputs else "")


def _given(changes: Overrides, own: Iterable[str]) -> list[tuple[str, tuple[int, ...]]]:
    """Return the inputs that `--input` changes, by name."""
    plain = [(name, changes.input) for name in own if changes.input]
    return [*plain, *changes.inputs]


def _need_channels_last(given: tuple[int, ...], own: Volume, name: str) -> None:
    if len(given) != 3 or not own.is_map or own.channels > MOST_COLOURS:
        return
    first, *others = given
    if first == own.channels and first != own[0] and others[1] > MOST_COLOURS:
        raise failure(
            BAD_CHANGE,
            f"`--input {name}{_sizes(given)}` has its channels first",
            notes=(f"an input is {AXES[3]}",),
            helps=(f"`--input {name}{_sizes((*others, first))}`",),
        )


def read(reader: DeclarationReader, file: s.File, changes: Overrides) -> FileNames:
    """Return the names that a file declares; a finding without a place is a wrong value of `--set`.

    Raises ArchspecError for an unknown variant.
    """
    try:
        names = reader.read(file)
    except Finding as finding:
        message = f"`--variant {changes.variant}`: unknown variant"
        raise failure(finding.code, message, notes=finding.notes, helps=finding.helps) from None
    reader.findings = [one if one.labels else _of_setting(one, changes) for one in reader.findings]
    return names


def _of_setting(finding: Diagnostic, changes: Overrides) -> Diagnostic:
    for name, value in changes.values:
        if f"`{name}" in finding.message:
            message = finding.message.removeprefix(f"`{name}={value}`: ").removeprefix(f"`{name}`: ")
            return replace(finding, code=BAD_CHANGE, message=f"`--set {name}={value}`: {message}")
    return finding


def blamed(
    found: Sequence[Diagnostic], run: Run, changes: Overrides, own: Mapping[str, Volume | None]
) -> list[Diagnostic]:
    """Return the findings; those that the spec as written does not have say which flags they come from.

    `run` returns the findings of the spec with other changes. Raises ArchspecError if `--input` names no input, has its
    channels first, or has another number of dimensions than the input as written.
    """
    need_inputs(changes, own)
    if not found:  # only claims that the changes suspend
        return []
    known = {_key(finding) for finding in run(Overrides())}
    without = {_key(finding) for finding in run(replace(changes, classes=None))} if changes.classes else known
    flags = _flags(changes)
    alone = {flag: {_key(finding) for finding in run(one)} for flag, one in flags.items()} if len(flags) > 1 else {}
    told = []
    for finding in found:
        key = _key(finding)
        if finding.severity != "error" or key in known:
            told.append(finding)
            continue
        _need_dimensions(changes, own)
        culprits = [flag for flag, keys in alone.items() if key in keys] or [*flags]
        if changes.classes and key not in without:
            if finding.code not in CLAIMS:
                raise misfit(finding, changes.classes)
            culprits = [f"`--classes {changes.classes}`"]
        note = f"caused by {' and '.join(culprits)}; as written, the spec has no such error"
        told.append(replace(finding, notes=(*finding.notes, note)))
    return told


def _need_dimensions(changes: Overrides, own: Mapping[str, Volume | None]) -> None:
    for name, sizes in _given(changes, own):
        volume = own.get(name)
        if volume is not None and len(sizes) != len(volume):
            raise _other_shape(sizes, volume, f"{name}=" if changes.inputs else "")


def _other_shape(given: tuple[int, ...], own: Volume, name: str) -> ArchspecError:
    fitting = (*given, own.channels) if len(given) == len(own) - 1 else tuple(own)
    if own.is_map and len(given) == 1:
        fitting = (*given, *given, own.channels)
    message = f"`--input {name}{_sizes(given)}` does not fit: the spec's input is {own}, {AXES[len(own)]}"
    return failure(BAD_CHANGE, message, helps=(f"`--input {name}{_sizes(fitting)}`",))


def _key(finding: Diagnostic) -> tuple[object, ...]:
    return (finding.code, finding.span and (finding.span.source.name, finding.span.start))


def _flags(changes: Overrides) -> dict[str, Overrides]:
    """Return each flag as it is typed, with the change that it alone makes."""
    flags = {f"`--input {_sizes(changes.input)}`": Overrides(input=changes.input)} if changes.input else {}
    for one in changes.inputs:
        flags[f"`--input {one[0]}={_sizes(one[1])}`"] = Overrides(inputs=(one,))
    if changes.classes:
        flags[f"`--classes {changes.classes}`"] = Overrides(classes=changes.classes)
    if changes.variant:
        flags[f"`--variant {changes.variant}`"] = Overrides(variant=changes.variant)
    for name, value in changes.values:
        flags[f"`--set {name}={value}`"] = Overrides(values=((name, value),))
    return flags


def _sizes(volume: Iterable[int]) -> str:
    return "x".join(map(str, volume))
