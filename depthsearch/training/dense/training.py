"""Compiled training of the dense engine: batches, optimizer, epochs, snapshots. No torch.

The arrays are those of training.dense.passes.
"""

import math

import numpy as np

from depthsearch.training.dense.compile import compiled
from depthsearch.training.dense.kernels import ONE, ZERO, f32
from depthsearch.training.dense.lanes import load, magnitude, spread, square_root, store, total, where_above
from depthsearch.training.dense.passes import backward, forward, loss, smooth_labels
from depthsearch.training.dense.program import ACTIVATE, LANES

SGD, NESTEROV, ADAM, RMSPROP, ADAGRAD = range(5)


TINY = 1e-6
"""What clipping adds to a norm before it divides by it, as torch does."""


def decays_of(numbers):
    """What remains of the first and the second moment after a step, and the shares of a new gradient, 1 less these.

    The shares are differences of float32, taken here so that the compiler does not rearrange what they enter.
    """
    first, second = numbers.first_decay or 0.0, numbers.second_decay or 0.0
    return np.array([first, second, ONE - f32(first), ONE - f32(second)])


@compiled
def update(rule, P, D, V1, V2, count, learning_rate, momentum, decay, epsilon, decays):
    """One optimizer step, with torch's definitions; `count` is the number of this step, from 1.

    `decay` is decoupled weight decay, `decays` what `decays_of` gives. A rule takes no notice of numbers that belong to
    another.
    """
    rate, tiny = f32(learning_rate), f32(epsilon)
    first, second, new_first, new_second = f32(decays[0]), f32(decays[1]), f32(decays[2]), f32(decays[3])
    if rule == ADAM:
        kept = f32(1.0 - learning_rate * decay)
        size = f32(learning_rate / (1.0 - decays[0] ** count))
        root = f32(1.0 / math.sqrt(1.0 - decays[1] ** count))
        for i in range(P.size):
            V1[i] = first * V1[i] + new_first * D[i]
            V2[i] = second * V2[i] + new_second * D[i] * D[i]
            P[i] = kept * P[i] - size * V1[i] / (np.sqrt(V2[i]) * root + tiny)
    elif rule == RMSPROP:
        for i in range(P.size):
            V2[i] = second * V2[i] + new_second * D[i] * D[i]
            P[i] -= rate * D[i] / (np.sqrt(V2[i]) + tiny)
    elif rule == ADAGRAD:
        for i in range(P.size):
            V2[i] += D[i] * D[i]
            P[i] -= rate * D[i] / (np.sqrt(V2[i]) + tiny)
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
def clip_and_decay(P, D, clip, l2):
    """Scale the gradient to the norm `clip` where it is longer (0: never), then add that of l2 / 2 |P|^2, as torch."""
    if clip > 0.0:
        squares = 0.0
        for i in range(D.size):
            squares += np.float64(D[i]) * np.float64(D[i])
        scale = f32(min(clip / (math.sqrt(squares) + TINY), 1.0))
        for i in range(D.size):
            D[i] *= scale
    if l2 > 0.0:
        share = f32(l2)
        for i in range(D.size):
            D[i] += share * P[i]


@compiled
def fill_batch(points, labels, order, first, last, A, at):
    """The points order[first:last] into the rows X, Y and M; padding is zero."""
    features = points.shape[1]
    for j in range(at.blocks):
        start = first + j * LANES
        count = min(LANES, max(0, last - start))
        store(A, at.Y + j, spread(ZERO))
        store(A, at.M + j, spread(ZERO))
        for f in range(features):
            store(A, at.X + j * features + f, spread(ZERO))
        for k in range(count):
            place = order[start + k]
            A[at.Y + j, k] = labels[place]
            A[at.M + j, k] = ONE
            for f in range(features):
                A[at.X + j * features + f, k] = points[place, f]


@compiled
def train_entries(
    steps, points, labels, orders, batch_size, P, D, V1, V2, A, at, MM, MV, AG,
    mode, rule, rates, momentum, decay, epsilon, decays,
    smoothing, clip, l2, done, ends, losses, accuracies, states,
):  # fmt: skip
    """Train from step `done` to each of the steps `ends`; the means of each of these entries, and the state after it.

    The rows of `orders` are those of the epoch in which step `done` lies and of the epochs after it; `rates` holds the
    learning rate of step `done` and of those after it.
    `states[e]` holds the parameters and then the moving averages at the end of the e-th of these entries, so that a
    run that turns out to have been settled there can be set back.
    """
    size = points.shape[0]
    per_epoch = (size + batch_size - 1) // batch_size
    first_step, first_epoch = done, done // per_epoch
    for e in range(ends.shape[0]):
        summed, right, seen = 0.0, 0.0, 0
        while done < ends[e]:
            order = orders[done // per_epoch - first_epoch]
            first = done % per_epoch * batch_size
            end = min(first + batch_size, size)
            n = end - first
            fill_batch(points, labels, order, first, end, A, at)
            forward(steps, P, A, at, MM, MV, n, mode)
            loss_of_batch, correct = loss(A, at, n)
            if smoothing > 0.0:
                loss_of_batch += smooth_labels(A, at, n, smoothing)
            backward(steps, P, D, A, at, n, AG)
            if clip > 0.0 or l2 > 0.0:
                clip_and_decay(P, D, clip, l2)
            rate = rates[done - first_step]
            done += 1
            update(rule, P, D, V1, V2, done, rate, momentum, decay, epsilon, decays)
            summed += loss_of_batch
            right += correct
            seen += n
        losses[e] = summed / seen
        accuracies[e] = right / seen
        states[e, : P.size] = P
        states[e, P.size : P.size + MM.size] = MM
        states[e, P.size + MM.size :] = MV


@compiled
def look(mode, steps, offsets, P, D, P0, points, labels, order, A, at, MM, MV, relu, smoothing, per_layer):
    """Fill per_layer [6, dense layers] with the figures of Snapshot over all points.

    Returns the output range and the input correlation.

    `mode` is LOOK, `order` any order of the points. In order: weight-gradient norm, mean absolute gradient,
    activation-gradient norm, weight norm, weight change, share of units never active.
    """
    layers, n = offsets.shape[0], points.shape[0]
    AG = np.zeros(layers)
    fill_batch(points, labels, order, 0, n, A, at)
    forward(steps, P, A, at, MM, MV, n, mode)
    loss(A, at, n)
    if smoothing > 0.0:
        smooth_labels(A, at, n, smoothing)
    backward(steps, P, D, A, at, n, AG)
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
    size = at.blocks * at.width
    if relu:
        for s in range(steps.shape[0]):
            if steps[s, 0] == ACTIVATE and steps[s, 9] >= 0:
                per_layer[5, steps[s, 9]] = _never_active(A, at, at.H + steps[s, 2] * size)
    return _range(A, at), _input_correlation(A, at, at.H + steps[steps.shape[0] - 1, 1] * size)


@compiled
def _never_active(A, at, h):
    """The share of the units in the rows from h on that are above zero at no point."""
    idle = 0
    for u in range(at.width):
        active = ZERO
        for j in range(at.blocks):
            active += total(where_above(load(A, h + j * at.width + u), ZERO, load(A, at.M + j), ZERO))
        if active == ZERO:
            idle += 1
    return idle / at.width


@compiled
def _input_correlation(A, at, h):
    """The mean cosine between the outputs of two points in the rows from h on; outputs of zero are left out."""
    summed = np.zeros(at.width)
    count = 0.0
    for j in range(at.blocks):
        rows = h + j * at.width
        # Scaled by its largest component first, so that no square vanishes or overflows.
        largest = spread(ZERO)
        for u in range(at.width):
            v = magnitude(load(A, rows + u))
            largest = where_above(v, largest, v, largest)
        used = where_above(largest, ZERO, load(A, at.M + j), ZERO)
        scale = ONE / where_above(used, ZERO, largest, ONE)
        squares = spread(ZERO)
        for u in range(at.width):
            v = load(A, rows + u) * scale
            squares = squares + v * v
        factor = where_above(used, ZERO, scale / square_root(squares), ZERO)
        count += np.float64(total(used))
        for u in range(at.width):
            summed[u] += np.float64(total(load(A, rows + u) * factor))
    if count < 2.0:
        return np.nan
    return ((summed * summed).sum() - count) / (count * (count - 1.0))


@compiled
def _range(A, at):
    """The largest difference between two points' logits, over all outputs."""
    widest = ZERO
    for o in range(at.outputs):
        low, high = f32(np.inf), f32(-np.inf)
        for j in range(at.blocks):
            for k in range(LANES):
                if A[at.M + j, k] > ZERO:
                    z = A[at.Z + j * at.outputs + o, k]
                    low, high = min(low, z), max(high, z)
        widest = max(widest, high - low)
    return widest


@compiled
def count_correct(mode, steps, P, points, labels, order, A, at, MM, MV):
    """How many points are classified correctly; in the mode USE, with batch norm's averages. Z holds the logits."""
    n = points.shape[0]
    fill_batch(points, labels, order, 0, n, A, at)
    forward(steps, P, A, at, MM, MV, n, mode)
    _, right = loss(A, at, n)
    return right
