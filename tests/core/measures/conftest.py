"""Keeps to one thread: on shared cores, two that wait for each other in small matrices are a hundred times slower.
Measures that have compiled code are tested with it and without."""

import pytest
import torch

from condense_core.measures import in_compiled_code

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def functions():
    """What is compiled."""
    numba = pytest.importorskip("numba")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", 0)
        in_compiled_code.loaded.cache_clear()
        return in_compiled_code.loaded()[0]


@pytest.fixture(params=["by libraries", "compiled"])
def either_way(request, monkeypatch):
    """Each test twice: measures by libraries, and in compiled code."""
    functions = request.getfixturevalue("functions") if request.param == "compiled" else None
    monkeypatch.setattr(in_compiled_code, "_functions", functions)
