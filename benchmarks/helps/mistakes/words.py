"""Mistakes in words: layers, keywords, names, their case, their letters, and words of other languages."""

from __future__ import annotations

from random import Random

from benchmarks.helps.mistakes.choice import CALL, LAYER, NAME, Mistake, any_of, pick, put, swap, typo_at

KEYWORD = r"^ *(block|param|variant|let|if|else|after|use|aux|train)\b"
OTHER_NAMES = {
    **{"CONV": ("Conv2d", "CONV2D", "Convolution", "Conv"), "FC": ("Linear", "Dense", "DENSE", "LINEAR")},
    **{"BN": ("BatchNorm2d", "BATCHNORM", "BatchNorm"), "RELU": ("ReLU", "Relu", "relu")},
    **{"POOL": ("MaxPool2d", "Pool", "MAXPOOLING"), "MAXPOOL": ("MaxPool2d", "MaxPool", "MAXPOOL2D")},
    **{"GAP": ("AdaptiveAvgPool2d", "GlobalAveragePooling2D", "GLOBALPOOL"), "DROPOUT": ("Dropout", "DROP")},
    **{"LN": ("LayerNorm", "LAYERNORM"), "AVGPOOL": ("AvgPool2d", "AvgPool"), "SILU": ("SiLU", "SWISH", "Swish")},
    **{"GELU": ("GeLU", "Gelu"), "MHSA": ("MultiheadAttention", "ATTENTION"), "SOFTMAX": ("Softmax",)},
    **{"DWCONV": ("DepthwiseConv2D", "DEPTHWISE"), "SIGMOID": ("Sigmoid",), "TANH": ("Tanh",)},
}


def layer_of_another_framework(text: str, chance: Random) -> str | None:
    """Write a layer as torch or Keras call it."""
    at = pick(text, rf"(?<![\w@])({'|'.join(OTHER_NAMES)})(?![\w-])", chance)
    return None if at is None else put(text, at, chance.choice(OTHER_NAMES[at[1]]))


def layer_in_lower_case(text: str, chance: Random) -> str | None:
    """Write a layer in lower case, or with a capital only."""
    at = pick(text, LAYER, chance)
    return None if at is None else put(text, at, chance.choice((at[0].lower(), at[0].capitalize())))


def keyword_capitalised(text: str, chance: Random) -> str | None:
    """Write a keyword with a capital, or in capitals."""
    at = pick(text, KEYWORD, chance)
    return None if at is None else put(text, at, chance.choice((at[1].capitalize(), at[1].upper())), 1)


def name_in_another_case(text: str, chance: Random) -> str | None:
    """Call a block by its name with a capital."""
    at = pick(text, CALL, chance)
    return None if at is None else put(text, at, at[0].capitalize())


def look_alike(text: str, chance: Random) -> str | None:
    """Write a letter or a sign that looks like the right one."""
    latin = "".join(LOOK_ALIKES)
    at = pick(text, rf"[{latin}](?=[\w ])", chance)
    return None if at is None else put(text, at, chance.choice(LOOK_ALIKES[at[0]]))


LOOK_ALIKES = {
    "x": "хХ×✕",
    "C": "СϹ",
    "O": "ОΟ0",
    "B": "ВΒ",
    "N": "Ν",
    "A": "АΑ",
    "E": "ЕΕ",
    "T": "ТΤ",
    "P": "РΡ",
    "s": "ѕ",
}

WORDS: dict[str, Mistake] = {
    "layer misspelt": typo_at(LAYER),
    "layer misspelt, once more": typo_at(LAYER),
    "layer in lower case": layer_in_lower_case,
    "layer of another framework": layer_of_another_framework,
    "keyword misspelt": typo_at(KEYWORD),
    "keyword capitalised": keyword_capitalised,
    "keyword of another language": any_of(
        swap(r"^block\b", "def", "function", "module", "class", "define"),
        swap(r"^( *)else if\b", r"\1elif", r"\1elseif"),
        swap(r"^( *)let\b", r"\1var", r"\1set", r"\1const"),
        swap(r"^param\b", "parameter", "const", "arg"),
        swap(r"^use\b", "import", "include", "from"),
    ),
    "merge misspelt": any_of(
        typo_at(r"^ *(?:\| *)?(add|concat|mul)\b"),
        swap(r"^( *(?:\| *)?)add\b", r"\1sum", r"\1Add", r"\1ADD", r"\1plus"),
        swap(r"^( *(?:\| *)?)concat\b", r"\1cat", r"\1concatenate", r"\1Concat", r"\1CONCAT"),
        swap(r"^( *(?:\| *)?)mul\b", r"\1multiply", r"\1times", r"\1Mul"),
    ),
    "block misspelt in a call": typo_at(rf"({CALL[:-2]})\("),
    "block misspelt in its definition": typo_at(rf"^block ({NAME})"),
    "block called in another case": name_in_another_case,
    "parameter misspelt where used": typo_at(rf"(?:CONV|FC|stride=|DWCONV|UPCONV|window=) ?({NAME})\b(?!\()"),
    "parameter misspelt where declared": typo_at(rf"^block {NAME}\((?:.*, )?({NAME})"),
    "label misspelt": typo_at(rf"@({NAME})"),
    "named argument misspelt": typo_at(
        r"\b(stride|pad|groups|window|heads|dilation|eps|momentum|beta|alpha|shift)(?==)"
    ),
    "flag misspelt": typo_at(r"\b(same|floor|ceil|linear|nobias|bias|count_pad|bilinear|relpos|affine|columns)\b"),
    "setting misspelt": typo_at(
        r"^    (optimizer|lr|warmup|epochs|augment|label_smoothing|loss|clip|ema)\b"
        r"(?=(?:.*\n)*\Z)(?![^\n]*->)"
    ),
    "word of a setting misspelt": typo_at(
        r"\b(sgd|adamw|rmsprop|nesterov|cosine|linear|divided|plateau|flip|resized_crop|cutmix|mixup|color|batch)\b"
    ),
    "variant misspelt": typo_at(rf"^variant \w+: .*?({NAME})="),
    "param misspelt": typo_at(rf"^param ({NAME})"),
    "output in another form": any_of(
        typo_at(rf"\b(output) {NAME}:"),
        swap(rf"\boutput ({NAME}):", r"\1: output", r"\1 output:", r"output \1 =", r"outputs \1:", r"OUTPUT \1:"),
        swap(rf"\boutput ({NAME}):", "output"),
    ),
    "output left out": swap(rf"\boutput ({NAME}:)", r"\1"),
    "label of an input left out": swap(rf"\b{NAME}: INPUT", "INPUT"),
    "name in a loss misspelt": typo_at(rf"^    loss .*?({NAME})"),
    "look-alike": look_alike,
}
