"""One plot of 100×30 cells, by our own canvas and by plotext: how long a build takes, and a panel's size beside it.

The app builds plots in threads, but both hold Python's lock while they draw: what is measured here is what a key press
may have to wait for.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from condense_tui.draw import canvas, printed
from condense_tui.draw.plot import Spec, build
from condense_tui.draw.strokes import PlotCurve

LENGTHS = (100, 1_000, 10_000, 100_000)
SIZES = ((100, 30), (30, 8))


def noisy(count: int) -> Spec:
    """Two curves of that many points on a logarithmic axis, as a loss and its mean."""
    steps = np.arange(count) * 10
    random = np.random.default_rng(0)
    values = np.exp(-steps / steps[-1] * 5) * (1 + 0.2 * random.random(count))
    return Spec((PlotCurve("a", steps, values), PlotCurve("b", steps, values[::-1], 1)), 0, 0, log_y=True)


def milliseconds(call: Callable[[], object], rounds: int) -> float:
    """Median of so many calls."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return 1e3 * statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="?", type=int, default=30, help="of each plot (%(default)s)")
    rounds = parser.parse_args().rounds
    print("   size   points    canvas   plotext")
    for width, height in SIZES:
        for count in LENGTHS:
            spec = Spec(**{**vars(noisy(count)), "width": width, "height": height})
            build(spec, printed.rasterise)
            taken = [
                milliseconds(lambda spec=spec, by=by: build(spec, by), rounds)
                for by in (canvas.rasterise, printed.rasterise)
            ]
            print(f"{width:4}×{height:<3} {count:7,} {taken[0]:6.1f} ms {taken[1]:6.1f} ms")


if __name__ == "__main__":
    main()
