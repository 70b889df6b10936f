"""Declarations that are wrong: the findings, with edits of the declaration and of whatever refers to it.

In: a declaration, and the syntax of its file. Out: findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, Edit, Help, Label, misspelt
from archspec.diagnostics.source import Span
from archspec.diagnostics.spelling import is_slip, nearest, related
from archspec.language import syntax as s
from archspec.resolve.names.lines import block_of, dropped
from archspec.resolve.names.renaming import Renaming, bodies_of, free_name, meaning

LONGEST = 40_000  # characters of a text in which a name is changed everywhere
_FOLLOWING = {"E001", "E101", "E103", "E105", "E106"}  # what the use of a reserved name leads to
_NOUNS = {
    s.Net: "the title",
    s.Cites: "the citation",
    s.License: "the licence",
    s.Published: "`published`",
    s.Train: "`train`",
    s.Param: "the parameter",
    s.Variant: "the variant",
    s.BlockDefinition: "the block",
}


def undefined(name: s.Name, known: Iterable[str], file: s.File | None) -> Finding:
    """Return the finding for a name in a parameter's value that is not defined above it."""
    below = [node for node in (file.declarations if file else ()) if isinstance(node, s.Param | s.BlockDefinition)]
    later = [node for node in below if node.name == name.name]

    def helps() -> tuple[str, ...]:
        if not later:
            return misspelt(name.name, known, name.span)
        lines = block_of(later[0].span)
        start = name.span.source.starts[name.span.line - 1]
        moved = Edit(Span(name.span.source, start, start), lines.text.rstrip("\n") + "\n")
        return (Help(f"move line {lines.line} above this one", Edit(lines, ""), moved),)

    notes = ("a parameter knows those above it",) if later else ()
    return Finding("E101", f"undefined name `{name.name}`", name.span, "unknown", notes=notes, helps=helps)


# ---- names given twice
def declared_twice(node: s.Declaration, name: str, first: Span) -> Finding:
    """Return the finding for a declaration with the name of another one."""
    noun = _NOUNS[type(node)]
    message = f"{noun} `{name}` is given twice" if name else f"{noun} is given twice"
    if isinstance(node, s.Published) and name:
        message = f"`published {name}` is given twice"
    if first.source.text[: first.start].rsplit("\n", 1)[-1].startswith("use "):
        message = f"the block `{name}` is defined here and imported by `use`"
        helps = [Help("drop the import", _without_used(first)), Help("drop the definition", dropped(node.span))]
        return Finding("E109", message, node.span, "defined", others=(Label(first, "imported"),), helps=helps)
    helps = [Help("drop the second", dropped(node.span)), Help("drop the first", dropped(first))]
    return Finding("E109", message, node.span, "the second", others=(Label(first, "the first"),), helps=helps)


def used_twice(name: s.Name, first: Span) -> Finding:
    """Return the finding for a block that is imported twice."""
    helps = [Help("drop the second", _without_used(name.span)), Help("drop the first", _without_used(first))]
    message = f"the block `{name.name}` is imported twice"
    return Finding("E109", message, name.span, "the second", others=(Label(first, "the first"),), helps=helps)


def _without_used(span: Span) -> Edit:
    """Return the edit that drops a name from its `use` line, and the line if it is the only one."""
    source = span.source
    start = source.starts[span.line - 1]
    line = source.line(span.line)
    names = line[line.index(":") + 1 :].split("#")[0]
    if "," not in names:
        return dropped(Span(source, start + len(line) - len(line.lstrip()), span.end))
    text, at = source.text, span.end
    while text[at] == " ":
        at += 1
    if text[at] == ",":
        return Edit(Span(source, span.start, at + 1 + (text[at + 1 : at + 2] == " ")), "")
    return Edit(Span(source, text.rindex(",", 0, span.start), span.end), "")


def parameter_twice(parameter: s.Parameter, node: s.BlockDefinition, first: Span) -> Finding:
    """Return the finding for two parameters of one name."""
    names = [one.span.text for one in node.parameters if one is not parameter]
    text = f"{node.name}({', '.join(names)})"
    others = (Label(first, "the first"),)
    message = f"the parameter `{parameter.name}` is given twice"
    helps = (Help(f"`{text}`", Edit(node.span, text)),)
    return Finding("E109", message, parameter.span, "the second", others=others, helps=helps)


def misplaced_parameter(parameter: s.Parameter, node: s.BlockDefinition) -> Finding:
    """Return the finding for a list that is not the last parameter, and for a parameter with a dot."""
    if "." in parameter.name:
        name = parameter.name.split(".")[-1]
        notes = (f"give the block a volume: `@{name}`; a default may have one, `@{name}=@{parameter.name}`",)
        message = f"`@{parameter.name}` cannot be a parameter: a dot names a result inside a call"
        return Finding("E105", message, parameter.span, "a dot", notes=notes)
    kept = [one.span.text for one in node.parameters if one is not parameter]
    text = f"{node.name}({', '.join([*kept, parameter.text])})"
    helps = (
        ()
        if any(one.is_list for one in node.parameters if one is not parameter)
        else (Help(f"`{text}`", Edit(node.span, text)),)
    )
    message = f"`{parameter.text}` takes all further volumes, so it must be the last parameter"
    return Finding("E104", message, parameter.span, "not the last", helps=helps)


def rule_twice(node: s.After | s.Init, word: s.Word, first: s.After | s.Init) -> Finding:
    """Return the finding for a layer with two `after` or `init` rules."""
    others = (Label(first.span, "the first"),)
    if len(node.words) > 1:
        end = word.span.end + (word.span.source.text[word.span.end] == " ")
        helps = [Help(f"drop `{word.text}` here", Edit(Span(word.span.source, word.span.start, end), ""))]
    else:
        helps = [Help("drop the second", dropped(node.span))]
        if len(first.words) == 1:
            helps.append(Help("drop the first", dropped(first.span)))
    rule = type(node).__name__.lower()
    return Finding("E109", f"`{rule} {word.text}` is given twice", word.span, "the second", others=others, helps=helps)


# ---- what `use` imports
def no_used_block(node: s.Use, name: s.Name, blocks: Iterable[str]) -> Finding:
    """Return the finding for a block that the other file does not have."""
    known = list(blocks)
    notes = ("its blocks are " + ", ".join(known) if known else "it has no blocks",)

    def helps() -> tuple[str, ...]:
        near = nearest(name.name, known) or related(name.name, known)
        if near is None:
            return ()
        edits = Renaming(name.name, near, node.span.source).of_block(name.span)
        return (Help(f"did you mean `{near}`?", *edits, is_safe=is_slip(name.name, near)),)

    return Finding("E101", f"`{node.file}` has no block `{name.name}`", name.span, "unknown", notes=notes, helps=helps)


def used_by_itself(node: s.Use) -> Finding:
    """Return the finding for a file that uses itself."""
    helps = (Help("drop the line", dropped(node.span)),)
    return Finding("E115", f"`{node.file}` is this file", node.span, "uses itself", helps=helps)


def no_recipe(node: s.Use, name: s.Name, before: s.Train | None) -> Finding:
    """Return the finding for a recipe that the other file does not have, or that is the second."""
    helps = (Help("drop it", _without_used(name.span)),)
    if before is not None:
        return Finding("E109", "`train` is used from two files", name.span, "the second", helps=helps)
    return Finding("E101", f"`{node.file}` has no `train` section", name.span, "not found", helps=helps)


# ---- names that have a meaning
def reserved(name: str, span: Span, file: s.File | None) -> Finding:
    """Return the finding for a parameter of the file, or a block, with a reserved name."""
    at = Span(span.source, span.start, span.start + len(name))
    return _reserved(name, at, lambda renaming: renaming.in_file(file) if file else [])


def reserved_parameter(parameter: s.Parameter, node: s.BlockDefinition, file: s.File | None) -> Finding:
    """Return the finding for a parameter of a block with a reserved name."""
    start = parameter.span.start + parameter.is_volume
    at = Span(parameter.span.source, start, start + len(parameter.name))

    def edits(renaming: Renaming) -> list[Edit]:
        return [*renaming.in_body(node.body), *(renaming.of_arguments(node.name, file) if file else [])]

    return _reserved(parameter.name, at, edits)


def reserved_let(name: str, span: Span, file: s.File | None) -> Finding:
    """Return the finding for a `let` with a reserved name."""
    at = Span(span.source, span.start, span.start + len(name))
    return _reserved(name, at, lambda renaming: renaming.in_body(body_around(span, file)))


def reserved_label(name: str, span: Span) -> Finding:
    """Return the finding for a line that is called `before`, or by a keyword."""
    source = span.source
    message = f"`{name}` cannot be a label: it is {meaning(name)[0]}"
    found = re.search(rf"\b{name}(?=:)", source.line(span.line))
    if found is None:
        return Finding("E118", message, span)
    start = source.starts[span.line - 1] + found.start()
    at = Span(source, start, start + len(name))
    new = free_name(meaning(name)[1], source)
    helps = [Help("`aux 0.3:`", Edit(at, "aux 0.3"))] if name == "aux" else []
    helps.append(Help(f"call it `{new}`", Edit(at, new)))
    return Finding("E118", message, at, "reserved", helps=helps)


def body_around(span: Span, file: s.File | None) -> s.Body:
    """Return the lines of the block around a place, or those of the network."""
    bodies = bodies_of(file) if file else []
    before = [body for body in bodies if body and body[0].span.start <= span.start]
    return max(before, key=lambda body: body[0].span.start, default=())


def _reserved(name: str, span: Span, edits: object) -> Finding:
    what, new = meaning(name)

    def helps() -> tuple[Help, ...]:
        if len(span.source.text) > LONGEST:
            return ()
        renaming = Renaming(name, free_name(new, span.source), span.source)
        found = {Edit(span, renaming.new), *edits(renaming), *renaming.of_entries()}  # type: ignore[operator]
        return (Help(f"call it `{renaming.new}`", *sorted(found, key=lambda edit: edit.at.start)),)

    return Finding("E118", f"`{name}` cannot be a name: it is {what}", span, "reserved", helps=helps)


def without_consequences(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return findings without those on lines that use a reserved name: they have the same cause."""
    found = list(findings)
    names = {finding.labels[0].span.text for finding in found if finding.code == "E118"}
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b")
    return [one for one in found if one.code not in _FOLLOWING or not one.span or not pattern.search(_line(one.span))]


def _line(span: Span) -> str:
    return span.source.line(span.line)
