"""The one build step: lark's parse tables are made from the grammar, so that a command need not read it."""

import compileall
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithTables(build_py):
    """`build_py` that first writes grammar/tables.py."""

    def run(self) -> None:
        sys.path.insert(0, str(ROOT))
        from archspec.language.tables import write

        write(ROOT / "archspec" / "grammar")
        if self.editable_mode:  # pip compiles the files that it copies, and these stay where they are
            for name in ("archspec", "compiler", "grammar"):  # links in archspec are not followed
                compileall.compile_dir(ROOT / name, quiet=2)
        super().run()


setup(cmdclass={"build_py": BuildWithTables})
