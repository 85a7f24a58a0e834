"""The dialog behind `e`: what, in which format, where to; and what becomes of the wish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Input

from condense_core.errors import CondenseError
from condense_tui.draw.line import Line
from condense_tui.export.wish import (
    EIGENVALUES,
    FIELD,
    FORMATS,
    HEATMAP,
    OUTPUT,
    PICTURES,
    PREDICTION,
    SCREEN,
    Format,
    Wish,
    file_name,
)
from condense_tui.snapshots.snapshot import Seeds, Snapshot
from condense_tui.terminal.dialog import Dialog
from condense_tui.widgets.choice import LABEL_WIDTH, Choice, OneOfMany
from condense_tui.widgets.keys import Key, KeyLine
from condense_tui.widgets.lines import Lines

# Long enough to read a path, and to copy it.
TOLD_S = 12.0
# Pictures first: a person who presses a key on a screen most likely wants what is on it.
OFFERED = ("svg", "png", *(format for format in FORMATS if format not in PICTURES))


@dataclass(frozen=True)
class Request:
    """What was asked for in the dialog."""

    wish: Wish
    out: Path


class ExportDialog(Dialog[Request | None]):
    """Asks what to write and where; nothing is written before it has closed."""

    DEFAULT_CSS = """
    ExportDialog { align: center middle; }
    ExportDialog > Vertical {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        background: $surface; border: round $frame-focus; border-title-color: $title; padding: 1 2;
    }
    ExportDialog Input { height: 1; border: none; padding: 0; margin: 0 0 1 9; background: $panel; }
    ExportDialog Input:focus { border: none; background: $panel; }
    ExportDialog Choice { margin: 0 0 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "cancel", show=False),
        Binding("enter", "write", "write", show=False),
        Binding("down", "app.focus_next", "next field", show=False),
        Binding("up", "app.focus_previous", "previous field", show=False),
    ]

    def __init__(self, snapshot: Snapshot, palette: int) -> None:
        super().__init__()
        head = snapshot.head
        self._run_id, self._layer, self._palette = snapshot.header.id, snapshot.layer, palette
        self._at = None if head is None or head.following else head.step
        self._what = Choice("what", _whats(snapshot), id="what")
        self._format = Choice("format", OFFERED, id="format")
        seeds = snapshot.seeds
        self._seed = None if seeds is None else OneOfMany("seed", _seeds(seeds), id="seed", at=_place_of(seeds.chosen))
        self._allow()
        self._offered = self._free_name()
        self._place = Input(self._offered, id="place")

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "export"
            yield self._what
            yield self._format
            if self._seed is not None:
                yield self._seed
            yield PlaceLabel()
            yield self._place
            yield Hint()

    def on_mount(self) -> None:
        self._what.focus()

    def on_choice_changed(self) -> None:
        """Another name, and nothing to choose where the format holds the whole run."""
        self._allow()
        self._offered = self._place.value = self._free_name()

    def _allow(self) -> None:
        whole = self._format.value not in PICTURES
        self._what.disabled = whole
        if self._seed is not None:
            # the screen is written as it is
            self._seed.disabled = not whole and self._what.value == SCREEN

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
        self.dismiss(Request(self._wish(), Path(place)))

    def _wish(self) -> Wish:
        whole = self._format.value not in PICTURES
        what = SCREEN if whole else self._what.value
        layer = None if whole or what == SCREEN else self._layer
        member = None if self._seed is None or self._seed.disabled or not self._seed.number else self._seed.number - 1
        return Wish(
            cast(Format, self._format.value), what=what, layer=layer, at=self._at, member=member, palette=self._palette
        )

    def _free_name(self) -> str:
        """A name that nothing here has yet."""
        name = Path(file_name(self._run_id, self._wish()))
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


def offer_export(screen: Screen[Any], place: Path, snapshot: Snapshot | None, palette: int) -> None:
    """Ask over the screen what of the run at `place` to write, then write it in a separate thread, and say where it
    went or why not."""
    if snapshot is None or snapshot.head is None:
        screen.notify("nothing to export: no frame is recorded yet", timeout=3, markup=False)
        return

    def asked(request: Request | None) -> None:
        if request is not None:
            # the dialog is still on the screen until it is drawn again
            screen.call_after_refresh(_begin, screen, place, request, snapshot.header.name)

    screen.app.push_screen(ExportDialog(snapshot, palette), asked)


def _begin(screen: Screen[Any], place: Path, request: Request, title: str) -> None:
    svg = None
    if request.wish.what == SCREEN and request.wish.format in PICTURES:
        svg = screen.app.export_screenshot(title=title)

    def write() -> None:
        from condense_tui.documents.files import TakenError
        from condense_tui.export.fonts import with_plain_fonts
        from condense_tui.export.make import export, whose_of

        say: Callable[..., None] = screen.app.notify
        try:
            path = export(place, request.wish, request.out, screen=lambda *_: with_plain_fonts(svg or ""))
        except TakenError:
            text, severity = f"{request.out} already exists and was not replaced; choose another name", "error"
        except CondenseError as error:
            text, severity = str(error), "error"
        else:
            # the screen is of what it says itself
            seeds = "" if svg is not None else whose_of(place, request.wish)
            text = f"wrote {None if path is None else path.resolve()}" + (f" · {seeds}" if seeds else "")
            severity = "information"
        screen.app.call_from_thread(say, text, severity=severity, timeout=TOLD_S, markup=False)

    screen.run_worker(write, thread=True, group="export")


def _whats(snapshot: Snapshot) -> tuple[str, ...]:
    """What there is of this run to make a picture of."""
    names = [SCREEN, HEATMAP, "loss"]
    names += ["accuracy"] if len(snapshot.accuracy[0]) else []
    names += [EIGENVALUES] if snapshot.spectrum.curves else []
    names += [PREDICTION] if len(snapshot.ratio[0]) else []
    names += [OUTPUT] if snapshot.outputs is not None else []
    names += [FIELD] if snapshot.field is not None else []
    return tuple(names)


def _seeds(seeds: Seeds) -> tuple[str, ...]:
    """All seeds together, and each."""
    return f"all {seeds.count}", *(f"{number} of {seeds.count}" for number in range(1, seeds.count + 1))


def _place_of(member: int | None) -> int:
    return 0 if member is None else member + 1
