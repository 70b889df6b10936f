"""`archspec eval` of a network whose output is a map of classes: what is refused, done and printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from archspec.commands.max_damaged import most_damaged_of
from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import Diagnostic, plural

if TYPE_CHECKING:
    import torch

    from archspec.commands.eval_flags import EvalFlags
    from archspec.compiler.evaluation.maps.evaluate_map import MapResult
    from archspec.compiler.evaluation.maps.pair_examples import PairExamples
    from archspec.compiler.weights.trained import Trained


class EvaluatedMap(NamedTuple):
    """Weights, the images that they were evaluated on, and the result."""

    trained: Trained
    examples: PairExamples
    result: MapResult

    @property
    def findings(self) -> list[Diagnostic]:
        """What there is to warn of."""
        from archspec.compiler.data.damaged import first_few

        found = list(self.examples.findings)
        if damaged := self.result.damaged:
            message = f"left out {plural(len(damaged), 'image')} that could not be read"
            found.append(Diagnostic("W431", message, notes=first_few([f"`{path}`" for path in damaged])))
        return found

    def text(self) -> list[str]:
        """Return the lines that are printed."""
        from archspec.compiler.evaluation.maps.map_tables import map_table, map_totals

        about = f"{self.trained.network.title} {self.trained.network.input}, {self.trained.path}"
        found = self.result.evaluation
        return [self.examples.description, about, "", *map_totals(found), "", *map_table(found)]

    def document(self) -> dict[str, Any]:
        """Return plain data, for `--json`."""
        return {
            "models": [{"network": self.trained.network.title, "weights": str(self.trained.path)}],
            "data": self.examples.description,
            **self.result.evaluation.to_dict(),
            "damaged": list(self.result.damaged),
            "diagnostics": [finding.to_dict() for finding in self.findings],
        }


def evaluated_map(trained: list[Trained], flags: EvalFlags, plot: Path | None, device: torch.device) -> EvaluatedMap:
    """Evaluate weights on a folder of images and masks. Raises ArchspecError for what maps do not support."""
    from archspec.compiler.evaluation.evaluate import EvaluationSettings
    from archspec.compiler.evaluation.maps.evaluate_map import evaluate_map
    from archspec.compiler.evaluation.maps.pair_examples import pair_examples
    from archspec.compiler.progress import Progress
    from archspec.compiler.threads import computing_with

    one = _single(trained, flags, plot)
    if flags.data is None:
        message = f"`{one.path}` outputs a map of classes: it is evaluated on images with masks"
        raise failure("E462", message, helps=("`--data DIR`, with `images` and `masks` in DIR",))
    examples = pair_examples(flags.data, one, "all" if flags.everything else flags.split)
    limit = most_damaged_of(flags.max_damaged, len(examples.folder.images))
    settings = EvaluationSettings(device, flags.batch, flags.decoding_processes, limit)
    with computing_with(flags.threads or 0):
        return EvaluatedMap(one, examples, evaluate_map(one, examples, settings, Progress(flags.quiet)))


def _single(trained: list[Trained], flags: EvalFlags, plot: Path | None) -> Trained:
    """Return the only weights. Raises ArchspecError for what is of classifiers only."""
    one = next(each for each in trained if each.network.output.is_map)
    given = {
        "an ensemble": len(trained) > 1,
        "`--tta`": bool(flags.tta),
        "`--plot`": plot is not None,
    }
    if wrong := next((name for name, is_given in given.items() if is_given), None):
        message = f"`{one.path}` outputs a map of classes, for which {wrong} is not supported"
        raise failure("E465", message, helps=("evaluate one network, without `--tta` and `--plot`",))
    return one
