"""`archspec explain`: the explanation of an error code or a layer."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  archspec explain E201     an error code
  archspec explain CONV     a layer: its arguments, with examples
  archspec explain          all error codes, one line each
"""


@click.command("explain", epilog=EPILOG)
@click.argument("code", metavar="[CODE|LAYER]", required=False)
def command(code: str | None) -> None:
    """Explain the CODE of an error or warning, or a LAYER."""
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
        raise click.UsageError(f"unknown code or layer `{code}`; `archspec explain` lists the codes")
