"""Compiled passes of the dense engine over a whole network: forward, loss, backward. No torch.

All that belongs to a point lies in the room A, [rows, LANES] float32, where `at` (Places) says: a batch is cut into
blocks of LANES points, and a block of a layer is one row for each unit. P holds the parameters, D their gradient, MM
and MV the moving means and variances, each in one dimension. `n` is the number of points. Padding holds zeros
wherever a sum runs over it. See training.dense.program for the steps.
"""

import math

import numpy as np

from depthsearch.networks import base as networks
from depthsearch.training.dense.activations import activate, exp32, log1p_32, slope
from depthsearch.training.dense.compile import compiled
from depthsearch.training.dense.kernels import ONE, ZERO, combine, f32, gather_gradients
from depthsearch.training.dense.lanes import (
    load,
    magnitude,
    product,
    spread,
    square_root,
    store,
    total,
    total_of_squares,
    where_above,
    where_equal,
)
from depthsearch.training.dense.program import ACTIVATE, ADD, BATCH_NORM, DENSE, INPUT, LAYER_NORM, LOGITS

TRAIN, LOOK, USE = range(3)
"""Batch norm: the batch's statistics, moving the averages; without moving them; the averages."""

EPSILON, MOMENTUM = f32(networks.EPSILON), f32(networks.BATCH_NORM_MOMENTUM)


@compiled
def forward(steps, P, A, at, MM, MV, n, mode):
    """Every layer's output; the logits in the rows Z."""
    blocks, width = at.blocks, at.width
    for s in range(steps.shape[0]):
        kind, source, target, code = steps[s, 0], steps[s, 1], steps[s, 2], steps[s, 7]
        x, y = at.H + source * blocks * width, at.H + target * blocks * width
        if kind == DENSE:
            weights, biases, inputs, outputs = steps[s, 3], steps[s, 4], steps[s, 5], steps[s, 6]
            if source == INPUT:
                x = at.X
            if target == LOGITS:
                y = at.Z
            for j in range(blocks):
                combine(A, y + j * outputs, x + j * inputs, outputs, inputs, P, weights, inputs, 1, biases)
        elif kind == ACTIVATE:
            activate(code, A, y, x, blocks * width)
        elif kind == ADD:
            other = at.H + code * blocks * width
            for u in range(blocks * width):
                store(A, y + u, load(A, x + u) + load(A, other + u))
        elif kind == BATCH_NORM:
            _batch_norm(P, steps[s, 3], steps[s, 4], A, at, x, y, code, MM, MV, n, mode)
        elif kind == LAYER_NORM:
            _layer_norm(P, steps[s, 3], steps[s, 4], A, at, x, y, code)


@compiled
def _batch_norm(P, scale, shift, A, at, x, y, index, MM, MV, n, mode):
    # One stage for all units after another, since within a unit each stage waits for the one before it.
    blocks, width = at.blocks, at.width
    share = ONE / f32(n)
    normalized, kept = at.NH + index * blocks * width, at.NS + index * blocks * width
    # For each unit, the first of its rows `kept` holds: inverse deviation, mean, variance.
    if mode == USE:
        for u in range(width):
            A[kept + u, 1], A[kept + u, 2] = MM[index * width + u], MV[index * width + u]
    else:
        for u in range(width):
            summed = ZERO
            for j in range(blocks):
                summed += total(load(A, x + j * width + u) * load(A, at.M + j))
            A[kept + u, 1] = summed * share
        for u in range(width):
            summed = ZERO
            for j in range(blocks):
                away = (load(A, x + j * width + u) - A[kept + u, 1]) * load(A, at.M + j)
                summed += total(away * away)
            A[kept + u, 2] = summed * share
    if mode == TRAIN:
        for u in range(width):
            m = index * width + u
            MM[m] += (A[kept + u, 1] - MM[m]) * (ONE - MOMENTUM)
            MV[m] += (A[kept + u, 2] - MV[m]) * (ONE - MOMENTUM)
    for u in range(width):
        A[kept + u, 0] = ONE / np.sqrt(A[kept + u, 2] + EPSILON)
    for u in range(width):
        factor, mean, gamma, beta = A[kept + u, 0], A[kept + u, 1], P[scale + u], P[shift + u]
        for j in range(blocks):
            place = j * width + u
            value = (load(A, x + place) - mean) * factor * load(A, at.M + j)
            store(A, normalized + place, value)
            store(A, y + place, gamma * value + beta)


@compiled
def _layer_norm(P, scale, shift, A, at, x, y, index):
    blocks, width = at.blocks, at.width
    share = ONE / f32(width)
    for j in range(blocks):
        row_x, row_y = x + j * width, y + j * width
        normalized, inverse = at.NH + (index * blocks + j) * width, at.NS + (index * blocks + j) * width
        summed = spread(ZERO)
        for u in range(width):
            summed = summed + load(A, row_x + u)
        mean = summed * share
        summed = spread(ZERO)
        for u in range(width):
            away = load(A, row_x + u) - mean
            summed = summed + away * away
        factor = ONE / square_root(summed * share + EPSILON)
        store(A, inverse, factor)
        for u in range(width):
            value = (load(A, row_x + u) - mean) * factor
            store(A, normalized + u, value)
            store(A, row_y + u, P[scale + u] * value + P[shift + u])


@compiled
def backward(steps, P, D, A, at, n, AG):
    """D, the gradient of the parameters, from the rows ZG; in AG, for each dense layer, |dL/d its output| squared.

    The rows G, T and S hold one layer's gradient each: the present one, the next, and that which an addition keeps.
    """
    blocks, width = at.blocks, at.width
    size = blocks * width
    D[:] = ZERO
    g, t = at.G, at.T
    for s in range(steps.shape[0] - 1, -1, -1):
        kind, source, target, code = steps[s, 0], steps[s, 1], steps[s, 2], steps[s, 7]
        joins, dense = steps[s, 8], steps[s, 9]
        x, y = at.H + source * size, at.H + target * size
        if kind == DENSE:
            weights, biases, inputs, outputs = steps[s, 3], steps[s, 4], steps[s, 5], steps[s, 6]
            value = at.ZG if target == LOGITS else g
            if source == INPUT:
                x = at.X
            if dense >= 0 and AG.shape[0] > 0:
                AG[dense] = _squares(A, value, blocks * outputs)
            for j in range(blocks):
                gather_gradients(A, value + j * outputs, x + j * inputs, outputs, inputs, D, weights, biases)
                if source != INPUT:
                    combine(A, t + j * inputs, value + j * outputs, inputs, outputs, P, weights, 1, inputs, -1)
            g, t = t, g
        elif kind == ACTIVATE:
            if dense >= 0 and AG.shape[0] > 0:
                AG[dense] = _squares(A, g, size)
            slope(code, A, g, y, x, size)
        elif kind == ADD:
            for u in range(size):
                store(A, at.S + u, load(A, g + u))
        elif kind == BATCH_NORM:
            _batch_norm_back(P, D, steps[s, 3], steps[s, 4], A, at, g, code, n)
        elif kind == LAYER_NORM:
            _layer_norm_back(P, D, steps[s, 3], steps[s, 4], A, at, g, code)
        if joins == 1:
            for u in range(size):
                store(A, g + u, load(A, g + u) + load(A, at.S + u))


@compiled
def _batch_norm_back(P, D, scale, shift, A, at, g, index, n):
    blocks, width = at.blocks, at.width
    normalized, kept = at.NH + index * blocks * width, at.NS + index * blocks * width
    share = ONE / f32(n)
    for u in range(width):
        summed, along = ZERO, ZERO
        for j in range(blocks):
            value = load(A, g + j * width + u)
            summed += total(value)
            along += total(value * load(A, normalized + j * width + u))
        D[scale + u] += along
        D[shift + u] += summed
    for u in range(width):
        factor, mean, along = P[scale + u] * A[kept + u, 0], D[shift + u] * share, D[scale + u] * share
        for j in range(blocks):
            place = j * width + u
            value = load(A, g + place) - mean - along * load(A, normalized + place)
            store(A, g + place, factor * value * load(A, at.M + j))


@compiled
def _layer_norm_back(P, D, scale, shift, A, at, g, index):
    blocks, width = at.blocks, at.width
    share = ONE / f32(width)
    for j in range(blocks):
        row_g = g + j * width
        normalized, inverse = at.NH + (index * blocks + j) * width, at.NS + (index * blocks + j) * width
        summed, along = spread(ZERO), spread(ZERO)
        for u in range(width):
            value, place = load(A, row_g + u), load(A, normalized + u)
            D[scale + u] += total(value * place)
            D[shift + u] += total(value)
            value = P[scale + u] * value
            store(A, row_g + u, value)
            summed = summed + value
            along = along + value * place
        mean, along, factor = summed * share, along * share, load(A, inverse)
        for u in range(width):
            value = load(A, row_g + u) - mean - load(A, normalized + u) * along
            store(A, row_g + u, factor * value)


@compiled
def _squares(A, g, count):
    """The sum of squares, in float64, where float32 could overflow."""
    summed = 0.0
    for u in range(count):
        summed += total_of_squares(load(A, g + u))
    return summed


@compiled
def loss(A, at, n):
    """(sum of the points' losses, how many are classified correctly); the gradient of the mean loss in ZG."""
    if at.outputs == 1:
        return _binary_loss(A, at, n)
    return _multi_class_loss(A, at, n)


@compiled
def _binary_loss(A, at, n):
    """max(z, 0) - z y + log(1 + exp(-|z|))."""
    summed, right = 0.0, 0.0
    share = ONE / f32(n)
    for j in range(at.blocks):
        z, y, m = load(A, at.Z + j), load(A, at.Y + j), load(A, at.M + j)
        e = exp32(ZERO - magnitude(z))
        p = where_above(ZERO, z, e, ONE) / (e + ONE)
        store(A, at.ZG + j, (p - y) * share * m)
        summed += np.float64(total((log1p_32(e) + where_above(ZERO, z, ZERO, z) - z * y) * m))
        # y is 0 or 1; a logit of exactly 0 counts as class 0.
        right += np.float64(total(m * where_above(z, ZERO, y, ONE - y)))
    return summed, right


@compiled
def _multi_class_loss(A, at, n):
    """log(sum of exp(z)) - z[label], with the largest logit taken out first."""
    summed, right = 0.0, 0.0
    share = ONE / f32(n)
    for j in range(at.blocks):
        logits, gradients = at.Z + j * at.outputs, at.ZG + j * at.outputs
        y, m = load(A, at.Y + j), load(A, at.M + j)
        best, first = load(A, logits), spread(ZERO)
        for o in range(1, at.outputs):
            z = load(A, logits + o)
            first = where_above(z, best, f32(o), first)
            best = where_above(z, best, z, best)
        exps, of_label = spread(ZERO), spread(ZERO)
        for o in range(at.outputs):
            z = load(A, logits + o) - best
            e = exp32(z)
            store(A, gradients + o, e)
            exps = exps + e
            of_label = of_label + where_equal(y, f32(o), z, ZERO)
        for o in range(at.outputs):
            share_of_o = load(A, gradients + o) / exps
            store(A, gradients + o, (share_of_o - where_equal(y, f32(o), ONE, ZERO)) * share * m)
        # The logarithms of a block are taken as one, of the product.
        summed += math.log(product(where_above(m, ZERO, exps, ONE))) - np.float64(total(of_label * m))
        right += np.float64(total(where_equal(first, y, m, ZERO)))
    return summed, right


@compiled
def smooth_labels(A, at, n, smoothing):
    """What label smoothing adds to the sum of the points' losses; its gradient is added to ZG.

    Of each target, the share `smoothing` is spread evenly over the classes, for one output over both of them. Where z
    is the logit of the label, this adds smoothing (z - mean of the logits); for one output, smoothing z (y - 1/2).
    """
    summed = 0.0
    share, outputs = f32(smoothing) / f32(n), at.outputs
    for j in range(at.blocks):
        y, m = load(A, at.Y + j), load(A, at.M + j)
        moved = spread(ZERO)
        for o in range(outputs):
            row = j * outputs + o
            # Of one output, the label itself is 1 or 0, and its mean over the classes is 1/2.
            hit, mean = (y, f32(0.5)) if outputs == 1 else (where_equal(y, f32(o), ONE, ZERO), ONE / f32(outputs))
            away = (hit - mean) * m
            moved = moved + load(A, at.Z + row) * away
            store(A, at.ZG + row, load(A, at.ZG + row) + share * away)
        summed += np.float64(total(moved))
    return smoothing * summed
