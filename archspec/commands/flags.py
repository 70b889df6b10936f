"""The flags that change a spec, shared by several commands: --input, --classes, --variant, --set."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click


def change_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Add the flags; the command receives them as `changes`, the keywords of `archspec.load`."""

    @click.option(
        "--input", "inputs", multiple=True, metavar="[NAME=]HxWxC", help="Another input volume, such as 384x384x3."
    )
    @click.option("--classes", type=click.IntRange(1), metavar="N", help="Another number of class scores.")
    @click.option("--variant", metavar="NAME", help="A variant of a family.")
    @click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Another value of a `param`.")
    @wraps(command)
    def with_changes(inputs: tuple[str, ...], settings: tuple[str, ...], **flags: Any) -> None:
        changes = {name: flags.pop(name) for name in ("classes", "variant")}
        command(changes={"input": _input(inputs), "set": dict(map(_setting, settings)), **changes}, **flags)

    return with_changes


def _input(texts: tuple[str, ...]) -> str | dict[str, str] | None:
    """Return the volume of the only input, or the volumes of several by name: `left=128x128x1`."""
    named = {name.strip(): size for name, equals, size in (text.partition("=") for text in texts) if equals}
    if len(named) == len(texts):
        return named or None
    if len(texts) > 1:
        plain = next((text for text in texts if "=" not in text), None)
        if plain is None:
            names = [text.partition("=")[0].strip() for text in texts]
            raise click.UsageError(f"`--input {max(names, key=names.count)}=...` is given twice")
        raise click.UsageError(
            f"`--input {plain}`: of several inputs each is NAME=HxWxC, such as `--input left={plain}`"
        )
    return texts[0]


def _setting(text: str) -> tuple[str, object]:
    """Split `width=1.4` into a name and a number; a value that is not a number names a block."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise click.UsageError(f"`{f'--set {text}'.strip()}`: expected NAME=VALUE, such as `--set width=1.4`")
    return name.strip(), number(value.strip())


def number(text: str) -> int | float | str:
    """Return an int, a float, or the text itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
