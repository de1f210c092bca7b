"""Fourier transforms by NumPy's pocketfft, in the precision that comes; half precision in float32."""

from typing import Any

import numpy as np

from sparkdl.kernels.table import Array, plain


@plain("fft")
def fft(op: Any, x: Array) -> Array:
    """Complex to complex, forwards or back."""
    return (np.fft.ifft if op.inverse else np.fft.fft)(x, axis=op.axis, norm=op.norm)


@plain("rfft")
def rfft(op: Any, x: Array) -> Array:
    """Real to complex."""
    return np.fft.rfft(x, axis=op.axis, norm=op.norm)


@plain("irfft")
def irfft(op: Any, x: Array) -> Array:
    """Complex to real."""
    return np.fft.irfft(x, op.n, axis=op.axis, norm=op.norm)
