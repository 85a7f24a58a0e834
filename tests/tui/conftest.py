"""The app's tests run in a terminal of known ability, whatever they are started from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pilot_internals
import pytest
from recording import Recording

from condense_tui.draw.ability import Ability, Depth

pilot_internals.sleep_less()


@pytest.fixture(autouse=True)
def true_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    # what pytest captures has an encoding of its own, which says nothing about a terminal
    monkeypatch.setattr("condense_tui.terminal.shell.ability", lambda *_: Ability(Depth.TRUE, True))


@pytest.fixture(scope="session")
def written_once(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A finished run of which each test has a copy: writing it takes longer than reading it."""
    recording = Recording(tmp_path_factory.mktemp("recorded"))
    recording.write()
    recording.finish()
    recording.close()
    return recording


@pytest.fixture
def recorded(tmp_path: Path, written_once: Recording) -> Recording:
    return written_once.copy(tmp_path)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Recording]:
    recording = Recording(tmp_path)
    recording.write(30)
    with recording.worker():
        yield recording
