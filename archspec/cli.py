"""The command `archspec`: its commands, each imported when it is used.

In: the command line. Out: text or JSON on standard output, findings on standard error, and an exit status: 0, or 1 for
a spec that is wrong, or 2 for a command line that is.
"""

from __future__ import annotations

import gc
from importlib import import_module

import click

from archspec import __version__

# what `archspec --help` says of each command, so that it need not import them
COMMANDS = {
    "check": "Check a spec and print what its network costs, layer by layer.",
    "specs": "List the built-in specs.",
    "train": "Train a spec on a folder of images, or on bundled digits.",
    "eval": "Judge trained weights, alone or together, by images.",
    "probe": "Show how signals and gradients flow before training.",
    "export": "Write a network as ONNX, proven against torch.",
    "run": "Classify images with an exported network.",
    "doctor": "Show versions, devices and what works.",
    "explain": "Explain an error, or a layer.",
}
BRIEF = frozenset({"check", "specs", "explain"})  # commands of the front end, over in a moment
EPILOG = """\b
Examples:
  archspec check vgg16                  what a built-in network costs
  archspec check mynet.arch --json      a file of yours, as data
  archspec train lenet5                 weights, from bundled digits
  archspec eval runs/lenet5-1           how often they are right, and what is taken for what
  archspec export runs/lenet5-1/weights.safetensors -o lenet5.onnx
  archspec run lenet5.onnx photos/      classes of images
  archspec explain E201                 what a message means
"""


class LateCommands(click.Group):
    """A group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of a user's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in BRIEF:
            gc.enable()  # __main__.py has it off
        command: click.Command = import_module(f"archspec.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name for one that is not there."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from archspec.diagnostics.findings import did_you_mean

            hint = "".join(f" {text}" for text in did_you_mean(args[0], COMMANDS))
            raise click.UsageError(f"no command is called `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LateCommands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="archspec")
def main() -> None:
    """Describe a neural network in a spec file; check it, train it, ship it."""
