"""The app's tests run in a terminal of known ability, whatever they are started from."""

from __future__ import annotations

import pytest

from condense_tui.draw.terminal import Ability, Depth


@pytest.fixture(autouse=True)
def true_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    # what pytest captures has an encoding of its own, which says nothing about a terminal
    monkeypatch.setattr("condense_tui.app.ability", lambda *_: Ability(Depth.TRUE, True))
