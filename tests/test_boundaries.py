"""The front end is light: `archspec/` imports no torch, onnx or numpy, and `import archspec` not even click.

Two guards: ruff reads the source, imports inside functions included; and a fresh process looks at what was
really imported. Each is shown to be able to fail.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "onnx", "onnxruntime", "numpy", "click")

BANNED = (
    "import torch",
    "import torch.nn as nn",
    "from onnx import helper",
    "import onnxruntime",
    "import numpy as np",
    "from archspec import compiler",
    "from archspec.compiler import lower",
    "import compiler",
)
FRONT_END = ("archspec/x.py", "archspec/layers/x.py", "archspec/analyses/x.py")
MAY_IMPORT_TORCH = ("archspec/commands/x.py", "compiler/x.py", "compiler/onnx/x.py", "tests/x.py")


def heavy_imports_of(program: str) -> list[str]:
    """The heavy packages in `sys.modules` of a fresh process that has run `program`."""
    report = f"import json, sys; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    command = [sys.executable, "-c", f"{program}\n{report}"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    loaded: list[str] = json.loads(run.stdout.splitlines()[-1])
    return loaded


def banned_imports_in(source: str, path: str) -> str:
    """What ruff says about the imports of `source`, were it the file at `path`."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251"]
    command += ["--output-format", "concise", "--stdin-filename", path, "-"]
    run = subprocess.run(command, input=source, capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode in (0, 1), run.stderr
    return run.stdout if run.returncode else ""


@pytest.mark.parametrize("program", ["import archspec", "import archspec; archspec.load('resnet50')"])
def test_loading_a_spec_imports_nothing_heavy(program: str) -> None:
    assert heavy_imports_of(program) == []


def test_a_checked_spec_on_the_command_line_imports_no_array_library() -> None:
    check = "import sys; sys.argv = ['archspec', 'check', 'resnet50']\nfrom archspec.cli import main\n"
    loaded = heavy_imports_of(f"{check}try:\n    main()\nexcept SystemExit as end:\n    assert not end.code")
    assert set(loaded) <= {"click"}


def test_a_heavy_import_would_be_noticed() -> None:
    assert heavy_imports_of("import archspec, numpy") == ["numpy"]


@pytest.mark.parametrize("statement", BANNED)
@pytest.mark.parametrize("path", FRONT_END)
def test_ruff_rejects_a_heavy_import_inside_a_function_of_the_front_end(statement: str, path: str) -> None:
    assert f"{path}:2:" in banned_imports_in(f"def f():\n    {statement}\n", path)


@pytest.mark.parametrize("path", MAY_IMPORT_TORCH)
def test_ruff_allows_it_in_commands_and_in_the_back_end(path: str) -> None:
    assert banned_imports_in("def f():\n    import torch\n", path) == ""


def test_ruff_finds_nothing_to_reject_in_the_front_end_as_it_is() -> None:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251", "archspec"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stdout
