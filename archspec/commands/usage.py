"""Usage errors: an unknown command or flag, a missing argument, a value that a flag does not take.

In: click's error. Out: the same in plain words, or as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import click

from archspec.diagnostics.findings import Diagnostic, did_you_mean, listed, printable, suggest

CODE = "E120"
LETTER = len("-o")
LARGE = 2**31 - 1  # from here on an upper bound says nothing to a user
REFUSED = re.compile(r"'?(?P<value>.*?)'? is not ", re.DOTALL)
EXTRA = re.compile(r"Got unexpected extra arguments? \((?P<given>.*)\)", re.DOTALL)


def plain(error: click.UsageError) -> click.UsageError:
    """Return the error in plain words, with a hint for a misspelling."""
    return click.UsageError(printable(_message(error)), error.ctx)


def describe(error: click.UsageError) -> str:
    """Return the JSON of a usage error."""
    context = error.ctx
    path = context.command_path if context else "archspec"
    notes = (" ".join(context.get_usage().removeprefix("Usage: ").split()),) if context else ()
    finding = Diagnostic(CODE, error.message, notes=notes, helps=(f"`{path} --help` lists the flags",))
    return json.dumps({"command": path, **listed([finding])}, indent=2)


def unknown_command(name: str, commands: Iterable[str]) -> str:
    """Return the message for what is not a command; a spec without one is to be checked."""
    from archspec.library import SUFFIX, built_in

    message = f"unknown command `{name}`"
    if name in ("help", "version"):
        return f"{message}; `archspec --{name}` is a flag"
    if name in built_in() or name.endswith(SUFFIX):
        return f"{message}; `archspec check {name}` checks the spec"
    return "; ".join([message, *did_you_mean(name, commands)])


def _message(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        return _unknown_flag(error.option_name, error.ctx)
    if isinstance(error, click.BadOptionUsage):
        if "requires" not in error.message:
            return f"`{error.option_name}` takes no value"
        known = (one for one in error.ctx.command.params if error.option_name in one.opts) if error.ctx else ()
        return f"`{error.option_name}` requires {next((one.metavar for one in known if one.metavar), 'a value')}"
    if isinstance(error, click.MissingParameter) and error.param:
        wanted = error.param.metavar or (error.param.name or "").upper()
        return f"missing {wanted}" if isinstance(error.param, click.Argument) else f"missing `{_flag(error)} {wanted}`"
    if isinstance(error, click.BadParameter) and (expected := _expected(error.param)):
        found = REFUSED.match(error.message)
        return f"`{_flag(error)}{' ' + found['value'] if found else ''}`: expected {expected}"
    if isinstance(error, click.BadParameter) and error.param:
        return f"`{_flag(error)}`: {error.message}"
    extra = EXTRA.match(error.message)
    if extra is None:
        return error.message
    shows = f"; `archspec specs --show {extra['given']}` prints its text"
    is_specs = error.ctx is not None and error.ctx.info_name == "specs"
    return f"unexpected argument `{extra['given']}`{shows if is_specs else ''}"


def _unknown_flag(name: str, context: click.Context | None) -> str:
    message, word = f"unknown flag `{name}`", name.lstrip("-")
    if context is None:
        return message
    if isinstance(context.command, click.Group) and word in context.command.list_commands(context):
        return f"{message}; `archspec {word}` is a command"
    names = [flag.lstrip("-") for one in context.command.params for flag in one.opts if len(flag) > LETTER]
    near = suggest(word, names)
    return f"{message}; did you mean `--{near}`?" if near else message


def _flag(error: click.BadParameter) -> str:
    return error.param.opts[-1] if error.param else ""


def _expected(parameter: click.Parameter | None) -> str:
    """Return what a flag takes, in words; empty if click's own words will do."""
    kind = parameter.type if parameter else None
    if isinstance(kind, click.Choice):
        *first, last = (f"`{one}`" for one in kind.choices)
        return f"{', '.join(first)} or {last}"
    if not isinstance(kind, click.IntRange | click.FloatRange):
        return ""
    noun = "a whole number" if isinstance(kind, click.IntRange) else "a number"
    low, high = kind.min, kind.max
    if high is None or high >= LARGE:
        return f"{noun} {'above' if kind.min_open else 'of at least'} {low:g}"
    return f"{noun} from {low:g} {'up to but excluding' if kind.max_open else 'to'} {high:g}"
