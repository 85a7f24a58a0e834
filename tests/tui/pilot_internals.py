"""What tests use of Textual's pilot that Textual keeps for itself: how long it sleeps after a key."""

from __future__ import annotations

from textual import _wait


def sleep_less() -> None:
    """After every key the pilot sleeps twice for a fiftieth of a second, and again until the process was idle for so
    long. Tests wait for what they expect; that a key was heeded shows in less."""
    _wait.SLEEP_GRANULARITY, _wait.SLEEP_IDLE = 0.004, 0.0002
