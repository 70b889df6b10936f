"""Trained networks and folders of images, for the tests of `archspec eval`."""

from pathlib import Path

import pytest

from support.evals import COLOUR, FIXED, GRAY, run, write_photos, write_weights


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on the bundled digits, of one epoch."""
    home = tmp_path_factory.mktemp("trained")
    (home / "gray.arch").write_text(GRAY)
    result = run("train", home / "gray.arch", "--epochs", "1", "--seed", "3", "--out", home / "run")
    assert result.exit_code == 0, result.output
    return home / "run"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")


@pytest.fixture
def colour(tmp_path: Path) -> Path:
    return write_weights(tmp_path / "colour.safetensors", COLOUR)


@pytest.fixture
def fixed(tmp_path: Path) -> Path:
    return write_weights(tmp_path / "fixed.safetensors", FIXED, seed=2)
