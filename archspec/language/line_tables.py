"""From lark's parser to the tables that `tables.LineParser` runs, as literals.

In: a parser that lark made of the grammar. Out: the start and end states; for each state its scanner and what to do for
each kind of token: shift to state n, or reduce by rule ~n, which is negative; the rules; the scanners, each a pattern
and the keywords of its kinds. This runs when the grammar has changed, not when a spec is read.
"""

from __future__ import annotations

from typing import Any

from lark import Lark

# of a rule: the number of its parts, its name, the builder's method, and the parts that lark keeps (place, whether it
# is a repetition, Nones before it), with the Nones after them
Reduction = tuple[int, str, str, list[tuple[int, bool, int]], int]


def line_tables(parser: Lark) -> dict[str, Any]:
    """Return the tables of a parser."""
    front: Any = parser.parser
    table = front.parser._parse_table
    lexers = list({id(lexer): lexer for lexer in front.lexer.lexers.values()}.values())
    numbers = {id(lexer): number for number, lexer in enumerate(lexers)}
    callbacks = front.parser.parser.callbacks
    rules = {rule: number for number, rule in enumerate(callbacks)}
    return {
        "starts": dict(table.start_states),
        "ends": sorted(table.end_states.values()),
        "states": {
            state: (
                numbers[id(front.lexer.lexers[state])],
                {kind: to if isinstance(to, int) else ~rules[to] for kind, (_, to) in actions.items()},
            )
            for state, actions in table.states.items()
        },
        "rules": [_reduction(rule, chain) for rule, chain in callbacks.items()],
        "scanners": [_scanner(lexer) for lexer in lexers],
    }


def _scanner(lexer: Any) -> tuple[str, dict[str, dict[str, str]]]:
    """Return the pattern of the next token in a state, and the keywords of each kind."""
    (pattern,) = lexer.scanner._mres
    keywords = {
        kind: {one.pattern.value: one.name for one in callback.scanner.terminals}
        for kind, callback in lexer.callback.items()
    }
    return pattern.pattern, keywords


def _reduction(rule: Any, chain: Any) -> Reduction:
    """Return what to do with the parts of a rule."""
    name, size = str(rule.origin.name), len(rule.expansion)
    assert size, f"the rule `{name}` has nothing in it"
    kept = [(place, False, 0) for place in range(size)]
    after = 0
    if hasattr(chain, "to_include"):
        kept = [(*entry, 0)[:3] for entry in chain.to_include]
        after = getattr(chain, "append_none", 0)
    return size, name, str(rule.alias or name), kept, after
