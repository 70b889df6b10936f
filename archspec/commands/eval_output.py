"""What `archspec eval` prints: as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archspec.diagnostics.findings import Diagnostic, plural

if TYPE_CHECKING:
    from archspec.compiler.evaluation.ensemble_member import EnsembleMember
    from archspec.compiler.evaluation.evaluate import EnsembleEvaluation
    from archspec.compiler.evaluation.examples import Examples


def findings_of(examples: Examples, result: EnsembleEvaluation) -> list[Diagnostic]:
    """Return the warnings about the images."""
    from archspec.compiler.evaluation.evaluate import described

    found = list(examples.findings)
    if result.damaged:
        message = f"left out {plural(len(result.damaged), 'image')} that could not be read"
        found.append(Diagnostic("W431", message, notes=described(result.damaged)))
    return found


def titles(members: list[EnsembleMember]) -> list[str]:
    """Return the names of the networks."""
    return [one.trained.network.title for one in members]


def text(
    members: list[EnsembleMember], examples: Examples, result: EnsembleEvaluation, tta: tuple[str, ...]
) -> list[str]:
    """Return the lines, first which images were used."""
    from archspec.compiler.evaluation.confusion_tables import class_table, matrix_table, share, totals

    lines = [examples.description]
    for one, alone in zip(members, result.alone, strict=True):
        trained = one.trained
        about = f"{trained.network.title} {trained.network.input}, {trained.path}"
        lines.append(f"{about}: alone {share(alone.right, alone.images)}" if len(members) > 1 else about)
    views = sorted({len(one.views) for one in members})
    if tta:
        each = " or ".join(map(str, views))
        lines.append(f"averaged over {each} views of each image ({', '.join(dict.fromkeys(tta))})")
    found = result.together
    return [*lines, "", *totals(found), "", *class_table(found), "", *matrix_table(found)]


def document(
    members: list[EnsembleMember], examples: Examples, result: EnsembleEvaluation, tta: tuple[str, ...]
) -> dict[str, Any]:
    """Return the JSON."""
    models = [
        {
            "network": one.trained.network.title,
            "weights": str(one.trained.path),
            "views": len(one.views),
            "top1": alone.top1,
            "right": alone.right,
        }
        for one, alone in zip(members, result.alone, strict=True)
    ]
    damaged = [{"message": one.message, "notes": list(one.notes)} for one in result.damaged]
    return {
        "models": models,
        "data": examples.description,
        "tta": list(dict.fromkeys(tta)),
        **result.together.to_dict(),
        "damaged": damaged,
        "diagnostics": [finding.to_dict() for finding in findings_of(examples, result)],
    }
