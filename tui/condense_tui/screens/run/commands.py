"""What is done with the run on the screen, whatever is shown of it: steering it, and beginning others from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from condense_core.errors import CondenseError
from condense_core.runfile.info import read_run
from condense_core.runs.about_run import known_about
from condense_tui.screens.run_commands import RunCommands
from condense_tui.snapshots.snapshot import Snapshot
from condense_tui.terminal.shell import ShellScreen
from condense_tui.terminal.toast import say


class ShownRunCommands:
    """Does what the keys say with one run, and says why where it does not."""

    def __init__(
        self,
        screen: ShellScreen[None],
        place: Path,
        snapshot: Callable[[], Snapshot | None],
        changed: Callable[[], None],
    ) -> None:
        """`place` is a run's folder or a run file, `snapshot` gives the newest that is shown, and `changed` is called
        once something was done to the run."""
        self._screen = screen
        self._place = place
        self._snapshot = snapshot
        self._runs = RunCommands(screen, changed)

    def pause_or_go_on(self) -> None:
        """Pause or resume training."""
        snapshot = self._snapshot()
        if snapshot is not None:
            self._runs.pause_or_go_on(self._place, snapshot.header)

    def stop(self) -> None:
        """Stop training, after asking."""
        snapshot = self._snapshot()
        if snapshot is not None:
            self._runs.stop(self._place, snapshot.header)

    def new_run(self) -> None:
        """A new run like this one."""
        from condense_tui.screens.dialogs.draft import of_run
        from condense_tui.screens.dialogs.form import FormScreen

        try:
            form = FormScreen(of_run(read_run(self._place), known_about(self._place)))
        except CondenseError as error:
            self._refuse(error)
            return
        self._screen.app.push_screen(form)

    def reduce(self) -> None:
        """The effective network of this run."""
        from condense_core.runfile.abilities import why_not
        from condense_tui.screens.dialogs.reduce import ReduceScreen

        snapshot = self._snapshot()
        if snapshot is not None and (why := why_not(snapshot.header, "reduce")):
            say(self._screen, why, error=True)
            return
        head = None if snapshot is None else snapshot.head
        at = None if head is None or head.following else head.step
        seeds = None if snapshot is None else snapshot.seeds
        self._screen.app.push_screen(ReduceScreen(self._place, at, 1 if seeds is None else seeds.count))

    def copy(self) -> None:
        """Choose what to copy."""
        from condense_tui.screens.copied import of_run, offer_copies, under_cursor

        try:
            texts = [*under_cursor(self._screen), *of_run(read_run(self._place))]
        except CondenseError as error:
            self._refuse(error)
            return
        offer_copies(self._screen, texts)

    def compare(self) -> None:
        """Choose what to compare this run with."""
        from condense_tui.screens.compare.pick import PickScreen

        self._screen.app.push_screen(PickScreen(self._place))

    def settings(self) -> None:
        """What this run was trained with."""
        from condense_tui.screens.dialogs.settings import RunSettingsScreen
        from condense_tui.snapshots.settings import read_settings

        try:
            self._screen.app.push_screen(RunSettingsScreen(read_settings(self._place)))
        except CondenseError as error:
            self._refuse(error)

    def export(self, palette: int) -> None:
        """Write the run, or a picture of it in those colours, to a file."""
        from condense_tui.screens.dialogs.export import offer_export

        offer_export(self._screen, self._place, self._snapshot(), palette)

    def _refuse(self, error: CondenseError) -> None:
        say(self._screen, str(error), error=True)
