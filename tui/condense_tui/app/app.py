"""The app: which screen is shown. Screens own what they show, and the thread that reads it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from textual.app import SystemCommand
from textual.screen import Screen

from condense_core.errors import CondenseError
from condense_tui.actions import Place
from condense_tui.keys import actions_on
from condense_tui.screens.splash import Opening
from condense_tui.terminal.garbage import none_at_first
from condense_tui.terminal.habits import Habits, remembered
from condense_tui.terminal.shell import Shell, ShellScreen
from condense_tui.terminal.signals import leaving
from condense_tui.terminal.toast import say

if TYPE_CHECKING:
    from condense_core.remote.client.link import Link
    from condense_tui.screens.home.screen import HomeScreen
    from condense_tui.snapshots.playhead import Play


# How long a thread may hold the interpreter while another one, such as the screen's, waits for it.
SWITCH_S = 0.0005


@runtime_checkable
class ShowsRun(Protocol):
    """A screen of one run."""

    place: Path


class CondenseApp(Shell):
    """Shows the home screen, and one run after the other, live or recorded."""

    TITLE = "condense"
    CSS_PATH = Path(__file__).parents[1] / "screens" / "app.tcss"

    def __init__(
        self,
        place: Path | None = None,
        runs: Path | None = None,
        kept: Collection[Path] = (),
        habits: Habits | None = None,
        *,
        tour: bool = False,
        play: Play | None = None,
    ) -> None:
        """`place` is a run's folder or a run file to open, none for the home screen; `runs` is the folder of all runs,
        the usual one where not given; `kept` are mirrors that are being kept up to date already; `habits` is what was
        chosen before; with `tour` what is at `place` is explained, with
        `play` it is played at once."""
        super().__init__(runs, habits)
        self._tour, self._play = tour, play
        self._place = place
        self._kept = kept
        self._link: Link | None = None
        self._home: HomeScreen | None = None
        self.visited: list[Path] = []
        """Runs that were opened or started, each once, in that order."""

    def get_default_screen(self) -> Screen[None]:
        """Draw the first frame at once; NumPy, run files, presets and most of the app are loaded behind it."""
        return Opening("runs and presets" if self._place is None else self._place.name)

    def on_mount(self) -> None:
        self.heed_its_terminal()
        self.call_after_refresh(self._open_first)

    def _open_first(self) -> None:
        if self._tour and self._place is not None:
            from condense_tui.screens.run.tour import TourScreen

            self._show(TourScreen(self._place, self.habits))
        elif self._place is not None:
            self.open_run(self._place)
        else:
            self._show(self.home)
        self.tell_of_habits()

    @property
    def home(self) -> HomeScreen:
        """The home screen, which keeps what was chosen and filtered on it."""
        if self._home is None:
            from condense_tui.screens.home.screen import HomeScreen

            self._home = HomeScreen()
            self.install_screen(self._home, "home")
        return self._home

    def on_presets_ready(self) -> None:
        """Home is there with its lists: load what a run is shown with behind it, so that one opens at once."""
        self.call_after_refresh(Thread(target=_load_what_shows_runs, name="loading").start)

    def open_run(self, place: Path, link: Link | None = None) -> None:
        from condense_tui.screens.run.screen import RunScreen

        if place not in self.visited:
            self.visited.append(place)
        trouble = self._keep(place, link)
        self._show(RunScreen(place, self.habits, self._play if place == self._place else None))
        self._play = None
        if trouble:
            say(self.screen, trouble, error=True)

    def _keep(self, place: Path, link: Link | None) -> str:
        """Keep the mirror of a run elsewhere up to date while it is shown; the one that was shown is no longer kept.
        Why that cannot be; empty if it can."""
        from condense_tui.resolve.host import link_to

        if self._link is not None:
            # ssh may take some time to end
            Thread(target=self._link.close, name="leaving").start()
        self._link = link
        try:
            if link is None and place not in self._kept:
                self._link = link_to(place)
        except CondenseError as error:
            return str(error)
        if self._link is not None:
            self._link.start()
        return ""

    def on_unmount(self) -> None:
        if self._link is not None:
            self._link.close()

    def compare(self, places: Sequence[Path]) -> None:
        from condense_tui.screens.compare.screen import CompareScreen

        self.pace_what_is_written()
        self.push_screen(CompareScreen(tuple(places), self.habits))
        self.show_title(f"{len(places)} runs side by side", "")

    def _show(self, screen: Screen[Any]) -> None:
        """Show a screen over the very first one, and nothing else: the stack of screens is never empty."""
        self.pace_what_is_written()
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if self.screen is not screen:
            self.push_screen(screen)
        if screen is self._home:
            self.show_title("runs and presets", "")

    def action_home(self) -> None:
        """All runs and presets, the cursor on what was shown."""
        place = next((screen.place for screen in self.screen_stack if isinstance(screen, ShowsRun)), None)
        self._show(self.home)
        if place is not None:
            self.home.come_back_from(place)

    def action_help(self) -> None:
        """All keys of the screen."""
        from condense_tui.screens.dialogs.help import Help

        places = places_of(self.screen)
        name = f"help-{'-'.join(places)}"
        # kept for the next time: building it takes half the time until it is visible
        if not self.is_screen_installed(name):
            self.install_screen(Help(places, self.keys), name)
        self.push_screen(name)

    def action_leave(self) -> None:
        """Leave; training continues."""
        self.exit()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the screen, for the command palette."""
        for action in actions_on(*places_of(screen), keys=self.keys):
            yield SystemCommand(action.help, f"key: {action.shown}", self._caller(action.call, screen))

    def _caller(self, call: str, screen: Screen[Any]) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self.run_action(call, screen)

        return run


def _load_what_shows_runs() -> None:
    # what cannot be loaded is tried again where a run is opened, and its error is said there
    with contextlib.suppress(Exception):
        import condense_tui.screens.run.screen  # noqa: F401


def places_of(screen: Screen[Any]) -> tuple[Place, ...]:
    """Which actions of the table a screen has."""
    return screen.PLACES if isinstance(screen, ShellScreen) else ()


def launch(
    place: Path | None, kept: Collection[Path] = (), *, tour: bool = False, play: Play | None = None
) -> list[Path]:
    """Run the app on a run, or at home, until it is left; the runs that were opened. An error that ended the app is
    raised, when the terminal is as it was.

    No garbage is collected until the first frame is up.
    """
    # plots are built and files are read in threads; a key press must not wait until one of them has had its five
    # milliseconds
    sys.setswitchinterval(SWITCH_S)
    with none_at_first():
        app = CondenseApp(place, kept=kept, habits=remembered(), tour=tour, play=play)
        with leaving(app.exit):
            try:
                app.run()
            finally:
                app.give_back_title()
        if app.crash is not None:
            raise app.crash
        return app.visited
