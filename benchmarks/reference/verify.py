"""Check the hand-written networks against the published totals: `python -m benchmarks.reference.verify`.

Parameters leave out auxiliary heads. Multiply-accumulates are half of what torch's flop counter sees for
one image, without attention's own products.
"""

from __future__ import annotations

import sys

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from . import INPUT_SIZES, MODELS

#: parameters and multiply-accumulates of one image
PUBLISHED: dict[str, tuple[int, int]] = {
    "lenet5": (61_706, 416_520),
    "alexnet": (62_378_344, 1_135_256_096),
    "alexnet_2gpu": (60_965_224, 724_406_816),
    "zfnet": (107_627_624, 2_476_704_896),
    "vgg11": (132_863_336, 7_609_090_048),
    "vgg13": (133_047_848, 11_308_466_176),
    "vgg16": (138_357_544, 15_470_264_320),
    "vgg19": (143_667_240, 19_632_062_464),
    "googlenet": (6_998_552, 1_582_671_872),
    "resnet18": (11_689_512, 1_814_073_344),
    "resnet34": (21_797_672, 3_663_761_408),
    "resnet50": (25_557_032, 4_089_184_256),
    "resnet101": (44_549_160, 7_801_405_440),
    "resnet152": (60_192_808, 11_513_626_624),
    "resnext50": (25_028_904, 4_230_479_872),
    "se_resnet50": (28_088_024, 4_091_699_200),
    "densenet121": (7_978_856, 2_834_161_664),
    "mobilenet_v1": (4_231_976, 568_740_352),
    "mobilenet_v2": (3_504_872, 300_774_272),
    "vit_b16": (86_567_656, 16_848_500_736),
    "convnext_tiny": (28_589_128, 4_455_531_264),
}


def parameters(model: nn.Module) -> int:
    """Trainable values outside the auxiliary heads."""
    return sum(p.numel() for name, p in model.named_parameters() if not name.startswith("auxiliary"))


def multiply_accumulates(model: nn.Module, size: tuple[int, int, int]) -> int:
    """Of one inference on the meta device, so that nothing is computed.

    Only attention multiplies batches of matrices (`bmm`); those products are counted apart.
    """
    model.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.empty(1, *size, device="meta"))
    counts = counter.get_flop_counts()["Global"]
    return sum(int(flops) for operator, flops in counts.items() if "bmm" not in str(operator)) // 2


def main() -> int:
    wrong = 0
    for name, build in MODELS.items():
        with torch.device("meta"):
            model = build()
        found = parameters(model), multiply_accumulates(model, INPUT_SIZES[name])
        agrees = found == PUBLISHED[name]
        wrong += not agrees
        print(f"{name:14}{found[0]:>14,}{found[1]:>17,}  {'ok' if agrees else f'expected {PUBLISHED[name]}'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
