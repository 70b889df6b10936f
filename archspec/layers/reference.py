"""The reference of the layers, generated from their classes by `python -m archspec.layers.reference`.

In: the registered classes. Out: Markdown, between two marks of grammar/README.md; one layer for
`archspec explain CONV`.
"""

from __future__ import annotations

import sys
from inspect import getdoc
from pathlib import Path
from typing import Any

from archspec.graph.volume import Volume
from archspec.layers import MERGES, REGISTRY, Layer
from archspec.layers.arguments import Argument, written
from archspec.record import REQUIRED

BEGIN = "<!-- the layers: made by `python -m archspec.layers.reference`, from here -->"
END = "<!-- to here -->"
_SHORT = {"stride": "s2", "groups": "g32", "dilation": "d2"}


def reference() -> str:
    """All layers, in the order of their files."""
    parts: list[str] = []
    heading = ""
    for layer in dict.fromkeys([*REGISTRY.values(), *MERGES.values()]):
        module = (sys.modules[layer.__module__].__doc__ or "").split(":")[0]
        if module != heading:
            heading = module
            parts.append(f"### {heading}\n")
        parts.append(describe(layer))
    return "\n".join(parts)


def describe(layer: type[Layer]) -> str:
    """One layer: what it is, its arguments, its examples."""
    names = ", ".join(f"`{name}`" for name in (layer.keyword, *layer.aliases))
    lines = [f"**{names}**: {' '.join((getdoc(layer) or '').split())}", ""]
    if layer.arguments:
        lines += ["| argument | written | default | |", "| --- | --- | --- | --- |"]
        lines += [_row(field, argument) for field, argument in layer.arguments.items()]
        lines.append("")
    examples = [
        f"`{example.text}` turns {' and '.join(str(Volume(volume)) for volume in example.inputs)} into"
        f" {_made(layer, example.text, example.inputs)}"
        for example in layer.examples[:2]
    ]
    return "\n".join([*lines, *([f"{'; '.join(examples)}.", ""] if examples else [])])


def _made(layer: type[Layer], text: str, inputs: tuple[tuple[int, ...], ...]) -> Volume:
    from archspec.resolve.layer_names import layer_from_text

    made = layer() if layer.keyword in MERGES else layer_from_text(text)
    return made.output(tuple(map(Volume, inputs)))


def _row(field: str, argument: Argument) -> str:
    forms = [f"`{word}`" for word, _ in argument.words]
    if argument.kind.written:
        value = argument.kind.written
        letters = _SHORT.get(field, (argument.short or "") + value) if argument.short else ""
        named = f"`{field}={letters[1:] or value}`"
        short = [f"`{letters}`"] if letters else []
        forms = [f"`{value}`" if argument.is_positional else named, *short, *forms]
    return f"| `{field}` | {', '.join(forms)} | {_default(argument)} | {argument.doc} |"


def _default(argument: Argument) -> str:
    value: Any = argument.default
    if value is REQUIRED:
        return "required"
    if value is None or value is False or value == "":
        return ""
    word = next((word for word, meaning in argument.words if meaning == value), None)
    if word is not None:
        return f"`{word}`"
    return f"`{written(value, squeeze=True)}`"


def updated(text: str) -> str:
    """The page with the part between the marks regenerated."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    page = Path(sys.argv[1] if len(sys.argv) > 1 else "grammar/README.md")
    page.write_text(updated(page.read_text(encoding="utf-8")), encoding="utf-8")
