"""What can be done with what the cursor of the home screen is on."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

from textual.screen import Screen

from condense_tui.readers.machines import Elsewhere, Machine, MachineAnswered, Machines, MachinesKnown, RunReached
from condense_tui.screens import run_commands
from condense_tui.terminal.toast import say

if TYPE_CHECKING:
    from condense_core.runs.glance import Glance
    from condense_presets.catalogue import Preset
    from condense_tui.screens.home.entries import Row
    from condense_tui.terminal.shell import Shell
    from condense_tui.widgets.listing import Listing

# As many as the letters A to F, and heatmaps that can still be read beside each other.
MOST_COMPARED = 6


class HomeActions:
    """The actions of the two lists."""

    app: Shell
    runs: Listing[Row]
    presets: Listing[Preset]
    machines: Machines

    @property
    def on_runs(self) -> bool:
        """Whether the cursor is in the list of runs."""
        raise NotImplementedError

    @property
    def _marked(self) -> list[Path]:
        raise NotImplementedError

    def _turn_to(self, listing: Listing[Row] | Listing[Preset]) -> None:
        raise NotImplementedError

    def _looked_at(self) -> None:
        """Look at the runs now: something was done to one of them."""
        raise NotImplementedError

    def _show(self) -> None:
        raise NotImplementedError

    def _tell(self) -> None:
        raise NotImplementedError

    def action_open(self) -> None:
        """Open the run, ask the machine for its runs, or show the form of the preset."""
        if self.on_runs:
            self._open_row(self.runs.chosen)
            return
        preset = self.presets.chosen
        if preset is not None:
            from condense_tui.screens.dialogs.form import FormScreen, of_preset

            self.app.push_screen(FormScreen(of_preset(preset)))

    def _open_row(self, row: Row | None) -> None:
        if row is None:
            return
        if isinstance(row, Machine):
            self.machines.ask(row.name)
            self._show()
        elif isinstance(row, Elsewhere):
            self._reach(row.machine, row.info.id)
        elif row.info is None:
            self._say(row.trouble)
        elif row.info.mirror is not None and not row.loss and not row.info.active:
            # nothing of it came here before the connection ended
            self._reach(row.info.mirror.host, row.info.id)
        else:
            self.app.open_run(row.folder)

    def _reach(self, machine: str, run: str) -> None:
        self._say(f"connecting to {machine}…")
        self.machines.reach(machine, run, self.app.runs)

    def on_machines_known(self, message: MachinesKnown) -> None:
        """Show the other machines."""
        if message.trouble:
            self._say(message.trouble, error=True)
        # those of hosts.toml come first, in its order
        heard_of, self.machines.known = self.machines.known, {machine.name: machine for machine in message.machines}
        self.machines.hear_of(heard_of)
        self._show()

    def on_machine_answered(self, message: MachineAnswered) -> None:
        """Show what runs a machine has, or that it cannot be reached."""
        self.machines.known[message.machine.name] = message.machine
        self._show()

    def on_run_reached(self, message: RunReached) -> None:
        """Open the run, unless one has gone elsewhere meanwhile."""
        if message.link is None or message.folder is None:
            self._say(message.trouble, error=True)
        elif self._screen.is_current:
            self.app.open_run(message.folder, message.link)
        else:
            Thread(target=message.link.close, name="not-wanted", daemon=True).start()

    def action_recording(self) -> None:
        """Play the recording of the preset; a run is opened."""
        if self.on_runs:
            self.action_open()
            return
        preset = self.presets.chosen
        if preset is None:
            return
        if preset.recording is None:
            self._say(f"{preset.name} has no recording; enter trains it")
        else:
            self.app.open_run(preset.recording)

    def action_other(self) -> None:
        """To the other list."""
        self._turn_to(self.presets if self.on_runs else self.runs)

    def action_list(self, number: int) -> None:
        """To a list by its number."""
        self._turn_to(self.runs if number == 1 else self.presets)

    def action_mark(self) -> None:
        """Mark for comparing, or take the mark away."""
        run, preset = self.runs.chosen, self.presets.chosen
        if self.on_runs:
            if isinstance(run, Machine | Elsewhere):
                self._say("only what is here can be compared; enter brings a run here")
            elif run is not None:
                self._toggle(self.runs)
        elif preset is not None and preset.recording is None:
            self._say(f"{preset.name} has no recording to compare; enter trains it")
        elif preset is not None:
            self._toggle(self.presets)

    def _toggle(self, listing: Listing[Any]) -> None:
        key = listing.chosen_key
        if key is None:
            return
        if key not in listing.marked and len(self._marked) >= MOST_COMPARED:
            self._say(f"{MOST_COMPARED} are marked already; more than that nobody can compare")
            return
        listing.marked ^= {key}
        listing.action_go(1)
        self._tell()

    def action_compare(self) -> None:
        """Compare the marked; with one of them, also the one under the cursor."""
        marked, run, preset = self._marked, self._run, self.presets.chosen
        here = (run.folder if run else None) if self.on_runs else preset.recording if preset else None
        if len(marked) == 1 and here is not None and here not in marked:
            marked.append(here)
        if len(marked) < 2:
            self._say("mark two to six with m, then c compares them")
            return
        self.app.compare(marked)

    def action_pause(self) -> None:
        """Pause training of the run, or go on with it."""
        run = self._steered
        if run is not None and run.info is not None:
            run_commands.pause_or_go_on(self._screen, run.folder, run.info.status, self._looked_at)

    def action_stop(self) -> None:
        """Stop training of the run, after asking."""
        run = self._steered
        if run is not None and run.info is not None:
            run_commands.stop(self._screen, run.folder, run.info, self._looked_at)

    def action_new(self) -> None:
        """A new run like the one under the cursor."""
        from condense_tui.screens.dialogs.form import FormScreen, of_run

        run = self._run
        if run is not None and run.info is not None:
            self.app.push_screen(FormScreen(of_run(run.info)))

    @property
    def _run(self) -> Glance | None:
        """The run under the cursor that is here."""
        row = self.runs.chosen
        return None if isinstance(row, Machine | Elsewhere) else row

    @property
    def _steered(self) -> Glance | None:
        """The run under the cursor, where a word reaches its worker; says so where none does."""
        run = self._run
        mirror = run.info.mirror if run is not None and run.info is not None else None
        if run is None:
            self._say("nothing here to steer; enter opens it")
        elif mirror is not None and mirror.link != "connected":
            self._say(f"not connected to {mirror.host}; enter opens the run and connects")
            return None
        return run

    @property
    def _screen(self) -> Screen[Any]:
        return cast(Screen[Any], self)

    def _say(self, text: str, *, error: bool = False) -> None:
        say(self._screen, text, error=error)


def at_hand(row: Row | None) -> tuple[frozenset[str], dict[str, str]]:
    """Actions that would do nothing with what the cursor is on, and what some are called now."""
    info = None if isinstance(row, Machine | Elsewhere) or row is None else row.info
    if info is None:
        called = {"open": "list its runs"} if isinstance(row, Machine) else {}
        return frozenset({"pause", "stop", "new", "mark"}), called
    pause = run_commands.pause_word(info.status)
    return frozenset(() if pause else ("pause",)), {"pause": pause}
