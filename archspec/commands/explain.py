"""`archspec explain`: the long form of a message by its code, and a layer by its name."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  archspec explain E201     what a message means
  archspec explain CONV     a layer, its arguments, examples
  archspec explain          all codes, one line each
"""


@click.command("explain", epilog=EPILOG)
@click.argument("code", metavar="[CODE|LAYER]", required=False)
def command(code: str | None) -> None:
    """Explain the message with this CODE, or the layer of this name."""
    from archspec.diagnostics.codes import CODES
    from archspec.layers import MERGES, REGISTRY

    if code is None:
        for name, explanation in sorted(CODES.items()):
            click.echo(f"{name}  {explanation.title}")
        return
    known = CODES.get(code.strip("[]").upper())
    layer = REGISTRY.get(code.upper()) or MERGES.get(code.lower())
    if known is not None:
        click.echo(f"{code.strip('[]').upper()}: {known}", nl=False)
    elif layer is not None:
        from archspec.layers.reference import describe

        click.echo(describe(layer), nl=False)
    else:
        raise click.UsageError(f"no message and no layer is called `{code}`; `archspec explain` lists the messages")
