"""numba code of layer and group normalisation, float32.

All work on a row is on the output's row, into which the input is copied first unless it lies there: with one pointer
the compiler needs no check for overlap, and the row stays in cache. The variance is that of the centred row.
Rows (of group normalisation, examples) start .. stop - 1 are done.
"""

from typing import Any

import numpy as np

from sparkdl.kernels.cpu._line import added, copied, total, zeroed
from sparkdl.kernels.cpu._numba import double_of, f4, fast, ints, vec


@fast
def centred(y: Any, mean: Any) -> Any:
    """y -= mean; the sum of squares of what is left."""
    s = f4(0.0)
    for j in range(y.shape[0]):
        d = y[j] - mean
        y[j] = d
        s += d * d
    return s


@fast
def spread(y: Any, rstd: Any, gamma: Any, beta: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = y[j] * rstd * gamma[j] + beta[j]


@fast
def inverse_root(squares: Any, count: Any, eps: Any) -> Any:
    return f4(1.0 / np.sqrt(np.float64(squares) / count + eps))


def layer_norm(args: Any, start: Any, stop: Any, part: Any) -> Any:
    """args: x, other summand or 0, gamma, beta, y, the sum or 0, mean, rstd, rows, cols, eps."""
    a = ints(args, 11)
    rows, cols, eps = a[8], a[9], double_of(a[10])
    gamma, beta, mean, rstd = vec(a[2], cols), vec(a[3], cols), vec(a[6], rows), vec(a[7], rows)
    for i in range(start, stop):
        at = 4 * i * cols
        x, y = vec(a[0] + at, cols), vec(a[4] + at, cols)
        if a[5] != 0:
            s = vec(a[5] + at, cols)
            if a[5] != a[0]:
                copied(x, s)
            added(vec(a[1] + at, cols), s)
            copied(s, y)
        elif a[4] != a[0]:
            copied(x, y)
        mean[i] = f4(total(y) / f4(cols))
        rstd[i] = inverse_root(centred(y, mean[i]), cols, eps)
        spread(y, rstd[i], gamma, beta)
    return 0


@fast
def weighed(y: Any, x: Any, gamma: Any, mean: Any, rstd: Any, dgamma: Any, dbeta: Any) -> Any:
    """y is g: add g z and g to their sums, y <- g gamma; sums of y and of y z along the row."""
    s, t = f4(0.0), f4(0.0)
    for j in range(y.shape[0]):
        g, z = y[j], (x[j] - mean) * rstd
        dgamma[j] += g * z
        dbeta[j] += g
        w = g * gamma[j]
        y[j] = w
        s += w
        t += w * z
    return s, t


@fast
def returned(y: Any, x: Any, mean: Any, rstd: Any, s: Any, t: Any) -> Any:
    """y <- rstd (y - s - z t)"""
    for j in range(y.shape[0]):
        y[j] = rstd * (y[j] - s - (x[j] - mean) * rstd * t)


def layer_norm_grad(args: Any, start: Any, stop: Any, part: Any) -> Any:
    """args: g, x, gamma, mean, rstd, dx, dgamma, dbeta, two sums (2, cols), rows, cols.

    Each part has its own dgamma, dbeta and sums, one after another.
    """
    a = ints(args, 11)
    rows, cols = a[9], a[10]
    gamma, mean, rstd = vec(a[2], cols), vec(a[3], rows), vec(a[4], rows)
    shift = 4 * part * cols
    dgamma, dbeta, both = vec(a[6] + shift, cols), vec(a[7] + shift, cols), vec(a[8] + 2 * shift, 2 * cols)
    first, second = vec(a[8] + 2 * shift, cols), vec(a[8] + 2 * shift + 4 * cols, cols)
    zeroed(dgamma)
    zeroed(dbeta)
    for tile in range(start, stop, 256):  # sums of sums: their error grows with the root of the rows' number
        zeroed(both)
        for i in range(tile, min(tile + 256, stop)):
            at = 4 * i * cols
            x, y = vec(a[1] + at, cols), vec(a[5] + at, cols)
            if a[5] != a[0]:
                copied(vec(a[0] + at, cols), y)
            s, t = weighed(y, x, gamma, mean[i], rstd[i], first, second)
            returned(y, x, mean[i], rstd[i], s / f4(cols), t / f4(cols))
        added(first, dgamma)
        added(second, dbeta)
    return 0


@fast
def squared(x: Any, mean: Any, y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] += (x[j] - mean[j]) * (x[j] - mean[j])


@fast
def pooled(y: Any, groups: Any, count: Any, into: Any) -> Any:
    """into[k] = sum of group k of y, over `count`."""
    width = y.shape[0] // groups
    for k in range(groups):
        s = 0.0
        for j in range(k * width, (k + 1) * width):
            s += np.float64(y[j])
        into[k] = f4(s / count)


@fast
def repeated(x: Any, y: Any) -> Any:
    """y[j] = the x of j's group."""
    width = y.shape[0] // x.shape[0]
    for j in range(y.shape[0]):
        y[j] = x[j // width]


@fast
def affine(x: Any, scale: Any, offset: Any, y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = x[j] * scale[j] + offset[j]


def group_norm(args: Any, start: Any, stop: Any, part: Any) -> Any:
    """args: x, gamma, beta, y, mean, rstd, scratch (3, cols) a part, examples, rows of each, cols, groups, eps."""
    a = ints(args, 12)
    rows, cols, groups, eps = a[8], a[9], a[10], double_of(a[11])
    gamma, beta, count = vec(a[1], cols), vec(a[2], cols), rows * (cols // groups)
    mine = a[6] + 12 * part * cols
    m, s, offset = vec(mine, cols), vec(mine + 4 * cols, cols), vec(mine + 8 * cols, cols)
    for k in range(start, stop):
        x, y = a[0] + 4 * k * rows * cols, a[3] + 4 * k * rows * cols
        mean, rstd = vec(a[4] + 4 * k * groups, groups), vec(a[5] + 4 * k * groups, groups)
        zeroed(s)
        for i in range(rows):
            added(vec(x + 4 * i * cols, cols), s)
        pooled(s, groups, count, mean)
        repeated(mean, m)
        zeroed(s)
        for i in range(rows):
            squared(vec(x + 4 * i * cols, cols), m, s)
        pooled(s, groups, count, rstd)
        for j in range(groups):
            rstd[j] = inverse_root(rstd[j], 1, eps)
        repeated(rstd, s)
        for j in range(cols):
            s[j] *= gamma[j]
            offset[j] = beta[j] - m[j] * s[j]
        for i in range(rows):
            affine(vec(x + 4 * i * cols, cols), s, offset, vec(y + 4 * i * cols, cols))
    return 0


@fast
def gathered(g: Any, x: Any, mean: Any, rstd: Any, first: Any, second: Any) -> Any:
    """first += g z, second += g."""
    for j in range(g.shape[0]):
        first[j] += g[j] * ((x[j] - mean[j]) * rstd[j])
        second[j] += g[j]


@fast
def combined(g: Any, x: Any, by_g: Any, by_x: Any, offset: Any, y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = g[j] * by_g[j] - x[j] * by_x[j] - offset[j]


@fast
def factors(m: Any, r: Any, gamma: Any, s: Any, t: Any) -> Any:
    """dx = g r gamma - x r^2 t - (r s - m r^2 t), with s and t the groups' means of g gamma and of g gamma z.

    Writes these three factors over m, r and s.
    """
    for j in range(m.shape[0]):
        by_x = r[j] * r[j] * t[j]
        s[j] = r[j] * s[j] - m[j] * by_x
        m[j] = r[j] * gamma[j]
        r[j] = by_x


def group_norm_grad(args: Any, start: Any, stop: Any, part: Any) -> Any:
    """args: g, x, gamma, mean, rstd, dx, dgamma, dbeta, scratch (5, cols) a part, examples, rows, cols, groups.

    Each part has its own dgamma and dbeta, one after another.
    """
    a = ints(args, 13)
    rows, cols, groups = a[10], a[11], a[12]
    gamma, count, own, shift = vec(a[2], cols), rows * (cols // groups), a[8] + 20 * part * cols, 4 * part * cols
    dgamma, dbeta = vec(a[6] + shift, cols), vec(a[7] + shift, cols)
    m, r = vec(own, cols), vec(own + 4 * cols, cols)
    first, second = vec(own + 8 * cols, cols), vec(own + 12 * cols, cols)
    mine = vec(own + 16 * cols, groups)
    zeroed(dgamma)
    zeroed(dbeta)
    for k in range(start, stop):
        at = 4 * k * rows * cols
        repeated(vec(a[3] + 4 * k * groups, groups), m)
        repeated(vec(a[4] + 4 * k * groups, groups), r)
        zeroed(first)
        zeroed(second)
        for i in range(rows):
            gathered(vec(a[0] + at + 4 * i * cols, cols), vec(a[1] + at + 4 * i * cols, cols), m, r, first, second)
        added(first, dgamma)
        added(second, dbeta)
        for j in range(cols):
            first[j] *= gamma[j]
            second[j] *= gamma[j]
        pooled(first, groups, count, mine)
        repeated(mine, first)
        pooled(second, groups, count, mine)
        repeated(mine, second)
        factors(m, r, gamma, second, first)
        for i in range(rows):
            row = at + 4 * i * cols
            combined(vec(a[0] + row, cols), vec(a[1] + row, cols), m, r, second, vec(a[5] + row, cols))
    return 0
