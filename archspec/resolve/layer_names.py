"""Which layer a step names: `CONV`, `CONV1:`, `CONV3-64`, `MAX POOL1:`, `POOL2`.

In: the words of a step. Out: the layer's class, the label that a numbered name implies, the fields that a shorthand
sets. Layer names are data: an unregistered name is an error with a suggestion.
"""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

from archspec.diagnostics.errors import ArchspecError, Finding
from archspec.diagnostics.source import Source
from archspec.language import syntax as s
from archspec.language.parse import parse
from archspec.language.transform import missing_arrow
from archspec.layers import REGISTRY, Layer
from archspec.record import Record
from archspec.resolve.argument_binding import ArgumentBinder

_NUMBERED = re.compile(r"(?P<name>[A-Za-z_0-9]*?[A-Za-z_])(?P<number>\d+)?(?:-(?P<dash>\d+))?$")
# what has a meaning already, besides the flags of layers: the input of a block, its dimensions, short forms, keywords
KEYWORDS = frozenset("net use param variant block let if else after aux train and or not".split())  # noqa: SIM905
_RESERVED = re.compile("|".join(["x", "[CHWN]", "[spgd][0-9]+", *KEYWORDS]))


class NamedLayer(Record):
    """The layer, label and fields that the words of a step define."""

    layer: type[Layer]
    label: str | None
    fields: dict[str, Any]


def lower_case_names() -> dict[str, str]:
    """Return the layers by their names in lower case, here and in other tools."""
    names = {}
    for layer in REGISTRY.values():
        names.update(dict.fromkeys(layer.known_as, layer.keyword))
    names.update({name.lower(): name for name in REGISTRY if " " not in name})
    return names


def is_reserved(name: str) -> bool:
    """Whether a name has a meaning already, so that no parameter and no `let` can have it."""
    flags = (layer for layer in REGISTRY.values() if name in layer.words and name not in layer.free_words)
    return _RESERVED.fullmatch(name) is not None or any(flags)


def name_layer(step: s.LayerStep) -> NamedLayer:
    """Find the layer that a step names. Raises Finding if there is none."""
    words = step.words
    text = words[0].text
    if len(words) > 1:
        text = " ".join(word.text for word in words)
        if len(words) > 2 or _split(text)[0] not in REGISTRY:
            raise _not_one_layer(words)
    if text in REGISTRY:
        return NamedLayer(REGISTRY[text], None, {})
    name, number, dash = _split(text)
    layer = REGISTRY.get(name)
    if layer is None:
        raise _findings().unknown_layer(step, name, lower_case_names)
    if dash is None and step.arguments:  # CONV1: 96 11x11
        return NamedLayer(layer, f"{words[-1].text.lower()}", {})
    fields = layer.shorthand(number or 0, dash) if dash is not None or number is not None else None
    if fields is not None:
        return NamedLayer(layer, None, fields)
    if dash is not None:
        raise _findings().no_dash(words[-1], name)
    return NamedLayer(layer, words[-1].text.lower(), {})


def has_a_role(step: s.Step | None) -> bool:
    """Whether a step is a normalisation or an activation."""
    if not isinstance(step, s.LayerStep):
        return False
    try:
        return name_layer(step).layer.role != ""
    except Finding:
        return False


def _split(text: str) -> tuple[str, int | None, int | None]:
    found = _NUMBERED.fullmatch(text.rsplit(" ", 1)[-1])
    if found is None:
        return text, None, None
    prefix = text.rsplit(" ", 1)[0] + " " if " " in text else ""
    number, dash = found["number"], found["dash"]
    for digits in (number, dash):
        if digits and len(digits) > 9:
            return text, None, None
    return prefix + found["name"], int(number) if number else None, int(dash) if dash else None


def _not_one_layer(words: tuple[s.Word, ...]) -> Finding:
    names = [_split(word.text)[0] for word in words]
    if re.fullmatch(r"[A-Za-z]\w*x[A-Za-z]\w*", words[1].text):
        from archspec.resolve.helps.slips import glued  # only wrong specs need it

        return glued.size(words[1].span)
    if names[0] in REGISTRY or names[0] not in {alias.split()[0] for alias in REGISTRY if " " in alias}:
        return missing_arrow(words[0].span, words[1])
    finding: Finding = _findings().not_one_layer(words, " ".join(names))
    return finding


def _findings() -> ModuleType:
    """Return the module of the findings, which a correct spec does not need."""
    from archspec.resolve.names import layers

    return layers


def labels_in(body: s.Body) -> frozenset[str]:
    """Return the labels in the lines of a body, including branches and every arm of an `if`."""
    found: set[str] = set()
    waiting = list(body)
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, s.If):
            waiting += [inner for arm in statement.arms for inner in arm.body]
        elif isinstance(statement, s.Aux):
            waiting.append(statement.chain)
        elif isinstance(statement, s.Chain):
            if statement.label:
                found.add(statement.label)
            for step in statement.steps:
                if isinstance(step, s.LayerStep):
                    found.add(_label(step))
                elif isinstance(step, s.MergeStep):
                    waiting += [inner for branch in step.branches for inner in branch]
    return frozenset(found)


def _label(step: s.LayerStep) -> str:
    """Return the label that a numbered name implies: conv1 for `CONV1: 96 11x11`, none for `POOL2`."""
    if not step.words[-1].text[-1].isdigit():
        return ""
    try:
        return name_layer(step).label or ""
    except Finding:
        return ""


def layer_from_text(text: str) -> Layer:
    """Return the layer that a step describes, without a network around it: `CONV 8 3x3 same`.

    Raises ArchspecError if the text is not a layer step.
    """
    file, findings = parse(Source("<layer>", text), lower_case_names())
    if findings:
        raise ArchspecError(findings)
    (chain,) = file.body
    assert isinstance(chain, s.Chain)
    (step,) = chain.steps
    assert isinstance(step, s.LayerStep)
    named = name_layer(step)
    return ArgumentBinder(named.layer, step, _no_names, named.fields).bind()


def _no_names(name: s.Name) -> Any:
    raise Finding("E101", f"undefined name `{name.name}`", name.span, "unknown")
