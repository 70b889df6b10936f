"""`archspec explain`: the long form of a message, by its code."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  archspec explain E201
  archspec explain          all codes, one line each
"""


@click.command("explain", epilog=EPILOG)
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain the message with this CODE: what it means, what is wrong, what to write."""
    from archspec.codes import CODES

    if code is None:
        for name, explanation in sorted(CODES.items()):
            click.echo(f"{name}  {explanation.title}")
        return
    known = CODES.get(code.strip("[]").upper())
    if known is None:
        raise click.UsageError(f"no message has the code `{code}`; `archspec explain` lists them")
    click.echo(str(known), nl=False)
