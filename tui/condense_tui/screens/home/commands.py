"""The actions of the home screen on the entry under its cursor."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

from condense_core.errors import CondenseError
from condense_tui.readers.machines import Elsewhere, Machine, Machines, RunReached
from condense_tui.screens.home.entries import SweepRow
from condense_tui.screens.home.keeping import Keeping
from condense_tui.screens.run_commands import RunCommands, pause_word
from condense_tui.terminal.toast import say

if TYPE_CHECKING:
    from condense_core.runs.glance import Glance
    from condense_presets.catalogue import Preset
    from condense_tui.screens.home.entries import HomeRow
    from condense_tui.screens.home.lists import Lists
    from condense_tui.terminal.shell import ShellScreen
    from condense_tui.widgets.listing import Listing

# As many as the letters A to F, and heatmaps that can still be read beside each other.
MOST_COMPARED = 6


# What is done to one run that can be read, and to no row of others.
_OF_ONE = frozenset({"copy", "pause", "stop", "new", "rename", "note"})


class HomeCommands:
    """Does what the keys say with the entries of both lists, and says why where it does not."""

    def __init__(
        self, screen: ShellScreen[None], lists: Lists, machines: Machines, changed: Callable[[], None]
    ) -> None:
        """`changed` is called once something was done to a run."""
        self._screen = screen
        self._lists = lists
        self._machines = machines
        self._runs = RunCommands(screen, changed)
        self.keeping = Keeping(screen, lists, changed)

    def open(self) -> None:
        """Open the run, ask the machine for its runs, or show the form of the preset."""
        if self._lists.on_runs:
            self._open_row(self._lists.runs.chosen)
            return
        preset = self._lists.presets.chosen
        if preset is not None:
            from condense_tui.screens.dialogs.draft import of_preset
            from condense_tui.screens.dialogs.form import FormScreen

            self._screen.app.push_screen(FormScreen(of_preset(preset)))

    def _open_row(self, row: HomeRow | None) -> None:
        if row is None:
            return
        if isinstance(row, Machine):
            self._machines.ask(row.name)
        elif isinstance(row, SweepRow):
            self._lists.fold(row.name)
            self._lists.show(self._machines.known.values())
        elif isinstance(row, Elsewhere):
            self._reach(row.machine, row.info.id)
        elif row.info is None:
            self._say(row.trouble)
        elif row.info.mirror is not None and not row.loss and not row.info.active:
            # nothing of it came here before the connection ended
            self._reach(row.info.mirror.host, row.info.id)
        else:
            self._screen.app.open_run(row.folder)

    def _reach(self, machine: str, run: str) -> None:
        self._say(f"connecting to {machine}…")
        self._machines.reach(machine, run, self._screen.app.runs)

    def reached(self, run: RunReached) -> None:
        """Open a run elsewhere that was asked for, unless one has gone on meanwhile."""
        if run.link is None or run.folder is None:
            self._say(run.trouble, error=True)
        elif self._screen.is_current:
            self._screen.app.open_run(run.folder, run.link)
        else:
            Thread(target=run.link.close, name="not-wanted", daemon=True).start()

    def play_recording(self) -> None:
        """Play the recording of the preset; a run is opened."""
        if self._lists.on_runs:
            self.open()
            return
        preset = self._lists.presets.chosen
        if preset is None:
            return
        if preset.recording is None:
            self._say(f"{preset.name} has no recording; press enter to train it")
        else:
            self._screen.app.open_run(preset.recording)

    def mark(self) -> None:
        """Mark for comparing, or take the mark away."""
        run, preset = self._lists.runs.chosen, self._lists.presets.chosen
        if self._lists.on_runs:
            if isinstance(run, Machine | Elsewhere):
                self._say("only runs that are here can be marked; press enter to copy this run here")
            elif isinstance(run, SweepRow):
                self._toggle_all({str(each.folder) for each in run.runs})
                self._lists.runs.action_go(1)
            elif run is not None:
                self._toggle(self._lists.runs)
        elif preset is not None and preset.recording is None:
            self._say(f"{preset.name} has no recording to compare; press enter to train it")
        elif preset is not None:
            marks = self._lists.presets.marked
            if preset.name not in marks and len(marks) >= MOST_COMPARED:
                self._say(f"{MOST_COMPARED} are marked already, which is the most that can be compared")
            else:
                self._toggle(self._lists.presets)

    def mark_all(self) -> None:
        """Mark all runs here that are listed; where all are, take the marks away."""
        self._toggle_all(self._lists.listed_here)
        self._lists.runs.rebuild()

    def _toggle_all(self, keys: set[str]) -> None:
        marks = self._lists.runs.marked
        if keys <= marks:
            marks -= keys
        else:
            marks |= keys

    def _toggle(self, listing: Listing[HomeRow] | Listing[Preset]) -> None:
        key = listing.chosen_key
        if key is not None:
            listing.marked ^= {key}
            listing.action_go(1)

    def compare(self) -> None:
        """Compare the marked; with one of them, also the one under the cursor."""
        marked, run, preset = self._lists.marked, self._lists.run, self._lists.presets.chosen
        here = (run.folder if run else None) if self._lists.on_runs else preset.recording if preset else None
        if len(marked) == 1 and here is not None and here not in marked:
            marked.append(here)
        if len(marked) < 2:
            self._say("mark two to six with m, then press c to compare them")
            return
        if len(marked) > MOST_COMPARED:
            self._say(
                f"{len(marked)} are marked, and at most {MOST_COMPARED} can be compared; esc takes all marks away"
            )
            return
        self._screen.app.compare(marked)

    def pause_or_go_on(self) -> None:
        """Pause or resume training of the run."""
        run = self._steerable()
        if run is not None and run.info is not None:
            self._runs.pause_or_go_on(run.folder, run.info)

    def stop(self) -> None:
        """Stop training of the run, after asking."""
        run = self._steerable()
        if run is not None and run.info is not None:
            self._runs.stop(run.folder, run.info)

    def new_run(self) -> None:
        """A new run like the one under the cursor."""
        from condense_tui.screens.dialogs.draft import of_run
        from condense_tui.screens.dialogs.form import FormScreen

        run = self._lists.run
        if run is not None and run.info is not None:
            try:
                form = FormScreen(of_run(run.info, run.about))
            except CondenseError as error:
                self._say(str(error), error=True)
                return
            self._screen.app.push_screen(form)

    def copy(self) -> None:
        """Choose what of the entry to copy."""
        from condense_tui.screens.copied import of_run, offer_copies
        from condense_tui.screens.dialogs.copying import Copyable

        row, preset = self._lists.runs.chosen, self._lists.presets.chosen
        if self._lists.on_runs:
            info = None if row is None or isinstance(row, Machine | SweepRow) else row.info
            if info is not None:
                offer_copies(self._screen, of_run(info))
        elif preset is not None:
            name, command = preset.name, f"condense-tui run {preset.name}"
            offer_copies(self._screen, [Copyable("name", name), Copyable("command", command)])

    def _steerable(self) -> Glance | None:
        """The run under the cursor, if a command reaches its worker; says so if none does."""
        run = self._lists.run
        mirror = run.info.mirror if run is not None and run.info is not None else None
        if run is None:
            self._say("not a local run; press enter to open it")
        elif mirror is not None and mirror.link != "connected":
            self._say(f"not connected to {mirror.host}; press enter to open the run and connect")
            return None
        return run

    def _say(self, text: str, *, error: bool = False) -> None:
        say(self._screen, text, error=error)


def at_hand_of_preset(preset: Preset | None) -> frozenset[str]:
    """Actions that would do nothing with the preset that the cursor is on: one without a recording is only trained."""
    return frozenset() if preset is None or preset.recording is not None else frozenset({"recording", "mark"})


def at_hand(row: HomeRow | None) -> tuple[frozenset[str], dict[str, str]]:
    """Actions that would do nothing with what the cursor is on, and what some are called now."""
    if isinstance(row, SweepRow):
        return _OF_ONE, {"open": "fold" if row.unfolded else "unfold"}
    if row is None or isinstance(row, Machine | Elsewhere):
        return _OF_ONE | {"mark", "tag", "archive", "delete"}, {"open": "list runs"} if isinstance(row, Machine) else {}
    info = row.info
    if info is None:
        return _OF_ONE | {"mark", "tag", "archive"}, {}
    pause = pause_word(info)
    without = {name for name in ("stop", "new") if name not in info.can} | (set() if pause else {"pause"})
    called = {"pause": pause} | ({"archive": "bring back"} if row.about.archived else {})
    return frozenset(without), called
