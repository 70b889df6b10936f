"""The help of a command with many flags: in groups, each under a heading."""

from __future__ import annotations

import click

HEADINGS = {  # by the first flag of a group
    "data": "Run",
    "recipe": "Recipe, whose settings the other flags change",
    "flip": "Augmentation, also part of the recipe",
    "start": "Fine-tuning",
    "device": "Computation",
    "input_": "Network, and help",
}


class GroupedCommand(click.Command):
    """A command whose flags are in the order of `HEADINGS`."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the flags, a section for each group."""
        groups: dict[str, list[tuple[str, str]]] = {}
        heading = ""
        for parameter in self.get_params(ctx):
            heading = HEADINGS.get(parameter.name or "", heading)
            record = parameter.get_help_record(ctx)
            if record and isinstance(parameter, click.Option):
                groups.setdefault(heading, []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)
