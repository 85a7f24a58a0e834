"""Curves that grow as they are read: what they hold, and what they take."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from condense_core.runfile.curves import OWN_PAGES, Curve
from condense_core.runfile.rows import Stretch

# Grows as those of a viewer do, a little each in turn; says what they take beside what is in them.
TAKEN = """
import pathlib
from condense_core.runfile.curves import Curve
from condense_core.runfile.rows import Stretch

def taken():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

def grow(curves, upto):
    for at in range(0, upto, 500):
        for curve in curves:
            curve.append(Stretch(at + 500, range(at, at + 500), [0.5] * 500))

grow([Curve()], 5_000)
before, curves = taken(), [Curve() for _ in range(16)]
grow(curves, 18_000)
print((taken() - before) / (16 * 16 * 18_000))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_curves_that_grow_leave_no_holes_behind() -> None:
    said = subprocess.run([sys.executable, "-c", TAKEN], check=True, capture_output=True, text=True, timeout=60)
    assert float(said.stdout) < 1.2


def test_what_was_handed_out_stays_as_it_was_while_a_curve_grows() -> None:
    curve, seen = Curve(), []
    for at in range(0, 5 * OWN_PAGES, 1_000):
        curve.append(Stretch(at, range(at, at + 1_000), np.arange(at, at + 1_000) / 2))
        seen.append((curve.steps, curve.values))
    for number, (steps, values) in enumerate(seen, start=1):
        assert np.array_equal(steps, np.arange(1_000 * number))
        assert np.array_equal(values, np.arange(1_000 * number) / 2)
