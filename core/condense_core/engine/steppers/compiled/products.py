"""Products of matrices that stay in a core's own cache: several rows and two vectors of columns at a time, so that sums
stay in registers. Samples are columns, a whole number of vectors of them; nothing overlaps.
"""

from __future__ import annotations

from typing import Any

from condense_core.engine.steppers.compiled.functions import compiled, inlined
from condense_core.engine.steppers.compiled.vectors import (
    add_pairs,
    add_run,
    add_total,
    lanes_of,
    load,
    spread,
    store,
    zeros,
)

SET, ADD, SCALE = 0, 1, 2


@inlined
def _put(out: Any, at: Any, value: Any, how: Any) -> Any:
    if how == SET:
        store(out, at, value)
    elif how == ADD:
        store(out, at, load(out, at) + value)
    else:
        store(out, at, load(out, at) * value)


@inlined
def _bias(w: Any, at: Any, row: Any) -> Any:
    return spread(w, at + row) if at >= 0 else zeros(w)


@compiled
def multiply(
    out: Any,
    out_at: Any,
    how: Any,
    w: Any,
    w_at: Any,
    w_row: Any,
    w_column: Any,
    bias_at: Any,
    b: Any,
    b_at: Any,
    rows: Any,
    inner: Any,
    columns: Any,
) -> Any:
    """out (rows, columns) = w (rows, inner) · b (inner, columns), plus a bias for each row where `bias_at` ≥ 0.

    Entry (m, k) of w is `w[w_at + m * w_row + k * w_column]`; out is set, added to or multiplied by what is found.
    """
    lanes = lanes_of(out)
    pairs = columns - columns % (2 * lanes)
    fours = rows - rows % 4
    for m in range(0, fours, 4):
        w0 = w_at + m * w_row
        w1, w2, w3 = w0 + w_row, w0 + 2 * w_row, w0 + 3 * w_row
        out0 = out_at + m * columns
        out1, out2, out3 = out0 + columns, out0 + 2 * columns, out0 + 3 * columns
        for n in range(0, pairs, 2 * lanes):
            s00 = s01 = _bias(w, bias_at, m)
            s10 = s11 = _bias(w, bias_at, m + 1)
            s20 = s21 = _bias(w, bias_at, m + 2)
            s30 = s31 = _bias(w, bias_at, m + 3)
            at = b_at + n
            for k in range(inner):
                b0, b1 = load(b, at), load(b, at + lanes)
                here = k * w_column
                a = spread(w, w0 + here)
                s00, s01 = s00 + a * b0, s01 + a * b1
                a = spread(w, w1 + here)
                s10, s11 = s10 + a * b0, s11 + a * b1
                a = spread(w, w2 + here)
                s20, s21 = s20 + a * b0, s21 + a * b1
                a = spread(w, w3 + here)
                s30, s31 = s30 + a * b0, s31 + a * b1
                at += columns
            _put(out, out0 + n, s00, how)
            _put(out, out0 + n + lanes, s01, how)
            _put(out, out1 + n, s10, how)
            _put(out, out1 + n + lanes, s11, how)
            _put(out, out2 + n, s20, how)
            _put(out, out2 + n + lanes, s21, how)
            _put(out, out3 + n, s30, how)
            _put(out, out3 + n + lanes, s31, how)
        for n in range(pairs, columns, lanes):
            s00 = _bias(w, bias_at, m)
            s10 = _bias(w, bias_at, m + 1)
            s20 = _bias(w, bias_at, m + 2)
            s30 = _bias(w, bias_at, m + 3)
            at = b_at + n
            for k in range(inner):
                b0 = load(b, at)
                here = k * w_column
                s00 = s00 + spread(w, w0 + here) * b0
                s10 = s10 + spread(w, w1 + here) * b0
                s20 = s20 + spread(w, w2 + here) * b0
                s30 = s30 + spread(w, w3 + here) * b0
                at += columns
            _put(out, out0 + n, s00, how)
            _put(out, out1 + n, s10, how)
            _put(out, out2 + n, s20, how)
            _put(out, out3 + n, s30, how)
    # a sum waits for the one before: five at a time
    fives = columns - columns % (5 * lanes)
    for m in range(fours, rows):
        w0 = w_at + m * w_row
        for n in range(0, fives, 5 * lanes):
            s0 = s1 = s2 = s3 = s4 = _bias(w, bias_at, m)
            at = b_at + n
            for k in range(inner):
                a = spread(w, w0 + k * w_column)
                s0, s1 = s0 + a * load(b, at), s1 + a * load(b, at + lanes)
                s2, s3 = s2 + a * load(b, at + 2 * lanes), s3 + a * load(b, at + 3 * lanes)
                s4 = s4 + a * load(b, at + 4 * lanes)
                at += columns
            at = out_at + m * columns + n
            _put(out, at, s0, how)
            _put(out, at + lanes, s1, how)
            _put(out, at + 2 * lanes, s2, how)
            _put(out, at + 3 * lanes, s3, how)
            _put(out, at + 4 * lanes, s4, how)
        for n in range(fives, columns, lanes):
            s00 = _bias(w, bias_at, m)
            at = b_at + n
            for k in range(inner):
                s00 = s00 + spread(w, w0 + k * w_column) * load(b, at)
                at += columns
            _put(out, out_at + m * columns + n, s00, how)


@compiled
def add_products(g: Any, g_at: Any, a: Any, a_at: Any, b: Any, b_at: Any, rows: Any, others: Any, columns: Any) -> Any:
    """g (rows, others) += a (rows, columns) · b (others, columns)ᵀ."""
    lanes = lanes_of(a)
    fours, twos = rows - rows % 4, others - others % 2
    for m in range(0, fours, 4):
        a0 = a_at + m * columns
        a1, a2, a3 = a0 + columns, a0 + 2 * columns, a0 + 3 * columns
        for k in range(0, twos, 2):
            b0 = b_at + k * columns
            b1 = b0 + columns
            s00 = s01 = s10 = s11 = s20 = s21 = s30 = s31 = zeros(g)
            for n in range(0, columns, lanes):
                y, z = load(b, b0 + n), load(b, b1 + n)
                x = load(a, a0 + n)
                s00, s01 = s00 + x * y, s01 + x * z
                x = load(a, a1 + n)
                s10, s11 = s10 + x * y, s11 + x * z
                x = load(a, a2 + n)
                s20, s21 = s20 + x * y, s21 + x * z
                x = load(a, a3 + n)
                s30, s31 = s30 + x * y, s31 + x * z
            add_pairs(g, g_at + m * others + k, others, s00, s01, s10, s11, s20, s21, s30, s31)
        for k in range(twos, others):
            s00 = s10 = s20 = s30 = zeros(g)
            for n in range(0, columns, lanes):
                y = load(b, b_at + k * columns + n)
                s00, s10 = s00 + load(a, a0 + n) * y, s10 + load(a, a1 + n) * y
                s20, s30 = s20 + load(a, a2 + n) * y, s30 + load(a, a3 + n) * y
            at = g_at + m * others + k
            add_total(g, at, s00)
            add_total(g, at + others, s10)
            add_total(g, at + 2 * others, s20)
            add_total(g, at + 3 * others, s30)
    eights = others - others % 8
    for m in range(fours, rows):
        a0 = a_at + m * columns
        for k in range(0, eights, 8):
            b0 = b_at + k * columns
            s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = zeros(g)
            for n in range(0, columns, lanes):
                x, at = load(a, a0 + n), b0 + n
                s0, s1 = s0 + x * load(b, at), s1 + x * load(b, at + columns)
                at += 2 * columns
                s2, s3 = s2 + x * load(b, at), s3 + x * load(b, at + columns)
                at += 2 * columns
                s4, s5 = s4 + x * load(b, at), s5 + x * load(b, at + columns)
                at += 2 * columns
                s6, s7 = s6 + x * load(b, at), s7 + x * load(b, at + columns)
            add_run(g, g_at + m * others + k, 0, s0, s1, s2, s3, s4, s5, s6, s7)
        for k in range(eights, twos, 2):
            b0 = b_at + k * columns
            s00 = s01 = zeros(g)
            for n in range(0, columns, lanes):
                x = load(a, a0 + n)
                s00, s01 = s00 + x * load(b, b0 + n), s01 + x * load(b, b0 + columns + n)
            add_total(g, g_at + m * others + k, s00)
            add_total(g, g_at + m * others + k + 1, s01)
        for k in range(twos, others):
            s00 = zeros(g)
            for n in range(0, columns, lanes):
                s00 = s00 + load(a, a0 + n) * load(b, b_at + k * columns + n)
            add_total(g, g_at + m * others + k, s00)


@compiled
def add_sums(g: Any, g_at: Any, a: Any, a_at: Any, rows: Any, columns: Any) -> Any:
    """g (rows) += the sums of a (rows, columns) over its columns."""
    for m in range(rows):
        s = zeros(g)
        for n in range(0, columns, lanes_of(a)):
            s = s + load(a, a_at + m * columns + n)
        add_total(g, g_at + m, s)
