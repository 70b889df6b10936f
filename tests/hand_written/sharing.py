"""Small networks with two inputs, two outputs, or weights that two layers use."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Siamese(nn.Module):
    """One tower that sees two images; its features are multiplied (Koch et al. 2015 compare their distances)."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2, 2),
            nn.Conv2d(4, 6, 3),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(6 * 2 * 2, 5),
        )

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        first = self.tower(left)
        product: Tensor = first * self.tower(right)
        return product


class TwoOutputs(nn.Module):
    """A map, which is also rectified for a classifier: both leave the network."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.map, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 1), nn.Linear(6, 5)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.map(torch.relu(self.stem(images)))
        scores = self.head(torch.relu(features).mean((2, 3)))
        return features, scores


class TiedLanguageModel(nn.Module):
    """Scores of the next word by the words' own vectors (Press & Wolf 2017), plus a bias of each word."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.words, self.mix, self.norm = nn.Embedding(words, width), nn.Linear(width, width), nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(words))

    def forward(self, tokens: Tensor) -> Tensor:
        features = self.norm(self.mix(self.words(tokens)))
        return functional.linear(features, self.words.weight, self.bias)
