"""SECURITY.md states the limits that the code has."""

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "SECURITY.md").read_text(encoding="utf-8")
LIMITS = re.findall(r"^\| .* \| ([\d,]+) \| `(archspec[\w.]*)\.([A-Z_]+)`", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("figure", "module", "name"), LIMITS)
def test_a_limit_is_the_one_in_the_code(figure: str, module: str, name: str) -> None:
    assert getattr(import_module(module), name) == int(figure.replace(",", ""))


def test_every_limit_with_a_figure_is_checked() -> None:
    assert len(LIMITS) == len(re.findall(r"^\| .* \| [\d,]{2,} \| `archspec\.", PAGE, re.MULTILINE)) == 10
