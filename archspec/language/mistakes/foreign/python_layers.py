"""The layers of PyTorch and Keras, in the notation.

In: a call. Out: the layer; None if the notation has none, or the call's arguments are not plain numbers. Defaults are
those of torch.nn and tf.keras.layers.
"""

from __future__ import annotations

from collections.abc import Callable

from archspec.language.mistakes.foreign.calls import Call, numbers
from archspec.language.mistakes.foreign.python_activations import leaky, slopes, with_arguments
from archspec.language.mistakes.foreign.rows import row
from archspec.language.mistakes.foreign.sketch import ListedLayer, Pair

_ACTIVATIONS = {
    **{name: name.upper() for name in ("relu", "relu6", "gelu", "silu", "sigmoid", "tanh", "softmax", "elu", "mish")},
    **{"swish": "SILU", "hardswish": "HSWISH", "hard_swish": "HSWISH", "hardsigmoid": "HSIGMOID", "linear": "", "": ""},
}


def _bias(call: Call, *place: int) -> bool | None:
    given = call.get(place[0] if place else None, "bias", "use_bias")
    return given not in ("False", "0") if given in (None, "True", "False", "0", "1") else None


def _extra(**sizes: Pair | int | None) -> tuple[str, ...]:
    texts = []
    for letter, size in sizes.items():
        one = size[0] if isinstance(size, tuple) else size
        texts += [f"{letter}{one}"] if one and one != 1 else []
    return tuple(texts)


def _torch_conv(call: Call) -> ListedLayer | None:
    channels, count = call.number(0, "in_channels"), call.number(1, "out_channels")
    kernel = call.pair(2, "kernel_size")
    is_same = call.word(4, "padding") == "same"
    if count is None or kernel is None:
        return None
    groups = call.number(6, "groups") or 1
    is_depthwise = groups == channels == count and groups > 1
    return ListedLayer(
        "DWCONV" if is_depthwise else "CONV",
        None if is_depthwise else count,
        kernel,
        call.pair(3, "stride") or (1, 1),
        (0, 0) if is_same else call.pair(4, "padding") or (0, 0),
        is_same,
        others=_extra(d=call.pair(5, "dilation"), g=None if is_depthwise else groups),
        channels=channels,
        bias=_bias(call, 7),
    )


def _torch_up(call: Call) -> ListedLayer | None:
    count, kernel = call.number(1, "out_channels"), call.pair(2, "kernel_size")
    if count is None or kernel is None or call.number(5, "output_padding") or call.number(6, "groups"):
        return None
    stride, pad = call.pair(3, "stride") or (1, 1), call.pair(4, "padding") or (0, 0)
    return ListedLayer(
        "UPCONV", count, kernel, stride, pad, channels=call.number(0, "in_channels"), bias=_bias(call, 7)
    )


def _torch_pool(call: Call) -> ListedLayer | None:
    kernel = call.pair(0, "kernel_size")
    if kernel is None:
        return None
    is_mean = call.name.startswith("Avg")
    pad = call.pair(2, "padding") or (0, 0)
    up = call.get(3 if is_mean else 5, "ceil_mode") == "True"
    counts = ("count_pad",) if is_mean and pad != (0, 0) and call.get(4, "count_include_pad") != "False" else ()
    name = "AVGPOOL" if is_mean else "MAXPOOL"
    return ListedLayer(name, None, kernel, call.pair(1, "stride") or kernel, pad, rounds_up=up, others=counts)


def _torch_adaptive(call: Call) -> ListedLayer | None:
    size = call.pair(0, "output_size")
    name = "GMP" if "Max" in call.name else "GAP"
    return ListedLayer(name) if size == (1, 1) else ListedLayer("RESIZE", kernel=size) if size else None


def _torch_linear(call: Call) -> ListedLayer | None:
    count = call.number(1, "out_features")
    return (
        None if count is None else ListedLayer("FC", count, features=call.number(0, "in_features"), bias=_bias(call, 2))
    )


def _norm(name: str, default: str, *names: str) -> Callable[[Call], ListedLayer | None]:
    def layer(call: Call) -> ListedLayer | None:
        eps = call.get(None, "eps", "epsilon") or default
        return ListedLayer(name, others=(f"eps={eps}",) if eps and eps not in names else ())

    return layer


def _group_norm(call: Call) -> ListedLayer | None:
    groups = call.number(0, "num_groups")
    return None if groups is None else ListedLayer("GN", groups)


def _dropout(call: Call) -> ListedLayer:
    return ListedLayer("DROPOUT", others=(call.get(0, "p", "rate") or "0.5",))


def _response(call: Call) -> ListedLayer:
    named = [f"{name}={value}" for name, value in call.named if name in ("alpha", "beta", "k")]
    size = call.number(0, "size")
    named += ["k=1"] if call.get(3, "k") is None else []
    return ListedLayer("NORM", others=(*([f"n={size}"] if size else []), *named))


def _plain(name: str) -> Callable[[Call], ListedLayer | None]:
    return lambda _call: ListedLayer(name)


def _upsample(call: Call) -> ListedLayer | None:
    factor = call.pair(0 if call.name == "UpSampling2D" else None, "scale_factor", "size")
    mode = call.word(None, "mode", "interpolation")
    return ListedLayer("UPSAMPLE", factor[0], others=("bilinear",) if mode == "bilinear" else ()) if factor else None


def _padding(call: Call) -> ListedLayer | None:
    pad = call.number(0, "padding")
    return None if pad is None else ListedLayer("PAD", others=(f"p{pad}",))


def _keras_then(call: Call) -> tuple[str, ...] | None:
    name = _ACTIVATIONS.get(call.word(None, "activation"))
    return None if name is None else (name,) if name else ()


def _keras_conv(call: Call) -> ListedLayer | None:
    is_depthwise = call.name.startswith("Depthwise")
    count = None if is_depthwise else call.number(0, "filters")
    kernel = call.pair(0 if is_depthwise else 1, "kernel_size")
    then = _keras_then(call)
    if (count is None and not is_depthwise) or kernel is None or then is None:
        return None
    shape = numbers(call.get(None, "input_shape"))
    return ListedLayer(
        "DWCONV" if is_depthwise else "UPCONV" if call.name.endswith("Transpose") else "CONV",
        count,
        kernel,
        call.pair(None if is_depthwise else 2, "strides") or (1, 1),
        is_same=call.word(3, "padding") == "same",
        others=_extra(d=call.pair(None, "dilation_rate"), g=call.number(None, "groups")),
        then=then,
        channels=shape[-1] if shape else None,
        bias=_bias(call),
    )


def _keras_pool(call: Call) -> ListedLayer:
    kernel = call.pair(0, "pool_size") or (2, 2)
    name = "MAXPOOL" if call.name.startswith("Max") else "AVGPOOL"
    return ListedLayer(name, None, kernel, call.pair(1, "strides") or kernel, is_same=call.word(2, "padding") == "same")


def _keras_dense(call: Call) -> ListedLayer | None:
    count, then = call.number(0, "units"), _keras_then(call)
    return None if count is None or then is None else ListedLayer("FC", count, then=then, bias=_bias(call))


def _keras_activation(call: Call) -> ListedLayer | None:
    name = _ACTIVATIONS.get(call.word(0, "activation"))
    return ListedLayer(name) if name else None


LAYERS: dict[str, Callable[[Call], ListedLayer | None]] = {
    "Conv2d": _torch_conv,
    "ConvTranspose2d": _torch_up,
    "MaxPool2d": _torch_pool,
    "AvgPool2d": _torch_pool,
    "AdaptiveAvgPool2d": _torch_adaptive,
    "AdaptiveMaxPool2d": _torch_adaptive,
    **{"Conv1d": row(_torch_conv), "ConvTranspose1d": row(_torch_up), "Conv1D": row(_keras_conv)},
    **dict.fromkeys(("MaxPool1d", "AvgPool1d"), row(_torch_pool)),
    **dict.fromkeys(("MaxPooling1D", "MaxPool1D", "AveragePooling1D"), row(_keras_pool)),
    **{"AdaptiveAvgPool1d": _torch_adaptive, "GlobalAveragePooling1D": _plain("GAP")},
    "Linear": _torch_linear,
    "BatchNorm2d": _norm("BN", "", "1e-05", "1e-5"),
    "BatchNorm1d": _norm("BN", "", "1e-05", "1e-5"),
    "InstanceNorm2d": _norm("IN", "", "1e-05", "1e-5"),
    "LayerNorm": _norm("LN", "1e-5", "1e-6", "1e-06"),
    "LayerNormalization": _norm("LN", "1e-3"),
    "GroupNorm": _group_norm,
    "LocalResponseNorm": _response,
    "Dropout": _dropout,
    "Upsample": _upsample,
    "UpSampling2D": _upsample,
    "ZeroPad2d": _padding,
    "ZeroPadding2D": _padding,
    "Conv2D": _keras_conv,
    "Convolution2D": _keras_conv,
    "DepthwiseConv2D": _keras_conv,
    "MaxPooling2D": _keras_pool,
    "MaxPool2D": _keras_pool,
    "AveragePooling2D": _keras_pool,
    "Dense": _keras_dense,
    "Activation": _keras_activation,
    "BatchNormalization": lambda _call: ListedLayer("BN", others=("eps=1e-3", "momentum=0.01")),
    "GlobalAveragePooling2D": _plain("GAP"),
    "Flatten": _plain(""),
    "Identity": _plain(""),
    **{name: _plain(name.upper()) for name in ("ReLU", "ReLU6", "GELU", "SiLU", "Sigmoid", "Tanh", "Softmax")},
    "LeakyReLU": leaky,
    "PReLU": slopes,
    "ELU": with_arguments("ELU", alpha="alpha"),
    "Mish": _plain("MISH"),
    "Hardtanh": with_arguments("HARDTANH", low="min_val", high="max_val"),
    "GlobalMaxPooling2D": _plain("GMP"),
    "Hardswish": _plain("HSWISH"),
    "Hardsigmoid": _plain("HSIGMOID"),
}


def layer(call: Call) -> ListedLayer | None:
    """Return a call as a layer of the notation; an empty name does nothing."""
    read = LAYERS.get(call.name)
    return read(call) if read else None
