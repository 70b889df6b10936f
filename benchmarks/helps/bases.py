"""Correct specs to make mistakes in: the built-in ones, those of the documentation, and random networks.

In: a source of chance. Out: a text without findings.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from random import Random

from archspec.diagnostics.codes import CODES
from archspec.library import built_in, folder
from benchmarks.helps.trials import findings_in
from benchmarks.sweeps.spec_texts.networks import network

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "grammar" / "README.md")
LARGEST = 20_000  # characters that are resolved in a moment
SLOW = ("resnet1202", "nasnet_a_large")  # thousands of layers, and nothing that the smaller ones lack
RANDOM = 0.25  # of the specs


@cache
def written_specs() -> tuple[str, ...]:
    """Return the specs that people wrote: the built-in ones, those of the documentation and of `explain`."""
    texts = [(folder() / f"{name}.arch").read_text(encoding="utf-8") for name in built_in() if name not in SLOW]
    for page in PAGES:
        texts += re.findall(r"^```arch\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    texts += [one.right for one in CODES.values() if one.right]
    return tuple(text for text in texts if text.strip() and len(text) < LARGEST and not findings_in(text))


def without_unused(text: str) -> str:
    """Return a random network without the `param`s that it does not use, and the variants of those."""
    body = "\n".join(line for line in text.split("\n") if not line.startswith(("param ", "variant ")))
    for name in re.findall(r"^param (\w+)", text, re.MULTILINE):
        if not re.search(rf"(?<![\w@]){name}\b(?!=)", body):
            text = re.sub(rf"^param {name} = .*\n|^variant .*\b{name}=.*\n", "", text, flags=re.MULTILINE)
    return text


def base(chance: Random) -> str:
    """Return a correct spec."""
    while chance.random() < RANDOM:
        text = without_unused(network(chance))
        if not findings_in(text):
            return text
    return chance.choice(written_specs())
