"""What enters the network: INPUT; and what reads token ids, EMBED."""

from __future__ import annotations

from archspec.graph.volume import Volume
from archspec.layers.arguments import COUNT, DEVIATION, argument, flag
from archspec.layers.base import Example, Layer, Tensor, TorchModule
from archspec.layers.demand import COPY, FROM_INPUT
from archspec.layers.sequence import INIT_DOC


class Input(Layer):
    """The image: `[224x224x3] INPUT` or `INPUT: [224x224x3]`. It has no rule: its bracket is its volume.

    `[128] INPUT tokens` is a sequence of 128 token ids, whole numbers from 0, which only EMBED reads.
    """

    keyword = "INPUT"
    keeps_channels = False
    memory = COPY
    free_words = ("tokens",)

    tokens: bool = flag("token ids, which only EMBED reads", tokens=True)


class Embedding(Layer):
    """A learned vector for each token id: `EMBED 30522 768` of `[128] INPUT tokens` gives [128x768]."""

    keyword = "EMBED"
    known_as = ("embedding", "tokenembedding", "wordembedding")
    keeps_channels = False
    reads_tokens = True
    is_embedding = True
    memory = FROM_INPUT
    examples = (Example("EMBED 100 8", ((6,),)), Example("EMBED 7 4 init=0.01", ((5,),)))

    rows: int = argument(COUNT, "how many ids there are", positional=True)
    width: int = argument(COUNT, "the channels of a vector", positional=True)
    init: float | None = argument(DEVIATION, INIT_DOC, default=None)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        return Volume((inputs[0][0], self.width))

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        return (Tensor("weight", (self.rows, self.width), f"{self.rows}*{self.width}"),)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        return TorchModule("Embedding", {"num_embeddings": self.rows, "embedding_dim": self.width})
