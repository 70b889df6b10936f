"""The inputs of the sweep over specs: each is made from its kind and its seed alone.

In: a kind and a seed. Out: a `SpecInput`. Nothing is read or judged here: `spec_outcome` does that.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from benchmarks.sweeps.spec_texts.changes import changed, encoded
from benchmarks.sweeps.spec_texts.derivations import derived
from benchmarks.sweeps.spec_texts.mutations import FAULTS, change_text, mutated, noise, spliced, words
from benchmarks.sweeps.spec_texts.networks import network
from benchmarks.sweeps.spec_texts.oddities import odd
from benchmarks.sweeps.spec_texts.spec_input import SpecInput


def _faulty(chance: Random) -> str:
    """A network with one to three changes."""
    return change_text(network(chance), chance, chance.randint(1, 3), FAULTS)


# what is made, and how many of a hundred inputs are of that kind
KINDS: dict[str, tuple[int, Callable[[Random], str | SpecInput]]] = {
    "network": (28, network),
    "faulty": (16, _faulty),
    "odd": (12, odd),
    "mutated": (16, mutated),
    "spliced": (8, spliced),
    "derived": (8, derived),
    "changed": (5, changed),
    "words": (3, words),
    "noise": (2, noise),
    "encoded": (2, encoded),
}
_ORDER = sorted((place / share, kind) for kind, (share, _) in KINDS.items() for place in range(share))


def kind_of(number: int) -> str:
    """Return the kind of the input with a number, so that a short sweep has all kinds too."""
    return _ORDER[number % len(_ORDER)][1]


def make(kind: str, seed: int) -> SpecInput:
    """Return the input of a kind and a seed."""
    made = KINDS[kind][1](Random(f"{kind} {seed}"))
    return SpecInput(made) if isinstance(made, str) else made
