"""The parser, from tables made ahead of time: 8 ms instead of the 250 that reading the grammar takes.

In: `grammar/archspec.lark`. Out: a lark parser. `grammar/tables.py` holds the tables as Python literals (so nothing is
unpickled) under a key of the grammar's hash and lark's version; it is written when the package is built (setup.py),
and made again here whenever the key differs.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any

from lark import Lark, Transformer, __version__


def load_parser(folder: Path, transformer: Transformer[Any, Any] | None) -> Lark:
    """A LALR(1) parser for one line of a spec, which builds what `transformer` makes of each rule.

    `folder` is the package `archspec.grammar`'s.
    """
    grammar = (folder / "archspec.lark").read_text(encoding="utf-8")
    tables = _shipped(_key(grammar)) or write(folder)
    parser: Lark = Lark.__new__(Lark)
    parser._load({"data": tables["DATA"], "memo": tables["MEMO"]}, transformer=transformer)
    return parser


def _key(grammar: str) -> str:
    return f"{zlib.crc32(grammar.encode()):08x}-{len(grammar)}-lark-{__version__}"


def _shipped(key: str) -> dict[str, Any] | None:
    """The tables beside the grammar, if they were made from this grammar by this lark."""
    try:
        from archspec.grammar import tables
    except ImportError:
        return None
    return vars(tables) if getattr(tables, "KEY", None) == key else None


def write(folder: Path) -> dict[str, Any]:
    """Make the tables, and put them beside the grammar where that folder can be written."""
    import py_compile

    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    grammar = (folder / "archspec.lark").read_text(encoding="utf-8")
    data, memo = Lark(grammar, parser="lalr", start=["line", "setting"]).memo_serialize([TerminalDef, Rule])
    tables = {"KEY": _key(grammar), "DATA": data, "MEMO": memo}
    temporary = folder / f".tables-{os.getpid()}.py"
    try:
        body = "".join(f"{name} = {value!r}\n" for name, value in tables.items())
        temporary.write_text("# Made by archspec/tables.py from archspec.lark: do not edit.\n" + body, encoding="utf-8")
        temporary.replace(folder / "tables.py")
        # most of a cold start's time and memory: kept for an installation that writes no bytecode of its own
        py_compile.compile(str(folder / "tables.py"), quiet=2)
    except OSError:  # a read-only installation under another lark: correct, and 250 ms slower each time
        temporary.unlink(missing_ok=True)
    return tables
