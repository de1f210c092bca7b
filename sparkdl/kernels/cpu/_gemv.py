"""Products with a vector in numba: what a batch of one, or a layer of one unit, comes to.

They read the matrix once and no more, at the speed of memory; oneDNN's matmul with plain weights takes 2 to 5 times as
long. Imported when first bound: it compiles.
"""

from typing import Any

from sparkdl.kernels.cpu._numba import f4, fast, ints, native, vec


@native
def dots(args: Any, unused: Any, unused_too: Any, unused_also: Any) -> Any:
    """args: A (R,C), v (C,), y (R,), R, C. y = A v."""
    a = ints(args, 5)
    v, y = vec(a[1], a[4]), vec(a[2], a[3])
    for r in range(a[3]):
        row, total = vec(a[0] + r * a[4] * 4, a[4]), f4(0.0)
        for c in range(a[4]):
            total += row[c] * v[c]
        y[r] = total
    return 0


@fast
def add_four(y: Any, row: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    """y += a, b, c, d times the four rows from the address `row` on."""
    n = y.shape[0]
    r0, r1, r2, r3 = vec(row, n), vec(row + n * 4, n), vec(row + n * 8, n), vec(row + n * 12, n)
    for j in range(n):
        y[j] += a * r0[j] + b * r1[j] + c * r2[j] + d * r3[j]


@fast
def add_one(y: Any, row: Any, a: Any) -> None:
    """y += a times the row at the address."""
    r0 = vec(row, y.shape[0])
    for j in range(y.shape[0]):
        y[j] += a * r0[j]


@native
def sums(args: Any, unused: Any, unused_too: Any, unused_also: Any) -> Any:
    """args: A (R,C), v (R,), y (C,), R, C. y = v A: four rows in a pass over y."""
    a = ints(args, 5)
    v, y, step = vec(a[1], a[3]), vec(a[2], a[4]), a[4] * 4
    y[:] = f4(0.0)
    fours = a[3] // 4 * 4
    for r in range(0, fours, 4):
        add_four(y, a[0] + r * step, v[r], v[r + 1], v[r + 2], v[r + 3])
    for r in range(fours, a[3]):
        add_one(y, a[0] + r * step, v[r])
    return 0


@native
def finish(args: Any, unused: Any, unused_too: Any, unused_also: Any) -> Any:
    """args: y (M,N), b (N,), M, N, relu (0 or 1). y = act(y + b)."""
    a = ints(args, 5)
    b = vec(a[1], a[3])
    for m in range(a[2]):
        y = vec(a[0] + m * a[3] * 4, a[3])
        for n in range(a[3]):
            z = y[n] + b[n]
            y[n] = f4(0.0) if (a[4] == 1) & (z <= f4(0.0)) else z
    return 0
