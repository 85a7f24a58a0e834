"""Asking for what is to be written, and where to; and writing it while the screen goes on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Input

from condense_core.errors import CondenseError
from condense_tui.draw.line import Line
from condense_tui.terminal.dialog import Dialog
from condense_tui.terminal.toast import tell
from condense_tui.widgets.choice import LABEL_WIDTH, Choice
from condense_tui.widgets.keys import Key, KeyLine
from condense_tui.widgets.lines import Lines

# Long enough to read a path, and to copy it.
TOLD_S = 12.0

RequestT = TypeVar("RequestT")


class FileDialog(Dialog[RequestT | None]):
    """Choices, and under them the name of the file that they make; subclasses say which name, and what is asked for."""

    DEFAULT_CSS = """
    FileDialog { align: center middle; }
    FileDialog > Vertical {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        background: $surface; border: round $frame-focus; border-title-color: $title; padding: 1 2;
    }
    FileDialog Input { height: 1; border: none; padding: 0; margin: 0 0 1 9; background: $panel; }
    FileDialog Input:focus { border: none; background: $panel; }
    FileDialog Choice { margin: 0 0 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "cancel", show=False),
        Binding("enter", "write", "write", show=False),
        Binding("down", "app.focus_next", "next field", show=False),
        Binding("up", "app.focus_previous", "previous field", show=False),
    ]

    def __init__(self, *choices: Choice) -> None:
        super().__init__()
        self._choices = choices
        self._offered = self._free_name()
        self._place = Input(self._offered, id="place")

    @abstractmethod
    def proposed(self) -> str:
        """A name for the file that was chosen."""

    @abstractmethod
    def request(self, out: Path) -> RequestT:
        """What was chosen, and where to."""

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "export"
            yield from self._choices
            yield PlaceLabel()
            yield self._place
            yield Hint()

    def on_mount(self) -> None:
        self._choices[0].focus()

    def on_choice_changed(self) -> None:
        """What is chosen has another name."""
        self._offered = self._place.value = self._free_name()

    def on_input_submitted(self) -> None:
        """Enter in the place's field writes too."""
        self.action_write()

    def action_write(self) -> None:
        """Close with what is asked for."""
        place = self._place.value.strip()
        if place == self._offered:
            # enter may come before the name that goes with the last choice
            place = self._free_name()
        if not place:
            self.notify("no file name given; enter one", severity="error", timeout=3, markup=False)
            self._place.focus()
            return
        self.dismiss(self.request(Path(place)))

    def _free_name(self) -> str:
        """A name that nothing here has yet."""
        name = Path(self.proposed())
        free, number = name, 1
        while free.exists():
            number += 1
            free = name.with_name(f"{name.stem}-{number}{name.suffix}")
        return str(free)


class PlaceLabel(Lines):
    """What the line under it is."""

    DEFAULT_CSS = "PlaceLabel { height: 1; background: $surface; }"

    def build(self, width: int, height: int) -> list[Line]:
        folder = str(Path.cwd())
        room = max(8, width - LABEL_WIDTH - 5)
        shown = folder if len(folder) <= room else f"…{folder[1 - room :]}"
        return [[(" file".ljust(LABEL_WIDTH), self.look.muted), (f"in {shown}", self.look.muted)]]


class Hint(KeyLine):
    """The keys of the dialog."""

    DEFAULT_CSS = "Hint { height: 1; background: $surface; }"

    def build(self, width: int, height: int) -> list[Line]:
        self.begin()
        arrows, more = ("←→", "↑↓") if self.ability.unicode else ("left/right", "up/down")
        line: Line = []
        for key in (
            Key(arrows, "choose", ()),
            Key(more, "field", ("app.focus_previous", "app.focus_next")),
            Key("enter", "write", ("write",)),
            Key("esc", "cancel", ("dismiss(None)",)),
        ):
            gap = 3 if line else 1
            self.place(key, line, gap)
            line += self.part(key, gap)
        return [line]


def write_in_thread(screen: Screen[Any], out: Path, write: Callable[[], str]) -> None:
    """Have `write` write the file `out`, and say over the screen what it says, or why it could not."""

    def work() -> None:
        from condense_tui.documents.files import TakenError

        severity: Literal["information", "error"] = "error"
        try:
            text = write()
        except TakenError:
            text = f"{out} already exists and was not replaced; choose another name"
        except CondenseError as error:
            text = str(error)
        else:
            severity = "information"
        screen.app.call_from_thread(tell, screen, text, severity, TOLD_S)

    screen.run_worker(work, thread=True, group="export")
