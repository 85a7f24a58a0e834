"""Stacks of convolutions, forward and backward, one image after the other, in compiled code.

Channels lie side by side (row, column, channel), so that a vector is so many filters at one pixel; products are summed
in tiles of six pixels, or six entries of a kernel, by two vectors of filters: twelve of AVX-512's registers. With AVX2,
which has sixteen that are half as wide, it is one vector. Each sum is its own, so that tiles change no bit of it.
Filters are padded to whole vectors with zeros.   # C channels, M filters, K entries of a kernel (row, column, channel)
"""

from __future__ import annotations

from typing import Any

from numba import types

from condense_core.engine.steppers.compiled.functions import activate, compiled, inlined
from condense_core.engine.steppers.compiled.vectors import has_wide_registers, lanes_of, load, spread, store, zeros

# Columns of the table of layers: M and C; rows and columns of what comes out; numbers in a row of what goes in, and in
# so many of its columns as a filter has; where weights, turned weights, bias (-1 for none) and their gradients are;
# where activations are in an image's memory; where what comes back is, its first number that is not padding, and
# numbers in a row of it; the activation's number; which rows of the tables of places and entries are the layer's.
(
    FILTERS, CHANNELS, ROWS, COLUMNS, ACROSS, RUN, SIZE, WEIGHT_AT, TURNED_AT, BIAS_AT, GRAD_AT, BIAS_GRAD_AT,
    HIDDEN_AT, BACK_AT, BACK_FROM, BACK_ACROSS, SIGMA, PLACES, PLACES_END, TURNED, TURNED_END, ENTRIES, ENTRIES_END,
) = range(23)  # fmt: skip
# Columns of the table of places, a row for each pixel that is worked out: where its sum begins to read, where it is
# written, and where its factor is.
READ, WRITTEN, FACTOR = range(3)
TILE = 6
PAIRED = has_wide_registers()


@inlined
def _start(bias: Any, at: Any) -> Any:
    return load(bias, at) if at >= 0 else zeros(bias)


@inlined
def _put(out: Any, at: Any, value: Any, factor: Any, factor_at: Any, scaled: Any) -> Any:
    if scaled:
        store(out, at, value * load(factor, factor_at))
    else:
        store(out, at, value)


@compiled
def _convolve(
    out: Any, out_at: Any, x: Any, x_at: Any, w: Any, w_at: Any, bias_at: Any, factor: Any, factor_at: Any, scaled: Any,
    places: Any, first: Any, last: Any, size: Any, run: Any, across: Any, filters: Any,
) -> Any:  # fmt: skip
    """Sums over `size` runs of numbers of x, each with the weights (K, filters) and plus a bias, for the places from
    `first` to `last`, a whole number of tiles; multiplied by a factor where that is asked for."""
    lanes = lanes_of(out)
    pairs = filters - filters % (2 * lanes) if PAIRED else 0
    for p in range(first, last, TILE):
        x0, x1, x2, x3 = places[p, READ], places[p + 1, READ], places[p + 2, READ], places[p + 3, READ]
        x4, x5 = places[p + 4, READ], places[p + 5, READ]
        for m in range(0, pairs, 2 * lanes):
            bias = bias_at + m if bias_at >= 0 else -1
            s00 = s10 = s20 = s30 = s40 = s50 = _start(w, bias)
            s01 = s11 = s21 = s31 = s41 = s51 = _start(w, bias + lanes if bias_at >= 0 else -1)
            at = w_at + m
            for row in range(size):
                here = x_at + row * across
                for k in range(here, here + run):
                    w0, w1 = load(w, at), load(w, at + lanes)
                    a = spread(x, x0 + k)
                    s00, s01 = s00 + a * w0, s01 + a * w1
                    a = spread(x, x1 + k)
                    s10, s11 = s10 + a * w0, s11 + a * w1
                    a = spread(x, x2 + k)
                    s20, s21 = s20 + a * w0, s21 + a * w1
                    a = spread(x, x3 + k)
                    s30, s31 = s30 + a * w0, s31 + a * w1
                    a = spread(x, x4 + k)
                    s40, s41 = s40 + a * w0, s41 + a * w1
                    a = spread(x, x5 + k)
                    s50, s51 = s50 + a * w0, s51 + a * w1
                    at += filters
            for part in range(2):
                to, by = out_at + m + part * lanes, factor_at + m + part * lanes
                _put(out, to + places[p, WRITTEN], s01 if part else s00, factor, by + places[p, FACTOR], scaled)
                _put(out, to + places[p + 1, WRITTEN], s11 if part else s10, factor, by + places[p + 1, FACTOR], scaled)
                _put(out, to + places[p + 2, WRITTEN], s21 if part else s20, factor, by + places[p + 2, FACTOR], scaled)
                _put(out, to + places[p + 3, WRITTEN], s31 if part else s30, factor, by + places[p + 3, FACTOR], scaled)
                _put(out, to + places[p + 4, WRITTEN], s41 if part else s40, factor, by + places[p + 4, FACTOR], scaled)
                _put(out, to + places[p + 5, WRITTEN], s51 if part else s50, factor, by + places[p + 5, FACTOR], scaled)
        for m in range(pairs, filters, lanes):
            s00 = s10 = s20 = s30 = s40 = s50 = _start(w, bias_at + m if bias_at >= 0 else -1)
            at = w_at + m
            for row in range(size):
                here = x_at + row * across
                for k in range(here, here + run):
                    w0 = load(w, at)
                    s00, s10 = s00 + spread(x, x0 + k) * w0, s10 + spread(x, x1 + k) * w0
                    s20, s30 = s20 + spread(x, x2 + k) * w0, s30 + spread(x, x3 + k) * w0
                    s40, s50 = s40 + spread(x, x4 + k) * w0, s50 + spread(x, x5 + k) * w0
                    at += filters
            to, by = out_at + m, factor_at + m
            _put(out, to + places[p, WRITTEN], s00, factor, by + places[p, FACTOR], scaled)
            _put(out, to + places[p + 1, WRITTEN], s10, factor, by + places[p + 1, FACTOR], scaled)
            _put(out, to + places[p + 2, WRITTEN], s20, factor, by + places[p + 2, FACTOR], scaled)
            _put(out, to + places[p + 3, WRITTEN], s30, factor, by + places[p + 3, FACTOR], scaled)
            _put(out, to + places[p + 4, WRITTEN], s40, factor, by + places[p + 4, FACTOR], scaled)
            _put(out, to + places[p + 5, WRITTEN], s50, factor, by + places[p + 5, FACTOR], scaled)


@inlined
def _add(g: Any, at: Any, value: Any) -> Any:
    store(g, at, load(g, at) + value)


@compiled
def _add_gradient(
    g: Any, g_at: Any, x: Any, x_at: Any, d: Any, d_at: Any, entries: Any, first: Any, last: Any, rows: Any,
    columns: Any, across: Any, channels: Any, d_across: Any, filters: Any,
) -> Any:  # fmt: skip
    """g (K, filters) += for each entry from `first` to `last`, a whole number of tiles, the sum over rows and columns
    of what it is multiplied by, x, and what comes back, d."""
    lanes = lanes_of(g)
    pairs = filters - filters % (2 * lanes) if PAIRED else 0
    for k in range(first, last, TILE):
        x0, x1, x2, x3 = x_at + entries[k], x_at + entries[k + 1], x_at + entries[k + 2], x_at + entries[k + 3]
        x4, x5 = x_at + entries[k + 4], x_at + entries[k + 5]
        to = g_at + (k - first) * filters
        for m in range(0, pairs, 2 * lanes):
            s00 = s10 = s20 = s30 = s40 = s50 = zeros(g)
            s01 = s11 = s21 = s31 = s41 = s51 = zeros(g)
            for row in range(rows):
                at, here = d_at + row * d_across + m, row * across
                for _ in range(columns):
                    d0, d1 = load(d, at), load(d, at + lanes)
                    a = spread(x, x0 + here)
                    s00, s01 = s00 + a * d0, s01 + a * d1
                    a = spread(x, x1 + here)
                    s10, s11 = s10 + a * d0, s11 + a * d1
                    a = spread(x, x2 + here)
                    s20, s21 = s20 + a * d0, s21 + a * d1
                    a = spread(x, x3 + here)
                    s30, s31 = s30 + a * d0, s31 + a * d1
                    a = spread(x, x4 + here)
                    s40, s41 = s40 + a * d0, s41 + a * d1
                    a = spread(x, x5 + here)
                    s50, s51 = s50 + a * d0, s51 + a * d1
                    at += filters
                    here += channels
            for part in range(2):
                here = to + m + part * lanes
                _add(g, here, s01 if part else s00)
                _add(g, here + filters, s11 if part else s10)
                _add(g, here + 2 * filters, s21 if part else s20)
                _add(g, here + 3 * filters, s31 if part else s30)
                _add(g, here + 4 * filters, s41 if part else s40)
                _add(g, here + 5 * filters, s51 if part else s50)
        for m in range(pairs, filters, lanes):
            s00 = s10 = s20 = s30 = s40 = s50 = zeros(g)
            for row in range(rows):
                at, here = d_at + row * d_across + m, row * across
                for _ in range(columns):
                    d0 = load(d, at)
                    s00, s10 = s00 + spread(x, x0 + here) * d0, s10 + spread(x, x1 + here) * d0
                    s20, s30 = s20 + spread(x, x2 + here) * d0, s30 + spread(x, x3 + here) * d0
                    s40, s50 = s40 + spread(x, x4 + here) * d0, s50 + spread(x, x5 + here) * d0
                    at += filters
                    here += channels
            here = to + m
            _add(g, here, s00)
            _add(g, here + filters, s10)
            _add(g, here + 2 * filters, s20)
            _add(g, here + 3 * filters, s30)
            _add(g, here + 4 * filters, s40)
            _add(g, here + 5 * filters, s50)


@compiled
def _add_sums(g: Any, g_at: Any, d: Any, d_at: Any, rows: Any, columns: Any, d_across: Any, filters: Any) -> Any:
    """g (filters) += the sums of d over rows and columns."""
    for m in range(0, filters, lanes_of(g)):
        s = zeros(g)
        for row in range(rows):
            at = d_at + row * d_across + m
            for _ in range(columns):
                s = s + load(d, at)
                at += filters
        _add(g, g_at + m, s)


@compiled
def _forward(layers: Any, places: Any, x: Any, x_at: Any, w: Any, h: Any, slopes: Any, at: Any) -> Any:
    for layer in range(len(layers)):
        filters, out = layers[layer, FILTERS], at + layers[layer, HIDDEN_AT]
        read, read_at = (x, x_at) if layer == 0 else (h, at + layers[layer - 1, HIDDEN_AT])
        _convolve(
            h, out, read, read_at, w, layers[layer, WEIGHT_AT], layers[layer, BIAS_AT], h, 0, False,
            places, layers[layer, PLACES], layers[layer, PLACES_END],
            layers[layer, SIZE], layers[layer, RUN], layers[layer, ACROSS], filters,
        )  # fmt: skip
        pixels = layers[layer, ROWS] * layers[layer, COLUMNS]
        activate(layers[layer, SIGMA], h, slopes, out, out + pixels * filters)


@compiled
def _backward(
    layers: Any, places: Any, entries: Any, x: Any, x_at: Any, w: Any, h: Any, slopes: Any, at: Any, top: Any,
    top_at: Any, back: Any, g: Any, g_at: Any,
) -> Any:  # fmt: skip
    lanes = lanes_of(g)
    last = len(layers) - 1
    for layer in range(last, -1, -1):
        filters, rows, columns = layers[layer, FILTERS], layers[layer, ROWS], layers[layer, COLUMNS]
        across, size = layers[layer, BACK_ACROSS], layers[layer, SIZE]
        inside = layers[layer, BACK_AT] + layers[layer, BACK_FROM]
        if layer == last:
            row_length = columns * filters
            for row in range(rows):
                start = row * row_length
                for n in range(0, row_length, lanes):
                    slope = load(slopes, at + layers[layer, HIDDEN_AT] + start + n)
                    store(back, inside + row * across + n, load(top, top_at + start + n) * slope)
        read, read_at = (x, x_at) if layer == 0 else (h, at + layers[layer - 1, HIDDEN_AT])
        _add_gradient(
            g, g_at + layers[layer, GRAD_AT], read, read_at, back, inside,
            entries, layers[layer, ENTRIES], layers[layer, ENTRIES_END],
            rows, columns, layers[layer, ACROSS], layers[layer, CHANNELS], across, filters,
        )  # fmt: skip
        if layers[layer, BIAS_AT] >= 0:
            _add_sums(g, g_at + layers[layer, BIAS_GRAD_AT], back, inside, rows, columns, across, filters)
        if layer:
            below = layer - 1
            _convolve(
                back, layers[below, BACK_AT] + layers[below, BACK_FROM], back, layers[layer, BACK_AT],
                w, layers[layer, TURNED_AT], -1, slopes, at + layers[below, HIDDEN_AT], True,
                places, layers[layer, TURNED], layers[layer, TURNED_END],
                size, size * filters, across, layers[layer, CHANNELS],
            )  # fmt: skip


def passes(
    backward: Any, first: Any, last: Any, layers: Any, places: Any, entries: Any, x: Any, x_size: Any, w: Any, h: Any,
    slopes: Any, h_size: Any, top: Any, top_size: Any, back: Any, g: Any, g_at: Any,
) -> Any:  # fmt: skip
    """Of the images from `first` to `last`: forward, activations `h` and their `slopes` in memory of `h_size` numbers
    an image; or, with `backward`, gradients added to `g` from those of the last activations, `top`, and from what
    forward left. `back` is memory that nobody else uses meanwhile, whose padding is 0."""
    for image in range(first, last):
        at, x_at = image * h_size, image * x_size
        if backward:
            _backward(layers, places, entries, x, x_at, w, h, slopes, at, top, image * top_size, back, g, g_at)
        else:
            _forward(layers, places, x, x_at, w, h, slopes, at)


def signature(dtype: str) -> Any:
    """The types of `passes`' arguments for members of that precision."""
    number = types.float32 if dtype == "float32" else types.float64
    numbers, whole = types.Array(number, 1, "C"), types.Array(types.int64, 1, "C")
    table, count = types.Array(types.int64, 2, "C"), types.int64
    return types.void(
        types.boolean, count, count, table, table, whole, numbers, count, numbers, numbers,
        numbers, count, numbers, count, numbers, numbers, count,
    )  # fmt: skip
