"""The parser, loaded from prepared tables: 8 ms instead of the 250 ms that compiling the grammar takes.

In: `grammar/archspec.lark`. Out: a lark parser. `grammar/tables.py` contains the tables as Python literals (so nothing
is unpickled) with a key of the grammar's hash and lark's version; it is written when the package is built (setup.py),
and again here whenever the key differs. `LineParser` runs them: it takes a third of the time of lark's own loop, which
looks for the errors.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, __version__

END = "$END"
# a state: what matches its next token, the keywords among the tokens of a kind, and what to do for each kind: shift to
# a state, or reduce by a rule, which is the number of its parts, its name, and what builds its value from them
Reduction = tuple[int, str, Callable[[list[Any]], Any] | None]
State = tuple[Callable[[str, int], re.Match[str] | None], dict[str, dict[str, str]], dict[str, int | Reduction]]


class LineParser:
    """The LALR(1) tables of lark's parser, run on one line at a time; `builder` has a method for each rule.

    `tokens` counts those of all lines.
    """

    def __init__(self, parser: Lark, builder: Transformer[Any, Any]) -> None:
        front: Any = parser.parser
        table = front.parser._parse_table
        self._lark = parser
        self._starts: dict[str, int] = table.start_states
        self._ends = frozenset(table.end_states.values())
        self._states = _States(table.states, front.lexer.lexers, front.parser.parser.callbacks, builder)
        self.tokens = 0

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

    def __init__(self, tables: Any, lexers: Any, callbacks: Any, builder: Any) -> None:
        super().__init__()
        self._tables = tables
        self._lexers = lexers
        self._callbacks = callbacks
        self._builder = builder
        self._scanners: dict[int, Any] = {}  # by the identity of lark's lexer, which states share

    def __missing__(self, number: int) -> State:
        lexer = self._lexers[number]
        if id(lexer) not in self._scanners:
            self._scanners[id(lexer)] = _scanner(lexer)
        actions = self._tables[number].items()
        made = {kind: to if isinstance(to, int) else self._reduction(to) for kind, (_, to) in actions}
        self[number] = state = (*self._scanners[id(lexer)], made)
        return state

    def _reduction(self, rule: Any) -> Reduction:
        """Return a rule with what builds its value; a repetition's value is the list of its parts."""
        name, size = rule.origin.name, len(rule.expansion)
        assert size, f"the rule `{name}` has nothing in it"
        chain = self._callbacks[rule]
        kept = [(place, False, 0) for place in range(size)]
        after = 0
        if hasattr(chain, "to_include"):  # the parts that lark keeps: place, is a repetition, Nones before it
            kept = [(*entry, 0)[:3] for entry in chain.to_include]
            after = getattr(chain, "append_none", 0)
        method = getattr(self._builder, rule.alias or name, None)
        if method is None and not name.startswith("_"):  # `?rule` with a single part
            ((place, _, _),) = kept
            return size, name, None if size == 1 else lambda parts: parts[place]
        build = getattr(method, "base_func", method)
        return size, name, _builder(kept, after, build)


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


def _scanner(lexer: Any) -> tuple[Callable[[str, int], re.Match[str] | None], dict[str, dict[str, str]]]:
    """Return what matches the next token in a state, and the keywords of each kind."""
    (pattern,) = lexer.scanner._mres
    keywords = {
        kind: {one.pattern.value: one.name for one in callback.scanner.terminals}
        for kind, callback in lexer.callback.items()
    }
    return pattern.match, keywords


def grammar_folder() -> Path:
    """Return the folder of the package `archspec.grammar`."""
    from archspec import grammar

    return Path(next(iter(grammar.__path__)))


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
