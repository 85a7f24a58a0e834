"""What home does with runs as a collection: names, notes, tags, the archive, deleting; of the one under the cursor, or
of all that are marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from condense_core.errors import CondenseError
from condense_tui.draw import numbers
from condense_tui.terminal.toast import say

if TYPE_CHECKING:
    from condense_core.runs.about_run import AboutChange
    from condense_core.runs.glance import Glance
    from condense_tui.screens.home.lists import Lists
    from condense_tui.terminal.shell import ShellScreen

NOT_HERE = "not a run of this machine; press enter to open it"


class Keeping:
    """Asks, writes in a thread, and says what came of it."""

    def __init__(self, screen: ShellScreen[None], lists: Lists, changed: Callable[[], None]) -> None:
        """`changed` is called, in the screen's thread, once something was done."""
        self._screen, self._lists, self._changed = screen, lists, changed

    def rename(self) -> None:
        """Ask for another name of the run under the cursor."""
        run = self._one()
        if run is None:
            return
        from condense_core.runs.about_file import LONGEST_NAME
        from condense_core.runs.about_run import AboutChange
        from condense_tui.screens.dialogs.ask_text import AskText

        def answered(text: str | None) -> None:
            if text is not None:
                self._change([run.folder], AboutChange(name=text), "renamed" if text else "called by its settings")

        words = f"What {run.folder.name} is called; empty: by what differs from its preset."
        self._ask(AskText("rename", words, run.about.name or run.label, longest=LONGEST_NAME), answered)

    def note(self) -> None:
        """Ask for the note of the run under the cursor."""
        run = self._one()
        if run is None:
            return
        from condense_core.runs.about_run import LONGEST_NOTE, AboutChange
        from condense_tui.screens.dialogs.ask_text import AskText

        def answered(text: str | None) -> None:
            if text is not None:
                self._change([run.folder], AboutChange(note=text), "noted" if text else "without a note")

        self._ask(AskText("note", f"A note beside {run.label}", run.about.note, longest=LONGEST_NOTE), answered)

    def tag(self) -> None:
        """Ask for tags of the runs."""
        runs = self._several()
        if not runs:
            return
        from condense_core.runs.about_run import LONGEST_NOTE, AboutChange
        from condense_tui.screens.dialogs.ask_text import AskText

        has = sorted({tag for run in runs for tag in run.about.tags})
        words = (
            f"Tags of {_which(runs)}, with blanks between; -tag takes one away. There now: {' '.join(has) or 'none'}"
        )

        def answered(text: str | None) -> None:
            tags = (text or "").replace(",", " ").split()
            if tags:
                plus = tuple(tag for tag in tags if not tag.startswith("-"))
                minus = tuple(tag.removeprefix("-") for tag in tags if tag.startswith("-"))
                self._change([run.folder for run in runs], AboutChange(tags=plus, without=minus), "tagged")

        self._ask(AskText("tag", words, longest=LONGEST_NOTE), answered)

    def archive(self) -> None:
        """Take the runs out of the list, or bring them back where all are archived."""
        runs = self._several()
        if runs:
            from condense_core.runs.about_run import AboutChange

            back = all(run.about.archived for run in runs)
            done = "back in the list" if back else "archived; / archived:yes shows them, a brings them back"
            self._change([run.folder for run in runs], AboutChange(archived=not back), done)

    def delete(self) -> None:
        """Delete the runs, after asking."""
        runs = self._several()
        if not runs:
            return
        from condense_tui.screens.dialogs.question import Question

        training = [run for run in runs if run.info is not None and run.info.mirror is None and run.info.active]
        if len(training) == len(runs):
            one = "it is" if len(runs) == 1 else "they are"
            say(self._screen, f"{one} still training; press s to stop first", error=True)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                folders = [run.folder for run in runs if run not in training]
                self._screen.run_worker(partial(self._remove, folders), thread=True, group="keeping")

        kept = f" {_count(len(training))} still train and are kept." if training else ""
        copies = any(run.info is not None and run.info.mirror is not None for run in runs)
        more = " Of runs on other machines, only the copy here." if copies else ""
        which = f"Delete {_which([run for run in runs if run not in training])}?"
        question = Question(which, f"Everything recorded is deleted.{kept}{more}", "delete", "keep")
        self._screen.app.push_screen(question, answered)

    def _one(self) -> Glance | None:
        """The run under the cursor; says so where that is none."""
        run = self._lists.run
        if run is None or run.info is None:
            say(self._screen, NOT_HERE if run is None else run.trouble)
            return None
        return run

    def _several(self) -> list[Glance]:
        """The marked, else those under the cursor; says so where there are none."""
        runs = self._lists.meant
        if not runs:
            say(self._screen, NOT_HERE)
        return runs

    def _ask(self, dialog: object, answered: Callable[[str | None], None]) -> None:
        self._screen.app.push_screen(dialog, answered)  # type: ignore[call-overload]

    def _change(self, folders: Sequence[Path], change: AboutChange, done: str) -> None:
        # the disk may be slow, and there may be hundreds
        self._screen.run_worker(partial(self._write, folders, change, done), thread=True, group="keeping")

    def _write(self, folders: Sequence[Path], change: AboutChange, done: str) -> None:
        from condense_core.runs.about_run import change_about

        self._each(folders, lambda folder: change_about(folder, change), done)

    def _remove(self, folders: Sequence[Path]) -> None:
        from condense_core.runs.removal import remove_ended

        self._each(folders, remove_ended, "deleted")

    def _each(self, folders: Sequence[Path], do: Callable[[Path], object], done: str) -> None:
        """Do it to each, and say of how many, and why of the first that refuses."""
        refused: list[str] = []
        for folder in folders:
            try:
                do(folder)
            except CondenseError as error:
                refused.append(str(error))
        count = len(folders) - len(refused)
        words = [f"{_count(count)} {done}"] if count else []
        words += [refused[0], *([f"and {len(refused) - 1} more"] if len(refused) > 1 else [])] if refused else []
        self._screen.app.call_from_thread(self._done, "; ".join(words), bool(refused))

    def _done(self, words: str, refused: bool) -> None:
        self._lists.runs.marked.clear()
        self._changed()
        say(self._screen, words, error=refused)


def _which(runs: Sequence[Glance]) -> str:
    return runs[0].label if len(runs) == 1 else _count(len(runs))


def _count(runs: int) -> str:
    return numbers.plural(runs, "run")
