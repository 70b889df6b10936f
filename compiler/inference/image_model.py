"""Whether an opened model is what its metadata say: one input of images, one output of numbers, one for each class.

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
from archspec.diagnostics.findings import plural

FLOAT = "tensor(float)"
NUMBERS = (FLOAT, "tensor(double)", "tensor(float16)")
BATCH = 16
MOST_BYTES = 2**28  # of the images of a batch
EXPORT = "`archspec export SPEC|WEIGHTS -o net.onnx` writes a model"


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
        raise _no_images(f"`{path}` has {plural(len(opened.inputs), 'input')}{listed}; expected 1, for images")
    (entering,) = opened.inputs
    preprocessing = metadata.preprocessing
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


def need_output(path: Path, opened: OpenedModel, metadata: ModelMetadata, features: bool) -> None:
    """Raise ArchspecError unless the model has one output of numbers, and with a score for each class if not of
    `features`."""
    if len(opened.outputs) != 1:
        raise _no_scores(f"`{path}` has {plural(len(opened.outputs), 'output')}{_listed(opened.outputs)}; expected 1")
    (output,) = opened.outputs
    if output.type not in NUMBERS:
        raise _no_scores(f"the output `{output.name}` of `{path}` is {output.type}; expected {FLOAT}")
    if features:
        return
    if metadata.result == FEATURES:
        message = f"`{path}` outputs `{output.name}` {list(output.shape[1:])}, which are not class scores"
        raise failure("E435", message, helps=("`--features` prints them",))
    if output.shape:  # without a declared shape, the shape of what it outputs is looked at
        need_classes(path, output.shape, metadata)


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
    names = ", ".join(f"`{one.name}`" for one in values[:5])
    return f" ({names}{', ...' if len(values) > 5 else ''})" if values else ""


def _no_images(message: str) -> ArchspecError:
    return failure("E431", message, helps=(EXPORT,))


def _no_scores(message: str) -> ArchspecError:
    return failure("E435", message, helps=(EXPORT,))
