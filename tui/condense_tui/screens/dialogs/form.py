"""The form for a run that is about to start: what can be set, how long it will take, and what prevents it.

Whatever is typed is checked while it is typed, by the same code that checks a command line.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from condense_core.errors import CondenseError, DataError, MissingExtraError, ScenarioError
from condense_core.runs.about_run import MOST_CHANGED
from condense_core.scenario.data_sizes import sample_count
from condense_core.scenario.device import DEVICE_NAMES, device_named
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.fields import SettableField, fields
from condense_core.text import printable
from condense_tui.draw import numbers
from condense_tui.resolve.scenario import changed
from condense_tui.screens.dialogs.draft import RunDraft
from condense_tui.screens.dialogs.hints import FieldSuggester, hint_line, hints, split_settings, typing, whole_hint
from condense_tui.screens.list_lines import short_time
from condense_tui.terminal.dialog import Dialog
from condense_tui.widgets.paragraphs import Paragraphs

# Checking takes some milliseconds and reads folders: once a person stops typing, not at every letter.
CHECK_AFTER_S = 0.12
# Half a word is no mistake: an error waits for the end of the word, or for a pause that is as good as one.
CALM_S = 1.5
HINTS = 4
# Layers whose kernels are counted one by one; the heads of a decoder are more.
LISTED_LAYERS = 8
KEYS = "enter starts it · tab next field · esc goes back"
# What fits into 80 columns; a name that is none is answered with all there are.
DATA_NOTE = "unchanged; or digits, mnist, folder:PATH, npz:PATH, csv:PATH"


def _network(kernels: list[int]) -> str:
    """How many kernels there are, layer by layer where that fits into a line."""
    counts = list(map(numbers.step, kernels))
    if len(counts) == 1:
        return f"{counts[0]} kernels"
    if len(counts) <= LISTED_LAYERS:
        return f"layers of {', '.join(counts)} kernels"
    return f"{len(counts)} layers of {numbers.step(min(kernels))} to {numbers.step(max(kernels))} kernels"


class FormScreen(Dialog[None]):
    """Seven fields; enter starts the run and opens it."""

    DEFAULT_CSS = """
    FormScreen { align: center middle; }
    FormScreen > VerticalScroll {
        width: 100; max-width: 100%; height: auto; max-height: 100%; scrollbar-size-vertical: 1;
        background: $surface; border: round $frame-focus; border-title-color: $title;
        border-subtitle-color: $title; padding: 0 2;
    }
    FormScreen .field { height: 1; }
    FormScreen .field Static { width: 9; color: $title; background: $surface; }
    FormScreen Input { width: 1fr; background: $panel; }
    FormScreen Input:focus { background: $boost; }
    FormScreen .note { width: auto; padding: 0 0 0 2; color: $title; }
    FormScreen Paragraphs { margin: 0 0 1 0; }
    FormScreen #hints { height: 4; margin: 0; }
    FormScreen #status { min-height: 2; margin: 0; }
    FormScreen #cost { min-height: 2; }
    """
    AUTO_FOCUS = "#seed"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "back", show=False),
        # before the field sees them: what is typed fast goes to where the focus will be
        Binding("tab,down", "app.focus_next", "next", show=False, priority=True),
        Binding("shift+tab,up", "app.focus_previous", "previous", show=False, priority=True),
        Binding("pagedown", "browse(1)", "more fields", show=False, priority=True),
        Binding("pageup", "browse(-1)", "fields before", show=False, priority=True),
    ]

    def __init__(self, start: RunDraft) -> None:
        super().__init__()
        self._start = start
        self._later: Timer | None = None
        self._word: Timer | None = None
        """Runs while a word is being typed."""
        self._page = 0
        self._error: CondenseError | None = None
        self._starting = False
        self._fields: list[SettableField] = []
        self._experiment: Experiment | None = None
        self._stale = False
        """What is typed describes no experiment; `_experiment` is the last one that was."""
        self._about, self._hints, self._cost, self._status, self._more = (Paragraphs() for _ in range(5))
        self._hints.id, self._cost.id, self._status.id = "hints", "cost", "status"
        self._suggester = FieldSuggester(lambda: [field.name for field in self._fields])

    def compose(self) -> ComposeResult:
        start = self._start
        with VerticalScroll() as box:
            box.border_title = f"train {printable(start.name)}"
            box.border_subtitle = KEYS
            yield self._about
            yield from self._field("name", start.name, "name of the run")
            yield from self._field("seed", start.seed, "seed of the initial weights and the batches")
            yield from self._field("seeds", start.seeds, "number of seeds to train in one run, from the seed up")
            yield from self._field("vary", start.vary, "what differs between the seeds: init, data or both")
            yield from self._field("device", start.device, DEVICE_NAMES)
            yield from self._field("data", "", DATA_NOTE)
            yield from self._field("change", "", "any other field, such as optimizer.lr=1e-4 layers.0.width=64")
            yield self._hints
            yield self._status
            yield self._cost
            yield self._more

    def _field(self, name: str, value: str, note: str) -> ComposeResult:
        with Horizontal(classes="field"):
            yield Static(name)
            suggester = self._suggester if name == "change" else None
            yield Input(value, placeholder=note, compact=True, id=name, suggester=suggester, select_on_focus=False)

    def on_mount(self) -> None:
        look = self._about.look
        first, *others = self._start.words
        self._about.show([(printable(first), look.strong)])
        self._more.show([(printable(text), look.muted) for text in (*others, *self._start.more)])
        self._check_soon()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check what is there now, once typing pauses."""
        self._word_ends()
        if event.input.has_focus and event.value and not event.value[-1].isspace():
            self._word = self.set_timer(CALM_S, self._show_state)
        self._page = 0
        self._check_soon()

    def _word_ends(self) -> None:
        if self._word is not None:
            self._word.stop()
            self._word = None

    def on_input_submitted(self, event: Message) -> None:
        """Start the run."""
        if not self._starting:
            self._starting = True
            self._say("starting…", good=None)
            self.run_worker(partial(self._begin, self._values()), thread=True, group="start", exit_on_error=False)

    def on_click(self, event: events.Click) -> None:
        """What says that enter starts it does so, too."""
        if event.widget is self._status:
            self.on_input_submitted(event)

    def on_descendant_focus(self) -> None:
        self._page = 0
        self._show_hints()
        if self._word is not None:
            self._show_state()

    def action_browse(self, pages: int) -> None:
        """Leaf through all fields that can be changed, where they are typed; elsewhere through the form."""
        typed, box = self.query_one("#change", Input), self.query_one(VerticalScroll)
        if typed.has_focus:
            last = (len(hints(typed.value, self._fields, len(self._fields))) - 1) // HINTS
            self._page = max(0, min(last, self._page + pages))
            self._show_hints()
        else:
            box.scroll_relative(y=pages * box.size.height, animate=False)

    def _check_soon(self) -> None:
        if self._later is not None:
            self._later.stop()
        self._later = self.set_timer(CHECK_AFTER_S, self._check_now)

    def _check_now(self) -> None:
        self.run_worker(
            partial(self._check, self._values()), thread=True, group="check", exclusive=True, exit_on_error=False
        )

    def _values(self) -> dict[str, str]:
        return {field.id or "": field.value.strip() for field in self.query(Input)}

    def _build(self, values: dict[str, str]) -> Experiment:
        """The experiment that the form describes; a CondenseError if that is none, or cannot be trained here."""
        from condense_core.runs.create import require_engine
        from condense_core.scenario.paths import check_data_is_there, with_absolute_paths

        self._stale = True
        experiment = changed(
            self._start.text,
            self._start.source,
            data=values["data"],
            seed=values["seed"] or "0",
            seeds=values["seeds"] or "1",
            vary=values["vary"],
            settings=split_settings(values["change"]),
        )
        self._fields, self._experiment, self._stale = fields(experiment), experiment, False
        vary = experiment.ensemble.vary
        if vary != self._start.vary and experiment.ensemble.members == 1:
            raise ScenarioError(f"vary: {vary} needs several seeds, and there is one: raise seeds")
        device_named(values["device"])
        require_engine()
        check_data_is_there(with_absolute_paths(experiment))
        return experiment

    def _check(self, values: dict[str, str]) -> None:
        try:
            self._build(values)
        except CondenseError as error:
            self.app.call_from_thread(self._checked, error)
        else:
            self.app.call_from_thread(self._checked, None)

    def _checked(self, error: CondenseError | None) -> None:
        if self._starting or not self.is_attached:
            return
        self._error = error
        self._show_hints()
        self._show_cost()
        if error is None:
            self._say("ready: press enter to start", good=True)
        elif self._word is not None:
            self._say("", good=None)
        else:
            self._say(self._advice(error), good=False)

    def _show_state(self) -> None:
        """A word is finished: what was found wrong is said now."""
        self._word_ends()
        if self._error is not None:
            self._checked(self._error)

    def _advice(self, error: CondenseError) -> str:
        text = str(error)
        if isinstance(error, DataError):
            text += " (in this form: data.root=DIR or data.download=true under change)" if "data.root" in text else ""
        if self._start.recording and isinstance(error, MissingExtraError):
            text += " · or press esc, then space to play its recording"
        return text

    def _begin(self, values: dict[str, str]) -> None:
        from condense_core.runs.create import create_run, start_worker
        from condense_core.runs.own_names import check_own_names

        try:
            experiment = self._build(values)
            check_own_names(experiment)
            folder = create_run(
                experiment,
                runs=self.app.runs,
                name=values["name"],
                preset=self._start.preset,
                device=values["device"] or "auto",
                changed=self._changed(experiment),
            )
            start_worker(folder)
        except CondenseError as error:
            self.app.call_from_thread(self._failed, error)
        else:
            self.app.call_from_thread(self._opened, folder)

    def _changed(self, experiment: Experiment) -> tuple[str, ...]:
        """What is otherwise than in the file that the form, or the run before it, began with; of a preset that can be
        seen later, too."""
        from condense_core.runs.label import changed_fields
        from condense_core.scenario.toml import dumps

        if self._start.preset:
            return ()
        now = changed_fields(dumps(experiment), self._start.text)
        return tuple(dict.fromkeys((*self._start.changed, *now)))[:MOST_CHANGED]

    def _failed(self, error: CondenseError) -> None:
        self._starting = False
        self._say(self._advice(error), good=False)

    def _opened(self, folder: Path) -> None:
        self.app.open_run(folder)

    def _show_hints(self) -> None:
        look = self._hints.look
        typed, box = self.query_one("#change", Input), self.query_one(VerticalScroll)
        box.border_subtitle = KEYS
        if not typed.has_focus:
            # what is written in a field hides what it is for
            fields = [field for field in self.query(Input) if field.has_focus and field.value]
            self._hints.show([(f"         {field.placeholder}", look.muted) for field in fields])
            return
        found = hints(typed.value, self._fields, len(self._fields))
        first, width = self._page * HINTS, self._hints.size.width
        if found and found[0].name == typing(typed.value):
            # its value is typed, and what it is has all the room
            self._hints.show([(line, look.muted) for line in whole_hint(found[0], width, HINTS)])
            return
        self._hints.show([(hint_line(field, width), look.muted) for field in found[first : first + HINTS]])
        if found:
            at = f"{first + 1} to {min(first + HINTS, len(found))} of {len(found)} fields"
            box.border_subtitle = f"page down: {at} · enter starts it"

    def _show_cost(self) -> None:
        start, experiment, look = self._start, self._experiment, self._cost.look
        if experiment is None:
            return
        members = experiment.ensemble.members
        share = experiment.steps / start.steps * members / int(start.seeds)
        count = sample_count(experiment.data)
        samples = "all samples" if count is None else f"{numbers.step(count)} samples"
        what = f"{numbers.step(experiment.steps)} steps of {samples}"
        if start.seconds_cpu is not None:
            takes = f"about {short_time(share * start.seconds_cpu)}, {start.measured}"
        elif start.seconds_gpu is not None:
            takes = f"about {short_time(share * start.seconds_gpu)} on a GPU; too slow without one"
        else:
            takes = "training time not measured yet"
        if members > int(start.seeds):
            takes = f"at most {takes}; seeds that train together take less time than one after the other"
        network = _network(list(experiment.kernel_counts.values()))
        style = look.muted if self._stale else look.text
        self._cost.show([(f"{what}, {network}", style), (takes, style)])

    def _say(self, text: str, *, good: bool | None) -> None:
        look, unicode = self._status.look, self.app.ability.unicode
        sign = {True: "✔ " if unicode else "ok ", False: "✖ " if unicode else "x ", None: ""}[good]
        style = look.muted if good is None else look.good if good else look.bad
        self._status.show([(sign + printable(text), style)])
