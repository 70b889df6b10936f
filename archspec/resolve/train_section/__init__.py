"""The reader of the `train` section.

In: the settings under `train`. Out: a `Recipe` and the findings. `settings` defines what each setting takes,
`setting_words` reads the words of a line from left to right. Nothing is trained here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, Label, did_you_mean
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.recipe import Recipe
from archspec.resolve.train_section.setting_words import SettingWords
from archspec.resolve.train_section.settings import EXAMPLES, SETTINGS

UNSAID = Recipe(
    warmup=0.0
)  # the values of settings that a section leaves out: papers mention a warm-up if they use one


def read(train: s.Train) -> tuple[Recipe, list[Diagnostic]]:
    """Return the recipe of a section, and the findings. The batch is the one that the learning rate is for."""
    values: dict[str, Any] = {}
    findings: list[Diagnostic] = []
    seen: dict[str, Span] = {}
    for setting in train.settings:
        if len(findings) == MAX_SHOWN:
            break
        try:
            if setting.name not in SETTINGS:
                raise _unknown_setting(setting)
            if setting.name in seen:
                helps = ("drop one",)
                raise Finding("E011", f"`{setting.name}` is set twice", setting.span, "the second", helps=helps)
            seen[setting.name] = setting.span
            SettingWords(setting, EXAMPLES[setting.name], values).read(SETTINGS[setting.name])
        except Finding as finding:
            findings.append(finding.diagnostic(setting.span))
    if "reference_batch" in values:
        values["batch"] = values["reference_batch"]
    recipe = UNSAID.changed(values)
    return recipe, findings or _out_of_time(recipe, seen)


def _out_of_time(recipe: Recipe, seen: Mapping[str, Span]) -> list[Diagnostic]:
    """Report settings that take effect only after the last epoch."""
    late = []
    if recipe.warmup >= recipe.epochs:
        late.append(("warmup", f"the warm-up takes {recipe.warmup:g} epochs"))
    if recipe.schedule == "step" and recipe.milestones[-1] >= recipe.epochs:
        late.append(("lr", f"the learning rate is divided at epoch {recipe.milestones[-1]:g}"))
    helps = ("set the length of the run: `epochs 90`",)
    end = f"but the run ends at epoch {recipe.epochs:,}"
    return [Diagnostic("E011", f"{what}, {end}", (Label(seen[name], "too late"),), helps=helps) for name, what in late]


def _unknown_setting(setting: s.Setting) -> Finding:
    span = Span(setting.span.source, setting.span.start, setting.span.start + len(setting.name))
    helps = did_you_mean(setting.name, SETTINGS, span) or ("the settings are " + ", ".join(SETTINGS),)
    return Finding("E011", f"`train` has no setting `{setting.name}`", span, "unknown", helps=helps)
