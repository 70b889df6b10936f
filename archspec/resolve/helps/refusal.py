"""The finding for a layer step that was refused, in the terms of the step.

In: a finding of a layer's rule or of its arguments, and the step. Out: the finding, whose helps are worked out only if
they are shown.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.language import syntax as s
from archspec.layers import REGISTRY
from archspec.layers.arguments import Respelling
from archspec.record import replace
from archspec.resolve.argument_binding import SECOND
from archspec.resolve.helps.candidates import unused_parameters
from archspec.resolve.helps.claims import to_claim
from archspec.resolve.helps.flattened import keep_the_map
from archspec.resolve.helps.respelling import Speller
from archspec.resolve.helps.slips.meant import meant
from archspec.resolve.helps.slips.one_dimension import as_rows
from archspec.resolve.helps.slips.swapped import after_tokens
from archspec.resolve.helps.surroundings import Surroundings
from archspec.resolve.layer_names import NamedLayer
from archspec.resolve.scope import Scope

ARGUMENTS = ("E101", "E103", "E105", "E106")


def of(finding: Finding, step: s.LayerStep, named: NamedLayer | None, scope: Scope, around: Surroundings) -> Finding:
    """Return the finding with what to write instead; `named` is None if the step's name was refused."""
    found = _of(finding, step, named, scope, around)
    if rows := as_rows(step, around.entering, around.file):
        found.change_helps(lambda helps: [*rows, *helps])
    return found


def _of(finding: Finding, step: s.LayerStep, named: NamedLayer | None, scope: Scope, around: Surroundings) -> Finding:
    if any(word.span.text != word.text for word in step.words):  # a line that is read as it was meant: mend it first
        finding.change_helps(lambda _helps: [])
        return finding
    if named is None and finding.once and len(around.entering or ()) != 2:  # attention is of sequences
        finding.change_helps(lambda _helps: [])
        return finding
    if named is None:
        finding.change_helps(lambda helps: [_renamed(text, step, scope, around) for text in helps])
        return finding
    if finding.code == "E204":
        keep_the_map(finding, step, around)
    if finding.code not in ARGUMENTS:
        swapped = after_tokens(step, around.file) if finding.code == "E204" else []
        finding.change_helps(
            lambda helps: [*swapped, *_of_volumes(helps, Speller(step, named, scope, around.file), around)]
        )
        return finding
    if arrow := _missing_arrow(step, scope):
        return arrow

    def helps(helps: tuple[str, ...]) -> list[str]:
        speller = Speller(step, named, scope, around.file)
        if finding.span is not None and finding.label == SECOND:
            places = [finding.span, *(label.span for label in finding.others)]
            return [speller.without(place) for place in places]
        if finding.code == "E106" and helps:  # one number, written as two
            return list(helps)
        other = meant(step, named, scope, around, speller.span) or list(speller.helps(helps))
        return [*_claimed_count(finding, speller, around), *other]

    finding.change_helps(helps)
    return finding


def _of_volumes(helps: tuple[str, ...], speller: Speller, around: Surroundings) -> list[str]:
    """Return the helps for a volume that does not fit: what the bracket and the block's parameters say comes first."""
    first: list[str] = []
    if speller.layer and not speller.layer.given and around.entering and around.claimed:
        first = list(speller.helps(to_claim(speller.layer, around.entering, around.claimed)))
    for text in helps:
        if isinstance(text, Respelling) and text.steps == "{}" and len(text.fields) == 1:
            (field,) = text.fields
            names = unused_parameters(speller.step, around.file) if speller.is_literal(field) else []
            first += [speller.with_name(field, name) for name in names if field in speller.places]
    return [*first, *speller.helps(helps)]


def _claimed_count(finding: Finding, speller: Speller, around: Surroundings) -> list[Help]:
    """Return what a wrong number is probably meant to be: an unused parameter, or the channels of the bracket."""
    field = next(reversed(speller.places), None)
    about = speller.arguments.get(field) if field else None
    if finding.code == "E105" and field and about and about.is_positional and not about.kind.takes_extent:
        names = unused_parameters(speller.step, around.file)
        if names and around.claimed is None:
            return [speller.with_name(field, name) for name in names]
    if finding.code != "E105" or around.claimed is None or field is None or field != speller.named.layer.outputs:
        return []
    text = speller.spelt({field: around.claimed.channels})
    return [Help(f"`{text}`", Edit(speller.span, text))]


def has_depth(step: s.LayerStep) -> bool:
    """Whether a size has three numbers, as of a window on a video."""
    values = [argument.value for argument in step.arguments]
    return any(isinstance(value, s.Extent | s.Short) and len(value.sizes) == 3 for value in values)


def _renamed(text: str, step: s.LayerStep, scope: Scope, around: Surroundings) -> str:
    """Return the help that names another layer; numbers that it does not take so are written in its own way."""
    span = step.words[0].span.to(step.words[-1].span)
    if isinstance(text, Respelling):
        return Help(text.replace("{}", text.steps), Edit(span, text.steps))
    numbers = [one.value for one in step.arguments if isinstance(one.value, s.Number | s.Extent) and one.name is None]
    keyword = text.edits[0].replacement if isinstance(text, Help) and text.edits else ""
    if keyword not in REGISTRY or not numbers or len(numbers) < len(step.arguments):
        return text
    region = span.to(step.arguments[-1].span)
    layer = REGISTRY[keyword]
    given = step.arguments
    found: list[str] = []
    # torch says what enters: an FC's features come first, a GN's channels last
    for some in (given, given[1:] if layer.is_weight_layer else given[:-1]):
        other = replace(step, words=(s.Word(keyword, span),), arguments=some)
        found = found or meant(other, NamedLayer(layer, None, {}), scope, around, region)
    first = next(iter(found), text)
    colon = ":" if step.has_colon else ""
    as_written = f"`{keyword}{colon} {' '.join(one.span.text for one in given)}`"
    if not found or not isinstance(first, Help) or first == as_written:
        return text
    return Help(f"did you mean {first}?", *first.edits)


def _missing_arrow(step: s.LayerStep, scope: Scope) -> Finding | None:
    """Report a block call among the arguments: it is the next step, without its arrow."""
    for argument in step.arguments:
        if isinstance(argument.value, s.Function) and argument.value.name in scope.file.blocks:
            call = argument.value.span
            before = call.source.text[step.span.start : call.start].rstrip()
            text = f"{before} -> {call.text}"
            helps = (Help(f"`{text}`", Edit(step.words[0].span.to(call), text), is_safe=True),)
            return Finding("E006", f"missing `->` before `{call.text}`", call, "a second step", helps=helps)
    return None
