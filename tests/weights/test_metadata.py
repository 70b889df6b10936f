"""What a weights file says of itself is a record, and comes back from JSON as it was."""

import json

import pytest

import archspec
from archspec.compiler.weights.metadata import TrainedOn, WeightsMetadata
from archspec.recipe import Recipe


@pytest.mark.parametrize("data", [None, TrainedOn("folder", "ab12", 87)], ids=["early version", "data"])
def test_a_record_is_read_as_it_was_written(data: TrainedOn | None) -> None:
    network = archspec.loads("net Small\n[6x8x3] INPUT\nparam wide = 4\nCONV wide 3x3 -> RELU\nGAP -> FC 2\n", "small")
    recipe = Recipe(seed=5).to_dict()
    written = WeightsMetadata(network, recipe, ("cat", "dög"), (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), 0.75, data)
    read = WeightsMetadata.from_json(json.loads(json.dumps(written.to_json())), "it")
    assert read.to_json() == json.loads(json.dumps(written.to_json()))
    assert (read.class_names, read.mean, read.std, read.score, read.data) == (
        written.class_names,
        written.mean,
        written.std,
        written.score,
        data,
    )
    assert (read.seed, read.network.title, read.network.params) == (5, "Small", network.params)
    assert read.preprocessing.crop == 1
    found = read.preprocessing
    assert (found.height, found.width, found.colours, found.mean, found.std) == (6, 8, "RGB", written.mean, written.std)


def test_the_centre_crop_of_a_run_is_part_of_its_preprocessing() -> None:
    network = archspec.loads("net Small\n[6x8x3] INPUT\nGAP -> FC 2\n", "small")
    recipe = Recipe(eval_crop=0.875).to_dict()
    data = WeightsMetadata(network, recipe, ("cat", "dog"), (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), 0.75).to_json()
    assert WeightsMetadata.from_json(data, "it").preprocessing.crop == 0.875
    early = {**data, "recipe": {"seed": 0}}
    assert WeightsMetadata.from_json(early, "it").preprocessing.crop == 1
    with pytest.raises(ValueError, match=r"`recipe.eval_crop` is 2; expected a number from 0.1 to 1"):
        WeightsMetadata.from_json({**data, "recipe": {"eval_crop": 2}}, "it")
    for wrong in (
        {"area": "0.3"},
        {"crop": [1, 2]},
        {"scale": [1.0]},
        {"scale": 2},
        {"pad": float("nan")},
        {"area": -1},
    ):
        with pytest.raises(ValueError, match=f"`recipe.{next(iter(wrong))}` is .*; expected"):
            WeightsMetadata.from_json({**data, "recipe": wrong}, "it")
