"""The app: themes, the reader thread and the run screen, wired together."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from textual import on
from textual.app import App, SystemCommand
from textual.filter import LineFilter, NoColor
from textual.messages import TerminalSupportsSynchronizedOutput
from textual.screen import Screen

from condense_tui import look
from condense_tui.actions import ACTIONS
from condense_tui.draw.terminal import Depth, ability
from condense_tui.screens.opening import Opening
from condense_tui.widgets.plain import Ascii

if TYPE_CHECKING:
    from textual.driver import Driver

    from condense_tui.pace import Pace
    from condense_tui.reader import CommandFailed, ReaderThread, ReadFailed, SnapshotReady
    from condense_tui.screens.run import RunScreen
    from condense_tui.widgets.emit import Written


@dataclass(frozen=True)
class Leaving:
    """How one left: the run, its status as last seen, and whether training goes on without the screen."""

    run: str
    status: str
    going_on: bool

    @property
    def message(self) -> str:
        """What the caller prints after the screen is gone; empty where nothing is left to be said."""
        return f"training goes on: condense-tui attach {self.run}" if self.going_on else ""


class CondenseApp(App[Leaving]):
    """Shows one run, live or recorded."""

    TITLE = "condense"
    CSS_PATH = Path(__file__).with_name("screens") / "run.tcss"

    def __init__(self, run_dir: Path) -> None:
        """`run_dir` is a run's folder or a run file."""
        self.ability = ability(os.environ, getattr(sys.__stdout__, "encoding", None))
        self._written: Written | None = None
        self._pace: Pace | None = None
        self._answers = False
        super().__init__()
        for theme in look.themes():
            self.register_theme(theme)
        self.theme = look.ANSI if self.ability.depth <= Depth.ANSI else look.DARK
        self._run_dir = run_dir
        self._reader: ReaderThread | None = None
        self._run_screen: RunScreen | None = None
        self._plain: list[LineFilter] = [NoColor()] if self.ability.depth is Depth.NONE else []
        if not self.ability.unicode:
            self._plain.append(Ascii())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Without colour, colours are taken out altogether (Textual's own way draws in greys); also without Unicode."""
        textual = [] if self.ability.depth is Depth.NONE else list(super().get_line_filters())
        return textual + self._plain

    def get_default_screen(self) -> Screen[None]:
        """A first frame at once; NumPy and the run file are loaded behind it."""
        return Opening(self._run_dir.name)

    def on_mount(self) -> None:
        self.call_after_refresh(self._open)

    def _open(self) -> None:
        from condense_tui.pace import Pace
        from condense_tui.reader import ReaderThread
        from condense_tui.screens.run import RunScreen
        from condense_tui.widgets.emit import Written

        self._written = Written()
        if self._driver is not None and not self.is_headless:
            self._pace = Pace(os.environ, self._driver.write, self.set_timer)
            self._count_written(self._driver, self._pace)
            if self._answers:
                self._pace.answered()
        self._reader = ReaderThread(self._run_dir, self.post_message)
        self._run_screen = RunScreen(self._reader)
        self.push_screen(self._run_screen)

    def frame_shown(self, done: Callable[[], None]) -> None:
        """A frame went out to the terminal: call `done` once the next one may."""
        if self._pace is None:
            done()
        else:
            self._pace.frame(done)

    @on(TerminalSupportsSynchronizedOutput)
    def _terminal_answered(self) -> None:
        self._answers = True
        if self._pace is not None:
            self._pace.answered()

    @staticmethod
    def _count_written(driver: Driver, pace: Pace) -> None:
        write = driver.write

        def counting(data: str) -> None:
            pace.sent(len(data))
            write(data)

        driver.write = counting  # type: ignore[method-assign]

    def on_unmount(self) -> None:
        if self._reader is not None:
            self._reader.stop()

    def on_snapshot_ready(self, message: SnapshotReady) -> None:
        """Hand the newest snapshot to the screen."""
        if self._run_screen is not None:
            self._run_screen.show(message.snapshot)
            self.call_after_refresh(_collect_again)

    def on_read_failed(self, message: ReadFailed) -> None:
        """Say on the screen that reading has ended."""
        if self._run_screen is not None:
            self._run_screen.fail(message.reason)
            self.call_after_refresh(_collect_again)

    def on_command_failed(self, message: CommandFailed) -> None:
        """Say that a command did not reach the worker."""
        self.notify(message.reason, severity="error", markup=False)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Textual's own way out to the terminal, cut down to what is new on it."""
        if self._written is not None and not self._batch_count:
            self._written.reduce(renderable, self.console)
        super()._display(screen, renderable)

    def action_leave(self) -> None:
        """Leave; training goes on."""
        snapshot = None if self._run_screen is None else self._run_screen.snapshot
        if snapshot is None:
            self.exit()
            return
        run = snapshot.header
        self.exit(Leaving(run.id, run.status, run.active))

    def action_light(self) -> None:
        """Dark or light."""
        if self.ability.depth > Depth.ANSI:
            self.theme = look.LIGHT if self.theme == look.DARK else look.DARK

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the table, for the command palette."""
        for action in ACTIONS:
            yield SystemCommand(action.help, f"key: {action.shown}", self._caller(action.call))

    def _caller(self, call: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self.run_action(call, self._run_screen)

        return run


def _collect_again() -> None:
    """Collect garbage from now on, but never look again at what was there at the start."""
    if not gc.isenabled():
        gc.enable()
        gc.freeze()


def launch(run_dir: Path) -> Leaving | None:
    """Run the app on a run's folder until it is left. No garbage is collected until the first frame is up."""
    gc.disable()
    try:
        return CondenseApp(run_dir).run()
    finally:
        gc.enable()
