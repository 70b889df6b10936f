"""References that cannot be followed: the findings, with what was probably meant.

In: a reference, and what is known where it stands. Out: findings.
"""

from __future__ import annotations

from itertools import islice

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help, suggest
from archspec.language import syntax as s
from archspec.resolve.graph_builder import Results
from archspec.resolve.scope import Scope

Written = s.Reference | s.ReferenceStep
MOST = 12  # labels that a message lists


def no_step_before(reference: Written, scope: Scope) -> Finding:
    """Return the finding for an `@before` at the first step of a chain."""
    labels = list(scope.volumes)
    helps = [Help(f"`@{labels[-1]}`", Edit(reference.span, f"@{labels[-1]}"))] if labels else []
    notes = ("it is the input of the previous step, and this is the first step",)
    return Finding("E108", "`@before` is undefined here", reference.span, notes=notes, helps=helps)


def bare_last(reference: Written) -> Finding:
    """Return the finding for `@last` without a label."""
    notes = ("`@last.name` is a result of the last call above, and the call itself is the line above",)
    return Finding("E101", "unknown result `@last`", reference.span, "no label", notes=notes)


def reserved(reference: Written) -> Finding:
    """Return the finding for `@before.label`, and for `@last.label` beside a line that is labelled `last`."""
    name, path = reference.name.split(".", 1)
    if name == "last":
        notes = (f"`@last.{path}` is a result of the call just before: give the line another label",)
        return Finding("E118", "`last` cannot label what is used with a dot", reference.span, "a label", notes=notes)
    text = f"@last.{path}"
    helps = (Help(f"`{text}` is a result of the call just before", Edit(reference.span, text)),)
    notes = ("`@before` is the input of the previous step, a volume without labels",)
    return Finding("E101", f"`before` has no result `{path}`", reference.span, "unknown", notes=notes, helps=helps)


def no_call(reference: Written, scope: Scope) -> Finding:
    """Return the finding for a dot after what is not a call."""
    name, path = reference.name.split(".", 1)
    if name == "last":
        notes = ("it is a result of the last call above in the same lines, and there is none",)
        return Finding("E108", f"`@{reference.name}` is undefined here", reference.span, notes=notes)
    given = scope.given.get(name)
    if given is not None and isinstance(given.value, s.Reference):
        notes = (f"`@{name}` is a parameter, a single volume: give the block `@{given.value.name}.{path}` as well",)
    else:
        notes = ("only the label of a call has the labels in its block",)
    return Finding("E101", f"`{name}` has no result `{path}`", reference.span, "not a call", notes=notes)


def no_inner(reference: Written, results: Results, path: str, label: str) -> Finding:
    """Return the finding for a label that a call does not have, or that is not the label of a call."""
    known = results.volumes
    listed = [*islice(known, MOST), *["..."] * (len(known) > MOST)]
    text = f"its labels are {', '.join(listed)}" if known else "no line in it has a label"
    if label in known:
        text = f"its `{label}` is not a call"
    shown = f"the call before, `{results.call}`," if path == "last" else f"`{path}`"
    rest = reference.name[len(path) + 1 :]

    def helps() -> list[Help]:
        near = None if label in known else suggest(label, known)
        meant = f"@{path}.{near}{rest.removeprefix(label)}"
        return [Help(f"did you mean `{meant}`?", Edit(reference.span, meant))] if near is not None else []

    return Finding("E101", f"{shown} has no result `{rest}`: {text}", reference.span, "unknown", helps=helps)
