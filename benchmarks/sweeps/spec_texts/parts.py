"""The parts of mostly correct specs: steps for each kind of volume, blocks, calls, recipes.

In: nothing. Out: texts with places for numbers: {f}ilters, {k}ernel, {s}tride, {p}ad, {g}roups, {e}ps, {c}hannels, and
{h}alf of those. tests/test_fuzz.py holds that every layer is among them.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Parts: TypeAlias = tuple[str, ...]

ANYWHERE = (
    *("RELU", "RELU6", "GELU", "GELU tanh", "SILU", "HSWISH", "HSIGMOID", "TANH", "SIGMOID", "SOFTMAX"),
    *(
        "LEAKYRELU",
        "LEAKYRELU 0.{p}",
        "PRELU",
        "PRELU single",
        "ELU",
        "ELU alpha={e}",
        "MISH",
        "HARDTANH low=-{p} high=2",
    ),
    *("DROPOUT 0.{p}", "DROPPATH 0.{p}", "DROPPATH 0 to 0.2", "AFFINE", "SCALE {e}", "SCALE {e} fixed", "LN eps={e}"),
)
KEEPING = (
    *ANYWHERE,
    *("CONV {c} {k}x{k} same", "CONV {c} 3x3 p1", "DWCONV 3x3 same", "DWCONV 5x5 p2 -> BN", "CONV {c} 1x1", "FC {c}"),
    *("BN", "BN eps={e} momentum=0.01", "GN {g}", "IN affine", "NORM", "LN", "SHUFFLE {g}", "SHIFT", "POSEMBED"),
    *("GRN", "GRN eps={e}"),
    *("AVGPOOL 3x3 s1 p1", "MAXPOOL 3x3 s1 p1", "POOL 5x5 s1 same", "MHSA {g} window={k}", "MHSA {g}"),
    *("MHSA {g} window={k} shift={p} relpos", "LN -> MHSA 2", "CONV {c} 1x7 p0x3 -> CONV {c} 7x1 p3x0"),
)
MAP = (
    *KEEPING,
    *("CONV {f} {k}x{k}", "CONV {f} {k}x{k} s{s} p{p}", "CONV {f} {k}x{k} s{s} p{p} floor", "CONV {f} {k}x1 s{s} ceil"),
    *("CONV {f} {k}x{k} same d2 g{g} nobias", "CONV {f} 3x3 same linear", "CONV {f} 1x1 groups={g} bias", "CONV3-8"),
    *("DWCONV {k}x{k} s{s} p{p} floor", "DWCONV 3x3 p0:1 s2", "DWCONV 3x3 d2 same", "CONV {f} 2x2 s2 p0:1x1:0"),
    *("CONV1: 8 {k}x{k} filters at stride 1, pad {p}", "POOL2", "POOL {k}x{k} s{s} floor", "MAXPOOL 3x3 s2 p1"),
    *("MAX POOL1: 2x2 filters at stride 2", "AVGPOOL 2x2 s2", "AVGPOOL 3x3 s2 p1 count_pad ceil", "POOL 3x3 s2 ceil"),
    *("POOL 3x3 s2 p0:1", "GAP", "GLOBAL AVGPOOL", "UPCONV {f} 2x2 s2", "UPCONV {f} 3x3 s2 p1:0 nobias"),
    *("UPSAMPLE 2", "UPSAMPLE 2 bilinear", "PAD p{p}", "PAD p0:1x{p}", "SPACE2DEPTH 2", "SPACE2DEPTH {s} columns"),
    *("SLICE 0 {h}", "SLICE {h} {c}", "PADCHANNELS 24", "TOKENS", "TOKENS -> CLS -> POSEMBED", "FC {f}", "FC-6"),
    *("LRN n=3 k=1", "IN", "GN {g} eps={e}", "AVERAGE POOL: 2x2 s2", "GMP", "GAP channels", "GMP channels"),
    *("GLOBAL MAXPOOL", "TOKENS -> MAP 8x8", "FC 48 -> MAP 4x4"),
)
SEQUENCE = (
    *ANYWHERE,
    *("FC {f}", "FC {f} nobias linear", "MHSA {g}", "CLS", "POSEMBED", "TAKE 0", "TAKE {p}", "TRANSPOSE", "GAP", "LN"),
    *("TRANSPOSE -> FC 8 -> TRANSPOSE", "SLICE 0 {h}", "PADCHANNELS 24", "LN -> MHSA 2", "MAP 4x{k}", "GMP"),
)
VECTOR = (
    *ANYWHERE,
    *("FC {f}", "FC {f} -> RELU", "BN", "SLICE 0 {h}", "PADCHANNELS 24", "FC6: {f} neurons", "FC-8", "MAP 2x2"),
    "EMBED 30 {f}",
)

_BLOCKS = """
block unit(g, stride=1)
    add
        | CONV g 3x3 stride=stride pad=1 -> BN -> RELU -> CONV g 3x3 p1 -> BN
        | shortcut(g, stride)
    RELU
block shortcut(g, stride)
    if C == g and stride == 1
        x
    else
        CONV g 1x1 stride=stride -> BN
block squeeze(r)
    let narrow = max(1, floor(C/r))
    mul
        | x
        | GAP -> FC narrow -> RELU -> FC C -> SIGMOID
block spatial(k)
    mul
        | x
        | concat
              | GAP channels
              | GMP channels
          CONV 1 k x k same -> SIGMOID
block stage(inner, g, times, stride)
    inner(g, stride)
    (times-1) x inner(g)
block level(g, depth)
    CONV g 3x3 p1 -> RELU
    if depth > 0
        concat
            | x
            | MAXPOOL 2x2 s2 -> level(2*g, depth-1) -> UPCONV g 2x2 s2
block cell(g, @h=@before)
    concat
        | CONV g 3x3 p1
        | @h
          CONV g 1x1
block transformer(heads)
    add
        | LN -> MHSA heads
        | x
    add
        | LN -> FC 2*C -> GELU -> FC C
        | x
block pair(g)
    fine: CONV g 3x3 p1 -> RELU
    low: CONV 2*g 3x3 p1 -> RELU
    CONV g 1x1 -> RELU
block fuse(g, @b=@last.low)
    add
        | CONV g 3x3 p1
        | @b -> CONV g 1x1
    low: RELU
block gather(g, @more...)
    concat
        | @more -> CONV g 1x1
        | x
    CONV g 1x1 -> RELU
block twin(r) shared
    mul
        | x
        | GAP -> FC r -> RELU -> FC C -> SIGMOID
block head(classes)
    RELU -> FC classes
"""
_BY_NAME = {text.split("(")[0]: f"block {text}" for text in _BLOCKS.split("\nblock ")[1:]}
CALLS = (
    *("unit(8)", "unit(f)", "unit(16, 2)", "unit(g=8, stride=2)", "squeeze(4)", "stage(unit, 8, n, 2)", "level(4, 1)"),
    *("RELU -> cell(4)", "RELU -> 2 x cell(4)", "transformer(2)", "n x transformer(2)", "2 x squeeze(2)", "head(6)"),
    *("pair(4) -> fuse(4)", "pair(8) -> 2 x fuse(8)", "gather(4)", "n x twin(2)", "twin(4) -> CONV f 1x1", "twin(f)"),
    *("spatial(7)", "squeeze(4) -> spatial(3)"),
    *("stage(unit, f, 3, stride=1)", "unit(round8(f*1.4))", "level(f//2, min(n, 2))", "3 x head(4)"),
)
TITLES = (
    *("net A network", "net Small-7 (2015)", "net é × “title”", "net \x1b[2J"),
    "net A network\ncites A paper, table 2\nlicense BSD-3-Clause\npublished top1=76.1 top5=92 params=1.2K macs=3,000",
)
RECIPES = (
    "train\n    optimizer sgd momentum=0.9 weight_decay=1e-4 nesterov\n    lr 0.1 for batch 256, divided by 10 at 30 60\n"
    "    epochs 90\n    augment crop=1.2 flip\n",
    "train\n    optimizer adamw beta1=0.9 beta2=0.999 weight_decay=0.05\n    lr 1e-3 for batch 64, cosine to 1e-5\n"
    "    warmup 2.5 epochs\n    augment resized_crop=0.1 color=0.4 mixup=0.2 cutmix\n    label_smoothing 0.1\n",
    "train\n    optimizer rmsprop decay=0.9 eps=1e-3\n    lr 0.256 for batch 4096, times 0.97 every 2.4 epochs\n"
    "    ema 0.9999\n    clip 1.0\n",
    "train\n    lr 0.1, divided by 10 on plateau of 5 epochs\n    augment scale=1.1 to 2 cutout=0.5\n",
    "use alexnet: train\n",
)


def blocks_of(text: str) -> str:
    """Return the definitions of the blocks that a text names, and of those that they name."""
    found: dict[str, str] = {}
    waiting = [text]
    while waiting:
        for name in re.findall(r"[a-z]+", waiting.pop()):
            if name in _BY_NAME and name not in found:
                found[name] = _BY_NAME[name]
                waiting.append(_BY_NAME[name])
    return "".join(f"{block.rstrip()}\n" for block in found.values())
