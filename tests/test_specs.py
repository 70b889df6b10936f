"""The built-in networks are the published ones, to the last parameter and multiply-accumulate.

Figures are those of the papers' commonly used implementations; where the table has no figure for a network, none has
been published. A spec that is not in the table fails. Those marked `tv` and `timm` were counted from the modules of
torchvision 0.28 and timm 1.0.31, MACs with torch's `FlopCounterMode`, without the products of attention; none of the
two is needed here.
"""

from itertools import pairwise

import pytest

import archspec
from archspec.diagnostics.source import Source
from archspec.language import syntax as s
from archspec.language.parse import parse
from archspec.library import built_in, folder
from support.networks import every_network

# trainable parameters, MACs for one image, weight layers along the longest path
PUBLISHED: dict[str, tuple[int | None, int | None, int | None]] = {
    "lenet5": (61_706, 416_520, 5),
    "alexnet": (62_378_344, 1_135_256_096, 8),
    "alexnet_2gpu": (60_965_224, 724_406_816, 8),
    "zfnet": (107_627_624, 2_476_704_896, 8),
    "vgg11": (132_863_336, 7_609_090_048, 11),
    "vgg13": (133_047_848, 11_308_466_176, 13),
    "vgg16": (138_357_544, 15_470_264_320, 16),
    "vgg19": (143_667_240, 19_632_062_464, 19),
    "googlenet": (6_998_552, 1_582_671_872, 22),
    "resnet18": (11_689_512, 1_814_073_344, 18),
    "resnet34": (21_797_672, 3_663_761_408, 34),
    "resnet50": (25_557_032, 4_089_184_256, 50),
    "resnet101": (44_549_160, 7_801_405_440, 101),
    "resnet152": (60_192_808, 11_513_626_624, 152),
    "nin": (7_595_176, 1_105_996_320, 12),
    "resnet20": (269_722, 40_551_040, 20),
    "resnet56": (853_018, 125_485_696, 56),
    "resnet110": (1_727_962, 252_887_680, 110),
    "resnet1202": (19_421_274, 2_829_238_912, 1202),
    "plain20": (269_722, 40_551_040, 20),
    "plain56": (853_018, 125_485_696, 56),
    "preresnet50": (25_549_352, 4_089_184_256, 50),
    "wrn28_10": (36_479_194, 5_243_328_768, None),
    "wrn50_2": (68_883_240, 11_398_021_120, None),
    "resnext": (25_028_904, 4_230_479_872, None),
    "resnext50": (25_028_904, 4_230_479_872, None),
    "resnext101": (88_791_336, 16_414_015_488, None),
    "densenet": (7_978_856, 2_834_161_664, 121),
    "densenet121": (7_978_856, 2_834_161_664, 121),
    "densenet161": (28_681_000, 7_727_907_072, 161),
    "densenet169": (14_149_480, 3_359_843_328, 169),
    "densenet201": (20_013_928, 4_291_365_888, 201),
    "se_resnet50": (28_088_024, 4_091_699_200, None),
    "senet154": (115_088_984, 20_688_363_520, None),
    "mobilenet_v1": (4_231_976, 568_740_352, None),
    "mobilenet_v2": (3_504_872, 300_774_272, None),
    "squeezenet": (1_235_496, 349_151_936, None),
    "shufflenet_v1": (1_865_728, 137_460_672, None),
    "shufflenet_v2": (2_278_604, 144_907_992, None),
    "efficientnet": (5_288_548, 385_814_752, None),
    "efficientnet_b0": (5_288_548, 385_814_752, None),
    "efficientnet_b1": (7_794_184, 686_802_832, None),
    "efficientnet_b2": (9_109_994, None, None),
    "efficientnet_b3": (12_233_232, None, None),
    "efficientnet_b4": (19_341_616, None, None),
    "efficientnet_b5": (30_389_784, None, None),
    "efficientnet_b6": (43_040_704, None, None),
    "efficientnet_b7": (66_347_960, None, None),
    "convnext": (28_589_128, 4_455_531_264, None),
    "convnext_tiny": (28_589_128, 4_455_531_264, None),
    "convnext_small": (50_223_688, None, None),
    "convnext_base": (88_591_464, None, None),
    "convnext_large": (197_767_336, None, None),
    "convnext_xlarge": (350_196_968, None, None),
    "vit": (86_567_656, 16_848_500_736, None),
    "vit_b32": (88_224_232, 4_363_106_304, None),
    "vit_b16": (86_567_656, 16_848_500_736, None),
    "vit_l16": (304_326_632, 59_647_172_608, None),
    "vit_h14": (632_045_800, 161_884_375_040, None),
    "mixer": (59_880_472, 12_601_767_936, None),
    "mixer_s16": (18_528_264, 3_776_958_464, None),
    "mixer_b16": (59_880_472, 12_601_767_936, None),
    "mixer_l16": (208_196_168, 44_547_678_208, None),
    "resmlp12": (15_350_872, 3_009_739_776, None),
    "gmlp_s16": (19_422_656, 4_392_060_928, None),
    "inception_v4": (42_679_816, 12_253_974_624, None),
    "inception_resnet_v2": (55_843_464, 13_155_794_016, None),
    "nasnet_a_large": (88_753_150, 23_783_414_658, None),
    "zfnet_onnx512": (87_250_536, None, 8),
    "zfnet_fig3": (62_357_608, 1_168_032_896, 8),  # AlexNet's, with CONV1 7x7 instead of 11x11
    "unet": (31_031_810, None, 23),  # 23 is the paper's; the sum is worked out below
    "inception_naive": (None, 854_196_224, None),
    "inception_naive_bottlenecks": (None, 271_351_808, None),
    # tv: alexnet, vgg11_bn to vgg19_bn (whose biases stand before BN), googlenet, squeezenet1_0, inception_v3
    "alexnet_2014": (61_100_840, 714_188_480, 8),
    "vgg_bn": (138_365_992, 15_470_264_320, 16),
    "vgg_bn_11": (132_868_840, 7_609_090_048, 11),
    "vgg_bn_13": (133_053_736, 11_308_466_176, 13),
    "vgg_bn_16": (138_365_992, 15_470_264_320, 16),
    "vgg_bn_19": (143_678_248, 19_632_062_464, 19),
    "googlenet_bn": (6_624_904, 1_498_376_192, 22),
    "squeezenet_1_0": (1_248_424, 818_924_576, None),
    "inception_v3": (23_834_568, 5_713_216_096, None),
    "xception": (22_855_952, 8_357_403_496, None),  # timm: legacy_xception
    # tv: mobilenet_v3_large and _small, regnet_x_400mf and _y_400mf, efficientnet_v2_s (at 384x384)
    "mobilenet_v3_large": (5_483_032, 216_589_760, None),
    "mobilenet_v3_small": (2_542_856, 56_510_400, None),
    "regnet": (5_495_976, 413_812_608, None),
    "regnet_x_400mf": (5_495_976, 413_812_608, None),
    "regnet_y_400mf": (4_344_144, 401_842_848, None),
    "efficientnet_v2_s": (21_458_488, 8_365_617_152, None),
    # timm: repvgg_a0 to _a2 as trained, resnest50d, hrnet_w18
    "repvgg": (9_108_968, 1_512_581_120, None),
    "repvgg_a0": (9_108_968, 1_512_581_120, None),
    "repvgg_a1": (14_092_264, 2_626_488_320, None),
    "repvgg_a2": (28_210_600, 5_685_345_280, None),
    "resnest50": (27_483_240, 5_371_160_576, None),
    "hrnet_w18": (21_299_004, 4_283_537_072, None),
    # tv: swin_t, swin_s and swin_b
    "swin": (28_288_354, 4_350_425_088, None),
    "swin_t": (28_288_354, 4_350_425_088, None),
    "swin_s": (49_606_258, 8_512_223_232, None),
    "swin_b": (87_768_224, 15_126_077_440, None),
    # timm: deit_*_patch16_224 and deit_*_distilled_patch16_224
    "deit": (86_567_656, 16_848_500_736, None),
    "deit_tiny": (5_717_416, 1_074_851_328, None),
    "deit_small": (22_050_664, 4_241_218_560, None),
    "deit_base": (86_567_656, 16_848_500_736, None),
    "deit_distilled": (87_338_192, 16_934_203_392, None),
    "deit_distilled_tiny": (5_910_800, 1_080_351_744, None),
    "deit_distilled_small": (22_436_432, 4_262_836_224, None),
    "deit_distilled_base": (87_338_192, 16_934_203_392, None),
    "fpn_resnet50": (26_852_416, 6_929_104_896, None),  # tv: resnet_fpn_backbone("resnet50"), with BN
    "cbam_resnet50": (28_089_624, 4_095_573_110, None),  # worked out below
    "convnext_v2": (28_635_496, 4_455_531_264, None),  # timm: convnextv2_tiny, convnextv2_base, convnextv2_large
    "convnext_v2_tiny": (28_635_496, 4_455_531_264, None),
    "convnext_v2_base": (88_717_800, 15_354_729_472, None),
    "convnext_v2_large": (197_956_840, 34_361_433_600, None),
    "dcgan": (12_658_435, 410_583_040, None),  # worked out below
    "maxvit_tiny": (30_916_528, 5_368_180_736, None),  # timm: maxvit_tiny_tf_224
    # Devlin et al. and Radford et al.; worked out below
    "bert_base": (109_482_240, 43_487_133_696, None),
    "gpt2": (124_439_808, 126_496_800_768, None),
    "gpt2_small": (124_439_808, 126_496_800_768, None),
    "gpt2_medium": (354_823_168, None, None),
    "clip_b32": (151_277_312, 7_269_646_336, None),  # without the scale of the vectors' products
    "siamese": (38_951_745, 1_817_251_840, None),  # worked out below
    "unetpp": (9_159_780, 4_850_417_664, None),  # worked out below
    "resnet": (25_557_032, 4_089_184_256, 50),
    "resnet_r18": (11_689_512, 1_814_073_344, 18),
    "resnet_r34": (21_797_672, 3_663_761_408, 34),
    "resnet_r50": (25_557_032, 4_089_184_256, 50),
    "resnet_r101": (44_549_160, 7_801_405_440, 101),
    "resnet_r152": (60_192_808, 11_513_626_624, 152),
}
# those of MobileNet and the Inceptions: Araujo et al. 2019, "Computing receptive fields of convolutional networks"
RECEPTIVE_FIELDS = {
    "vgg16": 212,
    "resnet50": 427,
    "se_resnet50": 427,  # as ResNet-50: a squeeze-excite adds paths, and takes none away
    "resnet152": 1451,
    "mobilenet_v1": 315,
    "inception_v4": 2071,
    "inception_resnet_v2": 3039,
}
WARNINGS = {"vgg16": ["W302"]}  # the slide's 24M values


@pytest.mark.parametrize("network", sorted({*PUBLISHED, *every_network()}))
def test_a_network_has_the_published_figures_and_its_claims_hold_without_warnings(network: str) -> None:
    loaded = archspec.load(network)
    published = PUBLISHED.get(network, (None, None, None))
    counted = (loaded.params, loaded.macs, loaded.weight_layers)
    assert [mine for mine, figure in zip(counted, published, strict=True) if figure is not None] == [
        figure for figure in published if figure is not None
    ]
    assert [finding.code for finding in loaded.diagnostics] == WARNINGS.get(network, [])
    if network in built_in():
        assert network in PUBLISHED
        assert loaded.graph.title
        assert loaded.resolved.brackets_checked > 0
        assert loaded.resolved.brackets_suspended == 0


@pytest.mark.parametrize(("network", "size"), RECEPTIVE_FIELDS.items())
def test_receptive_fields_are_the_published_ones(network: str, size: int) -> None:
    assert archspec.load(network).receptive_field == (size, size)


def test_vgg16_leaves_15_million_values_in_memory_not_the_24_of_the_slide() -> None:
    assert archspec.load("vgg16").activations == 15_237_608


def test_auxiliary_classifiers_nearly_double_googlenets_parameters() -> None:
    network = archspec.load("googlenet")
    assert network.params + sum(totals.params for totals in network.auxiliary) == 13_378_280


def test_unet_is_double_convolutions_and_the_layers_between_them() -> None:
    def conv(inputs: int, outputs: int, size: int) -> int:
        return size * size * inputs * outputs + outputs

    def double(inputs: int, outputs: int) -> int:
        return conv(inputs, outputs, 3) + conv(outputs, outputs, 3)

    widths = (64, 128, 256, 512, 1024)
    down = double(3, 64) + sum(double(width, 2 * width) for width in widths[:-1])
    up = sum(conv(2 * width, width, 2) + double(2 * width, width) for width in widths[:-1])
    assert down + up + conv(64, 2, 1) == PUBLISHED["unet"][0]


def test_auxiliary_classifiers_add_torchvisions_parameters() -> None:
    for name, all_of_them in (("inception_v3", 27_161_264), ("googlenet_bn", 13_004_888)):
        network = archspec.load(name)
        assert network.params + sum(totals.params for totals in network.auxiliary) == all_of_them


def test_cbam_adds_one_mlp_and_one_convolution_to_each_unit_of_resnet50() -> None:
    added = {f: 2 * f * f // 16 + f // 16 + f + 2 * 49 + 2 for f in (256, 512, 1024, 2048)}
    params, macs = 25_557_032, 4_089_184_256  # ResNet-50's
    counts = {256: (3, 56), 512: (4, 28), 1024: (6, 14), 2048: (3, 7)}
    params += sum(count * added[f] for f, (count, _) in counts.items())
    macs += sum(count * (2 * 2 * f * f // 16 + 2 * 49 * size**2) for f, (count, size) in counts.items())
    assert (params, macs) == PUBLISHED["cbam_resnet50"][:2]


def test_dcgan_is_one_matrix_and_four_transposed_convolutions() -> None:
    widths = (1024, 512, 256, 128, 3)
    windows = [16 * before * after for before, after in pairwise(widths)]
    params = 100 * 16 * 1024 + sum(windows) + 2 * sum(widths[:-1]) + 3
    macs = 100 * 16 * 1024 + sum(window * (4 << place) ** 2 for place, window in enumerate(windows))
    assert (params, macs) == PUBLISHED["dcgan"][:2]


def transformer(width: int, depth: int, vectors: int) -> tuple[int, int]:
    """Parameters and MACs of blocks of attention and an MLP: 12 matrices of width * width, 13 biases or shifts."""
    return depth * (12 * width**2 + 13 * width), depth * 12 * width**2 * vectors


def test_bert_gpt2_and_clip_are_embeddings_transformers_and_what_follows_them() -> None:
    params, macs = transformer(768, 12, 512)
    bert = (30522 + 2 + 512 + 2) * 768 + params + 768 * 769, macs + 768**2
    params, macs = transformer(768, 12, 1024)
    gpt2 = (50257 + 1024 + 2) * 768 + params, macs + 1024 * 50257 * 768
    picture, caption = transformer(768, 12, 50), transformer(512, 12, 77)
    outside = (3 * 32**2 + 1 + 50 + 4 + 512) * 768 + (49408 + 77 + 2 + 512) * 512
    clip = outside + picture[0] + caption[0], picture[1] + caption[1] + 49 * 3072 * 768 + 768 * 512 + 512 * 512
    assert [bert, gpt2, clip] == [PUBLISHED[name][:2] for name in ("bert_base", "gpt2", "clip_b32")]
    assert (50257 + 1024 + 2) * 1024 + transformer(1024, 24, 1024)[0] == PUBLISHED["gpt2_medium"][0]


def test_a_siamese_network_is_one_tower_used_twice() -> None:
    layers = (
        (64, 1, 10, 96),
        (128, 64, 7, 42),
        (128, 128, 4, 18),
        (256, 128, 4, 6),
    )  # out, in, window, size of the map
    convs = [out * before * window**2 for out, before, window, _ in layers]
    flat = 6 * 6 * 256
    params = sum(convs) + sum(out for out, *_ in layers) + (flat + 1) * 4096 + 4096 + 1
    tower = sum(weights * size**2 for weights, (*_, size) in zip(convs, layers, strict=True)) + flat * 4096
    assert (params, 2 * tower + 4096) == PUBLISHED["siamese"][:2]


def test_unetpp_is_fifteen_double_convolutions_and_four_masks() -> None:
    widths, side = (32, 64, 128, 256, 512), 96
    params = macs = 0
    for depth, width in enumerate(widths):
        for column in range(5 - depth):
            above = (3, *widths)[depth]  # what a MAXPOOL hands down, in the first column
            entering = above if column == 0 else column * width + widths[depth + 1]
            weights = 9 * width * (entering + width)
            params += weights + 4 * width  # two BNs
            macs += weights * (side >> depth) ** 2
    assert (params + 4 * 33, macs + 4 * 32 * side**2) == PUBLISHED["unetpp"][:2]


# Zhang et al. 2017, table 1: millions of multiply-adds, rounded, of ShuffleNet 1x by groups
SHUFFLENET = {"g1": 143, "g2": 140, "g3": 137, "g4": 133, "g8": 137}


@pytest.mark.parametrize(("variant", "millions"), SHUFFLENET.items())
def test_shufflenets_of_all_groups_cost_about_the_published_macs(variant: str, millions: int) -> None:
    assert archspec.load("shufflenet_v1", variant=variant).macs == pytest.approx(millions * 10**6, rel=0.011)


@pytest.mark.parametrize(("variant", "phi"), {"b0": 0, "b1": 0.5, "b2": 1, "b3": 2}.items())
def test_the_first_efficientnets_are_compound_scaling_rounded(variant: str, phi: float) -> None:
    file, _ = parse(Source("efficientnet", (folder() / "efficientnet.arch").read_text(encoding="utf-8")))
    declared = {node.name: node for node in file.declarations if isinstance(node, s.Param | s.Variant)}
    chosen = declared[variant]
    assert isinstance(chosen, s.Variant)
    changes = {binding.name: binding.value for binding in chosen.bindings}

    def value(name: str) -> float:
        param = declared[name]
        assert isinstance(param, s.Param)
        written = changes.get(name) or param.value
        assert isinstance(written, s.Number)
        return written.value

    assert (value("depth"), value("width")) == (round(1.2**phi, 1), round(1.1**phi, 1))
    assert abs(value("resolution") - 224 * 1.15**phi) <= 5


def test_an_fc_may_repeat_the_size_in_its_bracket() -> None:
    text = "param classes = {}\n[4x4x3] INPUT\n[10] FC classes\n"
    assert archspec.loads(text.format(10)).output == (10,)
    with pytest.raises(archspec.ArchspecError, match="E301"):
        archspec.loads(text.format(9))
