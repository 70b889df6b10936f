"""`archspec specs`: the built-in specs, one line each."""

from __future__ import annotations

import re
import sys
from textwrap import fill
from typing import Any

import click

from archspec.library import built_in, folder, variants

EPILOG = """\b
Examples:
  archspec specs                  list all
  archspec specs --json           as JSON
  archspec specs --show resnet50  print the text of one
"""
CITES = re.compile(r"^cites +(?P<title>[^#\n]*?) *(?:#.*)?$", re.MULTILINE)
LICENSE = re.compile(r"^license +(?P<title>[^#\n]*?) *(?:#.*)?$", re.MULTILINE)
WIDTH = 100  # columns without a terminal
NET = re.compile(r"^net +(?P<title>[^#\n]*?) *(?:# *(?P<about>.*))?$", re.MULTILINE)


@click.command("specs", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option("--show", metavar="NAME", help="Print the text of a built-in spec.")
def command(as_json: bool, show: str | None) -> None:
    """List the built-in specs with their variants.

    `archspec check resnet_r50` checks the variant r50 of resnet.
    """
    if show is not None:
        _show(show)
        return
    entries = [_entry(name) for name in built_in()]
    if as_json:
        import json

        click.echo(json.dumps(entries, indent=2))
        return
    from archspec.commands.terminal import columns

    width = columns(sys.stdout) or WIDTH
    names = max((len(entry["name"]) for entry in entries), default=0)
    for entry in entries:
        lead = f"{entry['name']:<{names}}  "
        click.echo(fill(lead + (entry["about"] or entry["title"]), width, subsequent_indent=" " * len(lead)))
        if entry["variants"]:
            click.echo(f"{'':<{names}}  variants: " + ", ".join(entry["variants"]))
        if origins := [*entry["cites"], *([entry["license"]] if entry["license"] else [])]:
            click.echo(f"{'':<{names}}  from: " + "; ".join(origins))


def _entry(name: str) -> dict[str, Any]:
    text = (folder() / f"{name}.arch").read_text(encoding="utf-8")
    net = NET.search(text)
    title, about = (net["title"], net["about"] or "") if net else (name, "")
    license_ = LICENSE.search(text)
    return {
        "name": name,
        "title": title,
        "about": about,
        "variants": list(variants(text)),
        "cites": CITES.findall(text),
        "license": license_["title"] if license_ else None,
    }


def _show(name: str) -> None:
    from archspec.commands.findings import show as show_findings
    from archspec.commands.findings import status
    from archspec.diagnostics.errors import ArchspecError
    from archspec.diagnostics.findings import printable
    from archspec.library import locate

    try:
        text = locate(name).source.text
        is_read_here = sys.stdout.isatty()  # elsewhere the text is exact
        click.echo("\n".join(map(printable, text.split("\n"))) if is_read_here else text, nl=False)
    except ArchspecError as error:
        show_findings(error.diagnostics)
        sys.exit(status(error.diagnostics))
