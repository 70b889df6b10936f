"""The settings of a `train` section: what each takes, and an example of it.

In: the words of a setting. Out: the values of the recipe's fields.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import takewhile

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help, suggest
from archspec.diagnostics.spelling import is_slip
from archspec.language import syntax as s
from archspec.recipe import MOST_PAD, MOST_RANDAUGMENT, OPTIMIZERS
from archspec.resolve.train_section.loss import read_loss
from archspec.resolve.train_section.setting_helps import (
    kept,
    option_helps,
    other_optimizer,
    replaced,
    rewritten,
    without,
)
from archspec.resolve.train_section.setting_words import SettingWords, bound

CROPS = ("crop", "resized_crop", "scale", "pad")
_DECAY = {"weight_decay": ("weight_decay", 0.0, 10.0)}
_MOMENTUM = {"momentum": ("momentum", 0.0, 0.9999), **_DECAY}
_BETAS = {"beta1": ("momentum", 0.0, 0.9999), "beta2": ("beta2", 0.0, 0.999999), **_DECAY}
_RMS = {**_MOMENTUM, "decay": ("beta2", 0.0, 0.9999), "eps": ("eps", 1e-12, 10.0)}
_OPTIONS: Mapping[str, Collection[str]] = {"sgd": {*_MOMENTUM, "nesterov"}, "adamw": _BETAS, "rmsprop": _RMS}
_ENDINGS = (" on plateau", " at 30 60 80")


def _optimizer(words: SettingWords) -> None:
    name = next((name for name in OPTIMIZERS if words.takes(name)), None)
    if name is None:
        name = _misspelt_optimizer(words)
    words.values["optimizer"], words.example = name, _OPTIMIZER_EXAMPLES[name]
    if name == "sgd":
        words.options(_MOMENTUM, {"nesterov": "nesterov"})
    elif name == "adamw":
        words.options(_BETAS)
    else:
        words.options(_RMS)


def _misspelt_optimizer(words: SettingWords) -> str:
    """Return the optimizer that is meant, and report it. Raises Finding if it is another one, or none."""
    notes = ("the optimizers are " + ", ".join(OPTIMIZERS),)
    if not words.words:
        helps = [rewritten(words.setting, example) for example in _OPTIMIZER_EXAMPLES.values()]
        raise Finding("E011", "`optimizer` needs a name", words.setting.span, "no name", notes=notes, helps=helps)
    word, *options = words.words
    text = word.span.text
    near = suggest(text, OPTIMIZERS) or "sgd"
    is_misspelt = "adam" not in text.lower() and suggest(text, OPTIMIZERS) is not None  # Adam decays weights otherwise
    message = f"unknown optimizer `{text}`"
    if is_misspelt:
        helps = [replaced(word, near, is_safe=is_slip(text, near))]
        words.unknown.append(Finding("E011", message, word.span, "unknown", notes=notes, helps=helps))
        del words.words[0]
        return near
    names = dict.fromkeys((near, *OPTIMIZERS))
    helps = [other_optimizer(words.setting, words.train, name, options, _OPTIONS[name]) for name in names]
    raise Finding("E011", message, word.span, "unknown", notes=notes, helps=helps)


def _lr(words: SettingWords) -> None:
    values = words.values
    values["lr"] = words.number(1e-12, 1e3)
    if words.takes("for"):
        words.need("batch", " 256")
        values["reference_batch"] = words.number(1, 2**20, whole=True)
    if words.takes("constant"):
        values["schedule"] = "constant"
    elif fall := next((word for word in ("cosine", "linear") if words.takes(word)), None):
        values["schedule"], words.example = fall, f"lr 4e-3 for batch 4096, {fall} to 1e-5"
        if words.takes("to"):
            values["lr_end"] = words.number(0, values["lr"])
    elif words.takes("divided"):
        words.need("by", " 10 on plateau")
        values["factor"] = 1 / words.number(1.0001, 1e6)
        _divided(words)
    elif words.takes("times"):
        words.example = _TIMES
        values["schedule"], values["factor"] = "exponential", words.number(1e-6, 0.999999)
        if not words.takes("every"):
            raise words.incomplete("`times` needs `every`", "no `every`", " every 2.4 epochs")
        values["every"] = words.number(1e-3, 1e6)
        _ = words.takes("epochs") or words.takes("epoch")


def _divided(words: SettingWords) -> None:
    values = words.values
    if words.takes("on"):
        words.need("plateau", "")
        values["schedule"] = "plateau"
        if words.takes("of"):
            values["patience"] = words.number(1, 10_000, whole=True)
            _ = words.takes("epochs") or words.takes("epoch")
    elif words.takes("at"):
        _ = words.takes("epochs") or words.takes("epoch")
        words.example = "lr 0.1 for batch 256, divided by 10 at 30 60 80"
        numbers = [word for word in takewhile(lambda word: word.name is None, words.words) if word.value is not None]
        points = [words.number(0, 1e6)]
        while words.words and words.words[0].name is None:
            if (value := words.words[0].value) is not None and value < points[-1]:
                raise _descending(numbers)
            points.append(words.number(points[-1], 1e6))
        values["schedule"], values["milestones"] = "step", tuple(points)
    else:
        if words.words:
            read = " ".join(word.span.text for word in words.setting.words[: -len(words.words)])
            line = f"{words.setting.name} {read}"
            helps = [rewritten(words.setting, line + ending) for ending in _ENDINGS]
            raise words.wrong(words.words[0], "is not `on plateau` or `at` with epochs", *helps)
        raise words.incomplete("`divided by` needs `on plateau` or `at` with epochs", "no `on` or `at`", *_ENDINGS)


def _descending(numbers: Sequence[s.SettingWord]) -> Finding:
    text = " ".join(word.span.text for word in sorted(numbers, key=lambda word: word.value or 0))
    help_ = Help(f"`{text}`", Edit(numbers[0].span.to(numbers[-1].span), text))
    return Finding("E011", "the epochs are not ascending", numbers[0].span.to(numbers[-1].span), "here", helps=(help_,))


def _augment(words: SettingWords) -> None:
    values = words.values
    values.update(flip=False, crop=1.0)  # only the augmentations that a section lists are used
    while words.words:
        word = words.words.pop(0)
        name = words.once(word)
        if name in CROPS and len(words.taken.intersection(CROPS)) > 1:
            first = next(one for one in words.setting.words if one.name in CROPS)
            others = [one for one in words.setting.words if one is not first]
            raise words.wrong(
                word, "is a second kind of crop", without(words.setting, word), kept(words.setting, others)
            )
        if name == "flip" and word.value is None:
            values["flip"] = True
        elif name == "scale":
            words.example = "augment scale=1.143 to 2.286 flip"
            if word.value is None:
                raise words.wrong(word, "needs a number", replaced(word, "scale=1.143 to 2.286"))
            low = words.checked(word, 1, 10)
            if not words.takes("to"):
                raise words.wrong(
                    word, "needs an upper bound", replaced(word, f"scale={low:g} to {min(2 * low, 10):g}")
                )
            values["scale"] = (low, words.number(low, 10))
        elif name in AUGMENTATIONS:
            values[AUGMENTATIONS[name][0]] = _amount(words, word, name)
        else:
            helps = option_helps(words.setting, words.train, word, [*AUGMENTATIONS, "scale"], ["flip"])
            message = f"unknown augmentation `{word.span.text}`"
            notes = ("the augmentations are " + ", ".join(["flip", *AUGMENTATIONS, "scale"]),)
            words.unknown.append(Finding("E011", message, word.span, "unknown", notes=notes, helps=helps))


def _amount(words: SettingWords, word: s.SettingWord, name: str) -> float:
    """Return the number of an augmentation; the usual one if none is given, and as the help for a wrong one."""
    _, low, high, usual = AUGMENTATIONS[name]
    if word.value is None:
        return usual
    if name in WHOLE and not isinstance(word.value, int):
        raise words.wrong(word, "is not a whole number", replaced(word, f"{name}={usual:g}"))
    if low <= word.value <= high:
        return word.value if name in WHOLE else float(word.value)
    notes = (f"`{name}` is {UNITS[name]}",) if name in UNITS else ()
    why = f"is not between {bound(low)} and {bound(high)}"
    raise words.wrong(word, why, replaced(word, f"{name}={usual:g}"), notes=notes)


# the field, its bounds, and its default value
AUGMENTATIONS: dict[str, tuple[str, float, float, float]] = {
    "crop": ("crop", 1.0, 10.0, 1.143),  # 256 for 224
    "resized_crop": ("area", 0.01, 1.0, 0.08),
    "pad": ("pad", 1, MOST_PAD, 4),  # of 32
    "color": ("color", 0.0, 1.0, 0.4),
    "cutout": ("cutout", 0.0, 1.0, 0.5),  # 16 of 32
    "randaugment": ("randaugment", 0.0, MOST_RANDAUGMENT, 9.0),
    "erasing": ("erasing", 0.0, 1.0, 0.25),
    "mixup": ("mixup", 0.0, 100.0, 0.2),
    "cutmix": ("cutmix", 0.0, 100.0, 1.0),
}
WHOLE = {"pad"}
UNITS = {
    "crop": "the larger side in sides of the input, not pixels",
    "resized_crop": "the smallest fraction of the area",
    "cutout": "a fraction of the side, not pixels",
    "pad": "pixels of the input",
    "randaugment": f"a magnitude from 0 to {MOST_RANDAUGMENT:g}",
    "erasing": "the fraction of images in which a part is erased",
}


def _single(field: str, low: float, high: float, whole: bool = False) -> Callable[[SettingWords], None]:
    def read(words: SettingWords) -> None:
        words.values[field] = words.number(low, high, whole)
        if field == "warmup":
            _ = words.takes("epochs") or words.takes("epoch")

    return read


SETTINGS: dict[str, Callable[[SettingWords], None]] = {
    "optimizer": _optimizer,
    "lr": _lr,
    "warmup": _single("warmup", 0, 1e6),
    "epochs": _single("epochs", 1, 10**6, whole=True),
    "augment": _augment,
    "label_smoothing": _single("label_smoothing", 0, 0.999),
    "clip": _single("clip", 1e-6, 1e9),
    "ema": _single("ema", 0, 0.999999),
    "loss": read_loss,
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
    "loss": "loss class 0.5, teacher 0.5",
}
