"""Networks as sections of settings: darknet's `cfg` and Caffe's `prototxt`, in the notation.

In: the text of a file. Out: its layers in order, and its input; None for a layer that the notation does not have, or
that does not follow the one before it.
"""

from __future__ import annotations

import re

from archspec.language.mistakes.foreign.sketch import ListedLayer

Read = tuple[list[ListedLayer | None], tuple[int, ...] | None]
_ACTIVATIONS = {
    "relu": ("RELU",),
    "linear": (),
    "logistic": ("SIGMOID",),
    "tanh": ("TANH",),
    "swish": ("SILU",),
    "relu6": ("RELU6",),
    "leaky": ("LEAKYRELU 0.1",),
    "elu": ("ELU",),
    "mish": ("MISH",),
}
_SECTION = re.compile(r"^\[(\w+)\]([^\[]*)", re.MULTILINE)
_SETTING = re.compile(r"^\s*(\w+)\s*=\s*([^\s#]+)", re.MULTILINE)
_FIELD = re.compile(r"(\w+) *: *\"?([\w.+-]+)")


def darknet(text: str) -> Read:
    """Return the layers of a `cfg` file."""
    layers: list[ListedLayer | None] = []
    volume = None
    for found in _SECTION.finditer(text):
        given = dict(_SETTING.findall(found[2]))
        if found[1] in ("net", "network"):
            sizes = [given.get(name, "") for name in ("height", "width", "channels")]
            volume = tuple(map(int, sizes)) if all(map(str.isdigit, sizes)) else None
        elif found[1] == "convolutional" and "batch_normalize" in given and given["batch_normalize"] == "1":
            conv = _darknet(found[1], {**given, "activation": "linear"})
            then = _ACTIVATIONS.get(given.get("activation", "logistic"))
            layers += [conv, ListedLayer("BN"), *map(ListedLayer, then)] if then is not None else [None]
        else:
            layers.append(_darknet(found[1], given))
    return layers, volume


def _darknet(kind: str, given: dict[str, str]) -> ListedLayer | None:
    sizes = {name: int(value) for name, value in given.items() if re.fullmatch(r"\d{1,9}", value)}
    size, stride = sizes.get("size", 1), sizes.get("stride", 1)
    then = _ACTIVATIONS.get(given.get("activation", "logistic"))
    if kind == "convolutional" and then is not None:
        pad = size // 2 if given.get("pad") == "1" else sizes.get("padding", 0)
        groups = (f"g{sizes['groups']}",) if sizes.get("groups", 1) > 1 else ()
        count = sizes.get("filters", 1)
        return ListedLayer("CONV", count, (size, size), (stride, stride), (pad, pad), others=groups, then=then)
    if kind == "maxpool":
        size = sizes.get("size", stride)
        return ListedLayer("MAXPOOL", None, (size, size), (stride, stride), is_same=True)
    if kind == "connected" and then is not None and "output" in sizes:
        return ListedLayer("FC", sizes["output"], then=then)
    plain = {"avgpool": ListedLayer("GAP"), "softmax": ListedLayer("SOFTMAX"), "cost": ListedLayer("")}
    if kind == "dropout":
        return ListedLayer(
            "DROPOUT", others=(given.get("probability", "0.5").lstrip("0") and given.get("probability", "0.5"),)
        )
    return plain.get(kind)


def caffe(text: str) -> Read:
    """Return the layers of a `prototxt` file."""
    layers: list[ListedLayer | None] = []
    volume = None
    dims = [int(size) for size in re.findall(r"\b(?:input_)?dim *: *(\d{1,9})", text)[:4]]
    if len(dims) == 4:
        volume = (dims[2], dims[3], dims[1])
    for body in re.split(r"\blayers? *\{", text)[1:]:
        fields: dict[str, str] = {}
        for name, value in _FIELD.findall(body):
            fields.setdefault(name, value)
        if "TEST" not in re.findall(r"phase *: *(\w+)", body) and fields.get("type") not in (
            "Data",
            "Input",
            "Accuracy",
        ):
            layers.append(_caffe(fields))
    return layers, volume


def _caffe(fields: dict[str, str]) -> ListedLayer | None:
    kind = fields.get("type", "").lower().replace("_", "")
    sizes = {name: int(value) for name, value in fields.items() if re.fullmatch(r"\d{1,9}", value)}
    size, stride, pad = sizes.get("kernel_size", 1), sizes.get("stride", 1), sizes.get("pad", 0)
    window = ((size, size), (stride, stride), (pad, pad))
    if kind == "convolution" and "num_output" in sizes:
        groups = (f"g{sizes['group']}",) if sizes.get("group", 1) > 1 else ()
        return ListedLayer("CONV", sizes["num_output"], *window, others=groups)
    if kind == "pooling" and fields.get("global_pooling") != "true":
        return ListedLayer("AVGPOOL" if fields.get("pool") == "AVE" else "MAXPOOL", None, *window, rounds_up=True)
    if kind == "innerproduct" and "num_output" in sizes:
        return ListedLayer("FC", sizes["num_output"])
    if kind == "dropout":
        return ListedLayer("DROPOUT", others=(fields.get("dropout_ratio", "0.5"),))
    if kind == "lrn":
        named = (("local_size", "n"), ("alpha", "alpha"), ("beta", "beta"))
        given = [f"{ours}={fields[theirs]}" for theirs, ours in named if theirs in fields]
        return ListedLayer("NORM", others=(*given, "k=1"))
    plain = {
        "relu": "RELU",
        "sigmoid": "SIGMOID",
        "tanh": "TANH",
        "softmax": "SOFTMAX",
        "softmaxwithloss": "",
        "pooling": "GAP",
    }
    return ListedLayer(plain[kind]) if kind in plain else None
