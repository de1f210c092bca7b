"""numba code of recurrent cells, float32: what is left of a step when its products are made.

Gates are turned in place, from sums to activations and from activations to gradients. `before` is the state that a
step starts from, its rows `stride` bytes apart: 0 where all begin with the same zeros.
"""

from typing import Any

from sparkdl.kernels.cpu._numba import f4, fast, ints, sigmoid, tanh, vec


@fast
def filled(y: Any, value: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = value


@fast
def added(y: Any, x: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] += x[j]


@fast
def copied(y: Any, x: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = x[j]


def start(args: Any, b: Any, c: Any, d: Any) -> Any:
    """y (n,) = x (n,), or 0 where x has no address.   args: y, x, n."""
    a = ints(args, 3)
    if a[1] == 0:
        filled(vec(a[0], a[2]), f4(0.0))
    else:
        copied(vec(a[0], a[2]), vec(a[1], a[2]))
    return 0


def spread(args: Any, b: Any, c: Any, d: Any) -> Any:
    """Each row of y (rows, cols) = x (cols,).   args: y, x, rows, cols."""
    a = ints(args, 4)
    for k in range(a[2]):
        copied(vec(a[0] + 4 * k * a[3], a[3]), vec(a[1], a[3]))
    return 0


@fast
def lstm_row(i: Any, f: Any, g: Any, o: Any, before: Any, c: Any, h: Any) -> Any:
    for j in range(h.shape[0]):
        i[j] = sigmoid(i[j])
        f[j] = sigmoid(f[j])
        g[j] = tanh(g[j])
        o[j] = sigmoid(o[j])
        c[j] = f[j] * before[j] + i[j] * g[j]
        h[j] = o[j] * tanh(c[j])


def lstm(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: gates (B,4H), c before, stride, c (B,H), h (B,H), B, H."""
    a = ints(args, 7)
    n, row = a[6], 4 * a[6]
    for k in range(a[5]):
        z = a[0] + 4 * k * row
        i, f, g, o = vec(z, n), vec(z + row, n), vec(z + 2 * row, n), vec(z + 3 * row, n)
        lstm_row(i, f, g, o, vec(a[1] + k * a[2], n), vec(a[3] + k * row, n), vec(a[4] + k * row, n))
    return 0


@fast
def lstm_back_row(i: Any, f: Any, g: Any, o: Any, before: Any, c: Any, dh: Any, dc: Any) -> Any:
    for j in range(dh.shape[0]):
        y = tanh(c[j])
        at_i, at_f, at_g, at_o = i[j], f[j], g[j], o[j]
        up = dc[j] + dh[j] * at_o * (f4(1.0) - y * y)
        i[j] = up * at_g * at_i * (f4(1.0) - at_i)
        f[j] = up * before[j] * at_f * (f4(1.0) - at_f)
        g[j] = up * at_i * (f4(1.0) - at_g * at_g)
        o[j] = dh[j] * y * at_o * (f4(1.0) - at_o)
        dc[j] = up * at_f


def lstm_back(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: gates (B,4H), c before, stride, c (B,H), g (B,H) or 0, dh (B,H), dc (B,H), B, H. dh takes g in first."""
    a = ints(args, 9)
    n, row = a[8], 4 * a[8]
    for k in range(a[7]):
        z, dh = a[0] + 4 * k * row, vec(a[5] + k * row, n)
        if a[4] != 0:
            added(dh, vec(a[4] + k * row, n))
        i, f, g, o = vec(z, n), vec(z + row, n), vec(z + 2 * row, n), vec(z + 3 * row, n)
        lstm_back_row(i, f, g, o, vec(a[1] + k * a[2], n), vec(a[3] + k * row, n), dh, vec(a[6] + k * row, n))
    return 0


@fast
def gru_row(z: Any, r: Any, g: Any, qz: Any, qr: Any, q: Any, before: Any, n: Any, h: Any) -> Any:
    for j in range(h.shape[0]):
        z[j] = sigmoid(z[j] + qz[j])
        r[j] = sigmoid(r[j] + qr[j])
        n[j] = q[j]
        g[j] = tanh(g[j] + r[j] * q[j])
        h[j] = z[j] * before[j] + (f4(1.0) - z[j]) * g[j]


def gru(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: gates (B,3H), q (B,3H), h before, stride, n (B,H), h (B,H), B, H."""
    a = ints(args, 8)
    w, row = a[7], 4 * a[7]
    for k in range(a[6]):
        z, q = a[0] + 3 * k * row, a[1] + 3 * k * row
        gru_row(
            vec(z, w), vec(z + row, w), vec(z + 2 * row, w), vec(q, w), vec(q + row, w), vec(q + 2 * row, w),
            vec(a[2] + k * a[3], w), vec(a[4] + k * row, w), vec(a[5] + k * row, w),
        )  # fmt: skip
    return 0


@fast
def gru_back_row(z: Any, r: Any, g: Any, qz: Any, qr: Any, q: Any, before: Any, n: Any, dh: Any) -> Any:
    for j in range(dh.shape[0]):
        at_z, at_r, at_g = z[j], r[j], g[j]
        to_g = dh[j] * (f4(1.0) - at_z) * (f4(1.0) - at_g * at_g)
        to_z = dh[j] * (before[j] - at_g) * at_z * (f4(1.0) - at_z)
        to_r = to_g * n[j] * at_r * (f4(1.0) - at_r)
        z[j] = to_z
        r[j] = to_r
        g[j] = to_g
        qz[j] = to_z
        qr[j] = to_r
        q[j] = to_g * at_r
        dh[j] = dh[j] * at_z


def gru_back(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: gates (B,3H), dq (B,3H), h before, stride, n (B,H), g (B,H) or 0, dh (B,H), B, H. dh takes g in first."""
    a = ints(args, 9)
    w, row = a[8], 4 * a[8]
    for k in range(a[7]):
        z, q, dh = a[0] + 3 * k * row, a[1] + 3 * k * row, vec(a[6] + k * row, w)
        if a[5] != 0:
            added(dh, vec(a[5] + k * row, w))
        gru_back_row(
            vec(z, w), vec(z + row, w), vec(z + 2 * row, w), vec(q, w), vec(q + row, w), vec(q + 2 * row, w),
            vec(a[2] + k * a[3], w), vec(a[4] + k * row, w), dh,
        )  # fmt: skip
    return 0


def simple(args: Any, b: Any, c: Any, d: Any) -> Any:
    """h = tanh(h).   args: h (n,), n."""
    a = ints(args, 2)
    h = vec(a[0], a[1])
    for j in range(h.shape[0]):
        h[j] = tanh(h[j])
    return 0


@fast
def simple_slope(h: Any, dz: Any, dh: Any) -> Any:
    for j in range(h.shape[0]):
        dz[j] = dh[j] * (f4(1.0) - h[j] * h[j])


def simple_back(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: h (n,), dz (n,), g (n,) or 0, dh (n,), n. dh takes g in first."""
    a = ints(args, 5)
    dh = vec(a[3], a[4])
    if a[2] != 0:
        added(dh, vec(a[2], a[4]))
    simple_slope(vec(a[0], a[4]), vec(a[1], a[4]), dh)
    return 0
