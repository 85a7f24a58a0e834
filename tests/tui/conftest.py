"""The app's tests run in a terminal of known ability, whatever they are started from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from recording import Recording

from condense_tui.draw.ability import Ability, Depth


@pytest.fixture(autouse=True)
def true_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    # what pytest captures has an encoding of its own, which says nothing about a terminal
    monkeypatch.setattr("condense_tui.terminal.shell.ability", lambda *_: Ability(Depth.TRUE, True))


@pytest.fixture
def recorded(tmp_path: Path) -> Recording:
    recording = Recording(tmp_path)
    recording.write()
    recording.finish()
    return recording


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Recording]:
    recording = Recording(tmp_path)
    recording.write(30)
    with recording.worker():
        yield recording
