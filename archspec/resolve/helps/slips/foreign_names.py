"""The names of layers' arguments in torch, Keras, Caffe and darknet.

In: a name, and a layer. Out: the field that the name stands for.
"""

from __future__ import annotations

from archspec.layers import Layer

_NAMES = {
    "kernel": "kernel_size ksize kernelsize kernel_shape filter_size pool_size kernels k size window",
    "stride": "strides s",
    "pad": "padding pads p",
    "dilation": "dilation_rate dilations dilate rate atrous atrous_rate d",
    "filters": "out_channels output_channels channels num_filters out out_ch num_output f n c",
    "features": "units out_features num_classes classes neurons outputs num_output out n",
    "groups": "num_groups group g",
    "heads": "num_heads n_heads nhead n_head h",
    "window": "window_size",
    "shift": "shift_size",
    "factor": "scale_factor scale size",
    "p": "rate prob probability drop dropout ratio drop_prob dropout_rate",
    "eps": "epsilon",
    "bias": "use_bias",
    "init": "weight_init kernel_init std",
    "rounding": "ceil_mode",
    "channels": "out_channels",
}
FIELDS = {field: names.split() for field, names in _NAMES.items()}
INFERRED = (  # what the volume says, and what nothing is computed from
    *("in_channels", "in_features", "input_channels", "in_ch", "in_dim", "num_channels", "num_features", "dim", "axis"),
    *("normalized_shape", "embed_dim", "d_model", "input_shape", "input_dim", "name", "data_format", "inplace"),
)
ACTIVATION = ("activation", "act", "activation_fn", "nonlinearity")
YES, NO = ("true", "yes", "on", "1"), ("false", "no", "none", "off", "0")


def foreign_field(name: str, layer: type[Layer]) -> str | None:
    """Return the field of a layer that a name stands for, here or in another tool."""
    if name in layer.arguments:
        return name
    return next((field for field, names in FIELDS.items() if field in layer.arguments and name in names), None)
