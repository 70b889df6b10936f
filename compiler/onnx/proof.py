"""The proof of a model: that the file is valid ONNX and computes what torch does.

In: a model's file, the graph that it was exported from, and the graph's torch module with the same weights. Out: a
`Proof`, one `Check` a step.

1. onnx's full checker takes the file.
2. onnx's own shape inference, strict and without the shapes that the emitter wrote, finds the compiler's volume for
   every value that has one.
3. onnxruntime = torch at batch 1 and at batch 3, and
4. onnxruntime = torch in float64, which has another order of summation and practically no rounding.

The rule for 3 and 4. Let r be torch's output in float64, t its output in float32, y onnxruntime's, and u = 2^-24.
Float32 has an error of its own. It is measured, e = max|t - r|, and estimated from the magnitude of what is summed on
the way, u S (sensitivity.py): if the sum is 0, as of a mean over normalised values, only S says how large an error may
be, and e can be small by chance. onnxruntime may have a few times as much:

    max|y - r| <= 4 (e + u S) + 2e-6 max|r|,    max|y - t| <= the same + e

Both bounds are 1e-3 max(max|r|, S) at the most, so that a network for which float32 is too coarse fails: S is what a
fault changes in proportion, and larger errors would hide a small one. (Measured over the canon, max|y - r| is at most
2 e, e at most 3e-6 max|r|, but 5e-5 for Inception-v4, and u S at most 15 e.)
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from archspec.compiler.onnx.model import BATCH
from archspec.compiler.onnx.sensitivity import sensitivity
from archspec.compiler.progress import Progress
from archspec.graph.ir import Graph

TIMES_TORCH, ROUNDINGS, MOST = 4.0, 2e-6, 1e-3
UNIT = 2.0**-24  # the largest relative error of one rounding to float32
BATCHES = (1, 3)
LIGHT = 1024  # values that shape inference may have to read
SEED = 0

SILENT = Progress(quiet=True)

Floats = NDArray[Any]


@dataclass(frozen=True)
class Check:
    """One step of a proof."""

    name: str
    passed: bool
    found: str


@dataclass(frozen=True)
class Proof:
    """All steps; those after a file that cannot be loaded are missing."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every step holds."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """The proof as `--json` gives it."""
        return {"passed": self.passed, "checks": [asdict(check) for check in self.checks]}

    def __str__(self) -> str:
        """The table, a line a step."""
        width = max(len(check.name) for check in self.checks)
        return "\n".join(
            f"  {'ok    ' if check.passed else 'FAILED'}  {check.name:<{width}}  {check.found}" for check in self.checks
        )


def prove(path: Path, graph: Graph, module: torch.nn.Module, progress: Progress = SILENT) -> Proof:
    """Prove a file, and say how far the proof is. `module` is converted to float64."""
    progress.step(lambda: "proof: onnx's checker")
    checks = [_checked(path)]
    if checks[0].passed:
        progress.step(lambda: "proof: inferred shapes")
        checks.append(_shaped(path, graph))
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
        return Check("checker", False, _first_line(error))
    return Check("checker", True, about)


def _shaped(path: Path, graph: Graph) -> Check:
    """The inferred shapes against the volumes."""
    try:
        shapes = inferred_shapes(onnx.load(path, load_external_data=False))
    except onnx.shape_inference.InferenceError as error:
        return Check("shapes", False, _first_line(error))
    compared = 0
    for node in graph.nodes:
        if node.name in shapes:
            batch, *rest = shapes[node.name] or [0]
            if not isinstance(batch, str) or tuple(rest) != node.volume.laid_out:
                wanted = [BATCH, *node.volume.laid_out]
                return Check("shapes", False, f"`{node.name}` is {shapes[node.name]}, the compiler expects {wanted}")
            compared += 1
    if graph.nodes[graph.output].name not in shapes:
        return Check("shapes", False, f"the shape of the output `{graph.nodes[graph.output].name}` is unknown")
    return Check("shapes", True, f"{compared} inferred shapes equal the compiler's")


def inferred_shapes(model: onnx.ModelProto) -> dict[str, list[int | str]]:
    """The shape of every value, by onnx's inference alone."""
    bare = onnx.ModelProto()
    bare.ir_version = model.ir_version
    bare.opset_import.extend(model.opset_import)
    bare.graph.name = model.graph.name
    bare.graph.node.extend(model.graph.node)
    bare.graph.input.extend(model.graph.input)
    for output in model.graph.output:
        bare.graph.output.add(name=output.name).type.tensor_type.elem_type = output.type.tensor_type.elem_type
    for tensor in model.graph.initializer:
        if np.prod(tensor.dims) <= LIGHT:
            bare.graph.initializer.append(tensor)
        else:
            shape = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            bare.graph.input.append(shape)
    inferred = onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    values = [*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output]
    return {value.name: [_extent(one) for one in value.type.tensor_type.shape.dim] for value in values}


def _extent(dimension: Any) -> int | str:
    return dimension.dim_value if dimension.HasField("dim_value") else str(dimension.dim_param)


def _computed(path: Path, graph: Graph, module: torch.nn.Module, progress: Progress) -> list[Check]:
    """onnxruntime against torch."""
    from archspec.compiler.inference.runtime import cpu_session

    generator = torch.Generator().manual_seed(SEED)
    shape = graph.nodes[0].volume.laid_out
    images = torch.randn((max(BATCHES), *shape), generator=generator)
    try:
        session = cpu_session(path)
        (entering,) = session.get_inputs()
        found = {batch: session.run(None, {entering.name: images[:batch].numpy()})[0] for batch in BATCHES}
    except Exception as error:  # onnxruntime's exceptions have no common base class
        return [Check("onnxruntime", False, _first_line(error))]
    progress.step(lambda: "proof: torch in float32 and float64")
    with torch.inference_mode():
        module.eval()
        single = {batch: module(images[:batch]) for batch in BATCHES}
        summed = sensitivity(module, images[:1], single[1])
        exact = module.double()(images.double()).numpy()
    return compare(found, {batch: outputs.numpy() for batch, outputs in single.items()}, exact, summed)


def compare(found: dict[int, Floats], single: dict[int, Floats], exact: Floats, summed: float) -> list[Check]:
    """The rule: onnxruntime's outputs and torch's in float32, by batch, torch's in float64 for the largest, and S."""
    bounds = Bounds(_error(single, exact), float(np.abs(exact).max()), summed)
    checks = []
    for batch in BATCHES:
        apart, bound = _apart(found[batch], single[batch]), bounds.of(TIMES_TORCH + 1)
        text = f"onnxruntime - torch: at most {apart:.1e}, allowed {bound:.1e}; outputs up to {bounds.largest:.3g}"
        checks.append(Check(f"batch {batch}", apart <= bound, text))
    error, bound = _error(found, exact), bounds.of(TIMES_TORCH)
    text = f"onnxruntime - float64: at most {error:.1e}, allowed {bound:.1e}; torch in float32: {bounds.own:.1e}"
    return [*checks, Check("float64", error <= bound, text)]


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


def _error(outputs: dict[int, Floats], exact: Floats) -> float:
    # numpy's maximum, because Python's ignores NaN
    return float(np.max([_apart(outputs[batch], exact[:batch]) for batch in BATCHES]))


def _apart(one: Floats, other: Floats) -> float:
    """The largest difference; infinite if the shapes differ, NaN if a value is NaN."""
    return float(np.abs(one - other).max()) if one.shape == other.shape else float("inf")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
