"""Activations with their derivatives, and what losses need, on vectors of numbers.

Exponentials are of numbers up to 0 only, as e^y = s + s·p with s a power of two and p small, so that e^y - 1 keeps its
digits near 0: the weights that condense are 1e-5 and smaller. NaN stays NaN. Against exact values, float32's tanh is
off by 3.5 units in the last place at most, the others by a few (`tests/core/engine/steppers/test_compiled.py`).
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from condense_core.engine.steppers.compiled.vectors import (
    SHIFT_DOUBLE,
    SHIFT_SINGLE,
    absolute,
    const,
    lanes_of,
    load,
    polynomial,
    power_of_two,
    store,
    where_less,
)
from condense_core.scenario.layers import CENTRED_PREFIX

# called by compiled code only
_INNER = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
inlined = njit(**_INNER, forceinline=True)
compiled = njit(**_INNER)

CODES = {
    "tanh": 0,
    "sigmoid": 1,
    "softplus": 2,
    "relu": 3,
    "gelu": 4,
    "silu": 5,
    "xtanh": 6,
    "x2tanh": 7,
    "identity": 8,
    "centred-sigmoid": 9,
    "centred-softplus": 10,
}
"""Activations by the numbers that `activate` knows them by."""


def code_of(activation: str) -> int:
    """The number of an activation; a centred one that is 0 at 0 as it stands is the plain one."""
    return CODES.get(activation, CODES.get(activation.removeprefix(CENTRED_PREFIX), -1))


# Coefficients of Φ(-a)·e^(a²/2)/t, Φ the normal distribution, in powers of 2t - 1 with t = 5/(5 + a): interpolated at
# 200 Chebyshev points, to 1e-9 and 2e-15.
_TAIL_SINGLE = (
    0.15383860991108883,
    0.13307650250916137,
    0.09906112705242182,
    0.06270657686219495,
    0.033004010542377185,
    0.013824168066757457,
    0.004159397775884664,
    0.0005971417710262016,
    -0.00016070898985148574,
    -0.0001063554186544024,
    -1.0115540611650432e-05,
    7.738312062883778e-06,
    1.9073250518886198e-06,
)
_TAIL_DOUBLE = (
    0.1538386099500126,
    0.13307650057801312,
    0.09906112319399815,
    0.06270663133410383,
    0.033004073233856596,
    0.013823727744952352,
    0.004159013365117978,
    0.000598675315651036,
    -0.00015957393275144226,
    -0.00010897959242818445,
    -1.1874852376649869e-05,
    9.951788730120372e-06,
    3.3352888885929133e-06,
    -7.944277024307666e-07,
    -5.519554906641133e-07,
    6.472172572102861e-08,
    8.433438779320566e-08,
    -5.97896359977312e-09,
    -1.1611700756475328e-08,
    4.757748683914542e-10,
    1.0262010619044303e-09,
)
# 1/2!, 1/3!, …: enough of them for |r| ≤ ln 2 / 2
_EXP_DOUBLE = tuple(1.0 / math.factorial(k) for k in range(2, 14))
# 2·log2(e) in single precision, and coefficients of (b^f - 1)/f for |f| ≤ 0.5 by least squares, with b such that tanh
# has the slope 1 at 0: the exponential of 2/2.885…; to 1.4e-8 and 3e-16.
_TWICE_LOG2E_SINGLE = 2.885390043258667
_POWER_SINGLE = (
    0.6931471824645996,
    0.24022649228572845,
    0.05550369620323181,
    0.009618343785405159,
    0.001338690402917564,
    0.00015369452012237161,
)
_POWER_DOUBLE = (
    0.6931471805599453,
    0.2402265069591009,
    0.0555041086648209,
    0.009618129107611985,
    0.001333355814657055,
    0.00015403530430598868,
    1.5252733665554411e-05,
    1.3215451697059111e-06,
    1.017814257744205e-07,
    7.0693738857610655e-09,
    4.4407828673001526e-10,
    4.1075691296649924e-12,
)
# 1/3, 1/5, …: enough of them for a square up to 1/9
_ATANH_DOUBLE = tuple(1.0 / odd for odd in range(3, 37, 2))


# e^y is as good as 0 below these, and 2^k is a normal number above
_shift = polynomial((SHIFT_SINGLE,), (SHIFT_DOUBLE,))
_lowest = polynomial((-87.0,), (-708.0,))
_log2e = polynomial((math.log2(math.e),), (math.log2(math.e),))
# ln 2 in two parts, of which the first has zeros enough to be multiplied by k without rounding
_ln2_high = polynomial((0.693145751953125,), (0.693147180369123816490,))
_ln2_low = polynomial((1.42860682030941723212e-6,), (1.90821492927058770002e-10,))
_exp_rest = polynomial(_EXP_DOUBLE[:6], _EXP_DOUBLE)
_tanh_is_one = polynomial((9.02,), (19.1,))
_twice_log2e = polynomial((_TWICE_LOG2E_SINGLE,), (2 * math.log2(math.e),))
_power_rest = polynomial(_POWER_SINGLE, _POWER_DOUBLE)
_atanh_rest = polynomial(_ATANH_DOUBLE[:8], _ATANH_DOUBLE)
_tail = polynomial(_TAIL_SINGLE, _TAIL_DOUBLE)


@inlined
def _exponential(y: Any) -> Any:
    """(s, p) with e^y = s + s·p, for y ≤ 0."""
    y = where_less(y, _lowest(y), _lowest(y), y)
    moved = y * _log2e(y) + _shift(y)
    k = moved - _shift(y)
    r = y - k * _ln2_high(y) - k * _ln2_low(y)
    return power_of_two(moved), _exp_rest(r) * (r * r) + r


@inlined
def exponential(y: Any) -> Any:
    """e^y for y ≤ 0."""
    s, p = _exponential(y)
    return s + s * p


@inlined
def _less_one(y: Any) -> Any:
    """e^y - 1 for y ≤ 0."""
    s, p = _exponential(y)
    return s * p + (s - const(y, 1.0))


@inlined
def _tanh(x: Any) -> Any:
    """As (e^2x - 1)/(e^2x + 1), where e^2x = 2^k·2^f with f from -0.5 to 0.5."""
    most = _tanh_is_one(x)
    x = where_less(most, x, most, x)
    x = where_less(x, const(x, 0.0) - most, const(x, 0.0) - most, x)
    moved = x * _twice_log2e(x) + _shift(x)
    k = moved - _shift(x)
    f = x * _twice_log2e(x) - k
    s = power_of_two(moved)
    less = s * (_power_rest(f) * f) + (s - const(x, 1.0))
    return less / (less + const(x, 2.0))


@inlined
def _sigmoid(x: Any) -> Any:
    small = exponential(const(x, 0.0) - absolute(x))
    return where_less(x, const(x, 0.0), small, const(x, 1.0)) / (const(x, 1.0) + small)


@inlined
def _log_of_one_and(u: Any) -> Any:
    """log(1 + u) for -0.5 ≤ u ≤ 1."""
    s = u / (const(u, 2.0) + u)
    square = s * s
    twice = s + s
    return twice * square * _atanh_rest(square) + twice


@inlined
def _positive_part(x: Any) -> Any:
    return where_less(x, const(x, 0.0), const(x, 0.0), x)


@inlined
def _softplus(x: Any) -> Any:
    plain = _positive_part(x) + _log_of_one_and(exponential(const(x, 0.0) - absolute(x)))
    # as PyTorch has it
    return where_less(const(x, 20.0), x, x, plain)


@inlined
def _centred_softplus(x: Any) -> Any:
    half = const(x, 0.5) * _less_one(const(x, 0.0) - absolute(x))
    return _positive_part(x) + _log_of_one_and(half)


@inlined
def _gelu(x: Any) -> Any:
    """x·Φ(x) and its derivative Φ(x) + x·φ(x)."""
    size = absolute(x)
    density = exponential(const(x, -0.5) * x * x)
    t = const(x, 5.0) / (const(x, 5.0) + size)
    tail = density * t * _tail(t + t - const(x, 1.0))
    below = where_less(x, const(x, 0.0), tail, const(x, 1.0) - tail)
    return x * below, below + x * (const(x, 0.3989422804014327) * density)


@compiled
def activate(code: Any, h: Any, d: Any, first: Any, last: Any) -> Any:
    """Replace `h[first:last]` by σ of it, and `d` there by σ'; σ is that of `CODES`."""
    lanes = lanes_of(h)
    if code == 0:
        for at in range(first, last, lanes):
            y = _tanh(load(h, at))
            store(h, at, y)
            store(d, at, const(y, 1.0) - y * y)
    elif code == 1:
        for at in range(first, last, lanes):
            y = _sigmoid(load(h, at))
            store(h, at, y)
            store(d, at, y * (const(y, 1.0) - y))
    elif code == 2:
        for at in range(first, last, lanes):
            x = load(h, at)
            store(h, at, _softplus(x))
            store(d, at, _sigmoid(x))
    elif code == 3:
        for at in range(first, last, lanes):
            x = load(h, at)
            zero = const(x, 0.0)
            store(h, at, _positive_part(x))
            store(d, at, where_less(zero, x, const(x, 1.0), zero))
    elif code == 4:
        for at in range(first, last, lanes):
            y, slope = _gelu(load(h, at))
            store(h, at, y)
            store(d, at, slope)
    elif code == 5:
        for at in range(first, last, lanes):
            x = load(h, at)
            share = _sigmoid(x)
            store(h, at, x * share)
            store(d, at, share * (const(x, 1.0) + x * (const(x, 1.0) - share)))
    elif code == 6:
        for at in range(first, last, lanes):
            x = load(h, at)
            y = _tanh(x)
            store(h, at, x * y)
            store(d, at, y + x * (const(x, 1.0) - y * y))
    elif code == 7:
        for at in range(first, last, lanes):
            x = load(h, at)
            y = _tanh(x)
            product = x * y
            store(h, at, x * product)
            store(d, at, product + product + x * x * (const(x, 1.0) - y * y))
    elif code == 8:
        for at in range(first, last, lanes):
            store(d, at, const(load(h, at), 1.0))
    elif code == 9:
        for at in range(first, last, lanes):
            x = load(h, at)
            y = _tanh(const(x, 0.5) * x)
            store(h, at, const(x, 0.5) * y)
            store(d, at, const(x, 0.25) * (const(x, 1.0) - y * y))
    else:
        for at in range(first, last, lanes):
            x = load(h, at)
            store(h, at, _centred_softplus(x))
            store(d, at, _sigmoid(x))
