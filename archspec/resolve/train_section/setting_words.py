"""The words of one setting, read from left to right.

In: a setting. Out: the recipe's values. An unexpected word is a Finding with an example of the setting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import did_you_mean
from archspec.language import syntax as s


class SettingWords:
    """The words of one setting, read from left to right into `values`."""

    def __init__(self, setting: s.Setting, example: str, values: dict[str, Any]) -> None:
        self.setting, self.values = setting, values
        self.words = list(setting.words)
        self.taken: set[str] = set()
        self.example = example

    def read(self, how: Callable[[SettingWords], None]) -> None:
        """Read all words. Raises Finding at the first unexpected one."""
        how(self)
        if self.words:
            raise self.wrong(self.words[0], "is unexpected")

    def wrong(self, word: s.SettingWord, why: str) -> Finding:
        """Return a finding about a word, with an example of the setting."""
        return Finding("E011", f"`{word.span.text}` {why}", word.span, "here", helps=(f"`{self.example}`",))

    def takes(self, *names: str) -> bool:
        """Consume these words if they come next; return whether they did."""
        found = [word.name for word in self.words[: len(names)] if word.value is None]
        if found != list(names):
            return False
        del self.words[: len(names)]
        return True

    def number(self, low: float = 0.0, high: float = 1e9, whole: bool = False) -> Any:
        """Consume the next word, a number. Raises Finding if it is not a number or out of bounds."""
        if not self.words or self.words[0].name is not None:
            if self.words:
                raise self.wrong(self.words[0], "is not a number")
            helps = (f"`{self.example}`",)
            raise Finding("E011", f"`{self.setting.name}` needs a number", self.setting.span, "no number", helps=helps)
        return self.checked(self.words.pop(0), low, high, whole)

    def checked(self, word: s.SettingWord, low: float, high: float, whole: bool = False) -> Any:
        """Return the number of a word. Raises Finding if it has none or it is out of bounds."""
        if word.value is None:
            raise self.wrong(word, "needs a number")
        if whole and not isinstance(word.value, int):
            raise self.wrong(word, "is not a whole number")
        if not low <= word.value <= high:
            raise self.wrong(word, f"is not between {_bound(low)} and {_bound(high)}")
        return word.value if whole else float(word.value)

    def once(self, word: s.SettingWord) -> str:
        """Return the name of a word. Raises Finding if it was given before."""
        name = word.name or ""
        if name in self.taken:
            raise self.wrong(word, "is given twice")
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
                helps = did_you_mean(name, [*known, *switches])
                names = ", ".join([*switches, *(f"{name}=" for name in known)])
                message = f"`{self.setting.name}` does not take `{word.span.text}`"
                raise Finding("E011", message, word.span, "unknown", helps=helps or (f"it takes {names}",))


def _bound(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:g}"
