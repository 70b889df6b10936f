"""A small spec and its export, for the tests of `archspec export`."""

from pathlib import Path

import onnx
from click.testing import CliRunner, Result

from archspec.cli import main

SPEC = "net Small\n[8x8x3] INPUT\nCONV 4 3x3 -> BN -> RELU\nhidden: FC 6 -> RELU\nFC 10\n"
STEPS = ["checker", "shapes", "batch 1", "batch 3", "float64"]


def write_spec(folder: Path) -> Path:
    path = folder / "small.arch"
    path.write_text(SPEC)
    return path


def export(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def output_of(path: Path) -> tuple[str, list[int]]:
    (output,) = onnx.load(path).graph.output
    return output.name, [dim.dim_value for dim in output.type.tensor_type.shape.dim[1:]]


def refused(result: Result, code: str, message: str, status: int = 1) -> bool:
    assert f"error[{code}]: {message}" in result.stderr
    assert result.exit_code == status
    return result.stdout == ""
