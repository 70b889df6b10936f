"""Networks of tokens: GPT-2 (Radford et al. 2019), BERT (Devlin et al. 2018), CLIP (Radford et al. 2021)."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional


class SelfAttention(nn.Module):
    """Heads of 64 channels; with `causal` a token sees those before it and itself."""

    def __init__(self, width: int, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, -1, 64)).permute(2, 0, 3, 1, 4)
        scores = q @ k.mT / 8
        if self.causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, -torch.inf)
        y: Tensor = self.proj((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
        return y


class Block(nn.Module):
    """A transformer's, normalised before its branches, or after its sums."""

    def __init__(
        self, width: int, causal: bool, gelu: Callable[[Tensor], Tensor], first: bool = True, eps: float = 1e-5
    ) -> None:
        super().__init__()
        self.first, self.gelu = first, gelu
        self.attend = SelfAttention(width, causal)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=eps), nn.LayerNorm(width, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        if self.first:
            x = x + self.attend(self.norm1(x))
            return x + self.mlp(self.norm2(x))
        x = self.norm1(x + self.attend(x))
        y: Tensor = self.norm2(x + self.mlp(x))
        return y

    def mlp(self, x: Tensor) -> Tensor:
        y: Tensor = self.narrow(self.gelu(self.widen(x)))
        return y


class GPT2(nn.Module):
    def __init__(self, depth: int, length: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(50257, 768), nn.Parameter(torch.zeros(1, length, 768))
        gelu = partial(functional.gelu, approximate="tanh")
        self.blocks = nn.Sequential(*(Block(768, True, gelu) for _ in range(depth)))
        self.norm = nn.LayerNorm(768)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.norm(self.blocks(self.words(ids) + self.places))
        return x @ self.words.weight.T


class BERT(nn.Module):
    def __init__(self, depth: int, length: int) -> None:
        super().__init__()
        self.words, self.sentences = nn.Embedding(30522, 768), nn.Embedding(2, 768)
        self.places, self.norm = nn.Parameter(torch.zeros(1, length, 768)), nn.LayerNorm(768, eps=1e-12)
        blocks = (Block(768, False, functional.gelu, first=False, eps=1e-12) for _ in range(depth))
        self.blocks, self.pool = nn.Sequential(*blocks), nn.Linear(768, 768)

    def forward(self, words: Tensor, sentences: Tensor) -> tuple[Tensor, Tensor]:
        x = self.norm(self.words(words) + self.sentences(sentences) + self.places)
        x = self.blocks(x)
        return x, self.pool(x[:, 0]).tanh()


def quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


class CLIP(nn.Module):
    """Both encoders, without the product of their vectors."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 768, 32, 32, bias=False)
        self.token, self.places = nn.Parameter(torch.zeros(1, 1, 768)), nn.Parameter(torch.zeros(1, 50, 768))
        self.before, self.after = nn.LayerNorm(768), nn.LayerNorm(768)
        self.picture = nn.Sequential(*(Block(768, False, quick_gelu) for _ in range(depth)))
        self.to_picture = nn.Linear(768, 512, bias=False)
        self.words, self.word_places = nn.Embedding(49408, 512), nn.Parameter(torch.zeros(1, 77, 512))
        self.caption = nn.Sequential(*(Block(512, True, quick_gelu) for _ in range(depth)))
        self.last, self.to_caption = nn.LayerNorm(512), nn.Linear(512, 512, bias=False)

    def forward(self, picture: Tensor, caption: Tensor) -> tuple[Tensor, Tensor]:
        x = self.patches(picture).flatten(2).mT
        x = self.before(torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.places)
        x = self.to_picture(self.after(self.picture(x)[:, 0]))
        y = self.last(self.caption(self.words(caption) + self.word_places))
        return x, self.to_caption(y[:, -1])
