"""What can be chosen on the run screen: its tabs, and how a snapshot is shown."""

from __future__ import annotations

from dataclasses import dataclass

from condense_tui.screens.look_keys import Choices

TABS = {1: "kernels", 2: "curves", 3: "theory", 4: "log", 5: "output", 6: "weights", 7: "machine"}
# The tab that only networks with one input have.
OF_ONE_INPUT = 5
# Panels that take the whole screen, by their tab's number: where others stand side by side, there is no room for them.
LARGE = {4: "events", 6: "weights", 7: "machine"}


@dataclass(frozen=True)
class RunChoices(Choices):
    """`zoomed` is the panel that has the whole screen, `scalars` are those chosen to be drawn, `spectrum` is the number
    of the recorded one that is shown."""

    zoomed: str | None = None
    by_line: bool = True
    scalars: tuple[str, ...] = ()
    spectrum: int = 0

    def shown_alone(self, compact: bool) -> frozenset[str]:
        """The panel that has the whole screen; where one is shown at a time, also that of a tab."""
        of_tab = LARGE.get(self.tab) if compact else None
        return frozenset(name for name in (of_tab, self.zoomed) if name)
