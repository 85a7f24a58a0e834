"""A finished run to export."""

from __future__ import annotations

from pathlib import Path

import pytest
from recording import Recording


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    recording = Recording(tmp_path / "runs")
    recording.write()
    recording.finish()
    recording.close()
    return recording.folder
