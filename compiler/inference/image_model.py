"""Whether an opened model is what its metadata say: one input of images, an output of numbers, one for each class.

In: what a model's file and its session say. Out: how many images it takes at once, or one error that says which number
is wrong and what is expected. The file may come from anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.inference.model_process import ModelValue, OpenedModel
from archspec.compiler.weights.model_metadata import FEATURES, MAP, ModelMetadata
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import did_you_mean, plural

FLOAT = "tensor(float)"
NUMBERS = (FLOAT, "tensor(double)", "tensor(float16)")
BATCH = 16
MOST_BYTES = 2**28  # of the images of a batch
MOST_SHOWN = 5  # inputs or outputs
EXPORT = "`archspec export SPEC|WEIGHTS -o net.onnx` writes a model"
IN_PYTHON = "run it in Python: `onnxruntime.InferenceSession(FILE).run(None, {NAME: ARRAY, ...})`"


def metadata_of(path: Path, opened: OpenedModel) -> ModelMetadata:
    """Read what a model says of itself. Raises ArchspecError for a model that `archspec export` did not write."""
    try:
        return ModelMetadata.from_properties(opened.properties)
    except KeyError:
        message = f"`{path}` does not describe its preprocessing: `archspec export` did not write it"
        raise failure("E431", message, helps=(EXPORT,)) from None
    except ValueError as error:
        raise _no_images(f"invalid metadata in `{path}`: {error}") from None


def need_images(path: Path, opened: OpenedModel, metadata: ModelMetadata) -> tuple[Preprocessing, int]:
    """Return how images are prepared, and how many the model takes at once. Raises ArchspecError."""
    if len(opened.inputs) != 1:
        listed = _listed(opened.inputs)
        message = f"`{path}` has {plural(len(opened.inputs), 'input')}{listed}; expected 1, for images"
        raise _no_images(message, metadata)
    (entering,) = opened.inputs
    preprocessing = metadata.preprocessing
    if metadata.inputs:
        raise _no_images(f"`{path}` does not take images", metadata)
    if preprocessing is None:
        message = f"`{path}` does not take images: its input is {list(entering.shape)}"
        raise failure("E431", message, notes=("images have 1 or 3 channels",))
    if entering.type != FLOAT:
        raise _no_images(f"the input `{entering.name}` of `{path}` is {entering.type}; expected {FLOAT}")
    expected = (preprocessing.channels, preprocessing.height, preprocessing.width)
    wanted = f"its metadata describe images of {'x'.join(map(str, expected))}, channels first"
    if len(entering.shape) != 1 + len(expected):
        raise _no_images(f"the input of `{path}` is {entering}, but {wanted}")
    batch, *sizes = entering.shape
    for name, size, own in zip(("channels", "height", "width"), sizes, expected, strict=True):
        if isinstance(size, int) and size != own:
            raise _no_images(f"the input of `{path}` is {entering}, with {name} {size}, but {wanted}")
    if isinstance(batch, int) and batch != 1:
        raise _no_images(f"`{path}` takes exactly {plural(batch, 'image')} at once; expected any number, or 1")
    values = expected[0] * expected[1] * expected[2]
    return preprocessing, 1 if batch == 1 else max(1, min(BATCH, MOST_BYTES // (4 * values)))


def need_output(
    path: Path, opened: OpenedModel, metadata: ModelMetadata, features: bool, wanted: str | None = None
) -> str:
    """Return the name of the first output, or of the wanted one.

    Raises ArchspecError unless it consists of numbers, with a score for each class if not of `features`.
    """
    output = _chosen(path, opened, metadata, wanted)
    if output.type not in NUMBERS:
        raise _no_scores(f"the output `{output.name}` of `{path}` is {output.type}; expected {FLOAT}")
    if features:
        return output.name
    if metadata.result_of(output.name) == FEATURES:
        message = f"`{path}` outputs `{output.name}` {list(output.shape[1:])}, which are not class scores"
        others = [f"`--output {name}` shows classes" for name, result in metadata.outputs if result != FEATURES]
        raise failure("E435", message, helps=("`--features` prints them", *others[:1]))
    if output.shape:  # without a declared shape, the shape of what it outputs is looked at
        need_classes(path, output.shape, metadata)
    return output.name


def _chosen(path: Path, opened: OpenedModel, metadata: ModelMetadata, wanted: str | None) -> ModelValue:
    """Return the first output or the wanted one. Raises ArchspecError unless the metadata describe the outputs."""
    names = [one.name for one in opened.outputs]
    described = [name for name, _ in metadata.outputs]
    has = f"`{path}` has {plural(len(names), 'output')}{_listed(opened.outputs)}"
    if described and names != described:
        raise _no_scores(f"{has}, but its metadata describe others")
    if not described and len(names) != 1:
        raise _no_scores(f"{has}; expected 1")
    if wanted is not None and wanted not in names:
        helps = did_you_mean(wanted, names)
        raise failure("E420", f"unknown output `{wanted}`: {has}", helps=helps)
    return opened.outputs[names.index(wanted) if wanted is not None else 0]


def need_classes(path: Path, shape: Sequence[int | str | None], metadata: ModelMetadata) -> None:
    """Raise ArchspecError unless a shape, [batch, classes] or [batch, classes, height, width], has one score for each
    class."""
    classes = None if metadata.class_names is None else len(metadata.class_names)
    pixels = ", height, width" if metadata.result == MAP else ""
    if len(shape) != (4 if pixels else 2) or 0 in shape[1:]:
        expected = f"[images, {'classes' if classes is None else classes}{pixels}]"
        raise _no_scores(f"`{path}` outputs {list(shape)}; expected {expected}")
    if classes is not None and isinstance(shape[1], int) and shape[1] != classes:
        names = plural(classes, "class name")
        raise _no_scores(f"`{path}` outputs {plural(shape[1], 'score')}, but its metadata have {names}")


def _listed(values: Sequence[ModelValue]) -> str:
    names = ", ".join(f"`{one.name}`" for one in values[:MOST_SHOWN])
    return f" ({names}{', ...' if len(values) > MOST_SHOWN else ''})" if values else ""


def _no_images(message: str, metadata: ModelMetadata | None = None) -> ArchspecError:
    notes = tuple(f"`{name}`: {takes}" for name, takes in metadata.inputs[:MOST_SHOWN]) if metadata else ()
    return failure("E431", message, notes=notes, helps=(IN_PYTHON if notes else EXPORT,))


def _no_scores(message: str) -> ArchspecError:
    return failure("E435", message, helps=(EXPORT,))
