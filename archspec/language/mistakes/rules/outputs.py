"""`output` lines in another form: without a label, with the label elsewhere, in capitals.

In: a line that the grammar rejects. Out: the finding that writes it as the notation does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.language.free_labels import free_label

_WORD = r"(?:output|out)s?"
_LABEL = r"(?P<label>[a-z_]\w*)"
_STEP = r"(?=[A-Z]{2}|@[a-z_]|x\b|\d+ x |add\b|concat\b|mul\b|[a-z_]\w*\()"
_FORMS = tuple(
    re.compile(rf"(?P<bracket>(?:\[[^\]]*\] *)?)(?P<head>{form})(?P<rest>.*)$")
    for form in (
        rf"(?i:{_WORD}) +{_LABEL}(?: *[:=] *| +){_STEP}",  # output p3 = CONV 256, Output p3: CONV 256
        rf"{_LABEL}:? +(?i:{_WORD}):? +{_STEP}",  # p3: output CONV 256
        rf"(?i:{_WORD})(?: *[:=] *| +)@?{_LABEL}(?P<more>(?:(?:, *| +)@?[a-z_]\w*)*)$",  # output p3 p4
        rf"(?i:{_WORD})(?: +|: *){_STEP}",  # output CONV 256
    )
)
_NEAR = re.compile(rf"(?P<bracket>(?:\[[^\]]*\] *)?)(?P<word>[A-Za-z]{{4,8}}) +{_LABEL}: *{_STEP}(?P<rest>.*)$")
_LOSS = re.compile(r"^ +loss +(.*)$", re.MULTILINE)
_BLOCK = re.compile(r"^block .*$", re.MULTILINE)
_KEYWORDS = re.compile(r"(?:add|concat|mul|x)\b")


def meant(line: Span) -> Finding | None:
    """Return the finding for a line that begins with `output`, or with a label and `output`."""
    text = line.text
    if returned := re.match(rf"return +{_LABEL}(?P<more>(?:, *@?[a-z_]\w*)+)$", text):
        return _labelled(line, returned.groupdict() | {"bracket": ""}, returned["label"])
    if late := re.match(r"(output) +(\[[^\]]*\]) *(.*)$", text):
        new = f"{late[2]} {late[1]} {late[3]}"
        helps = (Help(f"`{new}`", Edit(line, new), is_safe=True),)
        at = Span(line.source, line.start + late.start(2), line.start + late.end(2))
        return Finding("E001", "a bracket stands before `output`", at, "not expected", helps=helps)
    near = _NEAR.match(text)
    if near and get_close_matches(near["word"].lower(), ["output"], cutoff=0.7):
        return _labelled(line, near.groupdict(), near["label"])
    if not re.match(rf"(?:\[[^\]]*\] *)?(?:[a-z_]\w*:? +)?(?i:{_WORD})\b", text):
        return None
    for form in _FORMS:
        parts = match.groupdict() if (match := form.match(text)) else {}
        label = parts.get("label") or ""
        if parts and not _KEYWORDS.match(label):
            return _labelled(line, parts, label) if label else _unlabelled(line, parts)
    return None


def _labelled(line: Span, parts: Mapping[str, str | None], label: str) -> Finding:
    """Write the label after `output`, or mark several labels each on a line."""
    message = "an output is written `output` and a label"
    at = Span(line.source, line.start + len(parts["bracket"] or ""), line.end)
    if "more" not in parts:
        new = f"output {label}: {parts['rest']}"
        helps: tuple[Help, ...] = (Help(f"`{new}`", Edit(at, new), is_safe=True),)
        return Finding("E001", message, at, "not an output", helps=helps)
    labels = [label, *re.findall(r"[a-z_]\w*", parts["more"] or "")]
    margin = "\n" + " " * (line.source.position(line.start)[1] - 1)
    text = margin.join(f"output {one}: @{one}" for one in labels)
    helps = (Help(f"`output {label}: @{label}`" + ", and so on" * (len(labels) > 1), Edit(line, text)),)
    return Finding("E001", message, line, "no step", helps=helps)


def _unlabelled(line: Span, parts: Mapping[str, str | None]) -> Finding:
    at = line.start + len(parts["bracket"] or "")
    head = Span(line.source, at, at + len(parts["head"] or ""))
    text = line.source.text
    number = len(re.findall(r"\boutput\b", text[: head.end]))
    used = re.findall(r"@([a-z_]\w*)", text) + re.findall(r"[a-z_]\w*", " ".join(_LOSS.findall(text)))
    given = {"input", "before", "last", *re.findall(r"@(\w+)", " ".join(_BLOCK.findall(text)))}
    missing = [name for name in used if name not in given and not re.search(rf"\b{name}:(?!\S)", text)]
    label = missing[0] if missing else free_label(text, f"output{number}")
    helps = (Help(f"`output {label}: {parts['rest']}`", Edit(head, f"output {label}: ")),)
    return Finding("E001", "an output needs a label", head, "no label", helps=helps)
