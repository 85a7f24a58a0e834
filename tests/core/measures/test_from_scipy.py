"""SciPy's compiled functions are found without the packages around them, and are those of the packages."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy

from condense_core.measures import tracking
from condense_core.measures.from_scipy import compiled_function


def test_following_lines_and_joining_kernels_load_no_package_of_scipys():
    asked = (
        "import sys, numpy as np; from condense_core.measures import joining, tracking;"
        "tracking._most_in_common(np.array([[1, 2], [3, 9]])); joining.groups_at(joining.average_linkage("
        "np.random.default_rng(0).random(10), 5), 0.5);"
        "print([name for name in sys.modules if name in {'scipy.optimize', 'scipy.cluster', 'scipy.spatial'}])"
    )
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("seed", range(20))
def test_pairs_of_lines_are_those_of_the_public_function(seed, monkeypatch):
    drawn = np.random.default_rng(seed)
    shared_OL = drawn.integers(0, 6, drawn.integers(1, 6, 2))
    found = tracking._most_in_common(shared_OL)
    monkeypatch.setattr(tracking, "compiled_function", lambda *_: None)
    tracking._assignment.cache_clear()
    try:
        assert tracking._most_in_common(shared_OL) == found
    finally:
        tracking._assignment.cache_clear()


def test_what_scipy_has_no_more_is_none(monkeypatch, tmp_path):
    assert compiled_function("any", "_none_of_that_name", "optimize") is None
    assert compiled_function("none_of_that_name", "_lsap", "optimize") is None
    folder = tmp_path / "optimize"
    folder.mkdir()
    (folder / "_broken.py").write_text("raise ImportError('a library is missing')")
    monkeypatch.setattr(scipy, "__path__", [str(tmp_path)])
    assert compiled_function("any", "_broken", "optimize") is None
