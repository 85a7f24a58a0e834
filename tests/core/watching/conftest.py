"""Trainings that are watched: where their runs are, and a recorder that starts at once."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from in_thread import MODULE, InThread

from condense_core.watching import recording

torch.set_num_threads(1)
Popen = subprocess.Popen


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture(autouse=True)
def recorder(request, monkeypatch) -> None:
    """The recorder in a thread, which starts at once; in a process of its own where a test is marked so."""
    if request.node.get_closest_marker("own_process") is None:
        monkeypatch.setattr(recording.subprocess, "Popen", started)


def started(command: list[str], **options: Any) -> InThread | subprocess.Popen[bytes]:
    """The recorder in a thread, and every other program, as git, in a process."""
    return InThread(command) if MODULE in command else Popen(command, **options)
