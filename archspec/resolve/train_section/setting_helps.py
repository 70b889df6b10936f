"""What to write instead of a wrong setting.

In: a setting, a wrong word of it, an example of a right one. Out: helps, the likeliest first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from archspec.diagnostics.findings import Edit, Help, suggest
from archspec.diagnostics.source import Span
from archspec.diagnostics.spelling import is_slip
from archspec.language import syntax as s

VOCABULARY = {
    "lr": (
        *("for", "batch", "constant", "cosine", "linear", "to", "divided", "by", "on", "plateau", "of", "epochs"),
        *("at", "times", "every"),
    ),
    "warmup": ("epochs", "epoch"),
}


OTHER_NAMES = {
    **{"learning_rate": "lr", "rate": "lr", "optim": "optimizer", "epoch": "epochs", "smoothing": "label_smoothing"},
    **{"augmentation": "augment", "augmentations": "augment", "grad_clip": "clip", "gradient_clip": "clip"},
}
# what others write as settings: the setting that it belongs to, how it is written there, and a line to begin with
PARTS = {
    "batch": ("lr", "for batch {}", "lr 0.1"),
    "batch_size": ("lr", "for batch {}", "lr 0.1"),
    "momentum": ("optimizer", "momentum={}", "optimizer sgd"),
    "weight_decay": ("optimizer", "weight_decay={}", "optimizer sgd"),
}


def rewritten(setting: s.Setting, text: str) -> Help:
    """Return the help that writes a whole setting anew."""
    return Help(f"`{text}`", Edit(setting.span, text))


def replaced(word: s.SettingWord, text: str, is_safe: bool = False) -> Help:
    """Return the help that puts another word in place of one."""
    return Help(f"`{text}`", Edit(word.span, text), is_safe=is_safe)


def kept(setting: s.Setting, words: Iterable[s.SettingWord]) -> Help:
    """Return the help that leaves out all words of a setting but some."""
    return rewritten(setting, " ".join([setting.name, *(word.span.text for word in words)]))


def without(setting: s.Setting, word: s.SettingWord) -> Help:
    """Return the help that leaves out one word."""
    return kept(setting, [one for one in setting.words if one is not word])


def without_line(setting: s.Setting) -> Help:
    """Return the help that leaves out a setting with its line."""
    source, span = setting.span.source, setting.span
    start = source.starts[span.line - 1]
    end = source.text.find("\n", span.end) + 1 or len(source.text)
    return Help("leave out this line", Edit(Span(source, start, end), ""))


def setting_elsewhere(
    setting: s.Setting, train: s.Train, settings: Collection[str], optimizers: Collection[str]
) -> tuple[Help, ...]:
    """Return the help for a setting that has another name, or is a part of another one."""
    source, start = setting.span.source, setting.span.start
    written, end, words = setting.name, start + len(setting.name), setting.words
    joined = f"{written}_{words[0].name}" if words and words[0].value is None else ""
    if joined in settings or joined in OTHER_NAMES or joined in PARTS:  # `weight decay 5e-4`
        written, end, words = joined, words[0].span.end, words[1:]
    if written in OTHER_NAMES or written in settings:
        name = OTHER_NAMES.get(written, written)
        if any(one.name == name for one in train.settings):
            return (without_line(setting),)
        return (Help(f"`{name}`", Edit(Span(source, start, end), name), is_safe=True),)
    if written in optimizers:
        return (_optimizer(setting, train),)
    if written not in PARTS or len(words) != 1 or words[0].value is None:
        return ()
    owner, form, line = PARTS[written]
    part = form.format(words[0].span.text)
    whole = next((one for one in train.settings if one.name == owner), None)
    if whole is None or not whole.words:
        return (rewritten(setting, f"{line} {part}"),)
    if part.split("=")[0].split()[0] in [one.name for one in whole.words]:
        return ()  # said there already
    end = whole.words[0].span.end
    insertion = Edit(Span(source, end, end), f" {part}")
    text = f"`{owner} {whole.words[0].span.text} {part}`, without this line"
    return (Help(text, insertion, *without_line(setting).edits),)


def _optimizer(setting: s.Setting, train: s.Train) -> Help:
    """`sgd lr=0.1 momentum=0.9` as the settings `optimizer` and `lr`."""
    return _with_rate(setting, train, ["optimizer", setting.name], setting.words)


def other_optimizer(
    setting: s.Setting, train: s.Train, name: str, options: Iterable[s.SettingWord], known: Collection[str]
) -> Help:
    """Return the help that names another optimizer: with the options that it takes, and the others named."""
    taken = [one for one in options if one.name in known or one.name == "lr"]
    dropped = [one for one in options if one not in taken]
    return _with_rate(setting, train, ["optimizer", name], taken, dropped)


def _with_rate(
    setting: s.Setting,
    train: s.Train,
    head: Iterable[str],
    options: Iterable[s.SettingWord],
    dropped: Sequence[s.SettingWord] = (),
) -> Help:
    """Return the help that writes the options of an optimizer, and `lr=` as the setting that it is."""
    rate = next((one for one in options if one.name == "lr" and one.value is not None), None)
    text = " ".join([*head, *(one.span.text for one in options if one.name != "lr")])
    is_free = rate is not None and not any(one.name == "lr" for one in train.settings)
    gone = [*dropped, *(one for one in options if one.name == "lr" and not (is_free and one is rate))]
    without_ = f", without `{' '.join(one.span.text for one in gone)}`" if gone else ""
    if rate is None or not is_free:
        return Help(f"`{text}`{without_}", Edit(setting.span, text))
    value = rate.span.text.partition("=")[2]
    indent = " " * (setting.span.source.position(setting.span.start)[1] - 1)
    edit = Edit(setting.span, f"{text}\n{indent}lr {value}")
    return Help(f"`{text}`, and `lr {value}` on a line of its own{without_}", edit)


def number_helps(setting: s.Setting, word: s.SettingWord, example: str) -> tuple[str, ...]:
    """Return helps for a word whose number is wrong or missing: the number of the example."""
    usual = _usual(setting, word, example)
    if usual is None:
        return (without(setting, word),)
    following = setting.words[setting.words.index(word) + 1 :]
    if usual.startswith(f"{word.name}=") and word.value is None and following and following[0].name is None:
        text = f"{word.name}={following[0].span.text}"  # `weight_decay 0.9`
        return (Help(f"`{text}`", Edit(word.span.to(following[0].span), text)),)
    if word.name and word.name in VOCABULARY.get(setting.name, ()):  # the number before it is missing
        return (replaced(word, f"{usual} {word.name}"),)
    return (replaced(word, usual),)


def _usual(setting: s.Setting, word: s.SettingWord, example: str) -> str | None:
    """Return what the example has in place of a word: with the same name, or after the same word."""
    if word.name is not None and (named := re.search(rf"(?<!\S){re.escape(word.name)}=\S+", example)):
        return named[0]
    at = setting.words.index(word)
    before = setting.words[at - 1].name if at else setting.name
    follows = re.search(rf"(?<!\S){re.escape(before)} ([\d.e-]+)", example) if before else None
    return follows[1] if follows else None


def unexpected_helps(
    setting: s.Setting, word: s.SettingWord, accepts: Callable[[tuple[s.SettingWord, ...]], bool]
) -> tuple[str, ...]:
    """Return helps for a word where nothing more can follow: a misspelling, or one that does not belong there.

    As much as possible of what is written is kept; `accepts` tells whether a setting takes some words.
    """
    near = word.name and word.value is None and suggest(word.name, VOCABULARY.get(setting.name, ()))
    if near and near != word.name:
        return (replaced(word, near, is_safe=is_slip(word.name or "", near)),)
    at = setting.words.index(word)
    before, after = setting.words[:at], setting.words[at + 1 :]
    if after and accepts((*before, *after)):
        return (without(setting, word),)
    if setting.name == "lr" and (helps := _milestones(setting, before, setting.words[at:])):
        return helps
    rest = kept(setting, before)
    gone = " ".join(one.span.text for one in setting.words[at:])
    return (Help(f"{rest}, without `{gone}`", *rest.edits) if after else rest,)


def _milestones(setting: s.Setting, before: Sequence[s.SettingWord], rest: Sequence[s.SettingWord]) -> tuple[Help, ...]:
    """`lr 0.1, step 82 123` as what is divided at these epochs."""
    text = " ".join(one.span.text for one in rest)
    is_constant = all(one.name in (None, "for", "batch") for one in before)
    if not is_constant or not re.fullmatch(r"(?:[a-z_]+ )+\d+(?: \d+)*", text):
        return ()
    epochs = re.findall(r"\d+", text)
    if sorted(epochs, key=int) != epochs:
        return ()
    read = " ".join([setting.name, *(one.span.text for one in before)])
    return (rewritten(setting, f"{read}, divided by 10 at {' '.join(epochs)}"),)


def option_helps(
    setting: s.Setting, train: s.Train, word: s.SettingWord, known: Collection[str], switches: Collection[str]
) -> list[str]:
    """Return helps for an option that a setting does not take."""
    name = word.name or ""
    near = suggest(name, [*known, *switches])
    if name == "lr" and setting.name == "optimizer" and word.value is not None:
        return [_with_rate(setting, train, ["optimizer"], setting.words)]
    if name in switches:  # with a number
        return [replaced(word, name), without(setting, word)]
    if near is not None and near not in [one.name for one in setting.words]:
        edit = Edit(Span(word.span.source, word.span.start, word.span.start + len(name)), near)
        return [Help(f"did you mean `{near}`?", edit, is_safe=(near in known) == (word.value is not None))]
    if "beta1" in known and name == "momentum" and word.value is not None:
        return [replaced(word, f"beta1={word.value}")]
    return [without(setting, word)]
