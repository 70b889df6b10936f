"""Text in other languages is recognised once, and what is a plain list of layers becomes a spec."""

import time

import pytest

import archspec
from archspec.diagnostics.edits import applied
from support.helps import findings_in

TORCH = """\
import torch.nn as nn

model = nn.Sequential(
    nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False),
    nn.BatchNorm2d(64),
    nn.ReLU(inplace=True),
    nn.MaxPool2d(kernel_size=3, stride=2, padding=1, ceil_mode=False),
    nn.Conv2d(64, 64, (3, 3), padding="same", groups=64),
    nn.GELU(),
    nn.ConvTranspose2d(64, 32, 2, stride=2),
    nn.GroupNorm(4, 32),
    nn.SiLU(),
    nn.AvgPool2d(2),
    nn.AdaptiveAvgPool2d((1, 1)),
    nn.Flatten(),
    nn.Dropout(0.2),
    nn.Linear(32, 10, bias=True),
)
"""
TORCH_SPEC = """\
[224x224x3] INPUT
CONV 64 7x7 s2 p3
BN
RELU
MAXPOOL 3x3 s2 p1
DWCONV 3x3 same
GELU
UPCONV 32 2x2 s2
GN 4
SILU
AVGPOOL 2x2 s2
GAP
DROPOUT 0.2
FC 10
"""
PRINTED = """\
Sequential(
  (0): Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))
  (1): Tanh()
  (2): Flatten(start_dim=1, end_dim=-1)
  (3): Linear(in_features=3456, out_features=10, bias=True)
)
"""
PRINTED_SPEC = "[28x28x1] INPUT\nCONV 6 5x5\nTANH\nFC 10\n"
KERAS = """\
model = keras.Sequential([
    layers.Input(shape=(29, 29, 1)),
    layers.Conv2D(32, (3, 3), strides=2, padding='same', activation='relu'),
    layers.MaxPooling2D((2, 2)),
    layers.BatchNormalization(),
    layers.GlobalAveragePooling2D(),
    layers.Dense(10, activation='softmax'),
])
"""
KERAS_SPEC = """\
[29x29x1] INPUT
CONV 32 3x3 s2 p1:1 -> RELU
MAXPOOL 2x2 s2 floor
BN eps=1e-3 momentum=0.01
GAP
FC 10 -> SOFTMAX
"""
DARKNET = """\
[net]
width=416
height=416
channels=3
[convolutional]
batch_normalize=1
filters=16
size=3
stride=1
pad=1
activation=relu
[maxpool]
size=2
stride=2
[avgpool]
[softmax]
"""
DARKNET_SPEC = "[416x416x3] INPUT\nCONV 16 3x3 p1\nBN\nRELU\nMAXPOOL 2x2 s2\nGAP\nSOFTMAX\n"
CAFFE = """\
name: "Small"
input_dim: 1
input_dim: 3
input_dim: 227
input_dim: 227
layer {
  name: "conv1"
  type: "Convolution"
  convolution_param {
    num_output: 96
    kernel_size: 11
    stride: 4
  }
}
layer {
  name: "relu1"
  type: "ReLU"
}
layer {
  name: "pool1"
  type: "Pooling"
  pooling_param {
    pool: MAX
    kernel_size: 3
    stride: 2
  }
}
layer {
  name: "fc8"
  type: "InnerProduct"
  inner_product_param {
    num_output: 1000
  }
}
"""
CAFFE_SPEC = "[227x227x3] INPUT\nCONV 96 11x11 s4\nRELU\nMAXPOOL 3x3 s2\nFC 1000\n"
MODULE = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)

    def forward(self, x):
        return F.relu(self.conv1(x))
"""
TRANSLATED = [
    (TORCH, "PyTorch code", TORCH_SPEC),
    (PRINTED, "a network that PyTorch printed", PRINTED_SPEC),
    (f"Sure! Here is the model:\n\n```python\n{TORCH}```\n\nLet me know!\n", "PyTorch code", TORCH_SPEC),
    (KERAS, "Keras code", KERAS_SPEC),
    (DARKNET, "a darknet `cfg` file", DARKNET_SPEC),
    (CAFFE, "a Caffe `prototxt` file", CAFFE_SPEC),
]
NOT_TRANSLATED = [
    (MODULE, "PyTorch code"),
    (DARKNET.replace("activation=relu", "activation=gelu"), "a darknet `cfg` file"),
    (TORCH.replace("nn.GELU()", "nn.LSTM(3)"), "PyTorch code"),
    ("def double(x):\n    return 2 * x\nprint(double(4))\n", "Python code"),
    ("backbone:\n  - [-1, 1, Conv, [64, 6, 2, 2]]\n  - [-1, 1, Conv, [128, 3, 2]]\n", "YAML"),
    ("model:\n  name: resnet\n  layers:\n    - type: conv\n      filters: 64\n", "YAML"),
    ('{\n  "layers": [\n    {"type": "conv", "filters": 64}\n  ]\n}\n', "JSON"),
    ("| Layer | Kernel |\n|-------|--------|\n| conv1 | 7x7, 64 |\n| pool1 | 3x3 |\n", "a Markdown table"),
    (
        "Layer (type)   Output Shape         Param #\n=====\nconv2d (Conv2D)  (None, 26, 26, 32)  320\n",
        "a table of layers that a framework printed",
    ),
]


@pytest.mark.parametrize(("text", "language", "spec"), TRANSLATED)
def test_a_plain_list_of_layers_becomes_a_spec(text: str, language: str, spec: str) -> None:
    (finding,) = findings_in(text)
    assert finding.message == f"this is {language}, not a spec"
    (fix,) = finding.fixes
    assert not fix.is_safe
    assert applied(fix.edits[0].at.source, fix.edits) == spec
    archspec.loads(spec)


@pytest.mark.parametrize(("text", "language"), NOT_TRANSLATED)
def test_what_is_not_a_plain_list_is_only_named(text: str, language: str) -> None:
    (finding,) = findings_in(text)
    assert finding.message == f"this is {language}, not a spec"
    assert finding.fixes == ()


def test_the_first_layers_are_shown_in_the_notation() -> None:
    (finding,) = findings_in(MODULE)
    assert finding.notes == ("`nn.Conv2d(1, 6, 5)` is `CONV 6 5x5` here",)


def test_lines_among_those_of_a_spec_are_translated_in_their_place() -> None:
    text = "[32x32x3] INPUT\nCONV 8 3x3 -> RELU\nnn.Conv2d(8, 16, 3)\nnn.ReLU()\nFC 10\n"
    (finding,) = findings_in(text)
    (fix,) = finding.fixes
    spec = "[32x32x3] INPUT\nCONV 8 3x3 -> RELU\nCONV 16 3x3\nRELU\nFC 10\n"
    assert applied(fix.edits[0].at.source, fix.edits) == spec


@pytest.mark.parametrize("text", ["nn.A(" * 20_000, "[net]\n" + "[maxpool]\n" * 5_000, "layer {\n" * 20_000])
def test_a_long_text_is_recognised_quickly(text: str) -> None:
    start = time.process_time()
    assert findings_in(text)
    assert time.process_time() - start < 10
