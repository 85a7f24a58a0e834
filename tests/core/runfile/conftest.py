"""A run that nothing is recorded of yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def folder(make_run: Callable[..., Path]) -> Path:
    return make_run()
