"""`loss class 0.5, teacher 0.5`: the results that losses are of, with their weights.

In: the words of the setting. Out: names and weights; whether a network has results of these names is checked with its
graph (`resolve/ends/losses.py`).
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Help
from archspec.resolve.train_section.setting_helps import kept, replaced, rewritten, without_line
from archspec.resolve.train_section.setting_words import SettingWords

LEAST, MOST = 1e-6, 1e6


def read_loss(words: SettingWords) -> None:
    """Read names, each with its weight; a single one may leave it out."""
    losses: list[tuple[str, float]] = []
    if not words.words:
        notes = (f"losses are of labels, with weights: `{words.example}`",)
        helps = (without_line(words.setting),)
        raise Finding("E011", "`loss` needs a label", words.setting.span, "no label", notes=notes, helps=helps)
    while words.words:
        word = words.words.pop(0)
        if word.name is None:
            raise words.wrong(word, "is not a label", *_swapped(words), notes=("a label comes before its weight",))
        if word.value is not None:
            raise words.wrong(word, "has an equals sign", replaced(word, f"{word.name} {word.value:g}"))
        if word.name in words.taken:
            given = {id(one) for one in (word, *words.words[:1])}
            rest = [one for one in words.setting.words if id(one) not in given]
            raise words.wrong(word, "is given twice", kept(words.setting, rest))
        name = words.once(word)
        if not words.words and not losses:
            losses.append((name, 1.0))
        elif not words.words or words.words[0].name is not None:
            raise words.wrong(word, "needs a weight", replaced(word, f"{name} 1"))
        else:
            losses.append((name, words.number(LEAST, MOST)))
    words.values["losses"] = tuple(losses)


def _swapped(words: SettingWords) -> tuple[Help, ...]:
    """Return the help that puts each weight after its label."""
    said = words.setting.words
    pairs = list(zip(said[::2], said[1::2], strict=False))
    if len(said) % 2 or not all(weight.name is None and label.name for weight, label in pairs):
        return ()
    text = ", ".join(f"{label.span.text} {weight.span.text}" for weight, label in pairs)
    return (rewritten(words.setting, f"loss {text}"),)
