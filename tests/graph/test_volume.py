"""The dimensions of a volume, and the order in which torch and ONNX have them."""

import pytest

from archspec.graph.volume import Volume

# dimensions: as torch has them, all but the channels, the number of values, the kind
VOLUMES = {
    (5, 7, 3): ((3, 5, 7), (5, 7), 105, "map"),
    (6, 4): ((6, 4), (6,), 24, "sequence"),
    (9,): ((9,), (), 9, "vector"),
}


@pytest.mark.parametrize("dimensions", VOLUMES)
def test_channels_are_last_here_and_first_in_torchs_maps(dimensions: tuple[int, ...]) -> None:
    volume = Volume(dimensions)
    assert (volume.laid_out, volume.spatial, volume.values, volume.kind) == VOLUMES[dimensions]
    assert volume.channels == dimensions[-1]
