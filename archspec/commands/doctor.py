"""`archspec doctor`: versions, devices, and which commands work on this machine."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import click

from archspec import __version__
from archspec.commands.packages import DIGITS, DISTRIBUTIONS, ELSEWHERE, NEEDS, missing_for, working_directory
from archspec.record import Record

EPILOG = """\b
Examples:
  archspec doctor
  archspec doctor --json | jq '.[] | select(.is_well | not)'

\b
Exit status: 0; 1 if something does not work. A machine without a GPU is fine.
"""
PACKAGES = (*dict.fromkeys(module for modules in NEEDS.values() for module in modules), DIGITS)


class Condition(Record):
    """One thing that was checked: whether it works, what was found, and what to do if it does not work."""

    name: str
    is_well: bool
    found: str
    advice: str = ""


@click.command("doctor", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(as_json: bool) -> None:
    """Show versions, devices and which commands work, with advice for what does not."""
    checks = [*_versions(), *_devices(), *_commands()]
    if as_json:
        found = [{"name": one.name, "is_well": one.is_well, "found": one.found, "advice": one.advice} for one in checks]
        click.echo(json.dumps(found, indent=2))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            click.echo(f"{'ok  ' if check.is_well else 'FAIL'}  {check.name:<{width}}  {check.found}")
            if check.advice:
                click.echo(f"      {'':<{width}}  {check.advice}")
    sys.exit(0 if all(check.is_well for check in checks) else 1)


def _versions() -> Iterator[Condition]:
    yield Condition("python", True, f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Condition("archspec", True, __version__)
    for module in PACKAGES:
        name = DISTRIBUTIONS.get(module, module)
        if find_spec(module) is None:
            yield Condition(name, False, "not installed", f"`pip install {name}`")
        else:
            yield Condition(name, True, _version(name) or _version(module) or "unknown version")


def _version(distribution: str) -> str:
    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError:
        return ""


def _devices() -> Iterator[Condition]:
    """Try out the devices of torch and onnxruntime, which cannot be loaded in a folder that was deleted."""
    if reason := working_directory():
        yield Condition("working directory", False, reason, ELSEWHERE)
        return
    if find_spec("torch") is not None:
        yield _tried("torch on", _torch, "reinstall torch")
    if find_spec("onnxruntime") is None or find_spec("numpy") is None:
        return
    from archspec.compiler.inference.packages import CONFLICT_HINT, conflict

    message = conflict()
    if message:
        yield Condition("one onnxruntime", False, message, CONFLICT_HINT)
    yield _tried(
        "onnxruntime on",
        _onnxruntime,
        "reinstall onnxruntime-gpu (onnxruntime on macOS)",
    )
    yield _cuda()


def _tried(name: str, trial: Callable[[], str], advice: str) -> Condition:
    try:
        return Condition(name, True, trial())
    except Exception as error:  # whatever a broken installation raises
        return Condition(name, False, f"{type(error).__name__}: {error}".splitlines()[0], advice)


def _torch() -> str:
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    name = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
    assert float(torch.ones(2, device=device).sum()) == 2
    return f"{device}, {name}"


def _onnxruntime() -> str:
    from archspec.compiler.inference.runtime import trial

    return trial("cpu")


def _cuda() -> Condition:
    """Check CUDA: no GPU is fine, a GPU that cannot be used is not."""
    from archspec.compiler.inference.runtime import has_gpu, missing_for_cuda, trial

    missing = missing_for_cuda()
    if missing is None:
        return _tried("onnxruntime on", lambda: trial("cuda"), "see https://onnxruntime.ai/docs/install")
    if has_gpu():
        return Condition("onnxruntime on", False, "no cuda", missing)
    return Condition("cuda", True, f"unavailable: {missing}")


def _commands() -> Iterator[Condition]:
    for name in NEEDS:
        missing = missing_for(name)
        advice = f"`pip install {' '.join(missing)}`" if missing else ""
        yield Condition(f"archspec {name}", not missing, "works" if not missing else "missing packages", advice)
