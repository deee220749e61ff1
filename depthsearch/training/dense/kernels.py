"""Compiled dense layers of the dense engine, on one block of points at a time (see training.dense.lanes).

Arithmetic may be reordered and contracted, but NaN and infinities are kept (full `fastmath` would compile the tests
for them away), which is what makes `exploded` visible. The commonest width, 5, has its rows in registers throughout.
"""

import numpy as np

from depthsearch.training.dense.compile import inlined
from depthsearch.training.dense.lanes import add, load, pick, spread, store, total

f32 = np.float32


ZERO, ONE = f32(0), f32(1)


# A layer's rows lie one after another in A, those it reads from row `x` on, those it writes from row `y` on.


@inlined
def combine(A, y, x, outputs, inputs, P, w, stride_out, stride_in, b):
    """Row y + o = P[b + o] + sum over i of P[w + o stride_out + i stride_in] times row x + i; b < 0: no bias."""
    if inputs == 5:
        x0, x1, x2, x3, x4 = load(A, x), load(A, x + 1), load(A, x + 2), load(A, x + 3), load(A, x + 4)
        for o in range(outputs):
            at = w + o * stride_out
            value = pick(P, at) * x0 + (pick(P, b + o) if b >= 0 else ZERO)
            value = pick(P, at + stride_in) * x1 + value
            value = pick(P, at + 2 * stride_in) * x2 + value
            value = pick(P, at + 3 * stride_in) * x3 + value
            value = pick(P, at + 4 * stride_in) * x4 + value
            store(A, y + o, value)
        return
    o = 0
    while o + 5 <= outputs:
        # Five outputs at a time, so that a row is loaded once for all of them.
        at = w + o * stride_out
        y0, y1, y2, y3, y4 = (
            spread(pick(P, b + o) if b >= 0 else ZERO),
            spread(pick(P, b + o + 1) if b >= 0 else ZERO),
            spread(pick(P, b + o + 2) if b >= 0 else ZERO),
            spread(pick(P, b + o + 3) if b >= 0 else ZERO),
            spread(pick(P, b + o + 4) if b >= 0 else ZERO),
        )
        for i in range(inputs):
            v, row = at + i * stride_in, load(A, x + i)
            y0 = pick(P, v) * row + y0
            y1 = pick(P, v + stride_out) * row + y1
            y2 = pick(P, v + 2 * stride_out) * row + y2
            y3 = pick(P, v + 3 * stride_out) * row + y3
            y4 = pick(P, v + 4 * stride_out) * row + y4
        store(A, y + o, y0)
        store(A, y + o + 1, y1)
        store(A, y + o + 2, y2)
        store(A, y + o + 3, y3)
        store(A, y + o + 4, y4)
        o += 5
    while o < outputs:
        at = w + o * stride_out
        value = spread(pick(P, b + o) if b >= 0 else ZERO)
        for i in range(inputs):
            value = pick(P, at + i * stride_in) * load(A, x + i) + value
        store(A, y + o, value)
        o += 1


@inlined
def gather_gradients(A, g, x, outputs, inputs, D, w, b):
    """D += the gradients of W (row by row from w) and of the biases (from b), from rows g of dL/d output."""
    if inputs == 5:
        x0, x1, x2, x3, x4 = load(A, x), load(A, x + 1), load(A, x + 2), load(A, x + 3), load(A, x + 4)
        for o in range(outputs):
            at, v = w + o * 5, load(A, g + o)
            add(D, at, total(v * x0))
            add(D, at + 1, total(v * x1))
            add(D, at + 2, total(v * x2))
            add(D, at + 3, total(v * x3))
            add(D, at + 4, total(v * x4))
            add(D, b + o, total(v))
        return
    for o in range(outputs):
        at, v = w + o * inputs, load(A, g + o)
        for i in range(inputs):
            add(D, at + i, total(v * load(A, x + i)))
        add(D, b + o, total(v))
