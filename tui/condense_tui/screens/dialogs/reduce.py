"""The effective network of a run, computed in a separate process, and what it changes, as a table."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from condense_core.errors import CondenseError
from condense_core.jobs.messages import AskReduce, ReduceAnswer
from condense_tui.draw.numbers import measure, percent, step
from condense_tui.draw.points import POINTS_EXPLAINED, point_cells
from condense_tui.terminal.dialog import Dialog
from condense_tui.terminal.look import Look
from condense_tui.widgets.paragraphs import Paragraphs

Said = list[tuple[str, Style]]


class ReduceScreen(Dialog[None]):
    """Asks for the reduction of the run at `place`, at the newest weights kept at or before step `at`; of a run of
    several `seeds`, of the first."""

    DEFAULT_CSS = """
    ReduceScreen { align: center middle; }
    ReduceScreen > VerticalScroll {
        width: 84; max-width: 100%; height: auto; max-height: 100%; scrollbar-size-vertical: 1;
        background: $surface; border: round $frame-focus; border-title-color: $title;
        border-subtitle-color: $title; padding: 1 2;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,r,q", "dismiss", "close", show=False),
        Binding("n,enter", "train", "train it", show=False),
    ]

    def __init__(self, place: Path, at: int | None, seeds: int = 1) -> None:
        super().__init__()
        self._place, self._at, self._seeds = place, at, seeds
        self._text = Paragraphs()
        self._answer: ReduceAnswer | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = "effective network" + (
                f" of the first of {self._seeds} seeds" if self._seeds > 1 else ""
            )
            box.border_subtitle = "esc closes"
            yield self._text

    def on_mount(self) -> None:
        at = "" if self._at is None else f" at or before step {step(self._at)}"
        words = f"Replacing each condensed line by one kernel, in the newest saved weights{at}. Takes some seconds…"
        self._text.show([(words, self._text.look.muted)])
        self.run_worker(self._ask, thread=True, exit_on_error=False)

    def _ask(self) -> None:
        from condense_core.jobs.ask import ask
        from condense_core.runs.create import require_engine

        try:
            require_engine()
            question = AskReduce(run=str(self._place.resolve()), out=str(small_place(self._place)), at=self._at)
            answer = ask("condense_core.engine.answers.reduce", question, ReduceAnswer)
        except CondenseError as error:
            self.app.call_from_thread(self._refused, str(error))
        else:
            self.app.call_from_thread(self._answered, answer)

    def _refused(self, reason: str) -> None:
        self._text.show([(reason, self._text.look.bad)])

    def _answered(self, answer: ReduceAnswer) -> None:
        self._answer = answer
        self.query_one(VerticalScroll).border_subtitle = "n trains it further · esc closes"
        self._text.show(table(answer, self._text.look))

    def action_train(self) -> None:
        """The form of a run that trains the small network further."""
        if self._answer is None:
            return
        from condense_tui.screens.dialogs.draft import of_file
        from condense_tui.screens.dialogs.form import FormScreen

        try:
            form = FormScreen(of_file(Path(self._answer.scenario)))
        except CondenseError as error:
            self._refused(str(error))
            return
        app = self.app
        self.dismiss()
        app.call_later(partial(app.push_screen, form))


def small_place(place: Path) -> Path:
    """Where the small network goes: into the run's own folder; for a file that is not ours, where one stands."""
    if place.is_dir() and os.access(place, os.W_OK):
        return place / "effective"
    return Path.cwd() / f"{place.stem if place.is_file() else place.name}-effective"


def table(found: ReduceAnswer, look: Look) -> Said:
    """The answer as lines: kernels of each layer before and after, and what it changes."""
    head = f"{'layer':<10}{'kernels':>9}{'effective':>11}{'from lines':>12}{'unchanged':>11}{'left out':>10}"
    said: Said = [
        (f"{found.run} at step {step(found.step)}, from its {found.source}", look.strong),
        (" ", look.text),
        (head, look.muted),
    ]
    for layer in found.layers:
        cells = f"{layer.before:>9}{layer.after:>11}{layer.lines:>12}{layer.unchanged:>11}{layer.dropped:>10}"
        said.append((f"{layer.name:<10}{cells}", look.text))
    said += [
        (" ", look.text),
        (f"parameters   {step(found.parameters_before)} → {step(found.parameters_after)}", look.text),
        (f"output       relative change {measure(found.output_change, 3)}", look.text),
        (
            f"loss         {measure(found.loss_before, 6)} → {measure(found.loss_after, 6)}"
            f" (relative change {measure(found.loss_change, 3)})",
            look.text,
        ),
    ]
    if found.accuracy_before is not None:
        said.append((f"accuracy     {percent(found.accuracy_before)} → {percent(found.accuracy_after)}", look.text))
    head = f"{'point':<10}{'loss':>12}{'|∇L|':>12}{'|∇L||θ|/L':>12}{'top curv.':>12}{'lowest':>12}"
    said += [(" ", look.text), (head, look.muted)]
    for name, *values in point_cells(found):
        said.append((f"{name:<10}" + "".join(f"{value:>12}" for value in values), look.text))
    said.append((POINTS_EXPLAINED, look.muted))
    return [
        *said,
        (" ", look.text),
        (f"to train it further: press n, or condense-tui run {found.scenario}", look.muted),
    ]
