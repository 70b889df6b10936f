"""The words of one setting, read from left to right.

In: a setting. Out: the recipe's values. An unexpected word is a Finding with an example of the setting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.language import syntax as s
from archspec.record import replace
from archspec.resolve.train_section.setting_helps import (
    number_helps,
    option_helps,
    replaced,
    rewritten,
    unexpected_helps,
    without,
)


class SettingWords:
    """The words of one setting, read from left to right into `values`."""

    def __init__(self, setting: s.Setting, example: str, values: dict[str, Any], train: s.Train) -> None:
        self.setting, self.values, self.train = setting, values, train
        self.words = list(setting.words)
        self.taken: set[str] = set()
        self.unknown: list[Finding] = []  # words that the setting does not take; what follows them is read
        self.example = example

    def read(self, how: Callable[[SettingWords], None]) -> None:
        """Read all words. Raises Finding at the first unexpected one."""
        how(self)
        if self.words:
            helps = unexpected_helps(self.setting, self.words[0], lambda words: self._accepts(words, how))
            raise self.wrong(self.words[0], "is unexpected", *helps)

    def _accepts(self, words: tuple[s.SettingWord, ...], how: Callable[[SettingWords], None]) -> bool:
        """Return whether the setting could be read with other words."""
        trial = SettingWords(replace(self.setting, words=words), self.example, {}, self.train)
        try:
            how(trial)
        except Finding:
            return False
        return not trial.words and not trial.unknown

    def wrong(self, word: s.SettingWord, why: str, *helps: str, notes: tuple[str, ...] = ()) -> Finding:
        """Return a finding about a word."""
        return Finding("E011", f"`{word.span.text}` {why}", word.span, "here", notes=notes, helps=helps)

    def wrong_number(self, word: s.SettingWord, why: str) -> Finding:
        """Return a finding about a word with a wrong number, or without one."""
        return self.wrong(word, why, *number_helps(self.setting, word, self.example))

    def incomplete(self, message: str, label: str, *endings: str) -> Finding:
        """Return a finding about a setting that ends too early; `endings` are ways to go on."""
        said = self.setting.span.text
        helps = [rewritten(self.setting, said + ending) for ending in endings] or [
            rewritten(self.setting, self.example)
        ]
        return Finding("E011", message, self.setting.span, label, helps=helps)

    def takes(self, *names: str) -> bool:
        """Consume these words if they come next; return whether they did."""
        found = [word.name for word in self.words[: len(names)] if word.value is None]
        if found != list(names):
            return False
        del self.words[: len(names)]
        return True

    def need(self, name: str, after: str) -> None:
        """Consume a word. Raises Finding if another one comes next; `after` can follow the word."""
        if self.takes(name):
            return
        if not self.words:
            last = self.setting.words[-1].span.text
            raise self.incomplete(f"`{last}` needs `{name}`", f"no `{name}`", f" {name}{after}")
        word = self.words[0]
        right = f"{name} {word.span.text}" if word.name is None else name
        raise self.wrong(word, f"is not `{name}`", replaced(word, right))

    def number(self, low: float = 0.0, high: float = 1e9, whole: bool = False) -> Any:
        """Consume the next word, a number. Raises Finding if it is not a number or out of bounds."""
        if not self.words or self.words[0].name is not None:
            if self.words:
                raise self.wrong_number(self.words[0], "is not a number")
            raise self.incomplete(f"`{self.setting.name}` needs a number", "no number")
        return self.checked(self.words.pop(0), low, high, whole)

    def checked(self, word: s.SettingWord, low: float, high: float, whole: bool = False) -> Any:
        """Return the number of a word. Raises Finding if it has none or it is out of bounds."""
        if word.value is None:
            raise self.wrong_number(word, "needs a number")
        if whole and not isinstance(word.value, int):
            whole_number = str(min(max(round(word.value), round(low)), round(high)))
            raise self.wrong(word, "is not a whole number", replaced(word, whole_number))
        if not low <= word.value <= high:
            raise self.wrong_number(word, f"is not between {bound(low)} and {bound(high)}")
        return word.value if whole else float(word.value)

    def once(self, word: s.SettingWord) -> str:
        """Return the name of a word. Raises Finding if it was given before."""
        name = word.name or ""
        if name in self.taken:
            raise self.wrong(word, "is given twice", without(self.setting, word))
        self.taken.add(name)
        return name

    def options(self, known: Mapping[str, tuple[str, float, float]], switches: Mapping[str, str] = {}) -> None:
        """Read `name=number` and single words, in any order, into their fields."""
        while self.words:
            word = self.words.pop(0)
            name = self.once(word)
            if name in switches and word.value is None:
                self.values[switches[name]] = True
            elif name in known:
                field, low, high = known[name]
                self.values[field] = self.checked(word, low, high)
            else:
                notes = ("it takes " + ", ".join([*switches, *(f"{name}=" for name in known)]),)
                message = f"`{self.setting.name}` does not take `{word.span.text}`"
                helps = option_helps(self.setting, self.train, word, known, switches)
                self.unknown.append(Finding("E011", message, word.span, "unknown", notes=notes, helps=helps))


def bound(number: float) -> str:
    """Return a bound as it is shown."""
    return f"{number:,.0f}" if number >= 1000 else f"{number:g}"
