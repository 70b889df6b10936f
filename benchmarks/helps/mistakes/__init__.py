"""The mistakes that people make in a spec, by name: each changes a correct text in one place, or says that it cannot."""

from __future__ import annotations

from random import Random

from benchmarks.helps.bases import base, written_specs
from benchmarks.helps.mistakes.arguments import ARGUMENTS
from benchmarks.helps.mistakes.choice import Mistake
from benchmarks.helps.mistakes.lines import LINES
from benchmarks.helps.mistakes.signs import SIGNS
from benchmarks.helps.mistakes.words import WORDS

MISTAKES: dict[str, Mistake] = {**WORDS, **ARGUMENTS, **SIGNS, **LINES}
KINDS = tuple(MISTAKES)
MOST_TURNS = 2_000
RANDOM_TURNS = 3  # random networks take time, and some mistakes can be made in few of them


def kind_of(number: int) -> str:
    """Return the kind of the mistake with a number."""
    return KINDS[number % len(KINDS)]


def mistaken(number: int) -> str:
    """Return a correct spec with the mistake that has a number: it depends on the number alone."""
    kind = kind_of(number)
    chance = Random(f"{kind} {number}")
    for turn in range(MOST_TURNS):
        text = base(chance) if turn < RANDOM_TURNS else chance.choice(written_specs())
        changed = MISTAKES[kind](text, chance)
        if changed is not None and changed != text:
            return changed
    raise LookupError(f"no correct spec has a place for: {kind}")
