"""Predicted maps of classes as pictures in a page: the image, its mask, and the prediction.

In: predictions, the images that they are of. Out: figures with PNGs as `data:` URIs, each class in its colour.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import torch
from PIL import Image
from torch import Tensor

from archspec.compiler.data.dataset import Images
from archspec.compiler.data.maps.masks import IGNORED
from archspec.compiler.data.maps.pairs import centre
from archspec.compiler.evaluation.maps.map_counting import ShownMap
from archspec.compiler.pages.mistake_pictures import SMALL, data_uri
from archspec.compiler.pages.svg import shown_text

GRAY = (128, 128, 128)  # of ignored pixels
MOST_NAMED = 40  # classes of the legend

STYLE = """
.maps{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(330px,100%),1fr));gap:1rem}
.maps img{width:32%;max-width:192px;margin-right:1%}.maps img.small{image-rendering:pixelated}
.legend span{display:inline-block;margin-right:1rem}.legend i{display:inline-block;width:1em;height:1em;
margin-right:.3em;vertical-align:-.1em}
"""


@dataclass(frozen=True)
class PredictedMap:
    """A prediction and its mask [H, W], the same part of the image [C, H, W] as bytes, and the share that is wrong."""

    name: str
    wrong: float
    pixels: Tensor
    mask: Tensor
    guesses: Tensor


def predicted_maps(found: Sequence[ShownMap], images: Images) -> list[PredictedMap]:
    """Return the predictions whose images can be read."""
    maps = []
    for one in found:
        batch = images.__getitems__([(one.place, -1)])
        if len(batch.images):
            mask = batch.classes[0]
            pixels = centre(batch.images[0], mask.shape)
            maps.append(PredictedMap(images.name(one.place), one.wrong, pixels, mask, one.guesses))
    return maps


def map_figures(found: Sequence[PredictedMap], class_names: Sequence[str]) -> Iterator[str]:
    """Yield the classes with their colours, and the figures in the given order."""
    colours = class_colours(len(class_names))
    names = list(zip(class_names, colours, strict=True))
    yield '<p class="legend">'
    for name, colour in names[:MOST_NAMED]:
        yield f'<span><i style="background:rgb{colour}"></i>{shown_text(name)}</span>'
    yield "</p>" if len(names) <= MOST_NAMED else f"and {len(names) - MOST_NAMED:,} more</p>"
    yield '<div class="maps">'
    for one in found:
        kind = ' class="small"' if max(one.mask.shape) <= SMALL else ""
        pictures = {
            "image": data_uri(one.pixels),
            "mask": _uri(one.mask, colours),
            "prediction": _uri(one.guesses, colours),
        }
        shown = "".join(f'<img{kind} alt="{what}" title="{what}" src="{uri}">' for what, uri in pictures.items())
        caption = f'<span>{100 * one.wrong:.2f} % wrong</span><span class="file">{shown_text(one.name)}</span>'
        yield f"<figure>{shown}<figcaption>{caption}</figcaption></figure>"
    yield "</div>"


def class_colours(count: int) -> list[tuple[int, int, int]]:
    """Return a colour for each class: PASCAL VOC's, whose bits are those of the number, black for 0.

    >>> class_colours(4)
    [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)]
    """
    return [(_bits(number, 0), _bits(number, 1), _bits(number, 2)) for number in range(count)]


def coloured_map(classes: Tensor, colours: Sequence[tuple[int, int, int]]) -> Tensor:
    """Return the colours [3, H, W] of a map of classes [H, W]."""
    table = torch.tensor([GRAY] * (IGNORED + 1), dtype=torch.uint8)
    table[: len(colours)] = torch.tensor(colours, dtype=torch.uint8)
    return table[classes.long()].permute(2, 0, 1)


def _bits(number: int, channel: int) -> int:
    """Return every third bit of a number from `channel` on, the lowest as the highest of a byte."""
    return sum((number >> (3 * place + channel) & 1) << (7 - place) for place in range(8))


def _uri(classes: Tensor, colours: Sequence[tuple[int, int, int]]) -> str:
    image = Image.fromarray(coloured_map(classes, colours).permute(1, 2, 0).numpy())
    file = BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
