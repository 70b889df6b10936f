"""The torch module of a network under DistributedDataParallel."""

import gc
from functools import reduce
from operator import add
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

import archspec
from archspec.compiler import build
from support.processes import spawn

PROCESSES = 2
TEXT = """\
[8x8x3] INPUT
CONV 8 3x3 p1 -> RELU
aux 0.3: GAP -> FC 5
add
    | CONV 8 3x3 p1
    | x
RELU -> GAP -> FC 5
"""


def network() -> nn.Module:
    return build(archspec.loads(TEXT), seed=0).train()


def loss(module: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    return reduce(add, [functional.cross_entropy(scores, labels) for scores in module(images)])


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(8, 3, 8, 8, generator=generator), torch.arange(8) % 5


def work(rank: int, folder: Path) -> None:
    """What each process does: its share of the batch, and the gradients into a file."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=PROCESSES)
    module = DistributedDataParallel(network())
    images, labels = batch()
    loss(module, images[rank::PROCESSES], labels[rank::PROCESSES]).backward()
    torch.save([parameter.grad for parameter in module.parameters()], folder / f"{rank}.pt")
    del module  # its reducer has threads that use the group, and abort the process if the group goes first
    gc.collect()
    distributed.barrier()
    distributed.destroy_process_group()


def test_two_processes_find_the_gradients_of_the_whole_batch(tmp_path: Path) -> None:
    spawn(work, (tmp_path,), PROCESSES)
    module = network()
    loss(module, *batch()).backward()
    expected = [parameter.grad for parameter in module.parameters()]
    for rank in range(PROCESSES):
        torch.testing.assert_close(torch.load(tmp_path / f"{rank}.pt"), expected)
