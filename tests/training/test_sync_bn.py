"""`--sync-bn`: torch's own SyncBatchNorm, which a CPU cannot run: the conversion and the refusals are tested."""

from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch import nn

import archspec
from archspec.cli import main
from archspec.compiler import build
from archspec.compiler.lowering.modules.norms import SequenceBatchNorm, SequenceSyncBatchNorm, synchronised
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.setup import requirements
from archspec.recipe import Recipe

TEXT = "[8x8x3] INPUT\nCONV 8 3x3 p1 -> BN -> RELU\nTOKENS -> FC 8 -> BN -> RELU\nGAP -> BN -> FC 5\n"
KINDS = (nn.BatchNorm2d, SequenceBatchNorm, nn.BatchNorm1d)


def norms(module: nn.Module) -> list[Any]:
    return [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]


def test_each_batch_norm_becomes_torchs_with_the_same_names_and_values() -> None:
    module = build(archspec.loads(TEXT), seed=0)
    generator = torch.Generator().manual_seed(1)
    for value in module.state_dict().values():
        if value.is_floating_point():
            value.uniform_(0.5, 2, generator=generator)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    images = torch.randn(4, 3, 8, 8, generator=generator)
    scores, old = module.eval()(images), norms(module)
    assert [type(one) for one in old] == [*KINDS]
    synchronised(module)
    new = norms(module)
    assert [type(one) for one in new] == [nn.SyncBatchNorm, SequenceSyncBatchNorm, nn.SyncBatchNorm]
    assert [(one.eps, one.momentum, one.training) for one in new] == [(one.eps, one.momentum, False) for one in old]
    after = module.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert torch.equal(module(images), scores)  # in inference it needs no other process


def test_the_cpu_refuses_it_by_name(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        main, ["train", "resnet20", "--sync-bn", "--device", "cpu", "--out", str(tmp_path / "run")]
    )
    assert result.exit_code == 1
    assert "error[E455]: `--sync-bn` requires CUDA: torch's SyncBatchNorm does not run on the CPU" in result.stderr
    assert not (tmp_path / "run").exists()


def test_a_pipeline_refuses_it_and_a_gpu_does_not() -> None:
    recipe, gpu = Recipe(sync_bn=True), torch.device("cuda")
    requirements.synchronised(recipe, Group(0, 2, gpu))
    with pytest.raises(archspec.ArchspecError, match=r"E472.*`--sync-bn` does not work with `--pipeline`"):
        requirements.synchronised(recipe, Group(0, 2, gpu, is_pipeline=True))
