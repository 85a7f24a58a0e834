"""A screen that plays recorded frames: the keys that its kinds share."""

from __future__ import annotations

from typing import Any

from condense_tui.screens.look_keys import LookKeys
from condense_tui.screens.playback import Playback
from condense_tui.terminal.shell import ShellScreen


class PlayedScreen(ShellScreen[None]):
    """One that has a playback and choices of how plots and heatmaps look."""

    _playback: Playback
    _look_keys: LookKeys[Any]

    def action_log(self) -> None:
        self._look_keys.toggle_log_values()

    def action_log_steps(self) -> None:
        self._look_keys.toggle_log_steps()

    def action_smooth(self) -> None:
        self._look_keys.next_smoothing()

    def action_palette(self) -> None:
        self._look_keys.next_palette()

    def action_play(self) -> None:
        self._playback.toggle()

    def action_frame(self, by: int) -> None:
        self._playback.step(by)

    def action_start(self) -> None:
        self._playback.go(0)

    def action_live(self) -> None:
        self._playback.live()

    def action_speed(self, by: int) -> None:
        self._playback.faster(by)
