"""Lines of sequences that take more than one volume or share weights: attention to other inputs, tied vectors of tokens.

In: a source of chance and the flow's volume. Out: lines of a spec.
"""

from __future__ import annotations

import random

from archspec.graph.volume import Volume


def attention_lines(chance: random.Random, number: int, volume: Volume, kept: str) -> list[str]:
    """Return attention from a sequence, after the step `kept`, to inputs of the network; its volume is the same.

    Args:
        chance: decides what is attended to.
        number: makes the labels differ from those of other lines.
        volume: the sequence's.
        kept: a step that keeps it.
    """
    length, taken = chance.choice((1, 2, 5)), chance.choice((("kv",), ("k", "v")))
    lines = [f"flow{number}: {kept}"]
    lines += [f"[{length}x{chance.choice((volume.channels, 3, 6))}] {name}{number}: INPUT" for name in taken]
    given = " ".join(f"{name}=@{name}{number}" for name in taken)
    size = chance.choice((f" width={2 * volume.channels}", "")) if volume.channels % 2 == 0 else " width=4"
    return [*lines, f"@flow{number} -> MHSA 2 {given}{size}"]


def embedding_lines(embed: str, kept: str) -> list[str]:
    """Return EMBED and a classifier with its vectors, as a language model has it, after a step that keeps the volume."""
    tokens = embed.split()[1]
    return [f"words: {embed}", kept, f"FC {tokens} weights=@words"]
