"""Measured and predicted memory of a training step, side by side: writes RESULTS.md.

    python -m benchmarks.training_memory.compare

In: measured.jsonl, as `measure` wrote it, and the built-in specs. Out: the table. Networks are measured as hand-written
torch modules and predicted from specs, so that the two share nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import archspec
from archspec.analyses.memory import training_peak
from archspec.diagnostics.errors import ArchspecError
from archspec.graph.ir import Graph

HERE = Path(__file__).parent
HEAD = """# Measured and predicted

Peak bytes of the second training step: `measured.jsonl` ({machine}, one process a case; made by
`python -m benchmarks.training_memory.measure` of the hand-written modules in `benchmarks/reference` and `unseen.py`)
against `archspec.analyses.memory.training_peak` of the specs. "decay" is `weight_decay=1e-4`. Where both columns agree
the peak is in the backward pass; where they differ the update is the worst moment. Written by
`python -m benchmarks.training_memory.compare`.

| network | batch | measured | predicted | error | measured, decay | predicted, decay | error |
|---|---:|---:|---:|---:|---:|---:|---:|
"""


class Case(NamedTuple):
    """One measured step, and the prediction in bytes."""

    network: str
    batch: int
    decay: float
    measured: int
    predicted: int

    @property
    def error(self) -> float:
        """In percent."""
        return 100 * (self.predicted / self.measured - 1)


def graph_of(network: str) -> Graph | None:
    """The spec of that name, if there is one."""
    try:
        return archspec.load(network).graph
    except ArchspecError as error:
        if all(diagnostic.code == "E014" for diagnostic in error.diagnostics):  # no such spec
            return None
        raise


def compared(lines: Iterable[dict[str, object]], graphs: dict[str, Graph]) -> Iterator[Case]:
    for line in lines:
        name, batch, decay = str(line["network"]), int(str(line["batch"])), float(str(line["weight_decay"]))
        if name in graphs:
            predicted = training_peak(graphs[name], batch, decay).total
            yield Case(name, batch, decay, int(str(line["peak_bytes"])), predicted)


def table(cases: list[Case]) -> str:
    """A row a network and batch, without and with decay."""
    rows: dict[tuple[str, int], list[Case]] = {}
    for case in cases:
        rows.setdefault((case.network, case.batch), []).append(case)
    return "".join(
        f"| {name} | {batch} |"
        + "".join(
            f" {case.measured:,} | {case.predicted:,} | {case.error:+.3f} % |"
            for case in sorted(row, key=lambda case: case.decay)
        )
        + "\n"
        for (name, batch), row in rows.items()
    )


def summary(cases: list[Case], without: list[str]) -> str:
    errors = [abs(case.error) for case in cases]
    networks = len({case.network for case in cases})
    text = f"\n{networks} networks, {len(cases)} cases: "
    text += f"median error {median(errors):.6f} %, largest {max(errors):.3f} %\n"
    if without:
        text += f"\nMeasured, and without a spec so far: {', '.join(without)}.\n"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description="compare measured and predicted memory of a training step")
    parser.add_argument("--measured", type=Path, default=HERE / "measured.jsonl")
    parser.add_argument("--out", type=Path, default=HERE / "RESULTS.md")
    arguments = parser.parse_args()
    lines = [json.loads(line) for line in arguments.measured.read_text(encoding="utf-8").splitlines()]
    found = {name: graph_of(name) for name in dict.fromkeys(line["network"] for line in lines)}
    graphs = {name: graph for name, graph in found.items() if graph is not None}
    cases = list(compared(lines, graphs))
    machines = dict.fromkeys(f"torch {x['torch']}, {x['capability']}, {x['threads']} threads" for x in lines)
    text = HEAD.format(machine="; ".join(machines)) + table(cases)
    text += summary(cases, [name for name in found if name not in graphs])
    arguments.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
