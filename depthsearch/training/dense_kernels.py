"""Compiled rows: the innermost loops of the dense engine, over LANES points each. Pure functions; no torch.

Every loop runs over exactly LANES points, a constant, so that LLVM turns it into straight vector code; callers
take rows as one-dimensional views, since indexing three dimensions in here costs checks for negative indices. Sums
of one output unit's weight gradients and bias are made in one pass over its row. Arithmetic may be reordered and
contracted, but NaN and infinities are kept (full `fastmath` would compile the tests for them away), which is what
makes `exploded` visible.
"""

import hashlib
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numba import config, njit

from depthsearch.core.names import ACTIVATIONS
from depthsearch.training.dense_program import LANES

Function = TypeVar("Function", bound=Callable[..., Any])

f32 = np.float32
ZERO, ONE, HALF = f32(0), f32(1), f32(0.5)
EPSILON = f32(1e-3)
BATCH_NORM_MOMENTUM = f32(0.99)
(TANH, RELU, LEAKY_RELU, SIGMOID, ELU, SELU, GELU, SILU, SOFTPLUS, SOFTSIGN, IDENTITY) = range(len(ACTIVATIONS))
LEAK = f32(0.01)
SELU_SCALE, SELU_ALPHA = f32(1.0507009873554805), f32(1.6732632423543772)
ROOT_HALF, GAUSS = f32(0.7071067811865476), f32(0.3989422804014327)
"""1 / sqrt 2, and 1 / sqrt(2 pi)."""

_OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "arcp", "nsz", "afn"},
    "nogil": True,
}


def _cache_folder() -> Path | None:
    """The user's folder for compiled kernels of exactly these sources; None where none can be made.

    Numba looks for changes in a function's own file alone, and would keep what calls a function that changed in
    another: hence one folder for each state of the sources.
    """
    here = Path(__file__).parent
    sources = b"".join(path.read_bytes() for path in sorted(here.glob("dense_*.py")))
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "depthsearch" / f"kernels-{hashlib.sha256(sources).hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


CACHE = _cache_folder()


def compiled_before(name: str) -> bool:
    """Whether the kernel of that name lies compiled in the cache, as far as its file names tell."""
    return CACHE is not None and any(CACHE.rglob(f"*.{name}-*.nbi"))


def compiled(function: Function) -> Function:
    """Compile a function when it is first called, and keep the result on disk where there is a place for it."""
    if CACHE is None:
        return njit(**_OPTIONS)(function)  # type: ignore[no-any-return]
    before = config.CACHE_DIR
    config.CACHE_DIR = str(CACHE)
    try:
        return njit(**_OPTIONS, cache=True)(function)  # type: ignore[no-any-return]
    finally:
        config.CACHE_DIR = before


def inlined(function: Function) -> Function:
    """Compile a function into each of its callers: a call that passes rows costs as much as the row's arithmetic."""
    return njit(**_OPTIONS, forceinline=True)(function)  # type: ignore[no-any-return]


@inlined
def tanh32(x):
    """Rational of degree 13 / 6, a few units in the last place off (Eigen's coefficients); NaN stays NaN."""
    x = max(x, f32(-7.905311107635498))
    x = min(x, f32(7.905311107635498))
    s = x * x
    p = f32(-2.76076847742355e-16) * s + f32(2.00018790482477e-13)
    p = p * s + f32(-8.60467152213735e-11)
    p = p * s + f32(5.12229709037114e-08)
    p = p * s + f32(1.48572235717979e-05)
    p = p * s + f32(6.37261928875436e-04)
    p = p * s + f32(4.89352455891786e-03)
    q = f32(1.19825839466702e-06) * s + f32(1.18534705686654e-04)
    q = q * s + f32(2.26843463243900e-03)
    q = q * s + f32(4.89352518554385e-03)
    return x * p / q


@inlined
def exp32(x):
    """2**n times a polynomial of degree 6 (the coefficients of Cephes' expf), to 3e-7; NaN stays NaN."""
    x = max(x, f32(-87.33))
    x = min(x, f32(88.72))
    n = np.floor(x * f32(1.44269504088896341) + HALF)
    r = x - n * f32(0.693359375) - n * f32(-2.12194440e-4)
    p = f32(1.9875691500e-4) * r + f32(1.3981999507e-3)
    p = p * r + f32(8.3334519073e-3)
    p = p * r + f32(4.1665795894e-2)
    p = p * r + f32(1.6666665459e-1)
    p = p * r + f32(5.0000001201e-1)
    scale = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return (p * r * r + r + ONE) * scale


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


# Activations, a row at a time.


@inlined
def activate(code, X):
    """X = f(X), row by row, in place: two rows that might overlap would keep LLVM from vector code."""
    count = X.shape[0]
    # Each value is loaded once and stored always: a store under a condition would not become vector code.
    if code == TANH:
        for u in range(count):
            x = X[u]
            for k in range(LANES):
                x[k] = tanh32(x[k])
    elif code == RELU:
        for u in range(count):
            x = X[u]
            for k in range(LANES):
                v = x[k]
                x[k] = ZERO if v < ZERO else v
    elif code == LEAKY_RELU:
        for u in range(count):
            x = X[u]
            for k in range(LANES):
                v = x[k]
                x[k] = LEAK * v if v < ZERO else v
    elif code == SIGMOID:
        for u in range(count):
            x = X[u]
            for k in range(LANES):
                x[k] = ONE / (ONE + exp32(-x[k]))
    elif code == ELU:
        for u in range(count):
            x = X[u]
            for k in range(LANES):
                x[k] = x[k] if x[k] > ZERO else f32(math.expm1(x[k]))
    elif code == SELU:
        for u in range(count):
            x = X[u]
            for k in range(LANES):
                x[k] = SELU_SCALE * (x[k] if x[k] > ZERO else SELU_ALPHA * f32(math.expm1(x[k])))
    elif code == GELU:
        for u in range(count):
            x = X[u]
            for k in range(LANES):
                x[k] = x[k] * HALF * (ONE + f32(math.erf(x[k] * ROOT_HALF)))
    elif code == SILU:
        for u in range(count):
            x = X[u]
            for k in range(LANES):
                x[k] = x[k] / (ONE + exp32(-x[k]))
    elif code == SOFTPLUS:
        for u in range(count):
            x = X[u]
            for k in range(LANES):
                x[k] = f32(math.log1p(exp32(-abs(x[k])))) + (max(ZERO, x[k]))
    elif code == SOFTSIGN:
        for u in range(count):
            x = X[u]
            for k in range(LANES):
                x[k] = x[k] / (ONE + abs(x[k]))
    elif code == IDENTITY:
        for u in range(count):
            x = X[u]
            for k in range(LANES):
                x[k] = x[k]


@inlined
def slope(code, G, H, X):
    """G *= f'(X), row by row, from the output H, and for gelu and silu from the input X."""
    count = G.shape[0]
    if code == TANH:
        for u in range(count):
            g = G[u]
            h = H[u]
            x = X[u]
            for k in range(LANES):
                g[k] *= ONE - h[k] * h[k]
    elif code == RELU:
        for u in range(count):
            g = G[u]
            h = H[u]
            x = X[u]
            for k in range(LANES):
                v = g[k]
                g[k] = v if h[k] > ZERO else ZERO
    elif code == LEAKY_RELU:
        for u in range(count):
            g = G[u]
            h = H[u]
            x = X[u]
            for k in range(LANES):
                v = g[k]
                g[k] = v if h[k] > ZERO else LEAK * v
    elif code == SIGMOID:
        for u in range(count):
            g = G[u]
            h = H[u]
            x = X[u]
            for k in range(LANES):
                g[k] *= h[k] * (ONE - h[k])
    elif code == ELU:
        for u in range(count):
            g = G[u]
            h = H[u]
            x = X[u]
            for k in range(LANES):
                g[k] *= ONE if h[k] > ZERO else h[k] + ONE
    elif code == SELU:
        for u in range(count):
            g = G[u]
            h = H[u]
            x = X[u]
            for k in range(LANES):
                g[k] *= SELU_SCALE if h[k] > ZERO else h[k] + SELU_SCALE * SELU_ALPHA
    elif code == GELU:
        for u in range(count):
            g = G[u]
            h = H[u]
            x = X[u]
            for k in range(LANES):
                density = GAUSS * exp32(-HALF * x[k] * x[k])
                g[k] *= HALF * (ONE + f32(math.erf(x[k] * ROOT_HALF))) + x[k] * density
    elif code == SILU:
        for u in range(count):
            g = G[u]
            h = H[u]
            x = X[u]
            for k in range(LANES):
                s = ONE / (ONE + exp32(-x[k]))
                g[k] *= s * (ONE + x[k] * (ONE - s))
    elif code == SOFTPLUS:
        for u in range(count):
            g = G[u]
            h = H[u]
            x = X[u]
            for k in range(LANES):
                g[k] *= ONE - exp32(-h[k])
    elif code == SOFTSIGN:
        for u in range(count):
            g = G[u]
            h = H[u]
            x = X[u]
            for k in range(LANES):
                left = ONE - abs(h[k])
                g[k] *= left * left
