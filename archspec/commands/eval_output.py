"""What `archspec eval` prints: text, JSON, warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from archspec.diagnostics.findings import Diagnostic, plural

if TYPE_CHECKING:
    from archspec.compiler.evaluation.ensemble_member import EnsembleMember
    from archspec.compiler.evaluation.evaluate import EnsembleEvaluation
    from archspec.compiler.evaluation.examples import Examples


class EvaluatedEnsemble(NamedTuple):
    """Classifiers, the images that they were evaluated on, and the result."""

    members: list[EnsembleMember]
    examples: Examples
    result: EnsembleEvaluation
    tta: tuple[str, ...]

    @property
    def findings(self) -> list[Diagnostic]:
        """What there is to warn of."""
        return findings_of(self.examples, self.result)

    def text(self) -> list[str]:
        """Return the lines that are printed."""
        return text_of(self.members, self.examples, self.result, self.tta)

    def document(self) -> dict[str, Any]:
        """Return plain data, for `--json`."""
        return document_of(self.members, self.examples, self.result, self.tta)


def findings_of(examples: Examples, result: EnsembleEvaluation) -> list[Diagnostic]:
    """Return what there is to warn of."""
    from archspec.compiler.evaluation.evaluate import described

    found = list(examples.findings)
    if result.damaged:
        message = f"left out {plural(len(result.damaged), 'image')} that could not be read"
        found.append(Diagnostic("W431", message, notes=described(result.damaged)))
    return found


def titles_of(members: list[EnsembleMember]) -> list[str]:
    """Return the titles of the networks."""
    return [one.trained.network.title for one in members]


def accuracies(member: EnsembleMember) -> dict[int, float]:
    """Return what the spec of a network says is published of it: percentages by k of top-k."""
    sources = member.trained.network.sources
    return sources.accuracies if sources else {}


def text_of(
    members: list[EnsembleMember], examples: Examples, result: EnsembleEvaluation, tta: tuple[str, ...]
) -> list[str]:
    """Return the lines that are printed."""
    from archspec.compiler.evaluation.confusion_tables import class_table, matrix_table, share, totals
    from archspec.compiler.evaluation.tta_views import described

    lines = [examples.description]
    for one, alone in zip(members, result.alone, strict=True):
        trained = one.trained
        about = f"{trained.network.title} {trained.network.input}, {trained.path}"
        if (crop := trained.preprocessing.crop) < 1:
            about += f", the centre {100 * crop:g} % of each side"
        lines.append(f"{about}: alone {share(alone.right, alone.images)}" if len(members) > 1 else about)
    if tta:
        lines.append(described(tta, [one.views for one in members]))
    found = result.together
    published = accuracies(members[0]) if len(members) == 1 else {}
    return [*lines, "", *totals(found, published), "", *class_table(found), "", *matrix_table(found)]


def document_of(
    members: list[EnsembleMember], examples: Examples, result: EnsembleEvaluation, tta: tuple[str, ...]
) -> dict[str, Any]:
    """Return plain data, for `--json`."""
    models = [
        {
            "network": one.trained.network.title,
            "weights": str(one.trained.path),
            "views": len(one.views),
            "scales": sorted({float(view.scale) for view in one.views}),
            "eval_crop": one.trained.preprocessing.crop,
            "top1": alone.top1,
            "right": alone.right,
            "published": {f"top{k}": percentage / 100 for k, percentage in accuracies(one).items()},
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
