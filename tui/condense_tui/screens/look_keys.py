"""How something is looked at: axes and colours, by the same keys for one run and for several side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from condense_tui.draw.palette import PALETTES
from condense_tui.terminal.toast import say

if TYPE_CHECKING:
    from condense_tui.terminal.shell import Shell


@dataclass(frozen=True)
class Choices:
    """What was chosen on a screen; nothing of it is part of a run. `log_x` None: as the recorded steps are spaced."""

    tab: int = 1
    palette: int = 0
    log_y: bool = True
    log_x: bool | None = None


class Looking:
    """What a screen with plots and heatmaps does when they shall look otherwise."""

    app: Shell
    choices: Any
    """Choices, or the screen's own kind of them."""

    def _choose(self, choices: Any) -> None:
        """Take over choices, and show what has come of them."""
        raise NotImplementedError

    @property
    def _recorded_log(self) -> bool:
        """Whether the recorded steps lie nearer to each other at the start."""
        raise NotImplementedError

    @property
    def log_x(self) -> bool:
        """Whether steps are on a logarithmic axis."""
        chosen: bool | None = self.choices.log_x
        return self._recorded_log if chosen is None else chosen

    def action_log(self) -> None:
        """Logarithmic or linear values."""
        self._choose(replace(self.choices, log_y=not self.choices.log_y))

    def action_log_steps(self) -> None:
        """Logarithmic or linear steps."""
        self._choose(replace(self.choices, log_x=not self.log_x))

    def action_palette(self) -> None:
        """The next colour palette."""
        if self.app.ability.one_look:
            say(self.app.screen, self.app.ability.one_look)
        else:
            self._choose(replace(self.choices, palette=(self.choices.palette + 1) % len(PALETTES)))
