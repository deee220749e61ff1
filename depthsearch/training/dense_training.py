"""Compiled training of the dense engine: batches, optimizer, epochs, snapshots. No torch.

The arrays are those of dense_passes.
"""

import math

import numpy as np

from depthsearch.training.dense_compile import compiled
from depthsearch.training.dense_kernels import ONE, ZERO, add_squares, dot_with, f32
from depthsearch.training.dense_passes import backward, forward, loss
from depthsearch.training.dense_program import ACTIVATE, LANES

SGD, NESTEROV, ADAM = range(3)
BETA1, BETA2 = 0.9, 0.999


@compiled
def update(rule, P, D, V1, V2, count, learning_rate, momentum, decay, epsilon):
    """One optimizer step, with torch's definitions; `count` is the number of this step, from 1."""
    rate = f32(learning_rate)
    if rule == ADAM:
        kept = f32(1.0 - learning_rate * decay)
        first, second = f32(BETA1), f32(BETA2)
        size = f32(learning_rate / (1.0 - BETA1**count))
        root = f32(1.0 / math.sqrt(1.0 - BETA2**count))
        tiny = f32(epsilon)
        for i in range(P.size):
            V1[i] = first * V1[i] + (ONE - first) * D[i]
            V2[i] = second * V2[i] + (ONE - second) * D[i] * D[i]
            P[i] = kept * P[i] - size * V1[i] / (np.sqrt(V2[i]) * root + tiny)
    else:
        kept = f32(momentum)
        if rule == NESTEROV:
            for i in range(P.size):
                V1[i] = kept * V1[i] + D[i]
                P[i] -= rate * (D[i] + kept * V1[i])
        else:
            for i in range(P.size):
                V1[i] = kept * V1[i] + D[i]
                P[i] -= rate * V1[i]


@compiled
def fill_batch(points, labels, order, first, last, X, Y, M):
    """The points order[first:last] into the blocks of X, Y and M; padding is zero."""
    for j in range(X.shape[0]):
        start = first + j * LANES
        count = min(LANES, max(0, last - start))
        y, m = Y[j], M[j]
        for k in range(count):
            y[k] = labels[order[start + k]]
            m[k] = ONE
        for k in range(count, LANES):
            y[k] = ZERO
            m[k] = ZERO
        for f in range(points.shape[1]):
            x = X[j, f]
            for k in range(count):
                x[k] = points[order[start + k], f]
            for k in range(count, LANES):
                x[k] = ZERO


@compiled
def train_epochs(
    steps, points, labels, orders, batch_size, P, D, V1, V2, X, Y, M, H, Z, ZG, NH, NS, MM, MV, G, T, S, AG,
    mode, rule, learning_rate, momentum, decay, epsilon, done, budget, losses, accuracies, states,
):  # fmt: skip
    """Train an epoch for each row of `orders` after `done` steps of `budget`; its means, and the state after it.

    `states[e]` holds the parameters and then the moving averages at the end of the e-th of these epochs, so that a
    run that turns out to have been settled there can be set back.
    """
    size, averages, width = points.shape[0], MM.size, MM.shape[1]
    for e in range(orders.shape[0]):
        order = orders[e]
        last = min(size, (budget - done) * batch_size)
        total, right = 0.0, 0.0
        for first in range(0, last, batch_size):
            end = min(first + batch_size, last)
            n = end - first
            fill_batch(points, labels, order, first, end, X, Y, M)
            forward(steps, P, X, H, Z, NH, NS, MM, MV, M, n, mode)
            summed, correct = loss(Z, ZG, Y, M, n)
            backward(steps, P, D, X, H, NH, NS, M, ZG, G, T, S, n, AG)
            done += 1
            update(rule, P, D, V1, V2, done, learning_rate, momentum, decay, epsilon)
            total += summed
            right += correct
        losses[e] = total / last
        accuracies[e] = right / last
        state = states[e]
        for i in range(P.size):
            state[i] = P[i]
        for i in range(averages):
            state[P.size + i] = MM[i // width, i % width]
            state[P.size + averages + i] = MV[i // width, i % width]


@compiled
def look(mode, steps, offsets, P, D, P0, X, Y, M, H, Z, ZG, NH, NS, MM, MV, G, T, S, n, relu, per_layer):
    """Fill per_layer [6, dense layers] with the figures of Snapshot over the points in X.

    Returns the output range and the input correlation.

    `mode` is LOOK. In order: weight-gradient norm, mean absolute gradient, activation-gradient norm, weight norm,
    weight change, share of units never active.
    """
    layers = offsets.shape[0]
    AG = np.zeros(layers)
    forward(steps, P, X, H, Z, NH, NS, MM, MV, M, n, mode)
    loss(Z, ZG, Y, M, n)
    backward(steps, P, D, X, H, NH, NS, M, ZG, G, T, S, n, AG)
    for d in range(layers):
        first, count = offsets[d, 0], offsets[d, 1] * offsets[d, 2]
        summed, absolute, weights, moved, started = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(first, first + count):
            gradient, weight, start = np.float64(D[i]), np.float64(P[i]), np.float64(P0[i])
            summed += gradient * gradient
            absolute += abs(gradient)
            weights += weight * weight
            moved += (weight - start) * (weight - start)
            started += start * start
        per_layer[0, d] = math.sqrt(summed)
        per_layer[1, d] = absolute / count
        per_layer[2, d] = math.sqrt(AG[d])
        per_layer[3, d] = math.sqrt(weights)
        per_layer[4, d] = math.sqrt(moved) / math.sqrt(started)
        per_layer[5, d] = 0.0
    if relu:
        for s in range(steps.shape[0]):
            if steps[s, 0] == ACTIVATE:
                per_layer[5, steps[s, 9]] = _never_active(H[steps[s, 2]], M)
    return _range(Z, M), _input_correlation(H[steps[steps.shape[0] - 1, 1]], M)


@compiled
def _never_active(h, M):
    """The share of units that are above zero at no point."""
    idle = 0
    for u in range(h.shape[1]):
        active = False
        for j in range(h.shape[0]):
            for k in range(LANES):
                if M[j, k] > ZERO and h[j, u, k] > ZERO:
                    active = True
        if not active:
            idle += 1
    return idle / h.shape[1]


@compiled
def _input_correlation(h, M):
    """The mean cosine between the outputs h of two points, points with an output of zero left out."""
    total = np.zeros(h.shape[1])
    lengths = np.zeros(LANES)  # then one over the length, 0 for a point that is left out
    count = 0
    for j in range(h.shape[0]):
        lengths[:] = 0.0
        for u in range(h.shape[1]):
            add_squares(lengths, h[j, u])
        for k in range(LANES):
            used = M[j, k] > ZERO and lengths[k] > 0.0
            lengths[k] = 1.0 / math.sqrt(lengths[k]) if used else 0.0
            count += 1 if used else 0
        for u in range(h.shape[1]):
            total[u] += dot_with(h[j, u], lengths)
    if count < 2:
        return np.nan
    return ((total * total).sum() - count) / (count * (count - 1.0))


@compiled
def _range(Z, M):
    """The largest difference between two points' logits, over all outputs."""
    widest = ZERO
    for o in range(Z.shape[1]):
        low, high = f32(np.inf), f32(-np.inf)
        for j in range(Z.shape[0]):
            for k in range(LANES):
                if M[j, k] > ZERO:
                    low, high = min(low, Z[j, o, k]), max(high, Z[j, o, k])
        widest = max(widest, high - low)
    return widest


@compiled
def count_correct(mode, steps, P, X, Y, M, H, Z, ZG, NH, NS, MM, MV, n):
    """How many points are classified correctly; in the mode USE, with batch norm's averages. Z holds the logits."""
    forward(steps, P, X, H, Z, NH, NS, MM, MV, M, n, mode)
    _, right = loss(Z, ZG, Y, M, n)
    return right
