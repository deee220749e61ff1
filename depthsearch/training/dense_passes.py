"""Compiled passes of the dense engine over a whole network: forward, loss, backward. No torch.

Arrays, all float32: P parameters, D their gradient; X inputs [blocks, features, LANES], H hidden slots
[slots, blocks, width, LANES], Z logits and ZG their gradient [blocks, outputs, LANES], Y labels and M, 1 for a point
and 0 for padding, [blocks, LANES]; NH normalized values [normalizations, blocks, width, LANES], NS their inverse
deviations, [.., blocks, width, LANES] likewise; MM and MV the moving means and variances [normalizations, width].
`n` is the number of points. Padding holds zeros wherever a sum runs over it. See dense_program for the steps.
"""

import math

import numpy as np

from depthsearch.training.dense_activations import activate, exp32, slope
from depthsearch.training.dense_compile import compiled
from depthsearch.training.dense_kernels import (
    ONE,
    ZERO,
    add_row,
    add_rows,
    combine,
    copy,
    dot1,
    f32,
    gather_gradients,
    spread,
    squares,
    standardise,
    standardise_back,
    sum1,
)
from depthsearch.training.dense_program import ACTIVATE, ADD, BATCH_NORM, DENSE, INPUT, LANES, LAYER_NORM, LOGITS

TRAIN, LOOK, USE = range(3)
"""Batch norm: the batch's statistics, moving the averages; without moving them; the averages."""

EPSILON = f32(1e-3)
BATCH_NORM_MOMENTUM = f32(0.99)


@compiled
def forward(steps, P, X, H, Z, NH, NS, MM, MV, M, n, mode):
    """Every layer's output; the logits in Z."""
    blocks = X.shape[0]
    for s in range(steps.shape[0]):
        kind, source, target, code = steps[s, 0], steps[s, 1], steps[s, 2], steps[s, 7]
        if kind == DENSE:
            weights, biases, inputs, outputs = steps[s, 3], steps[s, 4], steps[s, 5], steps[s, 6]
            for j in range(blocks):
                x = X[j] if source == INPUT else H[source, j]
                out = Z[j] if target == LOGITS else H[target, j]
                combine(out, P, weights, inputs, 1, biases, x, outputs, inputs)
        elif kind == ACTIVATE:
            for j in range(blocks):
                x, out = H[source, j], H[target, j]
                if source != target:
                    for u in range(out.shape[0]):
                        copy(out[u], x[u])
                activate(code, out)
        elif kind == ADD:
            for j in range(blocks):
                x, other, out = H[source, j], H[code, j], H[target, j]
                for u in range(out.shape[0]):
                    add_rows(out[u], x[u], other[u])
        elif kind == BATCH_NORM:
            _batch_norm(
                P, steps[s, 3], steps[s, 4], H[source], H[target], NH[code], NS[code], MM[code], MV[code], M, n, mode
            )
        elif kind == LAYER_NORM:
            _layer_norm(P, steps[s, 3], steps[s, 4], H[source], H[target], NH[code], NS[code])


@compiled
def _batch_norm(P, scale, shift, x, out, normalized, inverse, moving_mean, moving_variance, M, n, mode):
    # One stage for all units after another, since within a unit each stage waits for the one before it.
    blocks, width = x.shape[0], x.shape[1]
    share = ONE / f32(n)
    kept = inverse[0]  # for each unit: inverse deviation, mean, variance
    if mode == USE:
        for u in range(width):
            kept[u, 1], kept[u, 2] = moving_mean[u], moving_variance[u]
    else:
        for u in range(width):
            total = ZERO
            for j in range(blocks):
                total += dot1(x[j, u], M[j])
            kept[u, 1] = total * share
        for u in range(width):
            total = ZERO
            for j in range(blocks):
                total += spread(x[j, u], M[j], kept[u, 1])
            kept[u, 2] = total * share
    if mode == TRAIN:
        for u in range(width):
            moving_mean[u] += (kept[u, 1] - moving_mean[u]) * (ONE - BATCH_NORM_MOMENTUM)
            moving_variance[u] += (kept[u, 2] - moving_variance[u]) * (ONE - BATCH_NORM_MOMENTUM)
    for u in range(width):
        kept[u, 0] = ONE / np.sqrt(kept[u, 2] + EPSILON)
    for u in range(width):
        mean, factor, gamma, beta = kept[u, 1], kept[u, 0], P[scale + u], P[shift + u]
        for j in range(blocks):
            standardise(normalized[j, u], out[j, u], x[j, u], M[j], mean, factor, gamma, beta)


@compiled
def _layer_norm(P, scale, shift, x, out, normalized, inverse):
    blocks, width = x.shape[0], x.shape[1]
    for j in range(blocks):
        factor = inverse[j, 0]
        for k in range(LANES):
            total = ZERO
            for u in range(width):
                total += x[j, u, k]
            centre = total / f32(width)
            total = ZERO
            for u in range(width):
                total += (x[j, u, k] - centre) * (x[j, u, k] - centre)
            factor[k] = ONE / np.sqrt(total / f32(width) + EPSILON)
            for u in range(width):
                normalized[j, u, k] = (x[j, u, k] - centre) * factor[k]
        for u in range(width):
            gamma, beta = P[scale + u], P[shift + u]
            kept, y = normalized[j, u], out[j, u]
            for k in range(LANES):
                y[k] = gamma * kept[k] + beta


@compiled
def backward(steps, P, D, X, H, NH, NS, M, ZG, G, T, S, n, AG):
    """D, the gradient of the parameters, from ZG; in AG, for each dense layer, |dL/d its output| squared.

    G, T and S hold one layer's gradient each: the present one, the next, and that which an addition keeps.
    """
    blocks, width = X.shape[0], G.shape[1]
    D[:] = ZERO
    g, t = G, T
    for s in range(steps.shape[0] - 1, -1, -1):
        kind, source, target, code, joins, dense = (
            steps[s, 0],
            steps[s, 1],
            steps[s, 2],
            steps[s, 7],
            steps[s, 8],
            steps[s, 9],
        )
        if kind == DENSE:
            weights, biases, inputs, outputs = steps[s, 3], steps[s, 4], steps[s, 5], steps[s, 6]
            if dense >= 0 and AG.shape[0] > 0:
                AG[dense] = _squares(ZG if target == LOGITS else g)
            for j in range(blocks):
                x = X[j] if source == INPUT else H[source, j]
                own = ZG[j] if target == LOGITS else g[j]
                gather_gradients(D, weights, biases, own, x, outputs, inputs)
                if source != INPUT:
                    combine(t[j], P, weights, 1, inputs, -1, own, inputs, outputs)
            g, t = t, g
        elif kind == ACTIVATE:
            if dense >= 0 and AG.shape[0] > 0:
                AG[dense] = _squares(g)
            for j in range(blocks):
                slope(code, g[j], H[target, j], H[source, j])
        elif kind == ADD:
            for j in range(blocks):
                for u in range(width):
                    copy(S[j, u], g[j, u])
        elif kind == BATCH_NORM:
            _batch_norm_back(P, D, steps[s, 3], steps[s, 4], g, NH[code], NS[code], M, n)
        elif kind == LAYER_NORM:
            _layer_norm_back(P, D, steps[s, 3], steps[s, 4], g, NH[code], NS[code])
        if joins == 1:
            for j in range(blocks):
                for u in range(width):
                    add_row(g[j, u], S[j, u])


@compiled
def _batch_norm_back(P, D, scale, shift, g, normalized, inverse, M, n):
    blocks, width = g.shape[0], g.shape[1]
    share = ONE / f32(n)
    for u in range(width):
        total, along = ZERO, ZERO
        for j in range(blocks):
            total += sum1(g[j, u])
            along += dot1(g[j, u], normalized[j, u])
        D[scale + u] += along
        D[shift + u] += total
        factor = P[scale + u] * inverse[0, u, 0]
        for j in range(blocks):
            standardise_back(g[j, u], normalized[j, u], M[j], factor, total * share, along * share)


@compiled
def _layer_norm_back(P, D, scale, shift, g, normalized, inverse):
    blocks, width = g.shape[0], g.shape[1]
    for j in range(blocks):
        for u in range(width):
            row, kept = g[j, u], normalized[j, u]
            total, along = ZERO, ZERO
            gamma = P[scale + u]
            for k in range(LANES):
                total += row[k]
                along += row[k] * kept[k]
                row[k] *= gamma
            D[scale + u] += along
            D[shift + u] += total
        factor = inverse[j, 0]
        for k in range(LANES):
            total, along = ZERO, ZERO
            for u in range(width):
                total += g[j, u, k]
                along += g[j, u, k] * normalized[j, u, k]
            total /= f32(width)
            along /= f32(width)
            for u in range(width):
                g[j, u, k] = factor[k] * (g[j, u, k] - total - normalized[j, u, k] * along)


@compiled
def _squares(g):
    """The sum of squares, in float64, where float32 could overflow."""
    total = 0.0
    for j in range(g.shape[0]):
        for u in range(g.shape[1]):
            total += squares(g[j, u])
    return total


@compiled
def loss(Z, ZG, Y, M, n):
    """(sum of the points' losses, how many are classified correctly); the gradient of the mean loss in ZG."""
    if Z.shape[1] == 1:
        return _binary_loss(Z, ZG, Y, M, n)
    return _multi_class_loss(Z, ZG, Y, M, n)


@compiled
def _binary_loss(Z, ZG, Y, M, n):
    """max(z, 0) - z y + log(1 + exp(-|z|)); the logarithms of a block are taken as one, of the product."""
    total, right = 0.0, 0.0
    share = ONE / f32(n)
    for j in range(Z.shape[0]):
        z, own, y, m = Z[j, 0], ZG[j, 0], Y[j], M[j]
        product, linear, correct = ONE, ZERO, ZERO
        for k in range(LANES):
            e = exp32(-abs(z[k]))
            p = (ONE if z[k] >= ZERO else e) / (ONE + e)
            own[k] = (p - y[k]) * share * m[k]
            product *= ONE + e * m[k]
            linear += ((max(ZERO, z[k])) - z[k] * y[k]) * m[k]
            positive = ONE if z[k] > ZERO else ZERO
            correct += m[k] * (ONE if positive == y[k] else ZERO)
        total += math.log(np.float64(product)) + np.float64(linear)
        right += np.float64(correct)
    return total, right


@compiled
def _multi_class_loss(Z, ZG, Y, M, n):
    """log(sum of exp(z)) - z[label], with the largest logit taken out first."""
    total, right = 0.0, 0.0
    share = ONE / f32(n)
    outputs = Z.shape[1]
    for j in range(Z.shape[0]):
        for k in range(LANES):
            best, at = Z[j, 0, k], 0
            for o in range(1, outputs):
                if Z[j, o, k] > best:
                    best, at = Z[j, o, k], o
            label = np.int64(Y[j, k])
            summed = ZERO
            for o in range(outputs):
                e = exp32(Z[j, o, k] - best)
                ZG[j, o, k] = e
                summed += e
            for o in range(outputs):
                hot = ONE if o == label else ZERO
                ZG[j, o, k] = (ZG[j, o, k] / summed - hot) * share * M[j, k]
            if M[j, k] > ZERO:
                total += math.log(np.float64(summed)) - np.float64(Z[j, label, k] - best)
                right += 1.0 if at == label else 0.0
    return total, right
