"""The command `archspec` and its subcommands, each imported when it is used.

In: the command line. Out: text or JSON on standard output, findings on standard error, and an exit status: 0, 1 for a
wrong spec, 2 for a wrong command line, 70 for a bug in archspec (`last_resort.py`), 130 after Ctrl-C.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

from archspec import __version__

# what `archspec --help` says of each command, so that it need not import them
COMMANDS = {
    "check": "Check a spec and print what its network costs, layer by layer.",
    "specs": "List the built-in specs.",
    "data": "Check a folder of images before training.",
    "train": "Train a spec on a folder of images, or on bundled digits.",
    "eval": "Evaluate trained weights on images, alone or as an ensemble.",
    "probe": "Show activations and gradients at the initial weights.",
    "export": "Export a network to ONNX, verified against torch.",
    "run": "Classify images with an exported network.",
    "doctor": "Show versions, devices and which commands work.",
    "explain": "Explain an error code or a layer.",
}
INTERRUPTED = 130
AS_JSON = "archspec.as_json"
BRIEF = frozenset({"check", "specs", "explain"})  # commands of the front end, which finish in a moment
EPILOG = """\b
Examples:
  archspec check vgg16                  layers and costs of a built-in network
  archspec check mynet.arch --json      your own spec, as JSON
  archspec train lenet5                 train on the bundled digits
  archspec eval runs/lenet5-1           accuracy and confusions
  archspec export runs/lenet5-1 -o lenet5.onnx
  archspec run lenet5.onnx photos/      classify images
  archspec explain E201                 explain an error code
"""


class LateCommands(click.Group):
    """A group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they are used."""
        return list(COMMANDS)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Do as click does, and note whether usage errors are JSON."""
        if not args:  # click shows the help
            return super().make_context(info_name, args, parent, **extra)
        as_json = "--json" in args  # click empties the list
        try:
            context = super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise _told(error, as_json) from None
        context.meta[AS_JSON] = as_json
        return context

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command by its name."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in BRIEF:
            gc.enable()  # __main__.py has it off
        command: click.Command = import_module(f"archspec.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Do as click does, and suggest the nearest name for an unknown command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from archspec.commands.usage import unknown_command

            raise click.UsageError(unknown_command(args[0], COMMANDS), ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Do as click does, but end as a shell expects after Ctrl-C."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except click.UsageError as error:
            name = ctx.invoked_subcommand
            command = self.get_command(ctx, name) if name and error.ctx in (None, ctx) else None
            if command is not None:  # click's parser leaves the context out
                error.ctx = click.Context(command, ctx, name)
            raise _told(error, ctx.meta[AS_JSON]) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands of `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _told(error: click.UsageError, as_json: bool) -> click.UsageError:
    """Return a usage error in plain words, which click writes to standard error; if `as_json`, write it as JSON too."""
    from archspec.commands.usage import describe, plain

    error = plain(error)
    if as_json:
        click.echo(describe(error))
    return error


SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group("archspec", cls=LateCommands, epilog=EPILOG, context_settings=SETTINGS)
@click.version_option(__version__, prog_name="archspec")
def main() -> None:
    """Describe a neural network in a spec file; check it, train it, ship it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name may have letters that its encoding lacks
            with suppress(OSError):  # closed, or moved under Python's feet
                stream.reconfigure(errors="backslashreplace")
