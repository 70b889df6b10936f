"""The proof of a model: that the file is valid ONNX and computes what torch does.

In: a model's file, the graph that it was exported from, and the graph's torch module with the same weights. Out: a
`Proof`, one `Check` a step.

1. onnx's full checker takes the file.
2. Inputs and outputs have the network's names in its order, and onnx's own shape inference, strict and without the
   shapes that the emitter wrote, finds the compiler's volume for every value that has one.
3. onnxruntime = torch at batch 1 and at batch 3, and
4. onnxruntime = torch in float64, which has another order of summation and practically no rounding.

3 and 4 are of each output by itself, for the same random inputs (token ids below what every EMBED knows). The rule for
them. Let r be torch's output in float64, t its output in float32, y onnxruntime's, and u = 2^-24.
Float32 has an error of its own. It is measured, e = max|t - r|, and estimated from the magnitude of what is summed on
the way, u S (sensitivity.py): if the sum is 0, as of a mean over normalised values, only S says how large an error may
be, and e can be small by chance. onnxruntime may have a few times as much:

    max|y - r| <= 4 (e + u S) + 2e-6 max|r|,    max|y - t| <= the same + e

Both bounds are 1e-3 max(max|r|, S) at the most, so that a network for which float32 is too coarse fails: S is what a
fault changes in proportion, and larger errors would hide a small one. (Measured over the canon, max|y - r| is at most
2 e, e at most 3e-6 max|r|, but 5e-5 for Inception-v4, and u S at most 15 e.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from archspec.compiler.lowering.random_inputs import random_inputs
from archspec.compiler.onnx.checks.sensitivity import sensitivity, together
from archspec.compiler.onnx.checks.shapes import shaped
from archspec.compiler.onnx.checks.steps import Check, Proof, first_line
from archspec.compiler.progress import Progress
from archspec.graph.ir import Graph

TIMES_TORCH, ROUNDINGS, MOST = 4.0, 2e-6, 1e-3
UNIT = 2.0**-24  # the largest relative error of one rounding to float32
BATCHES = (1, 3)
SEED = 0

SILENT = Progress(quiet=True)

Floats = NDArray[Any]


def prove(path: Path, graph: Graph, module: torch.nn.Module, progress: Progress = SILENT) -> Proof:
    """Prove a file, and say how far the proof is. `module` is converted to float64."""
    progress.step(lambda: "proof: onnx's checker")
    checks = [_checked(path)]
    if checks[0].passed:
        progress.step(lambda: "proof: inferred shapes")
        checks.append(shaped(path, graph))
        progress.step(lambda: "proof: onnxruntime")
        checks.extend(_computed(path, graph, module, progress))
    progress.clear()
    return Proof(tuple(checks))


def _checked(path: Path) -> Check:
    model = onnx.load(path, load_external_data=False)
    about = f"onnx {onnx.__version__}: IR {model.ir_version}, opset {model.opset_import[0].version}"
    try:
        onnx.checker.check_model(path, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return Check("checker", False, first_line(error))
    return Check("checker", True, about)


def _computed(path: Path, graph: Graph, module: torch.nn.Module, progress: Progress) -> list[Check]:
    """onnxruntime against torch."""
    from archspec.compiler.inference.runtime import cpu_session

    inputs = random_inputs(graph, max(BATCHES), torch.Generator().manual_seed(SEED))
    fed = {source.name: one.numpy() for source, one in zip(graph.sources, inputs, strict=True)}
    names = [output.name for output in graph.outputs]
    try:
        session = cpu_session(path)
        found = {batch: session.run(names, {name: fed[name][:batch] for name in fed}) for batch in BATCHES}
    except Exception as error:  # onnxruntime's exceptions have no common base class
        return [Check("onnxruntime", False, first_line(error))]
    progress.step(lambda: "proof: torch in float32 and float64")
    with torch.inference_mode():
        module.eval()
        single = {batch: together(module(*(one[:batch] for one in inputs))) for batch in BATCHES}
        summed = sensitivity(module, [one[:1] for one in inputs], single[1])
        exact = together(module.double()(*(one.double() if one.is_floating_point() else one for one in inputs)))
    checks = []
    for place, name in enumerate(names):
        own = {batch: outputs[place] for batch, outputs in found.items()}
        in_torch = {batch: outputs[place].numpy() for batch, outputs in single.items()}
        checks += compare(own, in_torch, exact[place].numpy(), summed[place], name if len(names) > 1 else "")
    return checks


def compare(
    found: Mapping[int, Floats], single: Mapping[int, Floats], exact: Floats, summed: float, output: str = ""
) -> list[Check]:
    """The rule, for an output of onnxruntime, torch's in float32, by batch, torch's in float64 for the largest, and S.

    The steps of one of several outputs begin with its name.
    """
    bounds = Bounds(_error(single, exact), float(np.abs(exact).max()), summed)
    prefix = f"{output}: " if output else ""
    checks = []
    for batch in BATCHES:
        apart, bound = _apart(found[batch], single[batch]), bounds.of(TIMES_TORCH + 1)
        text = f"onnxruntime - torch: at most {apart:.1e}, allowed {bound:.1e}; outputs up to {bounds.largest:.3g}"
        checks.append(Check(f"{prefix}batch {batch}", apart <= bound, text))
    error, bound = _error(found, exact), bounds.of(TIMES_TORCH)
    text = f"onnxruntime - float64: at most {error:.1e}, allowed {bound:.1e}; torch in float32: {bounds.own:.1e}"
    return [*checks, Check(f"{prefix}float64", error <= bound, text)]


@dataclass(frozen=True)
class Bounds:
    """What a bound is made of: torch's own error, the largest output, and S."""

    own: float
    largest: float
    summed: float

    def of(self, times: float) -> float:
        """The bound with `times` torch's own error; NaN if one of the three is NaN."""
        rounded = times * self.own + TIMES_TORCH * UNIT * self.summed + ROUNDINGS * self.largest
        return float(np.min([rounded, MOST * np.max([self.largest, self.summed])]))


def _error(outputs: Mapping[int, Floats], exact: Floats) -> float:
    # numpy's maximum, because Python's ignores NaN
    return float(np.max([_apart(outputs[batch], exact[:batch]) for batch in BATCHES]))


def _apart(one: Floats, other: Floats) -> float:
    """The largest difference; infinite if the shapes differ, NaN if a value is NaN."""
    return float(np.abs(one - other).max()) if one.shape == other.shape else float("inf")
