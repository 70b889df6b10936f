"""Layers of one dimension, `CONV1D 128 80 s4`, and windows on a sequence, as those of a map of height 1.

In: the file of a network whose input is a sequence. Out: the help that writes its input and all its windows so.
"""

from __future__ import annotations

import re

from archspec.diagnostics.findings import Edit, Help
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.layers import REGISTRY
from archspec.layers.arguments import PADS
from archspec.resolve.helps.inputs import brackets, input_bracket, sizes, written
from archspec.resolve.helps.steps import steps_of

_SUFFIX = re.compile(r"(?:_?1[dD])$")


def as_rows(step: s.LayerStep, entering: Volume | None, file: s.File) -> list[Help]:
    """Return the help that makes the input of a network a map of height 1, and its windows one pixel high."""
    bracket = input_bracket(file)
    sequence = sizes(bracket) if bracket else ()
    if bracket is None or len(sequence) != 2 or len(entering or sequence) != 2 or _row(step) is None:
        return []
    windows = [one for one in steps_of(file) if isinstance(one, s.LayerStep)]
    if any(word.span.text != word.text for one in windows for word in one.words):
        return []  # a line that is read as it was meant: mend it first
    volume = written((1, *sequence))
    edits = [Edit(one.span, written((1, *sizes(one)))) for one in brackets(file.body) if len(sizes(one)) == 2]
    shown = ""
    for one in windows:
        text = _row(one)
        if text is None or text == one.span.text:
            continue
        edits.append(Edit(one.span, text))
        shown = f", `{text}`" if one is step or one.span == step.span else shown
    return [Help(f"`{volume}` is the sequence as a map of height 1{shown}", *edits)]


def _row(step: s.LayerStep) -> str | None:
    """Return a step with a window of one pixel's height; None for a layer without a window."""
    keyword = _SUFFIX.sub("", step.words[0].text).upper()
    layer = REGISTRY.get(keyword)
    if layer is None or "kernel" not in layer.arguments or len(step.words) > 1 or step.has_colon:
        return None
    fields = [*([layer.outputs] if layer.outputs else []), "kernel"]
    words = [keyword]
    for given in step.arguments:
        value, text = given.value, given.span.text
        if given.name is None and isinstance(value, s.Number) and fields:
            words.append(f"1x{text}" if fields.pop(0) == "kernel" else text)
        elif isinstance(value, s.Short) and len(value.sizes) == 1 and value.letter in "spd":
            words.append(f"{value.letter}{0 if value.letter == 'p' else 1}x{text[1:]}")
        elif given.name in layer.arguments and isinstance(value, s.Number):
            about = layer.arguments[given.name]
            first = "0x" if about.kind is PADS else "1x"
            words.append(f"{given.name}={first if about.kind.takes_extent else ''}{value.span.text}")
        else:
            words.append(text)
    text = " ".join(words)
    is_rounded = re.search(r"\b(?:floor|ceil)\b", text) or not re.search(r"\b(?:s|stride=)(?:1x)?[2-9]", text)
    return text if is_rounded or "rounding" not in layer.arguments else f"{text} floor"  # as other tools do
