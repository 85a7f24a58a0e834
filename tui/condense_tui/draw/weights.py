"""Pictures of weights: how norms are spread, singular values, and where neurons point.   # S steps, M kernels"""

from __future__ import annotations

import math

import numpy as np

from condense_tui.draw import numbers
from condense_tui.draw.plot import EDGE_ROOM, Mark, Plot, Spec, empty_plot, laid_out
from condense_tui.draw.scale import Scale, fit, ticks
from condense_tui.draw.strokes import BAND, Stroke, drawable

# Bars for fewer kernels than this are one each.
LEAST_BINS = 8
# Curves that any palette can tell apart.
HEAD_TONES = 5
HALF_TURN = {-math.pi: "-π", -math.pi / 2: "-π/2", 0.0: "0", math.pi / 2: "π/2", math.pi: "π"}
PLAIN_HALF_TURN = {at: text.replace("π", "pi") for at, text in HALF_TURN.items()}


def norms(norm_M: np.ndarray, dropped_M: np.ndarray, spec: Spec) -> Plot:
    """How many kernels have which norm: bars, those of kernels that are dropped in another tone. With `log_x` kernels
    of norm 0 have no place."""
    ends, kept, counts = histogram(norm_M, dropped_M, log=spec.log_x)
    bins = len(counts)
    if not bins:
        return empty_plot(spec)
    low, high = (np.log10(ends[[0, -1]]) if spec.log_x else ends[[0, -1]]).tolist()
    x = Scale(low, high, spec.log_x)
    edges = x.low + np.arange(bins + 1) / bins * (x.high - x.low)
    y = Scale(0.0, max(1.0, float(counts.max())))

    def bars(width: int) -> list[Stroke]:
        # a bar is as many columns of dots as fit between it and the next one
        across = max(1, 2 * width // bins - 1)
        at = np.repeat(edges[:-1], across) + np.tile((np.arange(across) + 0.5) / (2 * width), bins) * (x.high - x.low)
        found = []
        for bottom, top, tone in ((np.zeros(bins), kept, 0), (kept, counts, BAND)):
            there = np.repeat(top > bottom, across)
            xs = np.repeat(x.back(at[there]), 2)
            ys = np.stack([np.repeat(bottom, across)[there], np.repeat(top, across)[there]], axis=1).ravel()
            begins = np.arange(len(xs)) % 2 == 0
            found.append(Stroke(xs, ys.astype(np.float64), begins, tone))
        return found

    return laid_out(spec, bars, x, y, x_labels={value: numbers.tick(value) for value in ticks(x, 4)})


def histogram(norm_M: np.ndarray, dropped_M: np.ndarray, *, log: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges of bars (B + 1,), how many kernels that are kept each has (B,), and how many in all; with `log` the edges
    are evenly spaced on a logarithmic axis, and a norm of 0 has no place. All empty where no norm has one."""
    norm_M = drawable(norm_M)
    seen = np.isfinite(norm_M) & ((norm_M > 0) | ~np.array(log))
    values, dropped = norm_M[seen], dropped_M[seen]
    if not len(values):
        return np.empty(0), np.empty(0, np.intp), np.empty(0, np.intp)
    x = fit(values if log else np.r_[0.0, values], log)
    bins = max(LEAST_BINS, 2 * math.ceil(math.sqrt(len(values))))
    edges = x.low + np.arange(bins + 1) / bins * (x.high - x.low)
    place = np.clip(np.searchsorted(edges, x.forward(values), side="right") - 1, 0, bins - 1)
    return x.back(edges), np.bincount(place[~dropped], minlength=bins), np.bincount(place, minlength=bins)


def singular_values(values_r: np.ndarray, spec: Spec) -> Plot:
    """Each singular value as a point over its number, largest first; with `log_y`, those of 0 have no place."""
    rank = np.arange(1, len(values_r) + 1, dtype=np.float64)
    values_r = drawable(values_r)
    seen = np.isfinite(values_r) & ((values_r > 0) | ~np.array(spec.log_y))
    rank, values = rank[seen], values_r[seen]
    if not len(values):
        return empty_plot(spec)
    x, y = fit(np.r_[0.5, len(values_r) + 0.5], False), _with_room(fit(values, spec.log_y))
    points = Stroke(rank, values, np.ones(len(rank), bool), 0, marked=True)
    whole = {value: f"{value:g}" for value in ticks(x, 6) if value == int(value)}
    return laid_out(spec, lambda _: [points], x, y, x_labels=whole)


def orientation(
    angle_SM: np.ndarray,
    amplitude_SM: np.ndarray,
    stable: np.ndarray,
    spec: Spec,
    *,
    origin_M: np.ndarray | None = None,
) -> Plot:
    """Where each neuron points and how large it is, and the way it has come: orientation θ across, amplitude A up. The
    stable lines are marked on both of their sides. A neuron has the tone of the line that it comes from, `origin_M`,
    and stands back where that is negative; all have one tone without."""
    amplitude_SM = drawable(amplitude_SM)
    seen_SM = np.isfinite(angle_SM) & np.isfinite(amplitude_SM) & ((amplitude_SM > 0) | ~np.array(spec.log_y))
    if not seen_SM.any():
        return empty_plot(spec)
    x = Scale(-math.pi, math.pi)
    y = _with_room(fit(amplitude_SM[seen_SM] if spec.log_y else np.r_[0.0, amplitude_SM[seen_SM]], spec.log_y))
    turned_SM = np.zeros(angle_SM.shape, bool)
    # a way over the edge at ±π goes on at the other one
    turned_SM[1:] = np.abs(np.diff(angle_SM, axis=0)) > math.pi
    turned_SM[0] = True
    hidden_SM = ~seen_SM
    turned_SM[1:] |= hidden_SM[:-1]
    way = seen_SM.T.ravel()
    trails = Stroke(angle_SM.T.ravel()[way], amplitude_SM.T.ravel()[way], turned_SM.T.ravel()[way], BAND)
    now = seen_SM[-1]
    heads = _heads(angle_SM[-1], amplitude_SM[-1], now, origin_M)
    sides = [side for angle in stable[np.isfinite(stable)].tolist() for side in (angle, angle - math.pi)]
    marked = tuple(Mark(side, "stable" if number == 0 else "") for number, side in enumerate(sides))
    labels = HALF_TURN if spec.braille else PLAIN_HALF_TURN
    return laid_out(
        Spec((), spec.width, spec.height, marks=marked, braille=spec.braille),
        lambda _: [*heads, trails],
        x,
        y,
        x_labels=labels,
    )


def _heads(
    angle_M: np.ndarray, amplitude_M: np.ndarray, now_M: np.ndarray, origin_M: np.ndarray | None
) -> list[Stroke]:
    if origin_M is None or not len(origin_M):
        origin_M = np.zeros(len(now_M), np.int64)
    lines = np.unique(origin_M[origin_M >= 0]).tolist()
    groups = [(now_M & (origin_M == line), tone % HEAD_TONES) for tone, line in enumerate(lines)]
    groups.append((now_M & (origin_M < 0), BAND))
    return [
        Stroke(angle_M[own], amplitude_M[own], np.ones(int(own.sum()), bool), tone, marked=True)
        for own, tone in groups
        if own.any()
    ]


def _with_room(scale: Scale) -> Scale:
    room = EDGE_ROOM * (scale.high - scale.low)
    return Scale(scale.low - (room if scale.log else 0.0), scale.high + room, scale.log)
