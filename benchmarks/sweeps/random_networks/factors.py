"""Branches whose result `mul` repeats along the places or the channels.

In: the volume of the other branch. Out: chains and what each produces.
"""

from __future__ import annotations

from archspec.graph.volume import Volume


def factors(volume: Volume) -> list[tuple[str, Volume]]:
    """Return chains from a map or a sequence to a volume that `mul` repeats to its size."""
    vector = Volume((volume.channels,))
    found = [
        (f"GAP -> FC {volume.channels} -> SIGMOID", vector),
        (f"GMP -> FC {volume.channels} -> SIGMOID", vector),
        ("GAP -> FC 1 -> TANH", Volume((1,))),
        ("GAP channels -> SIGMOID", Volume((*volume.spatial, 1))),
        ("GMP channels -> TANH", Volume((*volume.spatial, 1))),
    ]
    if volume.is_map:
        height, width, channels = volume
        found.append((f"AVGPOOL {height}x1 s1 -> CONV {channels} 1x1", Volume((1, width, channels))))
    return found
