"""The arguments of a layer as other tools name them, and as beginners write them, in this language.

In: a step whose arguments were refused, and the volume that enters. Out: the step as it is probably meant:
`CONV 64 kernel_size=3 padding=1 activation=relu` is `CONV 64 3x3 p1 -> RELU`, `CONV 3 64 3` is `CONV 64 3x3`.
"""

from __future__ import annotations

import re

from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.language.transform import NOISE_WORDS
from archspec.layers import REGISTRY
from archspec.layers.arguments import COUNT, FLAG, WORD
from archspec.resolve.helps.slips.foreign_names import ACTIVATION, INFERRED, NO, YES, foreign_field
from archspec.resolve.layer_names import NamedLayer, lower_case_names
from archspec.resolve.scope import Scope

_GLUED = re.compile(r"(?P<name>[a-z]+?)_?(?P<number>\d+(?:x\d+)?)(?:px)?$")  # k3, pad1, p1px
_ORDER = ("filters", "features", "kernel", "stride", "pad")  # in which other tools give numbers


class StepReading:
    """The arguments of one step, each taken for what it probably is.

    `words` are the arguments as they should be written, each with its field; `after` are layers that belong after it.
    """

    def __init__(self, step: s.LayerStep, named: NamedLayer, scope: Scope, entering: Volume | None) -> None:
        self.layer = named.layer
        self.scope = scope
        self.entering = entering
        self.words: list[tuple[str, str]] = []
        self.after: list[str] = []
        self.is_certain = True  # no number had to be interpreted
        self.is_understood = True  # no word is left over
        self._fields = set(named.fields)
        self._waiting = waiting = list(step.arguments)
        while waiting:
            self._read(waiting.pop(0), waiting)
        self._interpret_numbers()

    @property
    def fields(self) -> set[str]:
        """The fields that have a value."""
        return self._fields | {field for field, _ in self.words}

    def _read(self, given: s.GivenArgument, waiting: list[s.GivenArgument]) -> None:
        value = given.value
        if given.name is not None:
            self._named(given.name, value)
        elif isinstance(value, s.Name):
            self._word(value, waiting)
        elif isinstance(value, s.Short):
            field = next((one for one, about in self.layer.arguments.items() if about.short == value.letter), "")
            if field != "pad" and value.sizes[0][0] == 0:
                self.is_certain = False
            else:
                self.words.append((field, value.span.text))
        elif isinstance(value, s.Extent) and self._has_its_count(value):
            count, kernel = _apart(value)
            self.is_certain = False
            self.words += [("a number", count), ("kernel", kernel)]
        elif isinstance(value, s.Extent):
            sized = [one for one, is_size in self._positional() if is_size]
            self._keep_or_drop(sized[0] if sized else None, value.span.text)
        else:
            self.words.append(("a number", value.span.text))

    def _has_its_count(self, size: s.Extent) -> bool:
        """Whether a size of three numbers is a count and a window: `96x11x11`."""
        counts = [one for one, is_size in self._positional() if not is_size]
        is_free = bool(counts) and not any(field in (*counts, "a number") for field in self.fields)
        is_last = not any(isinstance(one.value, s.Number) for one in self._waiting)
        is_plain = len(size.sizes) == 3 and all(isinstance(one, s.Number) for one in size.sizes)
        return is_free and is_last and is_plain and "kernel" in self.layer.arguments

    def _positional(self) -> list[tuple[str, bool]]:
        """The fields that are given by position, and whether they are sizes."""
        return [(one, about.kind.takes_extent) for one, about in self.layer.arguments.items() if about.is_positional]

    def _keep_or_drop(self, field: str | None, text: str) -> None:
        if field is None or field in self.fields:
            self.is_certain = False
        else:
            self.words.append((field, text))

    # ---- words and names
    def _word(self, word: s.Name, waiting: list[s.GivenArgument]) -> None:
        """Read a bare word: one of the layer's own, a name of a value, or a name for the value after it."""
        name = word.name
        has_value = bool(waiting) and waiting[0].name is None and not isinstance(waiting[0].value, s.Short)
        if name in self.layer.words:
            self.words.append((self.layer.words[name][0], name))
        elif self.scope.has(name):
            self.words.append(("a number", name))
        elif name in self.scope.file.blocks:
            self.is_certain = False
        elif has_value and self._takes(name, waiting[0].value):
            given = waiting.pop(0)
            self._named(name, given.value)
        elif _is_activation(name):
            self.after.append(lower_case_names()[name])
        elif (found := _GLUED.fullmatch(name)) and foreign_field(found["name"], self.layer):
            sizes = tuple(s.Number(int(size), word.span) for size in found["number"].split("x"))
            self._named(found["name"], sizes[0] if len(sizes) == 1 else s.Extent(sizes, word.span))
        elif name in NOISE_WORDS:
            self.words.append(("", name))
        elif name not in (*INFERRED, *ACTIVATION, "valid"):
            self.is_understood = False

    def _takes(self, name: str, value: object) -> bool:
        """Whether a bare word may name the value after it."""
        field = foreign_field(name, self.layer)
        if field is None:
            return name in INFERRED or name in ACTIVATION
        return self.layer.arguments[field].kind.takes_extent or not isinstance(value, s.Extent)

    def _named(self, name: str, value: object) -> None:
        """Read a value with the name of its field, as it is called here or elsewhere."""
        field = foreign_field(name, self.layer)
        shown = _text(value)
        if name in ACTIVATION:
            self.after += [lower_case_names()[shown.lower()]] if _is_activation(shown.lower()) else []
        elif field is None:
            self.is_understood &= name in INFERRED
        elif field not in self.fields and (new := self._spelt(field, value, shown)):
            self.words.append((field, new))

    def _spelt(self, field: str, value: object, text: str) -> str:
        """Return a field with a value as it is written here, or nothing if it is the default."""
        about = self.layer.arguments[field]
        if text in dict(about.words):
            return text
        if text.lower() in YES + NO and about.kind in (FLAG, WORD):
            words = {"bias": ("bias", "nobias"), "rounding": ("ceil", "")}.get(field, (field, ""))
            return words[0] if text.lower() in YES else words[1]
        if text == "valid":
            return ""
        if about.is_positional:
            return squared(value, text) if about.kind.takes_extent else text
        is_short = about.short and re.fullmatch(r"\d+(x\d+)*", text)
        return f"{about.short}{text}" if is_short else f"{field}={text}"

    # ---- numbers without a name
    def _interpret_numbers(self) -> None:
        """Interpret numbers in the order of other tools: input channels, filters, window, stride, pad."""
        words, self.words = self.words, [word for word in self.words if word[0] != "a number"]
        numbers = [text for field, text in words if field == "a number"]
        counts = [field for field, is_size in self._positional() if not is_size and field not in self.fields]
        sized = next((at for at, (field, _) in enumerate(words) if (field, True) in self._positional()), 0)
        leading = sum(field == "a number" for field, _ in words[:sized])
        surplus = max(leading - len(counts), 0) or int(self._begins_with_channels(numbers, counts))
        self.is_certain &= not surplus
        meant = {}
        for at, text in enumerate(numbers):
            if at >= surplus:
                meant[at] = self._meaning(text, counts)
        place = 0
        self.words = []
        for field, text in words:
            if field != "a number":
                self.words.append((field, text))
            else:
                self.words += [meant[place]] if place in meant and meant[place][1] else []
                place += 1

    def _begins_with_channels(self, numbers: list[str], counts: list[str]) -> bool:
        """Whether the first of several numbers is the number of channels that enter."""
        if (
            self.entering is None
            or not numbers
            or numbers[0] not in map(str, (self.entering.channels, self.entering.values))
        ):
            return False
        if not counts:
            return self.layer.is_weight_layer or "kernel" not in self.layer.arguments
        return counts[0] in _ORDER and len(numbers) > (1 if "kernel" in self.fields or counts[0] == "features" else 2)

    def _meaning(self, text: str, counts: list[str]) -> tuple[str, str]:
        """Return the next field that takes a number, and the number as it is written.

        A number that no field takes is not dropped: `FC 4 096` is not `FC 4`.
        """
        if counts:
            field = counts.pop(0)
            if text == "0" and self.layer.arguments[field].kind is COUNT:  # as good as missing
                return field, ""
            self._fields.add(field)
            return field, text
        self.is_certain = False
        field = next((one for one in _ORDER if one in self.layer.arguments and one not in self.fields), "")
        entering = (self.entering.channels, self.entering.values) if self.entering else ()
        self.is_understood &= bool(field) or not self._positional() or text in map(str, entering)
        self._fields.add(field)
        return field, self._spelt(field, None, text) if field else ""


def squared(value: object, text: str) -> str:
    """Return a window: a single number stands for both sides."""
    if isinstance(value, s.Extent):
        return text
    if product := re.fullmatch(r"(\d+) *\* *(\d+)", text):
        return f"{product[1]}x{product[2]}"
    return f"{text}x{text}" if text.isdigit() else f"{text} x {text}"


def _apart(size: s.Extent) -> tuple[str, str]:
    """Return the count and the window in `96x11x11` or `11x11x96`: the sides of a window are equal."""
    first, second, third = (str(one.value) for one in size.sizes if isinstance(one, s.Number))
    return (third, f"{first}x{second}") if first == second != third else (first, f"{second}x{third}")


def _is_activation(name: str) -> bool:
    keyword = lower_case_names().get(name)
    return keyword is not None and REGISTRY[keyword].role == "activation"


def _text(value: object) -> str:
    """Return a value as it is written, or the number in `k3`."""
    if isinstance(value, s.Number):
        return f"{value.value:g}" if isinstance(value.value, float) else str(value.value)
    if isinstance(value, s.Extent) and all(isinstance(size, s.Number) for size in value.sizes):
        return "x".join(map(_text, value.sizes))
    assert isinstance(value, s.Name | s.Extent | s.Short | s.Reference | s.Negate | s.Not | s.Binary | s.Function)
    return value.span.text
