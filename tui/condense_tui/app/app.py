"""The app: themes, and which screen is shown. Screens own what they show, and the thread that reads it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

from rich.console import RenderableType
from textual import events, on
from textual._compositor import CompositorUpdate
from textual.app import App, SystemCommand
from textual.filter import LineFilter, NoColor
from textual.messages import TerminalSupportsSynchronizedOutput
from textual.screen import ModalScreen, Screen

from condense_tui.actions import Place, actions_on
from condense_tui.draw.ability import Depth, ability
from condense_tui.screens.splash import Opening
from condense_tui.terminal import look
from condense_tui.terminal.ascii_filter import Ascii
from condense_tui.terminal.pace import Pace, over_ssh

if TYPE_CHECKING:
    from textual.geometry import Region

    from condense_core.remote.client.link import Link
    from condense_tui.screens.home.screen import HomeScreen
    from condense_tui.terminal.outlet import Frame, Outlet


# How long a thread may keep the interpreter while another one, such as that of the screen, waits for it.
SWITCH_S = 0.0005


@dataclass(frozen=True)
class Leaving:
    """How one left: the run on the screen, its status as last seen, and whether training goes on without the screen."""

    run: str
    status: str
    going_on: bool

    @property
    def message(self) -> str:
        """What the caller prints after the screen is gone; empty where nothing is left to be said."""
        return f"training goes on: condense-tui attach {self.run}" if self.going_on else ""


class CondenseApp(App[Leaving]):
    """Shows the home screen, and one run after the other, live or recorded."""

    TITLE = "condense"
    CSS_PATH = Path(__file__).parents[1] / "screens" / "app.tcss"

    def __init__(self, place: Path | None = None, runs: Path | None = None, kept: Collection[Path] = ()) -> None:
        """`place` is a run's folder or a run file to open, none for the home screen; `runs` is the folder of all runs,
        the usual one where not given; `kept` are mirrors that somebody keeps up to date already."""
        self.ability = ability(os.environ, getattr(sys.__stdout__, "encoding", None))
        self._outlet: Outlet | None = None
        self._pace: Pace | None = None
        self._answers = False
        super().__init__()
        for theme in look.themes():
            self.register_theme(theme)
        self.theme = look.ANSI if self.ability.depth <= Depth.ANSI else look.DARK
        self._place = place
        self._runs = runs
        self._kept = kept
        self._link: Link | None = None
        self._home: HomeScreen | None = None
        self.visited: list[Path] = []
        """Runs that were opened or started, each once, in that order."""
        self._plain: list[LineFilter] = [NoColor()] if self.ability.depth is Depth.NONE else []
        if not self.ability.unicode:
            self._plain.append(Ascii())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Without colour, colours are taken out altogether (Textual's own way draws in greys); also without Unicode."""
        textual = [] if self.ability.depth is Depth.NONE else list(super().get_line_filters())
        return textual + self._plain

    def get_default_screen(self) -> Screen[None]:
        """A first frame at once; NumPy, run files, presets and most of the app itself are loaded behind it."""
        return Opening("runs and presets" if self._place is None else self._place.name)

    def on_mount(self) -> None:
        self.call_after_refresh(self._open_first)

    def _open_first(self) -> None:
        if self._place is not None:
            self.open_run(self._place)
        else:
            self._show(self.home)

    @property
    def runs(self) -> Path:
        """The folder of all runs."""
        if self._runs is None:
            from condense_core.runs.place import runs_folder

            self._runs = runs_folder()
        return self._runs

    @property
    def home(self) -> HomeScreen:
        """The home screen, which keeps what was chosen and filtered on it."""
        if self._home is None:
            from condense_tui.screens.home.screen import HomeScreen

            self._home = HomeScreen()
            self.install_screen(self._home, "home")
        return self._home

    def open_run(self, place: Path, link: Link | None = None) -> None:
        """Show a run in place of whatever is shown; the reader of a run that was shown ends. `link`, not yet started,
        keeps it up to date where it is the mirror of one elsewhere; without, one is made where it needs one."""
        from condense_tui.screens.run.screen import RunScreen

        if place not in self.visited:
            self.visited.append(place)
        self._keep(place, link)
        self._show(RunScreen(place))

    def _keep(self, place: Path, link: Link | None) -> None:
        """Keep the mirror of a run elsewhere up to date while it is shown; the one that was shown is no longer kept."""
        from condense_tui.resolve.host import link_to

        if self._link is not None:
            # ssh may take its time to go
            Thread(target=self._link.close, name="leaving").start()
        self._link = link or (None if place in self._kept else link_to(place))
        if self._link is not None:
            self._link.start()

    def on_unmount(self) -> None:
        if self._link is not None:
            self._link.close()

    @property
    def far(self) -> bool:
        """The terminal is on another machine: every byte counts."""
        return over_ssh(os.environ) and not self.is_headless

    def frame_shown(self, done: Callable[[], None]) -> None:
        """A frame is on its way to the terminal: call `done` once the next one may come."""
        if self._outlet is None:
            done()
        else:
            self._outlet.frame_shown(done)

    async def on_event(self, event: events.Event) -> None:
        """Keys and clicks are answered whatever is still on its way to the terminal."""
        if self._outlet is not None:
            if isinstance(event, events.InputEvent):
                self._outlet.key_pressed()
            elif isinstance(event, events.Resize):
                self._outlet.forget()
        await super().on_event(event)

    @on(TerminalSupportsSynchronizedOutput)
    def _terminal_answered(self) -> None:
        self._answers = True
        if self._pace is not None:
            self._pace.answered()

    def compare(self, places: Sequence[Path]) -> None:
        """Show two to six runs side by side, over what is shown."""
        from condense_tui.screens.compare.screen import CompareScreen

        self._pace_what_is_written()
        self.push_screen(CompareScreen(tuple(places)))

    def _show(self, screen: Screen[Any]) -> None:
        """Show a screen over the very first one, and nothing else: the stack of screens is never empty."""
        self._pace_what_is_written()
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if self.screen is not screen:
            self.push_screen(screen)

    def _pace_what_is_written(self) -> None:
        if self._outlet is None:
            # it needs NumPy, which the first frame does not wait for
            from condense_tui.terminal.outlet import Outlet

            self._pace = self._make_pace()
            self._outlet = Outlet(self._pace, self._write_frame, self.set_timer, self._first_regions)
            if self._answers:
                self._pace.answered()

    def _make_pace(self) -> Pace:
        if self._driver is None or self.is_headless:
            return Pace({}, lambda _: None, self.set_timer)
        return Pace(os.environ, self._driver.write, self.set_timer)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Textual's own way out to the terminal, on which everything is paced."""
        if self._outlet is None or self._batch_count or not isinstance(renderable, CompositorUpdate):
            super()._display(screen, renderable)
        else:
            self._outlet.update(renderable, self.console)

    def _write_frame(self, frame: Frame) -> None:
        # an answer, or a timer, may still come while the app is being left
        if self.screen_stack:
            super()._display(self.screen, cast(RenderableType, frame))

    def _first_regions(self) -> Sequence[Region]:
        """A dialog comes before what stands behind it."""
        screen = self.screen_stack[-1] if self.screen_stack else None
        return [child.region for child in screen.displayed_children] if isinstance(screen, ModalScreen) else ()

    def action_home(self) -> None:
        """All runs and presets, the cursor on what was shown."""
        place = next((screen.place for screen in self.screen_stack if hasattr(screen, "place")), None)
        self._show(self.home)
        if place is not None:
            self.home.come_back_from(place)

    def action_help(self) -> None:
        """All keys of the screen."""
        from condense_tui.screens.dialogs.help import Help

        places = places_of(self.screen)
        name = f"help-{'-'.join(places)}"
        # kept for the next time: making it takes half of the time until it is seen
        if not self.is_screen_installed(name):
            self.install_screen(Help(places), name)
        self.push_screen(name)

    def action_redraw(self) -> None:
        """Draw everything anew, where something else has written on the terminal."""
        if self._outlet is not None:
            self._outlet.forget()
        self.screen.refresh()

    def action_leave(self) -> None:
        """Leave; training goes on."""
        snapshot = next((screen.snapshot for screen in self.screen_stack if hasattr(screen, "snapshot")), None)
        if snapshot is None:
            self.exit()
            return
        run = snapshot.header
        self.exit(Leaving(run.id, run.status, run.active))

    def action_light(self) -> None:
        """Dark or light."""
        if self.ability.one_look:
            from condense_tui.terminal.toast import say

            say(self.screen, self.ability.one_look)
        else:
            self.theme = look.LIGHT if self.theme == look.DARK else look.DARK

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the screen, for the command palette."""
        for action in actions_on(*places_of(screen)):
            yield SystemCommand(action.help, f"key: {action.shown}", self._caller(action.call, screen))

    def _caller(self, call: str, screen: Screen[Any]) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self.run_action(call, screen)

        return run


def places_of(screen: Screen[Any]) -> tuple[Place, ...]:
    """What of the table of actions is there on a screen."""
    places: tuple[Place, ...] = getattr(screen, "PLACES", ())
    return places


def launch(place: Path | None, kept: Collection[Path] = ()) -> tuple[Leaving | None, list[Path]]:
    """Run the app on a run, or at home, until it is left; how it was left, and the runs that were opened.

    No garbage is collected until the first frame is up.
    """
    gc.disable()
    # plots are built and files are read in threads; a key press must not wait until one of them has had its five
    # milliseconds
    sys.setswitchinterval(SWITCH_S)
    app = CondenseApp(place, kept=kept)
    try:
        return app.run(), app.visited
    finally:
        gc.enable()
