"""Where a network and its figures come from: the lines `cites`, `license` and `published`.

In: those lines and the variants. Out: `Sources`, and the findings in them. Nothing is compared here: `analyses` checks
totals, and the evaluation of weights shows accuracies side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help, Label, did_you_mean, misspelt
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.record import Record

PERCENTAGES = {"top1": 1, "top5": 5}
FIGURES = (*PERCENTAGES, "params", "macs")
_UNITS = {"params": "M", "macs": "G"}
_OTHER_NAMES = {
    **dict.fromkeys(("acc", "acc1", "acc_1", "accuracy", "top_1", "top1_acc", "top"), "top1"),
    **dict.fromkeys(("acc5", "acc_5", "top_5", "top5_acc"), "top5"),
    **dict.fromkeys(("error", "err", "error1", "top1_error", "top1_err"), "top1"),
    **dict.fromkeys(("error5", "top5_error", "top5_err"), "top5"),
    **dict.fromkeys(("parameters", "num_params", "weights", "size"), "params"),
    **dict.fromkeys(("flops", "gflops", "flop", "ops", "gmacs", "mult_adds", "madds", "mac"), "macs"),
}


class Sources(Record):
    """What a spec cites, its licence, and what is published of the variant in use; other changes suspend that."""

    cites: tuple[str, ...]
    license: str | None
    published: tuple[s.PublishedFigure, ...]
    is_suspended: bool

    @property
    def accuracies(self) -> dict[int, float]:
        """The published top-k accuracies in percent by k, unless the network was changed."""
        shown = () if self.is_suspended else self.published
        return {PERCENTAGES[one.name]: one.figure.value for one in shown if one.name in PERCENTAGES}


def sources(
    lines: Sequence[s.SourceLine], variants: Mapping[str, s.Variant], variant: str | None, is_changed: bool
) -> Sources:
    """Return what the lines say of a variant, or of the spec as written.

    Variants that set no parameters are the spec as written.
    """
    published = {line.name: line.figures for line in lines if isinstance(line, s.Published)}
    same = ["", *(name for name, one in variants.items() if not one.bindings)]
    names = same if variant is None else [variant, *(same if variant in same else [])]
    return Sources(
        cites=tuple(line.title for line in lines if isinstance(line, s.Cites)),
        license=next((line.title for line in lines if isinstance(line, s.License)), None),
        published=next((published[name] for name in names if name in published), ()),
        is_suspended=is_changed,
    )


def findings(lines: Iterable[s.SourceLine], variants: Mapping[str, s.Variant]) -> list[Finding]:
    """Return what is wrong with `published` lines."""
    found: list[Finding] = []
    for line in lines:
        if not isinstance(line, s.Published):
            continue
        if line.name and line.name not in variants:
            found.append(_unknown_variant(line, variants))
        seen: dict[str, s.PublishedFigure] = {}
        for one in line.figures:
            wrong = _wrong_name(one) or _twice(one, seen) or _wrong_value(one) or _wrong_order(one, seen)
            found += [wrong] if wrong else []
            seen.setdefault(one.name, one)
    return found


def _unknown_variant(line: s.Published, variants: Iterable[str]) -> Finding:
    span = Span(line.span.source, line.span.start, line.span.start + len(line.name))
    known = ", ".join(variants)
    notes = (f"the variants are {known}" if known else "the spec has no variants",)
    gone = Edit(Span(span.source, span.start, line.figures[0].span.start), "")
    helps = did_you_mean(line.name, variants, span) or (() if known else (Help(f"drop `{line.name}:`", gone),))
    return Finding("E101", f"unknown variant `{line.name}`", span, "unknown", notes=notes, helps=helps)


def _wrong_name(one: s.PublishedFigure) -> Finding | None:
    if one.name in FIGURES:
        return None
    span = Span(one.span.source, one.span.start, one.span.start + len(one.name))
    notes = [f"the figures are {', '.join(FIGURES)}"]
    meant = _OTHER_NAMES.get(one.name.lower())
    if meant == "macs":
        notes.append("what papers and torchvision call FLOPs are usually multiply-accumulates")
    if meant and "err" in one.name and one.figure.value < 100:
        text = f"{meant}={100 - one.figure.value:.10g}"
        notes.append("accuracies, not error rates")
        helps: tuple[Help, ...] = (Help(f"`{text}`", Edit(one.span, text)),)
    else:
        helps = (Help(f"`{meant}`", Edit(span, meant)),) if meant else misspelt(one.name, FIGURES, span)
    helps = helps or (Help("drop it", _without(one)),)
    return Finding("E103", f"unknown figure `{one.name}`", span, "unknown", notes=notes, helps=helps)


def _twice(one: s.PublishedFigure, seen: Mapping[str, s.PublishedFigure]) -> Finding | None:
    if one.name not in seen:
        return None
    others = (Label(seen[one.name].span, "the first"),)
    helps = (Help("drop the second", _without(one)),)
    return Finding("E106", f"`{one.name}` is given twice", one.span, "the second", others=others, helps=helps)


def _wrong_value(one: s.PublishedFigure) -> Finding | None:
    value, written = one.figure.value, one.figure.span.text
    if one.name in PERCENTAGES:
        is_plain = isinstance(one.figure, s.Number)
        if is_plain and 1 <= value <= 100:
            return None
        message = f"`{one.name}` is a percentage, got {written}"
        text = f"{100 * value:.10g}"
        helps = (Help(f"`{one.name}={text}`", Edit(one.figure.span, text)),) if is_plain and 0 < value < 1 else ()
    else:
        if isinstance(one.figure, s.Figure) and value >= 1:
            return None
        if value >= 1 and float(value).is_integer():
            return None
        message = f"`{one.name}` is a count, got {written}"
        text = f"{written}{_UNITS[one.name]}"
        helps = (Help(f"`{one.name}={text}`", Edit(one.figure.span, text)),) if value > 0 and "e" not in text else ()
    return Finding("E105", message, one.figure.span, helps=helps or (Help("drop it", _without(one)),))


def _wrong_order(one: s.PublishedFigure, seen: Mapping[str, s.PublishedFigure]) -> Finding | None:
    """Return the finding for a top-5 accuracy below the top-1 accuracy."""
    other = seen.get("top1" if one.name == "top5" else "top5" if one.name == "top1" else "")
    if other is None or _wrong_value(other):
        return None
    top1, top5 = (other, one) if one.name == "top5" else (one, other)
    if top1.figure.value <= top5.figure.value:
        return None
    message = f"top5={top5.figure.span.text} is below top1={top1.figure.span.text}"
    edits = (Edit(top1.figure.span, top5.figure.span.text), Edit(top5.figure.span, top1.figure.span.text))
    return Finding("E105", message, one.span, helps=(Help("swap them", *edits),))


def _without(one: s.PublishedFigure) -> Edit:
    """Return the edit that drops a figure, and the line if it is the only one."""
    text, start, end = one.span.source.text, one.span.start, one.span.end
    while text[start - 1] in " ,":
        start -= 1
    before = text[text.rfind("\n", 0, start) + 1 : start]
    rest = text[end:].split("\n", 1)[0].split("#")[0].strip(" ,")
    if not rest and before.rstrip().endswith((":", "published")):
        from archspec.resolve.names.lines import dropped

        return dropped(one.span)
    return Edit(Span(one.span.source, start, end), "")
