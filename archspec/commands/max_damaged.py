"""`--max-damaged 12` or `5%`: how many unreadable images are tolerated."""

from __future__ import annotations

import math

import click


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


def most_damaged_of(given: tuple[float, bool] | None, images: int) -> int:
    """Return how many images may be damaged."""
    from archspec.compiler.data.damaged import most_damaged

    if given is None:
        return most_damaged(images)
    number, is_share = given
    return int(number * images) if is_share else int(number)
