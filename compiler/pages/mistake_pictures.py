"""The most confident mistakes as pictures in a page.

In: mistakes, the images that they are of. Out: figures, each with the pixels that the network saw as a `data:` URI, the
true class, the predicted one, its probability and the image's name.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from torch import Tensor

from archspec.compiler.data.dataset import Images
from archspec.compiler.evaluation.mistakes import ConfidentMistake
from archspec.compiler.pages.svg import shown_text

SMALL = 64  # pixels: up to this side every one is kept
LARGEST = 192  # pixels of a side
QUALITY = 85  # of a JPEG

STYLE = """
.mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:1rem}
.mistakes img{width:100%;max-width:192px;image-rendering:auto}.mistakes img.small{image-rendering:pixelated}
figcaption{font-size:.85rem;overflow-wrap:anywhere}figcaption span{display:block}.file{color:#777}
"""


@dataclass(frozen=True)
class MistakenImage:
    """A mistake with its pixels [C, H, W] as bytes, and its names."""

    name: str
    true: str
    predicted: str
    probability: float
    pixels: Tensor


def mistaken_images(
    mistakes: Sequence[ConfidentMistake], images: Images, class_names: Sequence[str]
) -> list[MistakenImage]:
    """Return the mistakes whose images can be read."""
    found = []
    for one in mistakes:
        pixels = images.__getitems__([(one.place, -1)]).images
        if len(pixels):
            names = class_names[one.true], class_names[one.predicted]
            found.append(MistakenImage(images.name(one.place), *names, one.probability, pixels[0]))
    return found


def mistake_figures(found: Sequence[MistakenImage]) -> Iterator[str]:
    """Yield the figures, in the given order."""
    yield '<div class="mistakes">'
    for one in found:
        words = (
            f"{100 * one.probability:.2f} % {one.predicted}",
            f"true class: {one.true}",
        )
        kind = ' class="small"' if max(one.pixels.shape) <= SMALL else ""
        yield (
            f'<figure><img{kind} alt="{shown_text(one.name)}" src="{data_uri(one.pixels)}"><figcaption>'
            + "".join(f"<span>{shown_text(text)}</span>" for text in words)
            + f'<span class="file">{shown_text(one.name)}</span></figcaption></figure>'
        )
    yield "</div>"


def data_uri(pixels: Tensor) -> str:
    """Return an image [C, H, W] of bytes as a `data:` URI: a small one as it is, a larger one as a JPEG."""
    image = Image.fromarray(pixels.permute(1, 2, 0).squeeze(-1).numpy())
    is_small = max(image.size) <= SMALL
    image.thumbnail((LARGEST, LARGEST))
    file = BytesIO()
    if is_small:
        image.save(file, "PNG")
    else:
        image.save(file, "JPEG", quality=QUALITY)
    return f"data:image/{'png' if is_small else 'jpeg'};base64,{b64encode(file.getvalue()).decode()}"
