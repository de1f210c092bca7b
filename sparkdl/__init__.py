"""Deep learning on Apache Spark. The public names, each imported when it is first used.

>>> import sparkdl
>>> sparkdl.Sequential.__module__
'sparkdl.nn.network'
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparkdl import layers, losses, metrics, ml, nd, optimizers
    from sparkdl.compile.jit import compile
    from sparkdl.graph.custom import custom_gradient
    from sparkdl.graph.derive import grad, jvp, stop_gradient, value_and_grad, vjp
    from sparkdl.graph.loops import cond, scan, while_loop
    from sparkdl.io.archive import load
    from sparkdl.nn.network import Network, Sequential
    from sparkdl.nn.topology import Topology
    from sparkdl.nn.wiring import Node

    __version__: str

__all__ = [
    "Network",
    "Node",
    "Sequential",
    "Topology",
    "__version__",
    "compile",
    "cond",
    "custom_gradient",
    "grad",
    "jvp",
    "layers",
    "load",
    "losses",
    "metrics",
    "ml",
    "nd",
    "optimizers",
    "scan",
    "stop_gradient",
    "value_and_grad",
    "vjp",
    "while_loop",
]

_HOMES = {
    "Network": "sparkdl.nn.network",
    "Node": "sparkdl.nn.wiring",
    "Sequential": "sparkdl.nn.network",
    "Topology": "sparkdl.nn.topology",
    "cond": "sparkdl.graph.loops",
    "custom_gradient": "sparkdl.graph.custom",
    "grad": "sparkdl.graph.derive",
    "jvp": "sparkdl.graph.derive",
    "load": "sparkdl.io.archive",
    "scan": "sparkdl.graph.loops",
    "stop_gradient": "sparkdl.graph.derive",
    "value_and_grad": "sparkdl.graph.derive",
    "vjp": "sparkdl.graph.derive",
    "while_loop": "sparkdl.graph.loops",
}
_MODULES = {"compile", "layers", "losses", "metrics", "ml", "nd", "optimizers"}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in _MODULES:
        return import_module(f"sparkdl.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sparkdl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


def _version() -> str:
    """The installed distribution's, or that of a source tree on the path (an executor's archive)."""
    try:
        return metadata.version("dl4spark")
    except metadata.PackageNotFoundError:
        return "0+source"
