"""Which checkpoints a run's folder keeps."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from archspec.compiler.training.records.run_folder import RunFolder


def test_the_last_few_checkpoints_are_kept_and_the_last_is_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, keep=2)
    checkpoint: Any = SimpleNamespace(to_dict=dict)
    for steps in (1, 2, 3, 10):
        folder.save(checkpoint, steps)
    assert sorted(path.name for path in tmp_path.glob("*.pt")) == ["checkpoint-000000003.pt", "checkpoint-000000010.pt"]
    assert (tmp_path / "latest").read_text() == "checkpoint-000000010.pt\n"
