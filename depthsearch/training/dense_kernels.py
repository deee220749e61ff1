"""Compiled rows: the innermost loops of the dense engine, over LANES points each. Pure functions; no torch.

Every loop runs over exactly LANES points, a constant, so that LLVM turns it into straight vector code; callers
take rows as one-dimensional views, since indexing three dimensions in here costs checks for negative indices. Sums
of one output unit's weight gradients and bias are made in one pass over its row. Arithmetic may be reordered and
contracted, but NaN and infinities are kept (full `fastmath` would compile the tests for them away), which is what
makes `exploded` visible.
"""

import numpy as np

from depthsearch.training.dense_compile import inlined
from depthsearch.training.dense_program import LANES

f32 = np.float32
ZERO, ONE = f32(0), f32(1)

# Rows: out and x are one row of a block, LANES long.


@inlined
def fill(out, value):
    for k in range(LANES):
        out[k] = value


@inlined
def copy(out, x):
    for k in range(LANES):
        out[k] = x[k]


@inlined
def add_row(out, x):
    for k in range(LANES):
        out[k] += x[k]


@inlined
def add_rows(out, x, y):
    for k in range(LANES):
        out[k] = x[k] + y[k]


@inlined
def affine5(out, b, w0, w1, w2, w3, w4, x0, x1, x2, x3, x4):
    for k in range(LANES):
        out[k] = b + w0 * x0[k] + w1 * x1[k] + w2 * x2[k] + w3 * x3[k] + w4 * x4[k]


@inlined
def add5(out, w0, w1, w2, w3, w4, x0, x1, x2, x3, x4):
    for k in range(LANES):
        out[k] += w0 * x0[k] + w1 * x1[k] + w2 * x2[k] + w3 * x3[k] + w4 * x4[k]


@inlined
def add1(out, w, x):
    for k in range(LANES):
        out[k] += w * x[k]


@inlined
def sum1(x):
    total = ZERO
    for k in range(LANES):
        total += x[k]
    return total


@inlined
def dot1(g, x):
    total = ZERO
    for k in range(LANES):
        total += g[k] * x[k]
    return total


@inlined
def squares(x):
    """The sum of squares, in float64: in float32 it would overflow, or vanish before the gradient does."""
    total = 0.0
    for k in range(LANES):
        v = np.float64(x[k])
        total += v * v
    return total


@inlined
def add_squares(out, x):
    """Add the squares to a row of float64."""
    for k in range(LANES):
        v = np.float64(x[k])
        out[k] += v * v


@inlined
def dot_with(x, factors):
    """The dot product with a row of float64."""
    total = 0.0
    for k in range(LANES):
        total += np.float64(x[k]) * factors[k]
    return total


@inlined
def spread(x, m, mean):
    """The sum of squared deviations from the mean, over the points that m marks."""
    total = ZERO
    for k in range(LANES):
        total += m[k] * (x[k] - mean) * (x[k] - mean)
    return total


@inlined
def standardise(normalized, out, x, m, mean, factor, gamma, beta):
    for k in range(LANES):
        v = (x[k] - mean) * factor * m[k]
        normalized[k] = v
        out[k] = gamma * v + beta


@inlined
def standardise_back(g, x, m, factor, mean, along):
    for k in range(LANES):
        g[k] = factor * (g[k] - mean - x[k] * along) * m[k]


@inlined
def dots5(g, x0, x1, x2, x3, x4):
    """Five dot products with g, and the sum of g, in one pass."""
    s0, s1, s2, s3, s4, total = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    for k in range(LANES):
        v = g[k]
        s0 += v * x0[k]
        s1 += v * x1[k]
        s2 += v * x2[k]
        s3 += v * x3[k]
        s4 += v * x4[k]
        total += v
    return s0, s1, s2, s3, s4, total


# Dense layers, one block at a time.


@inlined
def combine(out, P, w, stride_out, stride_in, b, x, outputs, inputs):
    """out[o] = P[b + o] + sum over i of P[w + o stride_out + i stride_in] x[i]; b < 0 means no bias."""
    if inputs == 5:
        # The commonest width, with its rows taken once.
        x0, x1, x2, x3, x4 = x[0], x[1], x[2], x[3], x[4]
        s2, s3, s4 = 2 * stride_in, 3 * stride_in, 4 * stride_in
        for o in range(outputs):
            at = w + o * stride_out
            bias = P[b + o] if b >= 0 else ZERO
            affine5(out[o], bias, P[at], P[at + stride_in], P[at + s2], P[at + s3], P[at + s4], x0, x1, x2, x3, x4)
        return
    for o in range(outputs):
        row = out[o]
        at = w + o * stride_out
        bias = P[b + o] if b >= 0 else ZERO
        i = 0
        if inputs >= 5:
            affine5(
                row,
                bias,
                P[at],
                P[at + stride_in],
                P[at + 2 * stride_in],
                P[at + 3 * stride_in],
                P[at + 4 * stride_in],
                x[0],
                x[1],
                x[2],
                x[3],
                x[4],
            )
            i = 5
        else:
            fill(row, bias)
        while i + 5 <= inputs:
            v = at + i * stride_in
            add5(
                row,
                P[v],
                P[v + stride_in],
                P[v + 2 * stride_in],
                P[v + 3 * stride_in],
                P[v + 4 * stride_in],
                x[i],
                x[i + 1],
                x[i + 2],
                x[i + 3],
                x[i + 4],
            )
            i += 5
        while i < inputs:
            add1(row, P[at + i * stride_in], x[i])
            i += 1


@inlined
def gather_gradients(D, w, b, g, x, outputs, inputs):
    """D += the gradients of W (row by row from w) and of the biases (from b), of one block."""
    if inputs == 5:
        x0, x1, x2, x3, x4 = x[0], x[1], x[2], x[3], x[4]
        for o in range(outputs):
            at = w + o * 5
            s0, s1, s2, s3, s4, total = dots5(g[o], x0, x1, x2, x3, x4)
            D[at] += s0
            D[at + 1] += s1
            D[at + 2] += s2
            D[at + 3] += s3
            D[at + 4] += s4
            D[b + o] += total
        return
    for o in range(outputs):
        row = g[o]
        at = w + o * inputs
        i = 0
        if inputs >= 5:
            s0, s1, s2, s3, s4, total = dots5(row, x[0], x[1], x[2], x[3], x[4])
            D[at] += s0
            D[at + 1] += s1
            D[at + 2] += s2
            D[at + 3] += s3
            D[at + 4] += s4
            D[b + o] += total
            i = 5
        else:
            D[b + o] += sum1(row)
        while i + 5 <= inputs:
            s0, s1, s2, s3, s4, _ = dots5(row, x[i], x[i + 1], x[i + 2], x[i + 3], x[i + 4])
            D[at + i] += s0
            D[at + i + 1] += s1
            D[at + i + 2] += s2
            D[at + i + 3] += s3
            D[at + i + 4] += s4
            i += 5
        while i < inputs:
            D[at + i] += dot1(row, x[i])
            i += 1
