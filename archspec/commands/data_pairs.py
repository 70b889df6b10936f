"""What `archspec data` prints of a folder of images and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archspec.diagnostics.findings import plural

if TYPE_CHECKING:
    from archspec.compiler.data.hygiene.pair_survey import PairSurvey

CLASSES = 20  # that are printed


def class_lines(found: PairSurvey, width: int) -> list[str]:
    """Return a line for each part, and for each class its share of the pixels of the training part."""
    rows = [(part.path.name, f"{plural(part.images, 'image')} with masks {part.use}") for part in found.parts]
    pixels = found.parts[0].pixels
    whole = max(1, sum(pixels.values()))
    shares = [f"{name} {100 * count / whole:.3g} %" for name, count in pixels.items()]
    more = f", and {len(shares) - CLASSES:,} more" if len(shares) > CLASSES else ""
    rows.append(("pixels", ", ".join(shares[:CLASSES]) + more))
    head = f"`{found.root}`: {plural(found.images, 'image')} with masks of {len(found.class_names):,} classes"
    return [head, *(f"{name:{width}}  {fact}" for name, fact in rows)]


def class_document(found: PairSurvey) -> dict[str, Any]:
    """Return the parts and classes as plain data."""
    return {
        "folder": str(found.root),
        "images": found.images,
        "classes": list(found.class_names),
        "parts": [
            {"folder": str(part.path), "use": part.use, "images": part.images, "pixels": part.pixels}
            for part in found.parts
        ],
    }
