"""Compiled activations and their slopes, on rows of points (see training.dense.lanes), in float32. NaN stays NaN."""

import numpy as np

from depthsearch.training.dense.compile import inlined
from depthsearch.training.dense.lanes import load, magnitude, power_of_two, store, where_above, whole_part
from depthsearch.training.dense.program import KERNELS

f32 = np.float32


ZERO, ONE, HALF = f32(0), f32(1), f32(0.5)


TANH, RELU, LEAKY_RELU = (KERNELS[name].code for name in ("tanh", "relu", "leaky_relu"))
SIGMOID, ELU, SELU = (KERNELS[name].code for name in ("sigmoid", "elu", "selu"))
GELU, SILU = (KERNELS[name].code for name in ("gelu", "silu"))
SOFTPLUS, SOFTSIGN = (KERNELS[name].code for name in ("softplus", "softsign"))


LEAK = f32(0.01)


SELU_SCALE, SELU_ALPHA = f32(1.0507009873554805), f32(1.6732632423543772)


ROOT_HALF, GAUSS = f32(0.7071067811865476), f32(0.3989422804014327)
"""1 / sqrt 2, and 1 / sqrt(2 pi)."""


@inlined
def within(x, low, high):
    """x, or the limit that it is beyond."""
    return where_above(low, x, low, where_above(x, high, high, x))


@inlined
def tanh32(x):
    """Rational of degree 13 / 6, a few units in the last place off (Eigen's coefficients)."""
    x = within(x, f32(-7.905311107635498), f32(7.905311107635498))
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
def exp_parts(x):
    """(exp(r) - 1, 2**n) with exp(x) = exp(r) 2**n: a polynomial of degree 6 (Cephes' expf), to 3e-7."""
    x = within(x, f32(-87.33), f32(88.72))
    n = whole_part(x * f32(1.44269504088896341) + HALF)
    r = x - n * f32(0.693359375) - n * f32(-2.12194440e-4)
    p = f32(1.9875691500e-4) * r + f32(1.3981999507e-3)
    p = p * r + f32(8.3334519073e-3)
    p = p * r + f32(4.1665795894e-2)
    p = p * r + f32(1.6666665459e-1)
    p = p * r + f32(5.0000001201e-1)
    return p * r * r + r, power_of_two(n)


@inlined
def exp32(x):
    part, scale = exp_parts(x)
    return (part + ONE) * scale


@inlined
def expm1_32(x):
    """exp(x) - 1 for x up to 0, as exact near 0 as elsewhere."""
    part, scale = exp_parts(x)
    return part * scale + (scale - ONE)


@inlined
def log1p_32(x):
    """log(1 + x) for x from 0 to 1, as 2 artanh(x / (2 + x))."""
    z = x / (x + f32(2))
    s = z * z
    p = f32(1 / 15) * s + f32(1 / 13)
    p = p * s + f32(1 / 11)
    p = p * s + f32(1 / 9)
    p = p * s + f32(1 / 7)
    p = p * s + f32(1 / 5)
    p = p * s + f32(1 / 3)
    return f32(2) * (z * s * p + z)


@inlined
def erf32(x):
    """Rational of degree 13 / 8, to 4e-7 (Eigen's coefficients)."""
    x = within(x, f32(-4), f32(4))
    s = x * x
    p = f32(-2.72614225801306e-10) * s + f32(2.77068142495902e-08)
    p = p * s + f32(-2.10102402082508e-06)
    p = p * s + f32(-5.69250639462346e-05)
    p = p * s + f32(-7.34990630326855e-04)
    p = p * s + f32(-2.95459980854025e-03)
    p = p * s + f32(-1.60960333262415e-02)
    q = f32(-1.45660718464996e-05) * s + f32(-2.13374055278905e-04)
    q = q * s + f32(-1.68282697438203e-03)
    q = q * s + f32(-7.37332916720468e-03)
    q = q * s + f32(-1.42647390514189e-02)
    return x * p / q


@inlined
def activate(code, A, y, x, count):
    """The rows from y on = f(those from x on), one by one; y may be x."""
    if code == TANH:
        for u in range(count):
            store(A, y + u, tanh32(load(A, x + u)))
    elif code == RELU:
        for u in range(count):
            v = load(A, x + u)
            store(A, y + u, where_above(ZERO, v, ZERO, v))
    elif code == LEAKY_RELU:
        for u in range(count):
            v = load(A, x + u)
            store(A, y + u, where_above(ZERO, v, LEAK * v, v))
    elif code == SIGMOID:
        for u in range(count):
            store(A, y + u, ONE / (exp32(ZERO - load(A, x + u)) + ONE))
    elif code == ELU:
        for u in range(count):
            v = load(A, x + u)
            store(A, y + u, where_above(v, ZERO, v, expm1_32(v)))
    elif code == SELU:
        for u in range(count):
            v = load(A, x + u)
            store(A, y + u, SELU_SCALE * where_above(v, ZERO, v, SELU_ALPHA * expm1_32(v)))
    elif code == GELU:
        for u in range(count):
            v = load(A, x + u)
            store(A, y + u, v * HALF * (erf32(v * ROOT_HALF) + ONE))
    elif code == SILU:
        for u in range(count):
            v = load(A, x + u)
            store(A, y + u, v / (exp32(ZERO - v) + ONE))
    elif code == SOFTPLUS:
        for u in range(count):
            v = load(A, x + u)
            store(A, y + u, log1p_32(exp32(ZERO - magnitude(v))) + where_above(ZERO, v, ZERO, v))
    elif code == SOFTSIGN:
        for u in range(count):
            v = load(A, x + u)
            store(A, y + u, v / (magnitude(v) + ONE))


@inlined
def slope(code, A, g, y, x, count):
    """The rows from g on *= f', from the outputs y, and for gelu and silu from the inputs x."""
    if code == TANH:
        for u in range(count):
            h = load(A, y + u)
            store(A, g + u, load(A, g + u) * (ONE - h * h))
    elif code == RELU:
        for u in range(count):
            store(A, g + u, where_above(load(A, y + u), ZERO, load(A, g + u), ZERO))
    elif code == LEAKY_RELU:
        for u in range(count):
            value = load(A, g + u)
            store(A, g + u, where_above(load(A, y + u), ZERO, value, LEAK * value))
    elif code == SIGMOID:
        for u in range(count):
            h = load(A, y + u)
            store(A, g + u, load(A, g + u) * h * (ONE - h))
    elif code == ELU:
        for u in range(count):
            h = load(A, y + u)
            store(A, g + u, load(A, g + u) * where_above(h, ZERO, ONE, h + ONE))
    elif code == SELU:
        for u in range(count):
            h = load(A, y + u)
            store(A, g + u, load(A, g + u) * where_above(h, ZERO, SELU_SCALE, h + SELU_SCALE * SELU_ALPHA))
    elif code == GELU:
        for u in range(count):
            v = load(A, x + u)
            density = GAUSS * exp32(ZERO - HALF * v * v)
            store(A, g + u, load(A, g + u) * (HALF * (erf32(v * ROOT_HALF) + ONE) + v * density))
    elif code == SILU:
        for u in range(count):
            v = load(A, x + u)
            s = ONE / (exp32(ZERO - v) + ONE)
            store(A, g + u, load(A, g + u) * s * (v * (ONE - s) + ONE))
    elif code == SOFTPLUS:
        for u in range(count):
            store(A, g + u, load(A, g + u) * (ZERO - expm1_32(ZERO - load(A, y + u))))
    elif code == SOFTSIGN:
        for u in range(count):
            left = ONE - magnitude(load(A, y + u))
            store(A, g + u, load(A, g + u) * left * left)
