"""A declarative language for neural-network architectures, and its compiler.

    network = archspec.load("resnet50", classes=10)    # a built-in spec by its name, or a file by its path
    print(network)                                     # the table of `archspec check`
    module = archspec.build(network)                   # a torch.nn.Module, to train as any other
    archspec.export(network, "net.onnx", module=module)

`load` and `loads` read a spec and return a `Network`, which has its figures. `build` and `export` require torch, and
import it when they are called; `import archspec` costs next to nothing. All raise `ArchspecError`, whose text says what
is wrong, where, and what to write instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn  # noqa: TID251  # only its name

    from archspec.api import Network, load, loads
    from archspec.diagnostics.errors import ArchspecError

__all__ = ["ArchspecError", "Network", "build", "export", "load", "loads"]
__version__ = "0.1.0"

_HOMES = {"Network": "api", "load": "api", "loads": "api", "ArchspecError": "diagnostics.errors"}


def build(network: Network | str | Path, *, seed: int | None = 0) -> nn.Module:
    """Build the torch module of a network, with initial weights.

    It takes images [B, C, H, W] (sequences [B, N, C], vectors [B, C], token ids [B, N] in int64), those of several
    inputs in the order of the spec. In evaluation mode it returns the output, or a tuple of several, named by
    `module.output_names`. In training mode it returns what losses are of: the results that the recipe's `loss` line
    names, otherwise the outputs, then those of auxiliary classifiers; a tuple if there are several, named by
    `module.loss_names` and weighted by `module.loss_weights`. Parameters have the spec's names:
    `stage2.bottleneck3.conv2.weight`; shared ones have that of the layer that they belong to, and are there once.

    Args:
        network: A network, or what `load` takes: the name of a built-in spec or the path of a file.
        seed: Determines the weights; with None they come from torch's global generator.

    Returns:
        The module, in training mode and on torch's default device.

    Raises:
        ArchspecError: The spec has errors, a package is missing, or a layer's name is an attribute of torch modules.

    Example:
        >>> module = archspec.build("lenet5")
        >>> module(torch.randn(8, 1, 32, 32)).shape
        torch.Size([8, 10])
    """
    module: nn.Module = _back_end("build", "probe", "lowering.lower").build(_loaded(network), seed=seed)
    return module


def export(  # noqa: PLR0913  # one keyword for each flag of `archspec export`
    network: Network | str | Path,
    path: str | Path,
    *,
    module: nn.Module | None = None,
    output: str | None = None,
    seed: int = 0,
    external_data: bool = False,
) -> dict[str, Any]:
    """Write a network as an ONNX file that is proven to compute what torch does, as `archspec export` does.

    onnx's checker, the inferred shapes, and onnxruntime against torch in float32 and float64 must all agree. The file
    is written completely or not at all.

    Args:
        network: A network, or what `load` takes: the name of a built-in spec or the path of a file.
        path: The file to write.
        module: The module of `build(network)` with the weights to export; it is not changed.
        output: The name of the only output: one of the network's, or a layer or block; by default it has all of them.
        seed: Determines the initial weights if there is no `module`.
        external_data: Store the weights in a separate file beside it, named `path` + `.data`; required from 2 GiB on.

    Returns:
        The proof: whether it `passed`, which is true, and its `checks`.

    Raises:
        ArchspecError: The spec has errors, a package is missing, the weights are not those of the network, the file
            cannot be written, or the proof fails.

    Example:
        >>> module = archspec.build("lenet5")
        >>> archspec.export("lenet5", "lenet5.onnx", module=module)["passed"]
        True
    """
    proven = _back_end("export", "export", "onnx.export").export_network
    proof: dict[str, Any] = proven(_loaded(network), path, module, output, seed, external_data).to_dict()
    return proof


def _back_end(name: str, command: str, module: str) -> Any:
    """Import a module of the back end. Raises ArchspecError if a package that it requires is missing."""
    from importlib import import_module

    import_module("archspec.commands.packages").need(command, whose=f"`archspec.{name}`")
    return import_module(f"archspec.compiler.{module}")


def _loaded(network: Network | str | Path) -> Network:
    from pathlib import PurePath

    from archspec.api import Network, load

    if not isinstance(network, Network | str | PurePath):
        raise TypeError(f"expected a Network, the name of a spec or its path, got {type(network).__name__}")
    return network if isinstance(network, Network) else load(network)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archspec' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"archspec.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
