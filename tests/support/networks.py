"""The built-in networks, for the sweeps over all of them: their names, and an input that keeps a run short."""

from archspec.library import built_in, folder, locate, variants

SMALL = "64x64x3"  # is enough where a network ends in a GAP
SMALLEST: dict[str, str | dict[str, str] | None] = {
    "lenet5": None,  # as it is
    "alexnet": "67x67x3",
    "alexnet_2014": "63x63x3",
    "alexnet_2gpu": "67x67x3",
    "nin": "67x67x3",
    "vgg11": "32x32x3",
    "vgg13": "32x32x3",
    "vgg16": "32x32x3",
    "vgg19": "32x32x3",
    "vgg_bn": "32x32x3",
    "googlenet": "80x80x3",
    "googlenet_bn": "128x128x3",
    "inception_naive": "14x14x256",
    "inception_v3": None,  # its auxiliary classifier fits no smaller map
    "inception_v4": "107x107x3",
    "xception": "55x55x3",
    "inception_resnet_v2": "107x107x3",
    "nasnet_a_large": "67x67x3",
    "plain20": "32x32x3",
    "plain56": "32x32x3",
    "resnet20": "32x32x3",
    "resnet56": "32x32x3",
    "resnet110": "32x32x3",
    "resnet1202": "16x16x3",
    "wrn28_10": "16x16x3",
    "swin": None,  # its windows fit no smaller map
    "siamese": {"left": "65x65x1", "right": "65x65x1"},
    "unet": "32x32x3",
    "unetpp": "32x32x3",
    "dcgan": None,
    "maxvit_tiny": None,  # 7x7 windows on every map
    "gpt2": "9",
    "bert_base": {"words": "9", "sentences": "9"},
    "clip_b32": None,
    "vit_h14": "56x56x3",
}


def every_network() -> list[str]:
    """All built-in specs, and all variants of families."""
    names = []
    for name in built_in():
        found = variants((folder() / f"{name}.arch").read_text(encoding="utf-8"))
        names += [name, *(f"{name}_{variant}" for variant in found)]
    return names


def small_input(name: str) -> str | dict[str, str] | None:
    """The input that keeps a run of a network short, its own where nothing stands here."""
    return SMALLEST.get(name, SMALLEST.get(locate(name).source.name.removesuffix(".arch"), SMALL))
