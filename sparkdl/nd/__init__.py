"""sparkdl.nd: arrays and their functions, after the Python array API standard (data-apis.org/array-api) of 2024.12.

Names are looked up where they are defined, when first used. `nd.linalg`, `nd.fft` and `nd.random` are modules.

>>> from sparkdl import nd
>>> nd.sum(nd.asarray([1.0, 2.0]) * 3)
NDArray(9., dtype=float32, device=cpu)
"""

import sys
from importlib import import_module
from typing import Any

_HOMES = {
    "sparkdl.nd.array": "NDArray",
    "sparkdl.nd.creation": (
        "arange asarray astype copy empty empty_like eye from_numpy full full_like linspace ones ones_like zeros "
        "zeros_like"
    ),
    "sparkdl.nd.arrow": "from_arrow to_arrow",
    "sparkdl.nd.distances": (
        "cdist cosine_distance cosine_similarity euclidean_distance hamming_distance jaccard_distance "
        "manhattan_distance"
    ),
    "sparkdl.nd.einsums": "einsum",
    "sparkdl.nd.sparse": "CSRArray",
    "sparkdl.nd.encoding": "one_hot",
    "sparkdl.nd.files": "load save savez savez_compressed",
    "sparkdl.nd.patches": "col2im im2col",
    "sparkdl.nd.tads": "apply_along apply_where num_tensors_along replace_where tensors_along",
    "sparkdl.nd.tensorfiles": "load_safetensors save_safetensors",
    "sparkdl.nd.exchange": "from_dlpack from_interface frombuffer",
    "sparkdl.nd.dtypes": "can_cast finfo iinfo isdtype result_type",
    "sparkdl.nd.elementwise": (
        "abs add bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor ceil clip "
        "copysign divide equal floor floor_divide greater greater_equal isfinite isinf isnan less less_equal "
        "logical_and logical_not logical_or logical_xor maximum minimum multiply negative nextafter not_equal "
        "positive pow reciprocal remainder round sign signbit square subtract trunc where"
    ),
    "sparkdl.nd.functions": (
        "acos acosh asin asinh atan atan2 atanh conj cos cosh erf exp expm1 hypot imag log log10 log1p log2 logaddexp "
        "real relu rsqrt sigmoid sin sinh sqrt tan tanh"
    ),
    "sparkdl.nd.ops.analysis": "elu gelu softplus",
    "sparkdl.nd.indexing": "put take",
    "sparkdl.nd.manipulation": (
        "broadcast_arrays broadcast_shapes broadcast_to concat expand_dims flip matrix_transpose meshgrid moveaxis "
        "permute_dims repeat reshape roll split squeeze stack swapaxes tile transpose tril triu unstack"
    ),
    "sparkdl.nd.products": "dot matmul outer tensordot vecdot",
    "sparkdl.nd.reductions": "all any max mean min prod std sum var",
    "sparkdl.nd.cumulative": "cumprod cumsum cumulative_prod cumulative_sum diff",
    "sparkdl.nd.histograms": "bincount histogram",
    "sparkdl.nd.nans": "nanmax nanmean nanmin nansum",
    "sparkdl.nd.quantiles": "median percentile quantile",
    "sparkdl.nd.statistics": "average corrcoef cov",
    "sparkdl.nd.searching": "argmax argmin argwhere count_nonzero nonzero take_along_axis",
    "sparkdl.nd.sets": "unique_all unique_counts unique_inverse unique_values",
    "sparkdl.nd.sorting": "argsort searchsorted sort top_k",
    "sparkdl.nd.ops.conv": "conv1d conv2d conv3d",
    "sparkdl.nd.ops.pool": "max_pool2d avg_pool2d max_pool3d avg_pool3d",
    "sparkdl.nd.ops.norm": "batch_norm",
    "sparkdl.nd.ops.layernorm": "layer_norm group_norm",
    "sparkdl.nd.ops.attention": "attention",
    "sparkdl.nd.ops.sparse": "csr_matmul",
    "sparkdl.nd.ops.sigmoid": "sigmoid_xent",
    "sparkdl.nd.ops.softmax": "softmax log_softmax softmax_xent",
    "sparkdl.nd.ops.rnn": "lstm gru simple_rnn",
    "sparkdl.nd.ops.random": "dropout",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
_ALIASES = {  # NumPy's and Keras's other names
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan",
    "arctan2": "atan2", "arctanh": "atanh", "cast": "astype", "concatenate": "concat",
    "left_shift": "bitwise_left_shift", "power": "pow", "right_shift": "bitwise_right_shift",
}  # fmt: skip
_MODULES = ("fft", "linalg", "random")

_DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)
_CONSTANTS: dict[str, Any] = {
    "e": 2.718281828459045, "inf": float("inf"), "nan": float("nan"), "newaxis": None, "pi": 3.141592653589793,
}  # fmt: skip
__array_api_version__ = "2024.12"
__all__ = sorted((*_HOME_OF, *_ALIASES, *_MODULES, *_CONSTANTS, *_DTYPES))


def __getattr__(name: str) -> Any:
    """Look a name up where it is defined, the first time."""
    found = globals()[name] = _found(name)
    return found


def _found(name: str) -> Any:
    name = _ALIASES.get(name, name)
    if name in _CONSTANTS:
        return _CONSTANTS[name]
    if name in _DTYPES:
        return import_module("sparkdl.nd.dtypes").DTYPES[name]
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    if name in _MODULES:
        return import_module(f"sparkdl.nd.{name}")
    if name == "__array_namespace_info__":
        return import_module("sparkdl.nd.info").Info
    raise AttributeError(f"sparkdl.nd has no {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__array_api_version__", "__array_namespace_info__"]


def namespace(api_version: str | None = None) -> Any:
    """This module, for `array.__array_namespace__()`. Raises ValueError for a version of the standard not served."""
    known = ("2021.12", "2022.12", "2023.12", __array_api_version__)
    if api_version is not None and api_version not in known:
        raise ValueError(f"api_version must be one of {', '.join(known)}. Got {api_version!r}.")
    return sys.modules[__name__]
