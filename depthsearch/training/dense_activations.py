"""Compiled activations and their slopes, row by row, in float32.

Every innermost loop runs over exactly LANES points, a constant, so that LLVM turns it into straight vector code. A
value is loaded once and stored always: a store under a condition would not become vector code. NaN stays NaN.
"""

import math

import numpy as np

from depthsearch.core.names import ACTIVATIONS
from depthsearch.training.dense_compile import inlined
from depthsearch.training.dense_program import LANES

f32 = np.float32
ZERO, ONE, HALF = f32(0), f32(1), f32(0.5)
(TANH, RELU, LEAKY_RELU, SIGMOID, ELU, SELU, GELU, SILU, SOFTPLUS, SOFTSIGN, IDENTITY) = range(len(ACTIVATIONS))
LEAK = f32(0.01)
SELU_SCALE, SELU_ALPHA = f32(1.0507009873554805), f32(1.6732632423543772)
ROOT_HALF, GAUSS = f32(0.7071067811865476), f32(0.3989422804014327)
"""1 / sqrt 2, and 1 / sqrt(2 pi)."""


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


@inlined
def activate(code, X):
    """X = f(X), row by row, in place: two rows that might overlap would keep LLVM from vector code."""
    count = X.shape[0]
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
