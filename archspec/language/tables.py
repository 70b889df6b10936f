"""The parser, loaded from prepared tables: 8 ms instead of the 250 ms that compiling the grammar takes.

In: `grammar/archspec.lark`. Out: a lark parser. `grammar/tables.py` contains the tables as Python literals (so nothing
is unpickled) with a key of the grammar's hash and lark's version; it is written when the package is built (setup.py),
and again here whenever the key differs.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any

from lark import Lark, Transformer, __version__


def load_parser(folder: Path, transformer: Transformer[Any, Any] | None) -> Lark:
    """Return a LALR(1) parser for one line of a spec, which calls `transformer` for each rule.

    `folder` is the folder of the package `archspec.grammar`.
    """
    grammar = (folder / "archspec.lark").read_text(encoding="utf-8")
    tables = _shipped(_key(grammar)) or write(folder)
    parser: Lark = Lark.__new__(Lark)
    parser._load({"data": tables["DATA"], "memo": tables["MEMO"]}, transformer=transformer)
    return parser


def _key(grammar: str) -> str:
    return f"{zlib.crc32(grammar.encode()):08x}-{len(grammar)}-lark-{__version__}"


def _shipped(key: str) -> dict[str, Any] | None:
    """Return the tables beside the grammar, if they were made from this grammar by this version of lark."""
    try:
        from archspec.grammar import tables
    except ImportError:
        return None
    return vars(tables) if getattr(tables, "KEY", None) == key else None


def write(folder: Path) -> dict[str, Any]:
    """Make the tables, and write them beside the grammar if that folder is writable."""
    import py_compile

    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    grammar = (folder / "archspec.lark").read_text(encoding="utf-8")
    data, memo = Lark(grammar, parser="lalr", start=["line", "setting"]).memo_serialize([TerminalDef, Rule])
    tables = {"KEY": _key(grammar), "DATA": data, "MEMO": memo}
    temporary = folder / f".tables-{os.getpid()}.py"
    try:
        body = "".join(f"{name} = {value!r}\n" for name, value in tables.items())
        temporary.write_text(
            "# Made by archspec/language/tables.py from archspec.lark: do not edit.\n" + body, encoding="utf-8"
        )
        temporary.replace(folder / "tables.py")
        # most of a cold start's time and memory: compiled now for installations that write no bytecode
        py_compile.compile(str(folder / "tables.py"), quiet=2)
    except OSError:  # a read-only installation with another version of lark: correct, but 250 ms slower each time
        temporary.unlink(missing_ok=True)
    return tables
