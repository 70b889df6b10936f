"""A step whose arguments were refused, written as it is probably meant.

In: the step, the volume that enters, and the one that its bracket claims. Out: helps that replace the step.
"""

from __future__ import annotations

from itertools import product

from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.layers import Layer
from archspec.layers.arguments import written
from archspec.layers.needs import largest_divisor
from archspec.record import REQUIRED
from archspec.resolve.helps.candidates import counts, unused_parameters
from archspec.resolve.helps.slips.reading import StepReading
from archspec.resolve.helps.surroundings import Surroundings
from archspec.resolve.layer_names import NamedLayer
from archspec.resolve.scope import Scope

_MANY_GROUPS, _MANY_HEADS = 32, 8


def meant(step: s.LayerStep, named: NamedLayer, scope: Scope, around: Surroundings, region: Span) -> list[str]:
    """Return helps that replace `region`, the step's name and arguments."""
    reading = StepReading(step, named, scope, around.entering)
    if not reading.is_understood:
        return []
    missing = [
        field
        for field, about in named.layer.arguments.items()
        if about.default is REQUIRED and field not in reading.fields
    ]
    helps: list[str] = []
    head = " ".join(word.text for word in step.words) + (":" if step.has_colon else "")
    for values in product(*(_examples(field, step, named.layer, reading, around) for field in missing)):
        words = _inserted(reading.words, dict(zip(missing, values, strict=True)), named.layer)
        is_safe = reading.is_certain and not missing
        for pads in ([], *_pads_for(reading)):
            text = " -> ".join([" ".join([head, *words, *pads]), *reading.after])
            if text.split() != region.text.split():
                helps.append(Help(f"`{text}`", Edit(region, text), is_safe=is_safe and not pads))
    return helps


def _pads_for(reading: StepReading) -> list[list[str]]:
    """Return the pad of half a window, which one that skips pixels may need."""
    given = dict(reading.words)
    side = given.get("kernel", "").split("x")[0]
    if "pad" in reading.fields or "stride" not in given or not side.isdigit() or int(side) % 2 == 0:
        return []
    return [] if given["stride"] in ("s1", "stride=1") else [[f"p{int(side) // 2}"]]


def _inserted(words: list[tuple[str, str]], missing: dict[str, str], layer: type[Layer]) -> list[str]:
    """Return the words of a step with those that are missing: counts come first, then sizes."""
    first: list[str] = []
    sizes: list[str] = []
    rest: list[str] = []
    for field, text in missing.items():
        about = layer.arguments[field]
        (rest if not about.is_positional else sizes if about.kind.takes_extent else first).append(text)
    found = [text for _, text in words]
    counts = [
        at for at, (field, _) in enumerate(words) if field in layer.arguments and layer.arguments[field].is_positional
    ]
    at = counts[-1] + 1 if counts else 0
    return [*first, *found[:at], *sizes, *found[at:], *rest]


def _examples(
    field: str, step: s.LayerStep, layer: type[Layer], reading: StepReading, around: Surroundings
) -> list[str]:
    """Return values that a required field may have: parameters of the block that nothing uses come first."""
    if field == layer.outputs:
        return counts(step, layer, around)
    spare = [] if layer.arguments[field].kind.takes_extent else unused_parameters(step, around.file)
    about = layer.arguments[field]
    named = [name if about.is_positional else f"{field}={name}" for name in spare]
    return [*named, *examples(field, layer, reading, around)]


def examples(field: str, layer: type[Layer], reading: StepReading, around: Surroundings) -> list[str]:
    """Return values that a required field may be meant to have, the likeliest first."""
    channels = around.entering.channels if around.entering else 0
    if field == "kernel":
        if not layer.is_weight_layer:  # a pool
            return ["2x2", "3x3"]
        if layer.keyword == "UPCONV":
            return ["2x2", "4x4 p1"] if "stride" in reading.fields else ["2x2 s2", "4x4 s2 p1"]
        return ["3x3", "1x1"] if "pad" in reading.fields else ["3x3 p1", "1x1"]
    if field == "stride":
        kernel = next((text for one, text in reading.words if one == "kernel"), "2x2")
        side = kernel.split("x")[0].strip()
        if not side.isdigit() or around.entering is None:
            return ["s2", "s1"]
        same = [f"s{side}"] if side != "1" else []
        fits = all((size - int(side)) % 2 == 0 for size in around.entering.spatial)
        return list(dict.fromkeys(["s2", *([] if fits else ["s2 p1", "s2 ceil"]), *same, "s1"]))
    if field == "groups" and channels:
        return [str(largest_divisor(channels, _MANY_GROUPS))]
    if field == "heads" and channels:
        return [str(largest_divisor(channels, _MANY_HEADS))]
    if field == "end" and channels:
        return [str(channels)]
    if field == "channels" and channels:
        return [str(2 * channels)]
    about = layer.arguments[field]
    simple = {"p": "0.5", "block": "2", "factor": "2", "pad": "p1", "value": "1"}
    return [simple.get(field, written(about.kind.written))]
