"""What every screen may ask of the app: what the terminal can show, themes, the folder of runs, and how frames leave.

Apart from the app itself, which knows the screens: they know this class, and nothing above it.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.filter import LineFilter, NoColor
from textual.messages import TerminalSupportsSynchronizedOutput
from textual.screen import ModalScreen, Screen

from condense_core.preferences import Occasion, preferences_file
from condense_tui.draw.ability import Depth, ability
from condense_tui.keys import DEFAULT, Keys, KeysError, chosen_keys, keymap
from condense_tui.terminal import look, signals
from condense_tui.terminal.ascii_filter import Ascii
from condense_tui.terminal.background import DEADLINE_S, is_light
from condense_tui.terminal.habits import Habits
from condense_tui.terminal.notices import BELL, MOST_COPIED, Title, copied_outside, notification
from condense_tui.terminal.pace import Pace, over_ssh
from condense_tui.terminal.textual_internals import BackgroundTold, CompositorUpdate, TappedApp
from condense_tui.terminal.toast import say

if TYPE_CHECKING:
    from textual.geometry import Region, Size

    from condense_core.remote.client.link import Link
    from condense_tui.actions import Place
    from condense_tui.terminal.outlet import CodesUpdate, Outlet


ResultT = TypeVar("ResultT")


class Shell(TappedApp):
    """An app that writes no faster than its terminal takes it, in the colours that the terminal has."""

    # also over a dialog and in a field that is being filled in, as in every program
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "suspend", show=False, priority=True, id="suspend"),
    ]

    def __init__(self, runs: Path | None = None, habits: Habits | None = None) -> None:
        """`runs` is the folder of all runs, the usual one where not given; `habits` is what was chosen before, and
        without them the app begins with the defaults and keeps nothing."""
        self.habits = habits or Habits()
        self.ability = ability(os.environ, None if sys.__stdout__ is None else sys.__stdout__.encoding)
        self.keys: Keys = DEFAULT
        """Keys that are not those of the table of actions, by the actions' names."""
        self._title = Title(os.environ)
        self._outlet: Outlet | None = None
        self._pace: Pace | None = None
        self._answers = False
        self._seen_size: Size | None = None
        self.resized_at = -math.inf
        """When the terminal has got the size that it has, by the monotonic clock."""
        self.builder = ThreadPoolExecutor(1, thread_name_prefix="plots")
        """The one thread that builds all plots: they hold up each other anyway, and each thread keeps a share of its
        own of what malloc got back."""
        super().__init__()
        self._choose_keys()
        for theme in look.themes():
            self.register_theme(theme)
        light = self.habits.preferences.theme == "light"
        self.theme = look.ANSI if self.ability.depth <= Depth.ANSI else look.LIGHT if light else look.DARK
        self._runs = runs
        self._plain: list[LineFilter] = [NoColor()] if self.ability.depth is Depth.NONE else []
        if not self.ability.unicode:
            self._plain.append(Ascii())

    def on_unmount(self) -> None:
        # it waits for no plot that nobody will see
        self.builder.shutdown(wait=False, cancel_futures=True)

    @abstractmethod
    def open_run(self, place: Path, link: Link | None = None) -> None:
        """Show a run in place of whatever is shown; the reader of a run that was shown ends. `link`, not yet started,
        keeps it up to date where it is the mirror of one elsewhere; without, one is made where it needs one."""

    @abstractmethod
    def compare(self, places: Sequence[Path]) -> None:
        """Show two to six runs side by side, over what is shown."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Without colour, colours are taken out altogether (Textual's own way draws in greys); also without Unicode."""
        textual = [] if self.ability.depth is Depth.NONE else list(super().get_line_filters())
        return textual + self._plain

    @property
    def runs(self) -> Path:
        """The folder of all runs."""
        if self._runs is None:
            from condense_core.runs.place import runs_folder

            self._runs = runs_folder()
        return self._runs

    @property
    def far(self) -> bool:
        """The terminal is on another machine: every byte counts."""
        return over_ssh(os.environ) and not self.is_headless

    def on_key(self, event: events.Key) -> None:
        """A letter that was on its way to what had the keys before goes into the field that has them now: a link brings
        several keys at once, and the first may have opened the field."""
        field = self.focused
        if field is not None and event.is_printable and hasattr(field, "insert_text_at_cursor"):
            # a field keeps each letter that it gets: this one it has not had
            event.prevent_default()
            field.post_message(events.Key(event.key, event.character))

    def _choose_keys(self) -> None:
        try:
            self.keys = chosen_keys(self.habits.preferences.keys)
        except KeysError as error:
            self.habits.trouble = f"{preferences_file()}: {error}; all keys are the usual ones"
        self.set_keymap(keymap(self.keys))

    def tell_of_habits(self) -> None:
        """Say where preferences cannot be used, or not be kept."""
        habits = self.habits
        habits.told = lambda text: self.call_from_thread(lambda: say(self.screen, text, error=True))
        if habits.trouble:
            say(self.screen, habits.trouble, error=True)

    def heed_its_terminal(self) -> None:
        """Leave where the terminal is gone, also where SIGHUP is ignored; draw again after a stop from outside."""
        if not self.is_headless:
            if self.habits.preferences.theme == "auto" and self.ability.depth > Depth.ANSI:
                self.ask_for_background()
            self.heed_being_continued()
            # before the terminal is the shell's again
            self.app_suspend_signal.subscribe(self, self._suspended, immediate=True)
            self.app_resume_signal.subscribe(self, self._resumed)
            signals.also_restore(self._title.given_back)
            self.set_interval(1.0, self._leave_with_the_terminal)

    def give_notice(self, of: Occasion, text: str) -> None:
        """Tell the terminal of something that has just happened, by the ways that were chosen."""
        notices = self.habits.preferences.notices
        if of not in notices.of:
            return
        if "bell" in notices.by:
            self._tell_terminal(BELL)
        if "notification" in notices.by:
            self._tell_terminal(notification(text, os.environ))

    def copy(self, text: str) -> str:
        """Put a text into the clipboard of the terminal, also of one outside of tmux or screen; why not, where it is
        too long."""
        if len(text.encode()) > MOST_COPIED:
            return f"too long to be copied through a terminal: more than {MOST_COPIED:,} bytes"
        self.copy_to_clipboard(text)
        self._tell_terminal(copied_outside(text, os.environ))
        return ""

    def show_title(self, text: str, state: str) -> None:
        """Have the terminal's title say which run it shows; a new `state` is said at once, a new step soon."""
        if self.habits.preferences.notices.title:
            self._tell_terminal(self._title.shown(f"condense: {text}", state))

    def give_back_title(self) -> None:
        """Bring back the title that the terminal had before the app, which has ended."""
        codes = self._title.given_back()
        # a terminal that is gone has no title
        with contextlib.suppress(OSError, ValueError):
            if codes and sys.__stderr__ is not None:
                sys.__stderr__.write(codes)
                sys.__stderr__.flush()

    def _tell_terminal(self, codes: str) -> None:
        if codes and self.write_codes is not None and not self.is_headless:
            self.write_codes(codes)

    def _suspended(self, _: object) -> None:
        self._tell_terminal(self._title.given_back())

    def _resumed(self, _: object) -> None:
        self._tell_terminal(self._title.again())

    @on(BackgroundTold)
    def _background_told(self, told: BackgroundTold) -> None:
        """Dark or light as the terminal is, where nobody has chosen meanwhile."""
        if told.seconds < DEADLINE_S and self.habits.preferences.theme == "auto" and is_light(told.colour):
            self.theme = look.LIGHT

    def _leave_with_the_terminal(self) -> None:
        if signals.terminal_is_gone():
            signals.end_by(signal.SIGHUP)

    def frame_shown(self, done: Callable[[], None]) -> None:
        """A frame is on its way to the terminal: call `done` once the next one may come."""
        if self._outlet is None:
            done()
        else:
            self._outlet.frame_shown(done)

    async def on_event(self, event: events.Event) -> None:
        """Keys and clicks are answered whatever is still on its way to the terminal."""
        # the first one is the size that it has from the beginning
        if isinstance(event, events.Resize):
            if self._seen_size not in {None, event.size}:
                self.resized_at = time.monotonic()
            self._seen_size = event.size
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

    def pace_what_is_written(self) -> None:
        """From now on frames wait for the terminal; the very first one does not."""
        if self._outlet is None:
            # which the first frame does not wait for
            from condense_tui.terminal.outlet import Outlet

            self._pace = self._make_pace()
            self._outlet = Outlet(self._pace, self._write_frame, self.set_timer, self._first_regions)
            if self._answers:
                self._pace.answered()

    def _make_pace(self) -> Pace:
        if self.write_codes is None or self.is_headless:
            return Pace({}, lambda _: None, self.set_timer)
        return Pace(os.environ, self.write_codes, self.set_timer)

    def takes(self, update: CompositorUpdate) -> bool:
        """Everything is paced on its way out, once there is more than the very first frame."""
        if self._outlet is None:
            return False
        self._outlet.update(update, self.console)
        return True

    def _write_frame(self, frame: CodesUpdate) -> None:
        # an answer, or a timer, may still come while the app is being left
        if self.screen_stack:
            self.write_update(frame)

    def _first_regions(self) -> Sequence[Region]:
        """A dialog comes before what stands behind it."""
        screen = self.screen_stack[-1] if self.screen_stack else None
        return [child.region for child in screen.displayed_children] if isinstance(screen, ModalScreen) else ()

    def action_redraw(self) -> None:
        """Draw everything again, where something else has written on the terminal."""
        if self._outlet is not None:
            self._outlet.forget()
        self.screen.refresh()

    def action_light(self) -> None:
        """Dark or light."""
        if self.ability.one_look:
            say(self.screen, self.ability.one_look)
        else:
            self.theme = look.LIGHT if self.theme == look.DARK else look.DARK
            self.habits.keep("theme", "light" if self.theme == look.LIGHT else "dark")


class ShellScreen(Screen[ResultT]):
    """A screen of the shell, which it asks for what a plain app has not."""

    app: Shell
    PLACES: ClassVar[tuple[Place, ...]] = ()
    """What of the table of actions is there on it."""
