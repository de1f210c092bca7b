"""numba code of attention's gradient head by head, float32: ds of some queries stays in cache from product to product.

Letters as in nd/ops/attention.py; x (B,T,H,D) is read where it lies, a head's rows at a stride. Lengths D and E are
multiples of 8, to which rows of ds are padded.
"""

from typing import Any

from sparkdl.kernels.cpu._attention import dot, through
from sparkdl.kernels.cpu._numba import double_of, f4, fast, ints, vec
from sparkdl.kernels.cpu._tile import packed, packed_turned, product


@fast
def backward(g: Any, q: Any, k: Any, v: Any, p: Any, made: Any, room: Any, sizes: Any, scale: Any) -> Any:
    """One head; made: addresses of dq, dk, dv; room: of v', k, some rows of g and of q, and ds."""
    times, keys, d, e, d_row, e_row, padded, step = sizes
    dq, dk, dv = made
    turned, keys_in, g_in, q_in, ds = room
    packed_turned(v, e_row, e, keys, turned)
    packed(k, d_row, keys, d, keys_in)
    for start in range(0, times, step):
        rows, at, add = min(step, times - start), p + 4 * start * keys, min(start, 1)
        packed(g + start * e_row, e_row, rows, e, g_in)
        packed(q + start * d_row, d_row, rows, d, q_in)
        product(at, 4, 4 * keys, g_in, dv, e_row, keys, rows, e, add)
        product(g + start * e_row, e_row, 4, turned, ds, 4 * padded, rows, e, padded, 0)
        for i in range(rows):
            x, y = vec(ds + 4 * i * padded, keys), vec(at + 4 * i * keys, keys)
            through(x, y, dot(x, y), scale)
        product(ds, 4 * padded, 4, keys_in, dq + start * d_row, d_row, rows, keys, d, 0)
        product(ds, 4, 4 * padded, q_in, dk, d_row, keys, rows, d, add)


def attention_grad(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: g, q, k, v, p, dq, dk, dv, room for v', k, g, q, ds, then bytes of each room for a part, H, T, S, D, E,
    step, scale.

    Heads first .. last - 1 of all B H are done.
    """
    a = ints(args, 25)
    heads, times, keys, d, e = a[18], a[19], a[20], a[21], a[22]
    sizes = times, keys, d, e, 4 * heads * d, 4 * heads * e, (keys + 7) // 8 * 8, a[23]
    room = (
        a[8] + part * a[13], a[9] + part * a[14], a[10] + part * a[15], a[11] + part * a[16], a[12] + part * a[17]
    )  # fmt: skip
    for i in range(first, last):
        n, h = i // heads, i % heads
        q, g = 4 * (n * times * heads + h) * d, 4 * (n * times * heads + h) * e
        k, v = 4 * (n * keys * heads + h) * d, 4 * (n * keys * heads + h) * e
        made, p = (a[5] + q, a[6] + k, a[7] + v), a[4] + 4 * i * times * keys
        backward(a[0] + g, a[1] + q, a[2] + k, a[3] + v, p, made, room, sizes, f4(double_of(a[24])))
    return 0
