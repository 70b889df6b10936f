"""Networks written by hand in torch, from their papers and as their commonly used implementations have them.

With those of benchmarks/reference and benchmarks/training_memory/unseen.py there is one of each family. Nothing here is
generated from a spec or imports `archspec`. Stochastic depth is left out: in use it does nothing.
"""

from collections.abc import Callable

from torch import nn

from .grouped import shufflenet_v1, shufflenet_v2
from .inception import inception_resnet_v2, inception_v4
from .nasnet import nasnet_a_large
from .patches import gmlp_s16, mixer_s16, resmlp12, swin_t
from .residual import efficientnet_b0, efficientnet_b5, resnet20, senet154, wrn28_10
from .unet import unet

HAND_WRITTEN: dict[str, Callable[[], nn.Module]] = {
    "shufflenet_v1": shufflenet_v1,
    "shufflenet_v2": shufflenet_v2,
    "inception_v4": inception_v4,
    "inception_resnet_v2": inception_resnet_v2,
    "resnet20": resnet20,
    "wrn28_10": wrn28_10,
    "senet154": senet154,
    "efficientnet_b0": efficientnet_b0,
    "efficientnet_b5": efficientnet_b5,
    "mixer_s16": mixer_s16,
    "resmlp12": resmlp12,
    "gmlp_s16": gmlp_s16,
    "swin_t": swin_t,
    "unet": unet,
    "nasnet_a_large": nasnet_a_large,
}
