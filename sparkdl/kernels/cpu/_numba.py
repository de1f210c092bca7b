"""What our numba kernels are made of: pointers, bit casts, and vectorising exp, log, tanh.

A kernel is `int64 k(int64 args, int64, int64, int64)`: `args` is the address of an int64 vector of pointers and sizes
(floats as the bits of a float64). One signature serves the native loop for all of them.
fastmath leaves out nnan and ninf: NaN and infinity must flow through as IEEE says. It leaves out arcp too, by which
1 / sqrt(x) becomes an estimate that is NaN at 0 and infinity; sigmoid, tanh, erf and Adam are as fast without.
Measured rules (study/cpu_engine.md): 1-D row slices, no computed column offsets; `np.floor`, not `math.floor`;
float max-reductions only as maxima of sortable int32.
"""

import hashlib
import os
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.kernels.home import cache


def _version() -> str:
    """A hash of the numba sources: numba's cache does not see when a function that a kernel calls has changed."""
    home = os.path.dirname(os.path.abspath(__file__))
    digest = hashlib.sha256()
    for name in sorted(os.listdir(home)):
        if name.startswith("_") and name.endswith(".py"):
            with open(os.path.join(home, name), "rb") as f:
                digest.update(f.read())
    return digest.hexdigest()[:16]


os.environ.setdefault("NUMBA_CACHE_DIR", os.path.join(cache(), f"numba-{_version()}"))  # read by numba at its import

import llvmlite.binding as llvm  # noqa: E402
from llvmlite import ir  # noqa: E402
from numba import carray, cfunc, njit, types  # noqa: E402
from numba.core import cgutils  # noqa: E402
from numba.extending import intrinsic  # noqa: E402

llvm.set_option("", "-runtime-memory-check-threshold=128")
FASTMATH = {"nsz", "contract", "afn", "reassoc"}
ALONE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # Python calls no helper: a cold start less an eighth
SIGNATURE = types.int64(types.int64, types.int64, types.int64, types.int64)
f4 = np.float32


@intrinsic
def as_pointer(context: Any, address: Any) -> Any:
    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), build


@intrinsic
def call4(context: Any, fn: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(64)] * 4)
        return builder.call(builder.inttoptr(args[0], ir.PointerType(kind)), list(args[1:]))

    return types.int64(*[types.int64] * 5), build


@intrinsic
def float_of(context: Any, bits: Any) -> Any:
    """int32 bits -> float32."""

    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), build


@intrinsic
def bits_of(context: Any, x: Any) -> Any:
    """float32 -> int32 bits."""

    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(32))

    return types.int32(types.float32), build


@intrinsic
def double_of(context: Any, bits: Any) -> Any:
    """int64 bits -> float64."""

    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), build


def fast(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a helper that kernels call.

    It is always inlined. Called, it would be one of two copies, that of its own library where that was compiled in this
    process, else the kernel's, and these may round otherwise: the bits of a result depended on what was in the cache.
    """
    made: Callable[..., Any] = njit(fastmath=FASTMATH, error_model="numpy", cache=True, forceinline=True, **ALONE)(fn)
    return made


def native(fn: Callable[..., Any]) -> Any:
    """Compile a kernel `fn(args, b, c, d)`; its `.address` goes into a row."""
    flags = getattr(fn, "flags", FASTMATH)
    return cfunc(SIGNATURE, nopython=True, fastmath=flags, error_model="numpy", cache=True)(fn)


def exact(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a kernel whose floats are to be computed as they are written, each rounded as IEEE says.

    Its helpers are then compiled so too: the flags of a kernel are those of all that is inlined into it.
    """
    fn.flags = False  # type: ignore[attr-defined]
    return fn


def double_bits(x: float) -> int:
    """A float as kernels take it among their int64 arguments."""
    return int(struct.unpack("<q", struct.pack("<d", x))[0])


def arguments(*values: Any) -> NDArray[np.int64]:
    """The argument vector of a kernel: addresses of arrays, ints, floats as float64 bits."""
    return np.array([_argument(v) for v in values], np.int64)


def _argument(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return int(value.ctypes.data)
    return double_bits(value) if isinstance(value, float) else int(value)


@njit(types.Array(types.int64, 1, "C")(types.int64, types.int64), cache=True, **ALONE)
def ints(args: Any, n: Any) -> Any:
    """The argument vector as an array of n int64. Its types are given: else each n would be compiled by itself."""
    return carray(as_pointer(args), (n,), np.int64)


@fast
def vec(address: Any, n: Any) -> Any:
    """n float32 at an address."""
    return carray(as_pointer(address), (n,), np.float32)


@fast
def mat(address: Any, rows: Any, cols: Any) -> Any:
    """A float32 matrix at an address."""
    return carray(as_pointer(address), (rows, cols), np.float32)


@fast
def exp(x: Any) -> Any:
    """exp for float32, Cephes' polynomial; relative error 1.2e-7; NaN, infinities as IEEE, results below 2.4e-38 as 0.

    The polynomial is doubled and its power of two halved, so that 2^128 is reached; a NaN falls through both clamps.
    """
    y = f4(-88.0) if x < f4(-88.0) else x
    y = f4(89.0) if y > f4(89.0) else y
    k = np.floor(y * f4(1.44269504) + f4(0.5))
    r = y - k * f4(0.693359375) + k * f4(2.12194440e-4)
    p = f4(3.9751383000e-4)
    p = p * r + f4(2.7963999014e-3)
    p = p * r + f4(1.66669063814e-2)
    p = p * r + f4(8.3331591788e-2)
    p = p * r + f4(3.3333331890e-1)
    p = p * r + f4(1.00000002402)
    p = p * r * r + (r + r) + f4(2.0)
    p = p * float_of((np.int32(k) + np.int32(126)) << np.int32(23))
    return f4(0.0) if x < f4(-86.64) else p


@fast
def expm1(x: Any) -> Any:
    """exp(x) - 1 for float32: Cephes' polynomial near 0, where the subtraction would cancel."""
    p = f4(1.9875691500e-4)
    p = p * x + f4(1.3981999507e-3)
    p = p * x + f4(8.3334519073e-3)
    p = p * x + f4(4.1665795894e-2)
    p = p * x + f4(1.6666665459e-1)
    p = p * x + f4(5.0000001201e-1)
    return p * x * x + x if abs(x) < f4(0.34) else exp(x) - f4(1.0)


@fast
def _log_tail(m: Any) -> Any:
    """(log(1 + m) - m + m^2 / 2) / m^3 for -0.29 < m < 0.41."""
    y = f4(7.0376836292e-2)
    y = y * m + f4(-1.1514610310e-1)
    y = y * m + f4(1.1676998740e-1)
    y = y * m + f4(-1.2420140846e-1)
    y = y * m + f4(1.4249322787e-1)
    y = y * m + f4(-1.6668057665e-1)
    y = y * m + f4(2.0000714765e-1)
    y = y * m + f4(-2.4999993993e-1)
    return y * m + f4(3.3333331174e-1)


@fast
def log(x: Any) -> Any:
    """log for float32, Cephes' polynomial; absolute error 4.6e-7; 0, negatives, subnormals, infinity, NaN as IEEE."""
    tiny = x < f4(1.1754944e-38)
    bits = bits_of(x * f4(8388608.0) if tiny else x)
    exponent = ((bits >> np.int32(23)) & np.int32(255)) - (np.int32(149) if tiny else np.int32(126))
    m = float_of((bits & np.int32(0x7FFFFF)) | np.int32(0x3F000000))
    low = m < f4(0.707106781)
    e = f4(exponent) - (f4(1.0) if low else f4(0.0))
    m = (m + m if low else m) - f4(1.0)
    z = m * m
    y = _log_tail(m) * m * z + e * f4(-2.12194440e-4) - f4(0.5) * z
    y = m + y + e * f4(0.693359375)
    y = f4(-np.inf) if x == f4(0.0) else y
    y = f4(np.nan) if x < f4(0.0) else y
    return x if (x != x or x == f4(np.inf)) else y


@fast
def log1p(x: Any) -> Any:
    """log(1 + x) for float32: log's own polynomial near 0, where 1 + x would round.

    (Kahan's correction by (1 + x) - 1 does not survive reassociation.)
    """
    near = x + x * x * (_log_tail(x) * x - f4(0.5))
    return near if abs(x) < f4(0.29) else log(f4(1.0) + x)


@fast
def erf(x: Any) -> Any:
    """The error function for float32: a rational function on [-4, 4], 1 outside; a few units of the last place off."""
    y = x if x < f4(4.0) else f4(4.0)
    y = y if y > f4(-4.0) else f4(-4.0)
    z = y * y
    p = f4(-2.72614225801306e-10)
    p = p * z + f4(2.77068142495902e-08)
    p = p * z + f4(-2.10102402082508e-06)
    p = p * z + f4(-5.69250639462346e-05)
    p = p * z + f4(-7.34990630326855e-04)
    p = p * z + f4(-2.95459980854025e-03)
    p = p * z + f4(-1.60960333262415e-02)
    q = f4(-1.45660718464996e-05)
    q = q * z + f4(-2.13374055278905e-04)
    q = q * z + f4(-1.68282697438203e-03)
    q = q * z + f4(-7.37332916720468e-03)
    q = q * z + f4(-1.42647390514189e-02)
    r = y * p / q
    return x if x != x else r


@fast
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) for float32."""
    return f4(1.0) / (f4(1.0) + exp(-x))


@fast
def tanh(x: Any) -> Any:
    """tanh for float32; absolute error 1.8e-7."""
    return f4(2.0) / (f4(1.0) + exp(f4(-2.0) * x)) - f4(1.0)


@fast
def row_max(z: Any) -> Any:
    """Maximum of a float32 row through sortable integers, which vectorises; NaN sorts above infinity."""
    top = np.int32(-2147483647)
    for j in range(z.shape[0]):
        bits = bits_of(z[j])
        top = max(top, bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))
    return float_of(top ^ ((top >> np.int32(31)) & np.int32(0x7FFFFFFF)))
