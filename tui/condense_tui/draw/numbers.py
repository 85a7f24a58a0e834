"""Numbers as people read them: short, aligned, and with no more digits than are meaningful."""

from __future__ import annotations

import math

_SI = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
UNKNOWN = "–"


def step(value: int) -> str:
    """A step in full with thousands marked: 12,400."""
    return f"{value:,}"


def progress(step_: int, steps: int | None) -> str:
    """How far a run is, `1,200 of 2,000`; `1,200` where nobody knows how far it goes."""
    return step(step_) if steps is None else f"{step(step_)} of {step(steps)}"


def short_step(value: float) -> str:
    """A step for a tick label: 950, 1.2k, 12k, 3M."""
    for size, suffix in _SI:
        if abs(value) >= size:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.3g}"


def measure(value: float | None, digits: int = 4) -> str:
    """A loss or a norm to `digits` figures; very small and very large ones as 1.2e-5; what is no number by its name."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -3 or magnitude >= 6:
        mantissa, _, exponent = f"{value:.{max(0, digits - 2)}e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:.{max(0, digits - 1 - magnitude)}f}"


def tick(value: float) -> str:
    """A tick label: as short as the value allows, since ticks stand at round values."""
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)) + 1e-9)
    if magnitude < -3 or magnitude >= 5:
        mantissa = value / 10.0**magnitude
        return f"{mantissa:.3g}e{magnitude}"
    return f"{value:.6g}"


def power(value: float) -> str:
    """A power of ten for a logarithmic axis: 1, 0.1, 1e-3, all of one kind."""
    exponent = round(math.log10(value))
    return f"{value:g}" if -2 <= exponent <= 2 else f"1e{exponent}"


def percent(share: float | None) -> str:
    """A share in [0, 1] as whole per cent; never 100 % unless it is all of it. What is no share at all is unknown."""
    if share is None or not abs(share) < 1e6:
        return UNKNOWN
    whole = round(share * 100)
    if whole == 100 and share < 1:
        whole = 99
    return f"{whole} %"


def cosine(value: float | None) -> str:
    """A cosine with its sign and two decimals, in a fixed width: +0.97, -1.00."""
    if value is None or math.isnan(value):
        return UNKNOWN
    return f"{value:+.2f}"


def delay(seconds: float) -> str:
    """A round trip: 0.4 ms, 42 ms, 1.3 s."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{1e3 * seconds:.0f} ms" if seconds >= 1e-3 else f"{1e3 * seconds:.1f} ms"


def rate(per_second: float | None, unit: str = "steps/s") -> str:
    """A speed: 83 steps/s, 1.2k steps/s, 0.4 steps/s."""
    if per_second is None or not math.isfinite(per_second) or per_second < 0:
        return f"{UNKNOWN} {unit}"
    for size, suffix in _SI:
        if per_second >= size:
            return f"{per_second / size:.3g}{suffix} {unit}"
    return f"{per_second:.0f} {unit}" if per_second >= 10 else f"{per_second:.2g} {unit}"


def duration(seconds: float | None) -> str:
    """A time span in its two largest units: 8 s, 2 min 10 s, 1 h 05 min, 3 d 4 h."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return UNKNOWN
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def plural(count: int, noun: str) -> str:
    """1 line, 3 lines."""
    return f"{step(count)} {noun}" if count == 1 else f"{step(count)} {noun}s"


def kernels_in_words(count: int, drawn_of: int | None) -> str:
    """32 kernels, 1,024 of 2,000 kernels: how many are measured, and of how many they were drawn."""
    return plural(count, "kernel") if drawn_of is None else f"{step(count)} of {plural(drawn_of, 'kernel')}"


def age(seconds: float) -> str:
    """How long ago: now, 40 s, 12 min, 5 h, 3 d; a clock that runs behind says now."""
    if seconds < 5:
        return "now"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
