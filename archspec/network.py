"""A network as a spec describes it, with its figures: totals, layers, and what was noticed.

In: what `api.read` found out. Out: a `MeasuredNetwork`. It is not printed or written as data here: `report` does that,
and `api.Network` joins the two.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from archspec.analyses import Analysis, Row, Totals, add_up
from archspec.analyses.advice import advice
from archspec.analyses.claims import Verdict
from archspec.bundle import Bundle
from archspec.diagnostics.findings import Diagnostic
from archspec.diagnostics.source import Source
from archspec.graph.ir import Graph, LossTerm
from archspec.graph.volume import Volume
from archspec.record import collector_off
from archspec.resolve import Resolved

if TYPE_CHECKING:
    from archspec.analyses.published import PublishedVerdict
    from archspec.recipe import Recipe
    from archspec.resolve.sources import Sources


class MeasuredNetwork:
    """The graph of a spec with its figures."""

    def __init__(self, bundle: Bundle, resolved: Resolved, graph: Graph, verdict: Verdict, analysis: Analysis) -> None:
        located = bundle.located
        self.bundle: Bundle = bundle
        self.name: str = located.name
        self.source: Source = located.source
        self.graph: Graph = graph
        self.resolved: Resolved = resolved
        self.verdict: Verdict = verdict
        self.analysis: Analysis = analysis

    @property
    def title(self) -> str:
        """The title that the spec's `net` line gives, or else the name."""
        return self.graph.title or self.name

    @property
    def layers(self) -> tuple[Row, ...]:
        """One row per layer, without auxiliary classifiers: `row.node`, `row.cost`, `row.receptive_field`."""
        return tuple(row for row in self.analysis.rows if not row.node.head)

    def __getitem__(self, name: str) -> Row:
        """Return the row of a layer by its name, such as `stage2.bottleneck3.conv2`.

        Raises:
            KeyError: no layer has this name.
        """
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Row]:
        return {row.node.name: row for row in self.analysis.rows}

    @property
    def input(self) -> Volume:
        """The volume of the first input, `(H, W, C)` for an image."""
        return self.graph.nodes[0].volume

    @property
    def output(self) -> Volume:
        """The volume of the first output, `(C,)` for a classifier."""
        return self.graph.nodes[self.graph.output].volume

    @property
    def inputs(self) -> tuple[tuple[str, Volume], ...]:
        """The name and volume of each input, in the order in which a module takes them."""
        return tuple((node.name, node.volume) for node in self.graph.sources)

    @property
    def outputs(self) -> tuple[tuple[str, Volume], ...]:
        """The name and volume of each output, in the order of their lines."""
        return tuple((output.name, self.graph.nodes[output.node].volume) for output in self.graph.outputs)

    @property
    def losses(self) -> tuple[LossTerm, ...]:
        """The results that the training loss is of, with weights; none if several outputs need a `loss` line."""
        return self.graph.losses

    @property
    def recipe(self) -> Recipe | None:
        """The recipe of the spec's `train` section, or None."""
        return self.resolved.recipe

    @property
    def sources(self) -> Sources | None:
        """What the spec cites, its licence, and published figures, or None."""
        return self.resolved.sources

    @cached_property
    def published(self) -> PublishedVerdict | None:
        """How the published counts compare with the network's, or None."""
        if self.sources is None:
            return None
        from archspec.analyses.published import check_published  # most specs name no sources

        return check_published(self.sources, self.graph, [row.cost for row in self.analysis.rows])

    @property
    def params(self) -> int:
        """Trainable parameters, including biases and normalisation."""
        return self.analysis.totals.params

    @property
    def params_no_bias(self) -> int:
        """Trainable parameters without biases, as a lecture counts them."""
        return self.analysis.totals.params_no_bias

    @property
    def macs(self) -> int:
        """Multiply-accumulates of convolutions and weight matrices for one image."""
        return self.analysis.totals.macs

    @property
    def attention_macs(self) -> int:
        """Multiply-accumulates of attention's own products, Q K^T and A V, for one image."""
        return self.analysis.totals.attention_macs

    @property
    def flops(self) -> int:
        """Floating-point operations for one image: 2 x (`macs` + `attention_macs`)."""
        return self.analysis.totals.flops

    @property
    def activations(self) -> int:
        """Values of all rows that are not computed in place, including the input's."""
        return self.analysis.totals.activations

    @property
    def weight_layers(self) -> int:
        """Layers with weights along the longest path (ResNet-50 has 50)."""
        return self.analysis.weight_layers

    @property
    def receptive_field(self) -> tuple[int, int] | None:
        """Receptive field of the last feature map, `(height, width)` in pixels; None without a feature map.

        Of paths with a global layer, such as a squeeze-excite's, only if there are no others; see `Row.field`.
        """
        return None if self.analysis.field is None else self.analysis.field.size

    def training_bytes(self, batch: int = 1) -> int:
        """Predict the peak memory of a training step in float32 with SGD, momentum and weight decay.

        Args:
            batch: Images per step.

        Returns:
            Bytes; `archspec/analyses/memory/MODEL.md` describes the model.
        """
        from archspec.analyses.memory import training_peak

        with collector_off():
            return training_peak(self.graph, batch).total

    def checkpointed_bytes(self, batch: int = 1) -> int:
        """Predict the same peak for activation checkpointing (`archspec train --checkpoint`)."""
        from archspec.analyses.memory.recomputation import checkpointed_peak
        from archspec.analyses.memory.segments import best_cuts

        with collector_off():
            return checkpointed_peak(self.graph, best_cuts(self.graph, batch), batch).total

    @cached_property
    def head_layers(self) -> tuple[tuple[Row, ...], ...]:
        """One row per layer of each auxiliary classifier."""
        found: dict[int, list[Row]] = {head.number: [] for head in self.graph.heads}
        for row in self.analysis.rows:
            if row.node.head:
                found[row.node.head].append(row)
        return tuple(map(tuple, found.values()))

    @property
    def auxiliary(self) -> tuple[Totals, ...]:
        """What each auxiliary classifier adds to the totals during training."""
        return tuple(add_up(row.cost for row in rows) for rows in self.head_layers)

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Warnings only: a spec with errors raises ArchspecError instead."""
        published = self.published.findings if self.published else ()
        return (*self.resolved.findings, *self.verdict.findings, *published, *advice(self.graph))

    def __repr__(self) -> str:
        return f"<Network {self.name}: {self.input} -> {self.output}, {self.params:,} parameters>"
