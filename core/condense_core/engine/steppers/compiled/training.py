"""Whole steps of dense networks: forward, backward and update of one member after the other, in compiled code.

A member's parameters, gradients and moments are copied to memory of its own, where they stay in a core's cache for as
many steps as are asked for. Samples pass through in chunks that stay there too: h has a chunk's inputs, activations,
outputs and targets, d what comes back at the same places, and from those of the targets on what skips a layer.

Everything is in few arrays, and no name stands for now one and then another of them: Numba would count who refers to
them, at every layer.   # S members, N samples, D outputs
"""

from __future__ import annotations

from typing import Any

from numba import types

from condense_core.engine.steppers.compiled.functions import activate, compiled, exponential, inlined
from condense_core.engine.steppers.compiled.products import ADD, SCALE, SET, add_products, add_sums, multiply
from condense_core.engine.steppers.compiled.vectors import (
    const,
    fill,
    lanes_of,
    load,
    square_root,
    store,
    where_less,
)

# Columns of the table of layers.
ROWS, INPUTS, WEIGHT_AT, BIAS_AT, HIDDEN_AT, SIGMA = range(6)
# Columns of the table of tensors.
FLAT_AT, SIZE, OWN_AT = range(3)
LOSSES = {"mse": 0, "softmax-mse": 1, "cross-entropy": 2}
GD, MOMENTUM, NESTEROV, ADAM = range(4)
# What becomes of the weights besides: nothing, a part of them is added to their gradient, or taken from them.
NO_DECAY, DECAY_IN_GRADIENT, DECAY_APART = range(3)


@inlined
def _softmax(o: Any, e: Any, at: Any, outputs: Any, columns: Any) -> Any:
    """Shares of the outputs of the samples from `o[at]` on, written to e."""
    highest = load(o, at)
    for d in range(1, outputs):
        other = load(o, at + d * columns)
        highest = where_less(highest, other, other, highest)
    sum_ = const(highest, 0.0)
    for d in range(outputs):
        share = exponential(load(o, at + d * columns) - highest)
        store(e, at + d * columns, share)
        sum_ = sum_ + share
    for d in range(outputs):
        store(e, at + d * columns, load(e, at + d * columns) / sum_)


@compiled
def _residuals(
    e: Any, o: Any, first: Any, y_at: Any, loss: Any, outputs: Any, columns: Any, samples: Any, share: Any
) -> Any:
    """e = ∂loss/∂f for the outputs o, from `first` on in both, and the targets in o from `y_at` on; 0 from `samples`
    on. `share` is 1/N."""
    lanes = lanes_of(e)
    scale = fill(share)
    for n in range(0, columns, lanes):
        start, target = first + n, y_at + n
        if loss == 0:
            for d in range(0, outputs * columns, columns):
                store(e, start + d, (load(o, start + d) - load(o, target + d)) * scale)
            continue
        _softmax(o, e, start, outputs, columns)
        sum_ = const(scale, 0.0)
        if loss == 1:
            for d in range(0, outputs * columns, columns):
                part = load(e, start + d)
                sum_ = sum_ + part * (part - load(o, target + d))
            for d in range(0, outputs * columns, columns):
                part = load(e, start + d)
                store(e, start + d, part * (part - load(o, target + d) - sum_) * scale)
        else:
            for d in range(0, outputs * columns, columns):
                sum_ = sum_ + load(o, target + d)
            for d in range(0, outputs * columns, columns):
                store(e, start + d, (load(e, start + d) * sum_ - load(o, target + d)) * scale)
    for d in range(outputs):
        for n in range(samples, columns):
            e[first + d * columns + n] = 0


@compiled
def _forward_backward(
    p: Any, g: Any, layers: Any, skips: Any, loss: Any, columns: Any, samples: Any, share: Any, h: Any, d: Any
) -> Any:
    """Outputs of one chunk of samples, and its part of the gradients added to g."""
    last = len(layers) - 1
    lanes = lanes_of(h)
    outputs, outputs_at = layers[last, ROWS], layers[last, HIDDEN_AT]
    after = outputs_at + outputs * columns
    for layer in range(last + 1):
        rows, inputs, at = layers[layer, ROWS], layers[layer, INPUTS], layers[layer, HIDDEN_AT]
        w_at, bias_at = layers[layer, WEIGHT_AT], layers[layer, BIAS_AT]
        under_at = layers[layer - 1, HIDDEN_AT] if layer else 0
        multiply(h, at, SET, p, w_at, inputs, 1, bias_at, h, under_at, rows, inputs, columns)
        if layer < last:
            activate(layers[layer, SIGMA], h, d, at, at + rows * columns)
            if skips and layer:
                for n in range(0, rows * columns, lanes):
                    store(h, at + n, load(h, at + n) + load(h, under_at + n))
    _residuals(d, h, outputs_at, after, loss, outputs, columns, samples, share)
    for layer in range(last, -1, -1):
        rows, inputs, at = layers[layer, ROWS], layers[layer, INPUTS], layers[layer, HIDDEN_AT]
        w_at, bias_at = layers[layer, WEIGHT_AT], layers[layer, BIAS_AT]
        if skips and layer < last:
            for n in range(0, rows * columns, lanes):
                store(d, at + n, load(d, at + n) * load(d, after + n))
        if bias_at >= 0:
            add_sums(g, bias_at, d, at, rows, columns)
        under_at = layers[layer - 1, HIDDEN_AT] if layer else 0
        add_products(g, w_at, d, at, h, under_at, rows, inputs, columns)
        if layer:
            # what comes back is multiplied by σ' in place of it; with skips it is needed as it is, too
            to, how = (under_at, SCALE) if not skips else (after, SET if layer == last else ADD)
            multiply(d, to, how, p, w_at, 1, inputs, -1, d, at, inputs, rows, columns)


@compiled
def _adam(p: Any, g: Any, m: Any, v: Any, step: Any, root: Any, settings: Any) -> Any:
    """Adam's update (Kingma and Ba 2015) at the rate lr/(1 - β1^t) and with 1/√(1 - β2^t), as PyTorch has it."""
    rate, scale, eps = fill(step), fill(root), fill(settings[3])
    new, old_square, new_square = fill(settings[0]), fill(settings[1]), fill(settings[2])
    for at in range(0, len(p), lanes_of(p)):
        gradient, mean = load(g, at), load(m, at)
        mean = mean + new * (gradient - mean)
        square = old_square * load(v, at) + new_square * gradient * gradient
        store(m, at, mean)
        store(v, at, square)
        store(p, at, load(p, at) - rate * mean / (square_root(square) * scale + eps))


@compiled
def _descend(p: Any, g: Any, rate: Any) -> Any:
    lr = fill(rate)
    for at in range(0, len(p), lanes_of(p)):
        store(p, at, load(p, at) - lr * load(g, at))


@compiled
def _keep_moving(g: Any, m: Any, momentum: Any, nesterov: Any) -> Any:
    """The movement m kept from the steps before, of which `momentum` is left, and this step's in place of g, as PyTorch
    has them."""
    kept = fill(momentum)
    for at in range(0, len(g), lanes_of(g)):
        gradient = load(g, at)
        movement = kept * load(m, at) + gradient
        store(m, at, movement)
        store(g, at, gradient + kept * movement if nesterov else movement)


@compiled
def _decay(p: Any, g: Any, kind: Any, amount: Any) -> Any:
    """Weight decay: `amount` of p added to g, or p times `amount`."""
    factor = fill(amount)
    for at in range(0, len(p), lanes_of(p)):
        if kind == DECAY_APART:
            store(p, at, load(p, at) * factor)
        else:
            store(g, at, load(g, at) + factor * load(p, at))


@compiled
def _copy_in(own: Any, flat: Any, tensors: Any, row: Any) -> Any:
    for tensor in range(len(tensors)):
        size, to = tensors[tensor, SIZE], tensors[tensor, OWN_AT]
        start = tensors[tensor, FLAT_AT] + row * size
        for index in range(size):
            own[to + index] = flat[start + index]


@compiled
def _copy_out(own: Any, flat: Any, tensors: Any, row: Any) -> Any:
    for tensor in range(len(tensors)):
        size, to = tensors[tensor, SIZE], tensors[tensor, OWN_AT]
        start = tensors[tensor, FLAT_AT] + row * size
        for index in range(size):
            flat[start + index] = own[to + index]


@compiled
def _gather(
    to: Any, to_at: Any, rows: Any, columns: Any, values: Any, at: Any, across: Any, order: Any, first: Any, last: Any
) -> Any:
    """The samples with the numbers `order[first:last]` as the columns of one chunk."""
    for n in range(last - first):
        start = at + order[first + n]
        for row in range(rows):
            to[to_at + row * columns + n] = values[start + row * across]


@compiled
def _take(to: Any, to_at: Any, count: Any, values: Any, at: Any) -> Any:
    for index in range(0, count, lanes_of(to)):
        store(to, to_at + index, load(values, at + index))


def train(
    steps: Any, first: Any, last: Any, sizes: Any, layers: Any, tensors: Any, flat: Any, grads: Any, means: Any,
    squares: Any, inputs: Any, targets: Any, order: Any, settings: Any, rates: Any, roots: Any, decays: Any, work: Any,
    outputs: Any,
) -> Any:  # fmt: skip
    """Take `steps` steps of the members in rows `first` to `last`; for 0 steps, find outputs and gradients only. Where
    there are `grads` for more, they are those of the first step.

    `flat`, `grads`, `means` and `squares` are laid out as `FlatParameters` are, by the table `tensors`. `inputs` and
    `targets` have the samples in chunks (chunk, entry, column), one after the other for rows that differ; where a step
    sees a batch, as (entry, sample), and `order` (S, steps, batch) has the numbers. `settings` are 1 - β1, β2, 1 - β2
    and ε of Adam, 1/N and the momentum, `rates`, `roots` and `decays` what changes from step to step (`_adam`,
    `_decay`). `work` is memory that nobody else uses meanwhile.
    """
    samples, columns, batches, apart, across, loss, skips, kind, decay = sizes
    p, g, m, v, h, d = work
    last_layer = len(layers) - 1
    o_at, x_rows, y_rows = layers[last_layer, HIDDEN_AT], layers[0, INPUTS], layers[last_layer, ROWS]
    after = o_at + y_rows * columns
    x_size, y_size = across * x_rows, across * y_rows
    share = settings[4]
    known = 1 if steps and len(grads) else 0
    for row in range(first, last):
        _copy_in(p, flat, tensors, row)
        if steps and kind != GD:
            _copy_in(m, means, tensors, row)
        if steps and kind == ADAM:
            _copy_in(v, squares, tensors, row)
        x_at = row * x_size if apart else 0
        y_at = row * y_size if apart else 0
        for step in range(max(steps, 1)):
            if step < known:
                _copy_in(g, grads, tensors, row)
            else:
                for index in range(len(g)):
                    g[index] = 0
            for start in range(0 if step >= known else samples, samples, columns):
                count = min(columns, samples - start)
                if batches:
                    begin = (row * max(steps, 1) + step) * samples + start
                    _gather(h, 0, x_rows, columns, inputs, x_at, across, order, begin, begin + count)
                    _gather(h, after, y_rows, columns, targets, y_at, across, order, begin, begin + count)
                elif step == known or samples > columns:
                    _take(h, 0, x_rows * columns, inputs, x_at + start * x_rows)
                    _take(h, after, y_rows * columns, targets, y_at + start * y_rows)
                _forward_backward(p, g, layers, skips, loss, columns, count, share, h, d)
                if not steps:
                    for output in range(y_rows):
                        for n in range(count):
                            outputs[(row * y_rows + output) * samples + start + n] = h[o_at + output * columns + n]
            if not steps:
                _copy_out(g, grads, tensors, row)
                continue
            if decay:
                _decay(p, g, decay, decays[step])
            if kind == ADAM:
                _adam(p, g, m, v, rates[step], roots[step], settings)
            else:
                if kind != GD:
                    _keep_moving(g, m, settings[5], kind == NESTEROV)
                _descend(p, g, rates[step])
        if steps:
            _copy_out(p, flat, tensors, row)
            if kind != GD:
                _copy_out(m, means, tensors, row)
            if kind == ADAM:
                _copy_out(v, squares, tensors, row)


def signature(dtype: str) -> Any:
    """The types of `train`'s arguments for members of that precision."""
    number = types.float32 if dtype == "float32" else types.float64
    numbers, whole = types.Array(number, 1, "C"), types.Array(types.int64, 1, "C")
    table = types.Array(types.int64, 2, "C")
    return types.void(
        types.int64, types.int64, types.int64, types.UniTuple(types.int64, 9), table, table,
        *(numbers,) * 6, whole, *(numbers,) * 4, types.UniTuple(numbers, 6), numbers,
    )  # fmt: skip
