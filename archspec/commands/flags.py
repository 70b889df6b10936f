"""The flags that change a spec, shared by several commands: --input, --classes, --variant, --set; numbers or shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import click


def change_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Add the flags; the command receives them as `changes`, the keywords of `archspec.load`."""

    @click.option("--input", "input_", metavar="HxWxC", help="Another input volume, such as 384x384x3.")
    @click.option("--classes", type=click.IntRange(1), metavar="N", help="Another number of class scores.")
    @click.option("--variant", metavar="NAME", help="A variant of a family.")
    @click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Another value of a `param`.")
    @wraps(command)
    def with_changes(input_: str | None, settings: tuple[str, ...], **flags: Any) -> None:
        changes = {name: flags.pop(name) for name in ("classes", "variant")}
        command(changes={"input": input_, "set": dict(map(_setting, settings)), **changes}, **flags)

    return with_changes


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


def number_or_share(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> tuple[float, bool] | None:
    """Read `12` or `5%` as a number, and whether it is a share."""
    if text is None:
        return None
    is_share = text.strip().endswith("%")
    try:
        number = float(text.strip()[:-1]) / 100 if is_share else int(text)
    except ValueError:
        number = math.nan
    if math.isnan(number) or number < 0 or number > (1 if is_share else 2**31):
        raise click.BadParameter(f"expected a number of images, like 12, or a share, like 5%; got `{text}`")
    return number, is_share
