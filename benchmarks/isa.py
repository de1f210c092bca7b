"""Both sides forced to AVX2, by starting this process anew: libraries read these variables when they load."""

import os
import sys

AVX2 = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": (
        "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+popcnt,+sse,+sse2,+sse3,+sse4.1,+sse4.2,+ssse3"
    ),
}


def ensure(isa: str, module: str) -> None:
    """Run this process again under the variables of `isa`, if it does not have them yet."""
    if isa != "avx2" or all(os.environ.get(k) == v for k, v in AVX2.items()):
        return
    os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], os.environ | AVX2)
