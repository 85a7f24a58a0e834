"""Axes and colours: the same keys for one run and for several side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypedDict, TypeVar

from condense_core.preferences import Preferences
from condense_core.thresholds import COARSE, FINE, Cut
from condense_tui.draw.palette import PALETTES
from condense_tui.terminal.habits import Habits
from condense_tui.terminal.shell import ShellScreen
from condense_tui.terminal.toast import say

# Weights of the moving average, as other programs have them, one after the other.
SMOOTHING = (0.0, 0.6, 0.9, 0.97, 0.99)


@dataclass(frozen=True)
class Choices:
    """What was chosen on a screen; nothing of it is part of a run. `log_x` None: as the recorded steps are spaced.
    `smooth` is the weight of the curves' moving average."""

    tab: int = 1
    palette: int = 0
    log_y: bool = True
    log_x: bool | None = None
    smooth: float = 0.0


class Usual(TypedDict):
    """What of the choices is kept from one time to the next."""

    palette: int
    log_y: bool
    log_x: bool | None


def usual(preferences: Preferences) -> Usual:
    """The choices that were made before."""
    axes = preferences.axes
    names = [palette.name for palette in PALETTES]
    log_x = {"auto": None, "log": True, "linear": False}[axes.steps]
    return Usual(palette=names.index(preferences.palette), log_y=axes.values == "log", log_x=log_x)


def preferred_cut(preferences: Preferences) -> Cut | None:
    """Where lines are counted; None for the cut of each run's claim."""
    return {FINE.short: FINE, COARSE.short: COARSE}.get(preferences.cut)


ChoicesT = TypeVar("ChoicesT", bound=Choices)


class LookKeys(Generic[ChoicesT]):
    """Holds what was chosen on a screen with plots and heatmaps, and changes it as the keys for that say."""

    def __init__(
        self,
        screen: ShellScreen[Any],
        choices: ChoicesT,
        show: Callable[[], None],
        recorded_log: Callable[[], bool],
        habits: Habits,
    ) -> None:
        """`show` puts on the screen what has come of a choice; `recorded_log` says whether the recorded steps lie
        nearer to each other at the start; `habits` keep what is chosen for the next time."""
        self.choices = choices
        self._habits = habits
        self._screen = screen
        self._show = show
        self._recorded_log = recorded_log

    def choose(self, choices: ChoicesT) -> None:
        """Take over choices, and show what has come of them."""
        self.choices = choices
        self._show()

    @property
    def log_x(self) -> bool:
        """Whether steps are on a logarithmic axis."""
        return self._recorded_log() if self.choices.log_x is None else self.choices.log_x

    def toggle_log_values(self) -> None:
        """Logarithmic or linear values."""
        self.choose(replace(self.choices, log_y=not self.choices.log_y))
        self._habits.keep("axes.values", _spaced(self.choices.log_y))

    def toggle_log_steps(self) -> None:
        """Logarithmic or linear steps."""
        log_x = not self.log_x
        # as the steps were recorded is how they are drawn by themselves, in every other run too
        as_recorded = log_x == self._recorded_log()
        self.choose(replace(self.choices, log_x=None if as_recorded else log_x))
        self._habits.keep("axes.steps", "auto" if as_recorded else _spaced(log_x))

    def next_smoothing(self) -> None:
        """The next stronger moving average of the curves; after the strongest, none."""
        at = SMOOTHING.index(self.choices.smooth)
        self.choose(replace(self.choices, smooth=SMOOTHING[(at + 1) % len(SMOOTHING)]))

    def next_palette(self) -> None:
        """The next colour palette, where the terminal shows several."""
        one_look = self._screen.app.ability.one_look
        if one_look:
            say(self._screen, one_look)
        else:
            self.choose(replace(self.choices, palette=(self.choices.palette + 1) % len(PALETTES)))
            self._habits.keep("palette", PALETTES[self.choices.palette].name)


def _spaced(log: bool) -> str:
    return "log" if log else "linear"
