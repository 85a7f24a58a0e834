"""The dialog behind `e`: what, in which format, where to; and what becomes of the wish."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from textual.screen import Screen

from condense_tui.export.paper_look import PaperLook
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
from condense_tui.screens.dialogs.file_form import FileDialog, write_in_thread
from condense_tui.snapshots.snapshot import Seeds, Snapshot
from condense_tui.terminal.toast import say
from condense_tui.widgets.choice import Choice, OneOfMany

# Pictures first: a person who presses a key on a screen most likely wants what is on it.
OFFERED = ("svg", "png", *(format for format in FORMATS if format not in PICTURES), "pdf")


@dataclass(frozen=True)
class Request:
    """What was asked for in the dialog."""

    wish: Wish
    out: Path


class ExportDialog(FileDialog[Request]):
    """Asks what of a run to write and where; nothing is written before it has closed."""

    def __init__(self, snapshot: Snapshot, palette: int) -> None:
        head = snapshot.head
        self._run_id, self._layer, self._palette = snapshot.header.id, snapshot.layer, palette
        self._at = None if head is None or head.following else head.step
        self._what = Choice("what", _whats(snapshot), id="what")
        self._format = Choice("format", OFFERED, id="format")
        seeds = snapshot.seeds
        self._seed = None if seeds is None else OneOfMany("seed", _seeds(seeds), id="seed", at=_place_of(seeds.chosen))
        self._allow()
        super().__init__(self._what, self._format, *([] if self._seed is None else [self._seed]))

    def on_choice_changed(self) -> None:
        """Another name, and nothing to choose where the format holds the whole run."""
        self._allow()
        super().on_choice_changed()

    def _allow(self) -> None:
        whole = self._format.value not in PICTURES
        self._what.disabled = whole
        if self._seed is not None:
            # the screen is written as it is
            self._seed.disabled = self._format.value in {"svg", "png"} and self._what.value == SCREEN

    def proposed(self) -> str:
        return file_name(self._run_id, self._wish())

    def request(self, out: Path) -> Request:
        return Request(self._wish(), out)

    def _wish(self) -> Wish:
        whole = self._format.value not in PICTURES
        what = SCREEN if whole else self._what.value
        paper = PaperLook() if self._format.value == "pdf" else None
        if paper is not None and what == SCREEN:
            what = HEATMAP
        layer = None if whole or what == SCREEN else self._layer
        member = None if self._seed is None or self._seed.disabled or not self._seed.number else self._seed.number - 1
        return Wish(
            cast(Format, self._format.value),
            what=what,
            layer=layer,
            at=self._at,
            member=member,
            palette=self._palette,
            paper=paper,
        )


def offer_export(screen: Screen[Any], place: Path, snapshot: Snapshot | None, palette: int) -> None:
    """Ask over the screen what of the run at `place` to write, then write it in a separate thread, and say where it
    went or why not."""
    if snapshot is None or snapshot.head is None:
        say(screen, "nothing to export: no frame is recorded yet")
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

    def write() -> str:
        from condense_tui.export.fonts import with_plain_fonts
        from condense_tui.export.make import export, whose_of
        from condense_tui.export.wish import DrawnScreen

        wish = request.wish
        path = export(place, wish, request.out, screen=lambda *_: DrawnScreen(with_plain_fonts(svg or ""))).path
        # the screen is of what it says itself
        seeds = "" if svg is not None else whose_of(place, wish)
        return f"wrote {None if path is None else path.resolve()}" + (f" · {seeds}" if seeds else "")

    write_in_thread(screen, request.out, write)


def _whats(snapshot: Snapshot) -> tuple[str, ...]:
    """What there is of this run to make a picture of."""
    names = [SCREEN, HEATMAP, "loss"]
    names += ["accuracy"] if len(snapshot.accuracy[0]) else []
    names += [EIGENVALUES] if snapshot.spectrum.curves else []
    names += [spectrum.name for spectrum in snapshot.spectra]
    names += [PREDICTION] if len(snapshot.ratio[0]) else []
    names += [OUTPUT] if snapshot.outputs is not None else []
    names += [FIELD] if snapshot.field is not None else []
    return tuple(names)


def _seeds(seeds: Seeds) -> tuple[str, ...]:
    """All seeds together, and each."""
    return f"all {seeds.count}", *(f"{number} of {seeds.count}" for number in range(1, seeds.count + 1))


def _place_of(member: int | None) -> int:
    return 0 if member is None else member + 1
