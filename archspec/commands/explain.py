"""`archspec explain`: the explanation of an error code, a layer, or a word of the language."""

from __future__ import annotations

import re
from textwrap import fill

import click

EPILOG = """\b
Examples:
  archspec explain E201     an error code
  archspec explain CONV     a layer: its arguments, with examples
  archspec explain block    a word of the language, such as x, stride or ->
  archspec explain          all of them, one line each
"""


_FORMS = {
    r"\d+x\d+": "window",
    r"s\d+(x\d+)?": "s",
    r"p\d+([x:]\d+)?": "p",
    r"g\d+": "g",
    r"d\d+": "d",
    r"\[.*\]": "[",
    r"@\w+(\.\w+)+": "@last.name",
}


@click.command("explain", epilog=EPILOG, context_settings={"ignore_unknown_options": True})  # `->` is a word
@click.argument("name", metavar="[CODE|LAYER|WORD]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(name: str | None, as_json: bool) -> None:
    """Explain the CODE of an error or warning, a LAYER, or a WORD of the language."""
    if name is None:
        click.echo(_json(_all()) if as_json else _fitted(_listed(), is_list=True))
        return
    found = _code(name) or _layer(name) or _word(name) or _layer_elsewhere(name)
    if found is None:
        raise _unknown(name)
    text, data = found
    click.echo(_json(data) if as_json else _fitted(text.rstrip("\n")))


def _code(name: str) -> tuple[str, dict[str, object]] | None:
    from archspec.diagnostics.codes import CODES
    from archspec.diagnostics.command_examples import command_example

    code = name.strip("[]").upper()
    if code not in CODES:
        return None
    known, example = CODES[code], command_example(code)
    data: dict[str, object] = {"code": code, "title": known.title, "text": known.text}
    if example is None:
        return f"{code}: {known}", {**data, "wrong": known.wrong, "right": known.right}
    commands = {"wrong": example.wrong, "message": example.message, "right": example.right}
    return f"{code}: {known}\n{example}", {**data, "commands": commands}


def _layer(name: str) -> tuple[str, dict[str, object]] | None:
    from archspec.layers import MERGES, REGISTRY

    layer = REGISTRY.get(name.upper()) if name.upper() != "INPUT" else None
    if layer is None:
        layer = MERGES.get(name.lower())
    if layer is None:
        return None
    from archspec.layers.reference import describe

    more = _word(name.lower())  # a merge is a word too, with branches
    text = describe(layer) + (f"\n{more[0]}" if more else "")
    return text, {"layer": layer.keyword, "text": describe(layer), **(more[1] if more else {})}


def _layer_elsewhere(name: str) -> tuple[str, dict[str, object]] | None:
    """Return the page of a layer by its name in other tools: that of CONV for `conv2d`."""
    from archspec.layers import REGISTRY

    known = name.lower().replace("_", "").removeprefix("nn.")
    layer = next((layer for layer in REGISTRY.values() if known in layer.known_as), None)
    found = _layer(layer.keyword) if layer else None
    return (f"`{name}` is {found[1]['layer']} here.\n\n{found[0]}", found[1]) if found else None


def _word(name: str) -> tuple[str, dict[str, object]] | None:
    from archspec.commands.explain_words import word

    form = next((known for pattern, known in _FORMS.items() if re.fullmatch(pattern, name)), name)
    found = word(form)
    return None if found is None else (str(found), found.to_dict())


def _all() -> dict[str, object]:
    """Return what can be explained, with the title of each."""
    from archspec.commands.explain_words import WORDS
    from archspec.diagnostics.codes import CODES
    from archspec.layers import MERGES, REGISTRY

    return {
        "codes": {code: CODES[code].title for code in sorted(CODES)},
        "layers": [*REGISTRY, *MERGES],
        "words": {word.names[0]: word.title for word in WORDS},
    }


def _listed() -> str:
    from archspec.commands.explain_words import WORDS
    from archspec.diagnostics.codes import CODES
    from archspec.layers import MERGES, REGISTRY

    codes = [f"{code}  {CODES[code].title}" for code in sorted(CODES)]
    layers = fill(", ".join([*REGISTRY, *MERGES]), 98)
    words = [f"{word.names[0]:<8}  {word.title}" for word in WORDS]
    return "\n".join(["Codes:", *codes, "", "Layers:", layers, "", "Words of the language:", *words])


def _fitted(text: str, is_list: bool = False) -> str:
    """Return a text wrapped for the terminal, if that is narrow; examples and tables stay as they are."""
    import sys

    from archspec.commands.terminal import columns

    width = columns(sys.stdout)
    if width is None or max(map(len, text.split("\n"))) <= width:
        return text
    from archspec.diagnostics.rendering import wrapped

    if is_list:
        return "\n".join(line for part in text.split("\n") for line in wrapped("", part, 2, width, 0))
    parts = [
        part if part.startswith((" ", "|")) else "\n".join(wrapped("", part.replace("\n", " "), 0, width))
        for part in text.split("\n\n")
    ]
    return "\n\n".join(parts)


def _unknown(name: str) -> click.UsageError:
    from archspec.commands.explain_words import BY_NAME
    from archspec.diagnostics.codes import CODES
    from archspec.diagnostics.findings import did_you_mean, printable
    from archspec.layers import MERGES, REGISTRY

    if name.startswith("--"):
        return click.NoSuchOption(name)
    hint = "".join(f"; {text}" for text in did_you_mean(name, [*CODES, *REGISTRY, *MERGES, *BY_NAME]))
    shown = printable(name)
    return click.UsageError(f"unknown code, layer or word `{shown}`{hint} (`archspec explain` lists them all)")


def _json(data: object) -> str:
    import json

    return json.dumps(data, indent=2, ensure_ascii=False)
