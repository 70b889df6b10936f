"""The parser, loaded from prepared tables instead of compiling the grammar, which takes 250 ms.

In: `grammar/archspec.lark`. Out: a parser of lines. `grammar/tables.py` contains the tables as Python literals (so
nothing is unpickled) with a key of the grammar's hash and lark's version; it is written when the package is built
(setup.py), and again here whenever the key differs. `LineParser` runs them: it takes a third of the time of lark's own
loop, which looks for the errors. `LINES` is what it needs, `DATA` and `MEMO` are what lark's own parser is loaded from.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, __version__

FORMAT = 2  # of the file with the tables
END = "$END"
# a state: what matches its next token, the keywords among the tokens of a kind, and what to do for each kind: shift to
# a state, or reduce by a rule, which is the number of its parts, its name, and what builds its value from them
Reduction = tuple[int, str, Callable[[list[Any]], Any] | None]
State = tuple[Callable[[str, int], re.Match[str] | None], dict[str, dict[str, str]], dict[str, int | Reduction]]


class LineParser:
    """The LALR(1) tables of lark's parser, run on one line at a time; `builder` has a method for each rule.

    `folder` is the folder of the package `archspec.grammar`. `tokens` counts those of all lines.
    """

    def __init__(self, folder: Path, builder: Transformer[Any, Any]) -> None:
        lines = _prepared(folder)["LINES"]
        self._folder = folder
        self._builder = builder
        self._starts: dict[str, int] = lines["starts"]
        self._ends = frozenset(lines["ends"])
        self._states = _States(lines, builder)
        self.tokens = 0

    @cached_property
    def _lark(self) -> Lark:
        """Lark's own parser, which only a rejected line needs."""
        return load_parser(self._folder, self._builder)

    def parse(self, text: str, start: str) -> Any:
        """Return what the builder makes of a line. Raises lark's exceptions if the grammar rejects it."""
        states, end, at = self._states, len(text), 0
        stack, values = [self._starts[start]], []
        token: Any = None
        while True:
            match, keywords, actions = states[stack[-1]]
            kind = END
            while at < end and text[at] == " ":
                at += 1
            if at < end:
                found = match(text, at)
                if found is None or found.lastgroup is None:
                    return self._lark.parse(text, start=start)  # which says why not
                kind = found.lastgroup
                begin, at = found.span(kind)
                token = str.__new__(Token, text[begin:at])
                kind = keywords[kind].get(token, kind) if kind in keywords else kind
                token.type, token.start_pos, token.end_pos = kind, begin, at
                self.tokens += 1
            while True:
                action = actions.get(kind)
                if action is None:
                    return self._lark.parse(text, start=start)
                if isinstance(action, int):
                    stack.append(action)
                    values.append(token)
                    break
                size, name, build = action
                if build is not None:
                    values[-size:] = [build(values[-size:])]
                del stack[-size:]
                stack.append(states[stack[-1]][2][name])  # type: ignore[arg-type]  # a rule is shifted
                if kind is END and stack[-1] in self._ends:
                    return values[-1]
                actions = states[stack[-1]][2]


class _States(dict[int, State]):
    """The states by number, each prepared when it is first reached: a spec needs a few of them."""

    def __init__(self, lines: dict[str, Any], builder: Any) -> None:
        super().__init__()
        self._lines = lines
        self._builder = builder
        self._scanners: dict[int, Any] = {}  # by number: states share them

    def __missing__(self, number: int) -> State:
        place, actions = self._lines["states"][number]
        if place not in self._scanners:
            pattern, keywords = self._lines["scanners"][place]
            self._scanners[place] = re.compile(pattern).match, keywords
        made = {kind: to if to >= 0 else self._reduction(~to) for kind, to in actions.items()}
        self[number] = state = (*self._scanners[place], made)
        return state

    def _reduction(self, number: int) -> Reduction:
        """Return a rule with what builds its value; a repetition's value is the list of its parts."""
        size, name, method, kept, after = self._lines["rules"][number]
        found = getattr(self._builder, method, None)
        if found is None and not name.startswith("_"):  # `?rule` with a single part
            ((place, _, _),) = kept
            return size, name, None if size == 1 else lambda parts: parts[place]
        return size, name, _builder(kept, after, getattr(found, "base_func", found))


def _builder(
    kept: list[tuple[int, bool, int]], after: int, build: Callable[..., Any] | None
) -> Callable[[list[Any]], Any]:
    """Return what makes a rule's value of its parts: `build`, or for a repetition nothing but their list."""

    def arguments(parts: list[Any]) -> list[Any]:
        found: list[Any] = []
        for place, is_list, nones in kept:
            found += [None] * nones
            if is_list and not found:
                found = parts[place]  # a repetition grows from its first part, which no other rule has
            elif is_list:
                found += parts[place]
            else:
                found.append(parts[place])
        return found + [None] * after if after else found

    if build is None:
        return arguments
    if after or any(is_list or nones for _, is_list, nones in kept):
        return lambda parts: build(*arguments(parts))
    places = [place for place, _, _ in kept]
    return lambda parts: build(*[parts[place] for place in places])


def grammar_folder() -> Path:
    """Return the folder of the package `archspec.grammar`."""
    from archspec import grammar

    return Path(next(iter(grammar.__path__)))


def load_parser(folder: Path, transformer: Transformer[Any, Any] | None) -> Lark:
    """Return a LALR(1) parser for one line of a spec, which calls `transformer` for each rule.

    `folder` is the folder of the package `archspec.grammar`.
    """
    tables = _prepared(folder)
    parser: Lark = Lark.__new__(Lark)
    parser._load({"data": tables["DATA"], "memo": tables["MEMO"]}, transformer=transformer)
    return parser


def _prepared(folder: Path) -> dict[str, Any]:
    grammar = (folder / "archspec.lark").read_text(encoding="utf-8")
    return _shipped(_key(grammar)) or write(folder)


def _key(grammar: str) -> str:
    return f"{FORMAT}-{zlib.crc32(grammar.encode()):08x}-{len(grammar)}-lark-{__version__}"


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

    from archspec.language.line_tables import line_tables

    grammar = (folder / "archspec.lark").read_text(encoding="utf-8")
    parser = Lark(grammar, parser="lalr", start=["line", "setting"])
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    tables = {"KEY": _key(grammar), "LINES": line_tables(parser), "DATA": data, "MEMO": memo}
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
