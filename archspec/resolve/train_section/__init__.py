"""The reader of the `train` section.

In: the settings under `train`. Out: a `Recipe` and the findings. `settings` defines what each setting takes,
`setting_words` reads the words of a line from left to right. Nothing is trained here.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, Edit, Help, Label, did_you_mean
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.recipe import OPTIMIZERS, Recipe
from archspec.resolve.train_section.setting_helps import setting_elsewhere, without_line
from archspec.resolve.train_section.setting_words import SettingWords
from archspec.resolve.train_section.settings import EXAMPLES, SETTINGS

UNSAID = Recipe(
    warmup=0.0
)  # the values of settings that a section leaves out: papers mention a warm-up if they use one


def read(train: s.Train) -> tuple[Recipe, list[Diagnostic]]:
    """Return the recipe of a section, and the findings. The batch is the one that the learning rate is for."""
    values: dict[str, Any] = {}
    findings: list[Diagnostic] = []
    seen: dict[str, s.Setting] = {}
    for setting in train.settings:
        if len(findings) == MAX_SHOWN:
            break
        unknown: list[Finding] = []
        try:
            if setting.name not in SETTINGS:
                raise _unknown_setting(setting, train)
            if setting.name in seen:
                helps = (without_line(setting),)
                raise Finding("E011", f"`{setting.name}` is set twice", setting.span, "the second", helps=helps)
            seen[setting.name] = setting
            words = SettingWords(setting, EXAMPLES[setting.name], values, train)
            unknown = words.unknown
            words.read(SETTINGS[setting.name])
        except Finding as finding:
            findings.append(finding.diagnostic(setting.span))
        findings += [finding.diagnostic(setting.span) for finding in unknown]
    if "reference_batch" in values:
        values["batch"] = values["reference_batch"]
    recipe = UNSAID.changed({"patience": UNSAID.patience, **values})
    return recipe, findings or _out_of_time(recipe, seen)


def _out_of_time(recipe: Recipe, seen: Mapping[str, s.Setting]) -> list[Diagnostic]:
    """Report settings that take effect only after the last epoch."""
    late = []
    if recipe.warmup >= recipe.epochs:
        late.append(("warmup", f"the warm-up takes {recipe.warmup:g} epochs"))
    if recipe.schedule == "step" and recipe.milestones[-1] >= recipe.epochs:
        late.append(("lr", f"the learning rate is divided at epoch {recipe.milestones[-1]:g}"))
    end = f"but the run ends at epoch {recipe.epochs:,}"
    return [
        Diagnostic(
            "E011", f"{what}, {end}", (Label(seen[name].span, "too late"),), helps=(_longer(recipe, seen, name),)
        )
        for name, what in late
    ]


def _longer(recipe: Recipe, seen: Mapping[str, s.Setting], late: str) -> Help:
    """Return the help that trains for so many epochs that all settings take effect."""
    last = max(recipe.warmup, recipe.milestones[-1] if recipe.schedule == "step" else 0)
    text = f"epochs {90 if last < 90 else ceil(1.5 * last)}"
    if "epochs" in seen:
        return Help(f"train for longer: `{text}`", Edit(seen["epochs"].span, text))
    source, start = seen[late].span.source, seen[late].span.start
    indent = source.text[source.starts[seen[late].span.line - 1] : start]
    return Help(
        f"train for longer: `{text}` on a line of its own", Edit(Span(source, start, start), f"{text}\n{indent}")
    )


def _unknown_setting(setting: s.Setting, train: s.Train) -> Finding:
    seen = [one.name for one in train.settings]
    span = Span(setting.span.source, setting.span.start, setting.span.start + len(setting.name))
    notes = ("the settings are " + ", ".join(SETTINGS),)
    near = did_you_mean(setting.name, [name for name in SETTINGS if name not in seen], span)
    helps = near or setting_elsewhere(setting, train, SETTINGS, OPTIMIZERS) or (without_line(setting),)
    return Finding("E011", f"`train` has no setting `{setting.name}`", span, "unknown", notes=notes, helps=helps)
