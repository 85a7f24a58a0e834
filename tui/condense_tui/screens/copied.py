"""Offering what can be copied, and sending what was chosen to the clipboard of the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from condense_core.errors import CondenseError
from condense_core.runfile.info import RunInfo
from condense_tui.screens.dialogs.copying import Copyable, CopyScreen
from condense_tui.terminal.shell import ShellScreen
from condense_tui.terminal.toast import say
from condense_tui.widgets.heatmap import Heatmap
from condense_tui.widgets.plot import PlotPanel

# Of the curves of one plot, as many values as the dialog has numbers for, beside id and command.
MOST_VALUES = 6


def offer_copies(screen: ShellScreen[None], texts: Iterable[Copyable]) -> None:
    """Ask which of the texts to copy, and copy it."""

    def chosen(found: Copyable | None) -> None:
        if found is not None:
            trouble = screen.app.copy(found.text)
            say(screen, trouble or f"sent to the terminal's clipboard: {found.what}", error=bool(trouble))

    screen.app.push_screen(CopyScreen(list(texts)), chosen)


def of_run(info: RunInfo) -> Iterator[Copyable]:
    """A run's id, and the command that makes it again where there is one."""
    from condense_tui.resolve.again import command_of

    yield Copyable("id", info.id)
    try:
        yield Copyable("command", command_of(info))
    except CondenseError:
        # a script that nobody knows: there is an id, and that is all
        return


def under_cursor(screen: ShellScreen[None]) -> Iterator[Copyable]:
    """What the cursor of a heatmap or of a curve reads; nothing where there is none."""
    for heatmap in screen.query(Heatmap):
        reading = heatmap.reading
        if reading is not None:
            yield Copyable("cosine", _written(reading.cosine))
    for panel in screen.query(PlotPanel):
        found = panel.reading
        if found is not None:
            values = [(name, value) for name, value in found.values if value is not None]
            yield from (Copyable(name, _written(value)) for name, value in values[:MOST_VALUES])


def _written(value: float) -> str:
    """A number with all digits that it was measured with."""
    return f"{value:.9g}"
