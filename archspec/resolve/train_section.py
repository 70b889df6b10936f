"""What a `train` section says, word by word.

In: the settings under `train`. Out: a `Recipe`, and what is wrong with it. Each setting is a function that takes its
words from left to right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, Label, did_you_mean
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.recipe import OPTIMIZERS, RMS_DECAY, Recipe

CROPS = ("crop", "resized_crop", "scale")
MOST_FINDINGS = 50
UNSAID = Recipe(warmup=0.0)  # what a section without a setting means: papers name a warm-up where they have one


def read(train: s.Train) -> tuple[Recipe, list[Diagnostic]]:
    """The recipe of a section, and what is wrong with it. A step has as many images as the rate is for."""
    values: dict[str, Any] = {}
    findings: list[Diagnostic] = []
    seen: dict[str, Span] = {}
    for setting in train.settings:
        if len(findings) == MOST_FINDINGS:
            break
        try:
            if setting.name not in SETTINGS:
                raise _unknown_setting(setting)
            if setting.name in seen:
                helps = ("one line for each setting",)
                raise Finding("E011", f"`{setting.name}` is set twice", setting.span, "the second", helps=helps)
            seen[setting.name] = setting.span
            _Words(setting, values).read(SETTINGS[setting.name])
        except Finding as finding:
            findings.append(finding.diagnostic(setting.span))
    if "reference_batch" in values:
        values["batch"] = values["reference_batch"]
    recipe = UNSAID.changed(values)
    return recipe, findings or _out_of_time(recipe, seen)


def _out_of_time(recipe: Recipe, seen: Mapping[str, Span]) -> list[Diagnostic]:
    """What the recipe wants after its last epoch."""
    late = []
    if recipe.warmup >= recipe.epochs:
        late.append(("warmup", f"the rate rises for {recipe.warmup:g} epochs"))
    if recipe.schedule == "step" and recipe.milestones[-1] >= recipe.epochs:
        late.append(("lr", f"the rate is divided at epoch {recipe.milestones[-1]:g}"))
    helps = ("say how long the run is: `epochs 90`",)
    end = f"and the run ends at epoch {recipe.epochs:,}"
    return [Diagnostic("E011", f"{what}, {end}", (Label(seen[name], "too late"),), helps=helps) for name, what in late]


def _unknown_setting(setting: s.Setting) -> Finding:
    span = Span(setting.span.source, setting.span.start, setting.span.start + len(setting.name))
    helps = did_you_mean(setting.name, SETTINGS) or ("the settings are " + ", ".join(SETTINGS),)
    return Finding("E011", f"`train` has no setting `{setting.name}`", span, "unknown", helps=helps)


def _bound(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:g}"


class _Words:
    """The words of one setting, read from left to right into `values`."""

    def __init__(self, setting: s.Setting, values: dict[str, Any]) -> None:
        self.setting, self.values = setting, values
        self.words = list(setting.words)
        self.taken: set[str] = set()
        self.example = EXAMPLES[setting.name]

    def read(self, how: Callable[[_Words], None]) -> None:
        """All of them, or a Finding at the first that means nothing."""
        how(self)
        if self.words:
            raise self.wrong(self.words[0], "is not expected here")

    def wrong(self, word: s.SettingWord, why: str) -> Finding:
        """A finding about a word, with an example of the setting."""
        return Finding("E011", f"`{word.span.text}` {why}", word.span, "here", helps=(f"`{self.example}`",))

    def takes(self, *names: str) -> bool:
        """Whether these words come next; then they are behind."""
        found = [word.name for word in self.words[: len(names)] if word.value is None]
        if found != list(names):
            return False
        del self.words[: len(names)]
        return True

    def number(self, low: float = 0.0, high: float = 1e9, whole: bool = False) -> Any:
        """The number that comes next. Raises Finding where none does, or one out of its bounds."""
        if not self.words or self.words[0].name is not None:
            if self.words:
                raise self.wrong(self.words[0], "stands where a number belongs")
            helps = (f"`{self.example}`",)
            raise Finding("E011", f"`{self.setting.name}` needs a number", self.setting.span, "no number", helps=helps)
        return self.checked(self.words.pop(0), low, high, whole)

    def checked(self, word: s.SettingWord, low: float, high: float, whole: bool = False) -> Any:
        """A word's number. Raises Finding where there is none, or it is out of its bounds."""
        if word.value is None:
            raise self.wrong(word, "needs its number")
        if whole and not isinstance(word.value, int):
            raise self.wrong(word, "is no whole number")
        if not low <= word.value <= high:
            raise self.wrong(word, f"is not in {_bound(low)} .. {_bound(high)}")
        return word.value if whole else float(word.value)

    def once(self, word: s.SettingWord) -> str:
        """The word's name. Raises Finding where it stood before."""
        name = word.name or ""
        if name in self.taken:
            raise self.wrong(word, "stands twice")
        self.taken.add(name)
        return name

    def options(self, known: Mapping[str, tuple[str, float, float]], switches: Mapping[str, str] = {}) -> None:
        """`name=number` and single words, in any order, into their fields."""
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
                message = f"`{self.setting.name}` takes no `{word.span.text}`"
                raise Finding("E011", message, word.span, "unknown", helps=helps or (f"it takes {names}",))


# ---- the settings --------------------------------------------------------------------------------------------------
_DECAY = {"weight_decay": ("weight_decay", 0.0, 10.0)}
_MOMENTUM = {"momentum": ("momentum", 0.0, 0.9999), **_DECAY}
_BETAS = {"beta1": ("momentum", 0.0, 0.9999), "beta2": ("beta2", 0.0, 0.999999), **_DECAY}
_RMS = {**_MOMENTUM, "decay": ("beta2", 0.0, 0.9999), "eps": ("eps", 1e-12, 10.0)}


def _optimizer(words: _Words) -> None:
    name = next((name for name in OPTIMIZERS if words.takes(name)), None)
    if name is None:
        raise _no_optimizer(words)
    words.values["optimizer"], words.example = name, _OPTIMIZER_EXAMPLES[name]
    if name == "sgd":
        words.options(_MOMENTUM, {"nesterov": "nesterov"})
    elif name == "adamw":
        words.options(_BETAS)
    else:
        words.values["beta2"] = RMS_DECAY
        words.options(_RMS)


def _no_optimizer(words: _Words) -> Finding:
    names = ("the optimizers are " + ", ".join(OPTIMIZERS),)
    if not words.words:
        return Finding("E011", "`optimizer` needs its name", words.setting.span, "no name", helps=names)
    text = words.words[0].span.text
    helps = did_you_mean(text, OPTIMIZERS) or names
    return Finding("E011", f"no optimizer is called `{text}`", words.words[0].span, "unknown", helps=helps)


def _lr(words: _Words) -> None:
    values = words.values
    values["lr"] = words.number(1e-12, 1e3)
    if words.takes("for", "batch"):
        values["reference_batch"] = words.number(1, 2**20, whole=True)
    if words.takes("constant"):
        values["schedule"] = "constant"
    elif fall := next((word for word in ("cosine", "linear") if words.takes(word)), None):
        values["schedule"], words.example = fall, f"lr 4e-3 for batch 4096, {fall} to 1e-5"
        if words.takes("to"):
            values["lr_end"] = words.number(0, values["lr"])
    elif words.takes("divided", "by"):
        values["factor"] = 1 / words.number(1.0001, 1e6)
        _divided(words)
    elif words.takes("times"):
        words.example = _TIMES
        values["schedule"], values["factor"] = "exponential", words.number(1e-6, 0.999999)
        if not words.takes("every"):
            raise Finding("E011", "how often?", words.setting.span, "no `every`", helps=(f"`{_TIMES}`",))
        values["every"] = words.number(1e-3, 1e6)
        _ = words.takes("epochs") or words.takes("epoch")


def _divided(words: _Words) -> None:
    values = words.values
    if words.takes("on", "plateau"):
        values["schedule"] = "plateau"
        if words.takes("of"):
            values["patience"] = words.number(1, 10_000, whole=True)
            _ = words.takes("epochs") or words.takes("epoch")
    elif words.takes("at"):
        _ = words.takes("epochs") or words.takes("epoch")
        words.example = "lr 0.1 for batch 256, divided by 10 at 30 60 80"
        points = [words.number(0, 1e6)]
        while words.words and words.words[0].name is None:
            points.append(words.number(points[-1], 1e6))
        values["schedule"], values["milestones"] = "step", tuple(points)
    else:
        helps = ("`divided by 10 on plateau`, or `divided by 10 at 30 60 80`",)
        raise Finding("E011", "when is the rate divided?", words.setting.span, "no `on` or `at`", helps=helps)


def _augment(words: _Words) -> None:
    values = words.values
    values.update(flip=False, crop=1.0)  # a section that names some has no others
    while words.words:
        word = words.words.pop(0)
        name = words.once(word)
        if name in CROPS and len(words.taken.intersection(CROPS)) > 1:
            raise words.wrong(word, "is a second way to crop")
        if name == "flip" and word.value is None:
            values["flip"] = True
        elif name == "scale":
            words.example = "augment scale=1.143 to 2.286 flip"
            low = words.checked(word, 1, 10)
            if not words.takes("to"):
                raise words.wrong(word, "needs where it ends")
            values["scale"] = (low, words.number(low, 10))
        elif name in AUGMENTATIONS:
            field, low, high, usual = AUGMENTATIONS[name]
            values[field] = words.checked(word, low, high) if word.value is not None else usual
        else:
            helps = did_you_mean(name, [*AUGMENTATIONS, "flip", "scale"])
            message = f"no augmentation is called `{word.span.text}`"
            names = ", ".join(["flip", *AUGMENTATIONS, "scale"])
            raise Finding("E011", message, word.span, "unknown", helps=helps or (f"there are {names}",))


# the field, its bounds, and its value where none is written
AUGMENTATIONS: dict[str, tuple[str, float, float, float]] = {
    "crop": ("crop", 1.0, 10.0, 1.143),  # 256 for 224
    "resized_crop": ("area", 0.01, 1.0, 0.08),
    "color": ("color", 0.0, 1.0, 0.4),
    "cutout": ("cutout", 0.0, 1.0, 0.5),  # 16 of 32
    "mixup": ("mixup", 0.0, 100.0, 0.2),
    "cutmix": ("cutmix", 0.0, 100.0, 1.0),
}


def _single(field: str, low: float, high: float, whole: bool = False) -> Callable[[_Words], None]:
    def read(words: _Words) -> None:
        words.values[field] = words.number(low, high, whole)
        if field == "warmup":
            _ = words.takes("epochs") or words.takes("epoch")

    return read


SETTINGS: dict[str, Callable[[_Words], None]] = {
    "optimizer": _optimizer,
    "lr": _lr,
    "warmup": _single("warmup", 0, 1e6),
    "epochs": _single("epochs", 1, 10**6, whole=True),
    "augment": _augment,
    "label_smoothing": _single("label_smoothing", 0, 0.999),
    "clip": _single("clip", 1e-6, 1e9),
    "ema": _single("ema", 0, 0.999999),
}
_TIMES = "lr 0.256 for batch 4096, times 0.97 every 2.4 epochs"
_OPTIMIZER_EXAMPLES = {
    "sgd": "optimizer sgd momentum=0.9 weight_decay=5e-4",
    "adamw": "optimizer adamw beta1=0.9 beta2=0.999 weight_decay=0.05",
    "rmsprop": "optimizer rmsprop decay=0.9 momentum=0.9 eps=1e-3 weight_decay=1e-5",
}
EXAMPLES = {
    "optimizer": _OPTIMIZER_EXAMPLES["sgd"],
    "lr": "lr 0.1 for batch 256, divided by 10 on plateau",
    "warmup": "warmup 5 epochs",
    "epochs": "epochs 90",
    "augment": "augment crop flip color=0.4",
    "label_smoothing": "label_smoothing 0.1",
    "clip": "clip 1.0",
    "ema": "ema 0.9999",
}
