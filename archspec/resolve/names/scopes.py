"""Names that a scope does not have, or has twice: the findings, with what was probably meant.

In: a name, and the names that are known there. Out: findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help, Label, misspelt
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.expressions import FUNCTIONS
from archspec.resolve.layer_names import lower_case_names
from archspec.resolve.names.declared import body_around
from archspec.resolve.names.late import LateFinding
from archspec.resolve.names.lines import block_of
from archspec.resolve.names.parts import argument_names, names_in, statements_in, steps_in
from archspec.resolve.names.renaming import Renaming, bodies_of

_TRUTH = {"true": "1 == 1", "false": "1 == 0"}


def undefined(name: s.Name, numbers: list[str], blocks: list[str], file: s.File | None, is_inner: bool) -> Finding:
    """Return the finding for a name without a value; `is_inner`: it is in a block."""
    key = name.name
    known = [*numbers, *blocks]
    if (finding := _used_before(name, file)) is not None:
        return finding

    def outer() -> list[s.Let]:
        lets = [one for one in (file.body if file else ()) if isinstance(one, s.Let)]
        return [one for one in lets if one.name == key] if is_inner else []

    def owners() -> list[s.BlockDefinition]:
        declared = [node for node in (file.declarations if file else ()) if isinstance(node, s.BlockDefinition)]
        return [node for node in declared if not is_inner and key in [one.name for one in node.parameters]]

    def notes() -> list[str]:
        found = ["names in scope: " + ", ".join(known[:12])] if known else []
        if outer():
            found.append("a block does not see the `let`s outside it")
        if owners():
            found.append(f"it is a parameter of `{owners()[0].name}`, and has a value only inside that block")
        if key in lower_case_names():
            found.append("a layer is no value: pass a block that contains it")
        return found

    def helps() -> tuple[str, ...]:
        if key in _TRUTH:
            text = _TRUTH[key]
            return (Help(f"a condition is a comparison: `{text}`", Edit(name.span, f"({text})")),)
        if lets := outer():
            return (_as_param(lets[0]),)
        if name.span.text != key:  # a line that is read as it was meant: mend it first
            return ()
        found = _times(name, [*known, *"CHWN"]) or misspelt(key, known, name.span)
        if not found and (blocks := owners()):
            likely = ("64", "1") if key in argument_names(blocks[0].body) else ("1",)
            return tuple(Help(f"give it a number: `{number}`", Edit(name.span, number)) for number in likely)
        if not found and len(numbers) == 1:
            return (Help(f"did you mean `{numbers[0]}`?", Edit(name.span, numbers[0])),)
        return found

    return LateFinding("E101", f"undefined name `{key}`", name.span, "unknown", notes=notes, helps=helps)


def _times(name: s.Name, known: list[str]) -> tuple[Help, ...]:
    """`4xC` as `4*C`."""
    before = name.span.source.text[: name.span.start]
    if not before[-1:].isdigit() or name.name[0] not in "xX" or name.name[1:] not in known:
        return ()
    return (Help(f"`*` multiplies: `*{name.name[1:]}`", Edit(name.span, f"*{name.name[1:]}"), is_safe=True),)


def _used_before(name: s.Name, file: s.File | None) -> Finding | None:
    """Return the finding for a name whose `let` is below, in the same lines."""
    if f"let {name.name}" not in name.span.source.text:  # far faster than to look at the syntax
        return None
    body = body_around(name.span, file)
    later = [one for one in body if one.span.start > name.span.end]
    let = next((one for one in later if isinstance(one, s.Let) and one.name == name.name), None)
    if let is None:
        return None
    user = next(one for one in reversed(body) if one.span.start <= name.span.start)

    def helps() -> tuple[Help, ...]:
        between = {one.name for one in body if isinstance(one, s.Let) and user.span.start <= one.span.start}
        if between & {one.name for one in names_in([let.value])}:
            return ()
        lines, source = block_of(let.span), name.span.source
        start = source.starts[user.span.line - 1]
        moved = Edit(Span(source, start, start), lines.text.rstrip("\n") + "\n")
        return (Help(f"move line {let.span.line} above this one", Edit(lines, ""), moved),)

    others = (Label(let.span, "defined here"),)
    message = f"`{name.name}` is used before its `let`"
    return Finding("E108", message, name.span, "undefined here", others=others, helps=helps)


def _as_param(let: s.Let) -> Help:
    source = let.span.source
    start = source.text.rfind("let", source.starts[let.span.line - 1], let.span.start)
    word = Span(source, start, start + 3) if start >= 0 else Span(source, let.span.start, let.span.start)
    edit = Edit(word, "param" if start >= 0 else "param ")
    return Help(f"a parameter is visible in the whole file: `param {let.span.text}`", edit)


def no_result(name: str, span: Span, labels: Iterable[str], is_number: bool, file: s.File | None) -> Finding:
    """Return the finding for a label that no line above has."""

    def places() -> tuple[list[int], s.Body, list[s.Body]]:
        """Return the lines below that have the label, the lines around, and the bodies elsewhere that have it."""
        here = body_around(span, file)
        if f"{name}:" not in span.source.text:  # nor does a long text need to be searched line by line
            return [], here, []
        later = [one.span.line for one in statements_in(here) if isinstance(one, s.Chain) and one.label == name]
        others = [one for one in (bodies_of(file) if file else []) if one is not here and name in _labels(one)]
        return later, here, others

    def known() -> list[str]:
        return [label for label in labels if label]

    def helps() -> tuple[str, ...]:
        before = span.source.line(span.line)[: span.source.position(span.start)[1] - 1]
        if (is_number or name in FUNCTIONS) and before.rfind("(") > before.rfind(")"):
            return (Help(f"a number is written without `@`: `{name}`", Edit(span, name)),)
        later, here, elsewhere = places()
        if elsewhere and file and (found := _passed(name, here, elsewhere[0], file)):
            return found
        if call := _call_of(name, here, span):
            return (Help(f"name the call: `{name}: {call.text}`", Edit(_begin(call), f"{name}: ")),)
        found = misspelt(f"@{name}", [f"@{label}" for label in known()], span) or _of_an_input(name, span)
        if not found and before.strip() == "|" and not later:
            return (Help("the input of the merge is `x`", Edit(span, "x")),)
        return found or (() if later or elsewhere else ("put the name and a colon before the line that it names",))

    def notes() -> list[str]:
        later, _, elsewhere = places()
        above = known()[:12]
        found = ["the labels above are " + ", ".join(above)] if above else []
        found += [f"it is defined on line {later[0]}, below"] if later else []
        found += ["a label is known only in its block, or outside all blocks"] if elsewhere else []
        return [*found, f"`{name}` is a number"] if is_number else found

    return LateFinding("E101", f"unknown result `@{name}`", span, "unknown", notes=notes, helps=helps)


def _of_an_input(name: str, span: Span) -> tuple[Help, ...]:
    """Label the input that has none, if others have one."""
    text = span.source.text
    bare, others = re.search(r"^ *(?:\[[^\]]*\] *)?(?=INPUT\b)", text, re.MULTILINE), re.search(r": INPUT\b", text)
    if not bare or not others:
        return ()
    return (Help(f"name an input: `{name}: INPUT`", Edit(Span(span.source, bare.end(), bare.end()), f"{name}: ")),)


def _labels(body: s.Body) -> set[str]:
    return {one.label for one in statements_in(body) if isinstance(one, s.Chain) and one.label}


def _passed(name: str, here: s.Body, where: s.Body, file: s.File) -> tuple[Help, ...]:
    """Pass a result from outside into a block; or name the result of a block's call, if the block ends with it."""
    blocks = [node for node in file.declarations if isinstance(node, s.BlockDefinition)]
    inner = next((node for node in blocks if node.body is here), None)
    if inner is not None and where is file.body:
        inside = {step.name for node in blocks for step in steps_in(node.body) if isinstance(step, s.CallStep)}
        calls = [step.span for step in steps_in(file.body) if isinstance(step, s.CallStep) and step.name == inner.name]
        if inner.name in inside or not all(span.text.endswith(")") for span in [inner.span, *calls]):
            return ()
        edits = [_argument(span, f"@{name}") for span in [inner.span, *calls]]
        return (Help(f"pass it to the block: `{inner.name}(..., @{name})`", *edits),)
    owner = next((node for node in blocks if node.body is where), None)
    if owner is None or getattr(where[-1], "label", None) != name:
        return ()
    lines = [one for one in here if isinstance(one, s.Chain) and not one.label and _is_call(one.steps[-1], owner.name)]
    if not lines or len(lines[-1].steps) > 1:
        return ()
    start = lines[-1].steps[0].span
    return (Help(f"name the result of the call: `{name}: {start.text}`", Edit(_begin(start), f"{name}: ")),)


def _call_of(name: str, here: s.Body, span: Span) -> Span | None:
    """Return the only line above that is a call of the block with this name, without a label."""
    lines = [one for one in here if isinstance(one, s.Chain) and one.span.line < span.line and not one.label]
    calls = [one.steps[0].span for one in lines if len(one.steps) == 1 and _is_call(one.steps[0], name)]
    return calls[0] if len(calls) == 1 else None


def _is_call(step: s.Step | s.Bracket, name: str) -> bool:
    return isinstance(step, s.CallStep) and step.name == name


def _begin(span: Span) -> Span:
    return Span(span.source, span.start, span.start)


def _argument(call: Span, text: str) -> Edit:
    """Return the edit that adds an argument to a call, or a parameter to a definition."""
    is_empty = call.text.rstrip(")").endswith("(")
    return Edit(Span(call.source, call.end - 1, call.end - 1), text if is_empty else f", {text}")


def misplaced_list(name: str, span: Span) -> Finding:
    """Return the finding for a list where one volume is needed."""
    notes = ("a list begins a branch of a merge, `| @more`, or is given to another list",)
    return Finding("E108", f"`@{name}` is a list of volumes, not one volume", span, "a list", notes=notes)


def twice(name: str, span: Span, first: Span, noun: str, file: s.File | None) -> Finding:
    """Return the finding for a label or a `let` with a name that is taken."""
    if span == first:  # in a branch that stands for several
        notes = ("a branch that begins with a list stands for one for each of its volumes",)
        return Finding("E109", f"the label `{name}` would name several results", span, "each of them", notes=notes)
    helps = lambda: _renamed(name, span, noun, file)  # noqa: E731
    others = (Label(first, "the first"),)
    return Finding("E109", f"the {noun} `{name}` is given twice", span, "the second", others=others, helps=helps)


def _renamed(name: str, span: Span, noun: str, file: s.File | None) -> tuple[Help, ...]:
    """Give the second another name, also in the lines below it."""
    source = span.source
    stem = name.rstrip("0123456789")
    number = next(n for n in range(2, 10_000) if not re.search(rf"\b{stem}{n}\b", source.text, re.IGNORECASE))
    renaming = Renaming(name, f"{stem}{number}", source)
    if noun == "label":
        start = source.starts[span.line - 1]
        found = re.search(rf"\b{name}(?=:)", source.line(span.line), re.IGNORECASE)
        if found is None:
            return ()
        at = Span(source, start + found.start(), start + found.end())
        new = renaming.new.upper() if found.group().isupper() else renaming.new
        helps = (Help(f"call it `{new}`", Edit(at, new)),)
        is_copy = span.line > 1 and source.line(span.line) == source.line(span.line - 1)
        return (*helps, Help("drop the line", Edit(block_of(span), ""))) if is_copy else helps
    at = Span(source, span.start, span.start + len(name))
    later = [edit for edit in renaming.in_body(body_around(span, file)) if edit.at.start > span.end]
    return (Help(f"call it `{renaming.new}` from here on", Edit(at, renaming.new), *later),)
