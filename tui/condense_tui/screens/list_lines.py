"""How a run and a preset look in a list, and in the lines under it that say more about the chosen one."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style

from condense_core.runfile.status import RESUMABLE
from condense_core.text import printable
from condense_tui.draw import numbers
from condense_tui.draw.layer_names import fitted, without_shared
from condense_tui.draw.line import Line
from condense_tui.draw.sparkline import sparkline
from condense_tui.draw.status import LAST_SEEN, StatusSign, condensed_sign, sign_of
from condense_tui.draw.verdict import parts
from condense_tui.readers.machines import Elsewhere, Machine
from condense_tui.terminal.look import Look
from condense_tui.widgets.lines import Lines, justified, length, wrapped

if TYPE_CHECKING:
    from condense_core.runfile.info import RunInfo
    from condense_core.runs.claim_state import Standing
    from condense_core.runs.glance import Glance, LayerGlance
    from condense_presets.catalogue import Preset

# Room of a sparkline: enough to see a fall, and the lines of two layers still stand beside it; less in a narrow list.
SPARK, SPARK_LEAST, SPARK_FROM = 16, 10, 50
FETCH = "enter, then data.download=true or data.root=FOLDER under change"
# The longest name of a preset that ships, and its sign.
PRESET_NAME = 24
GROUPS = {
    "starters": "start here: no download, seconds each",
    "fcn": "fully connected networks (NeurIPS 2022)",
    "cnn": "convolutional networks (CSIAM-AM 2025)",
    "frontier": "open questions, asked with claims of our own",
    "own": "your own",
}


@dataclass(frozen=True)
class Viewer:
    """For whom a list is drawn: styles, what the terminal can show, the time, and the name of this machine."""

    look: Look
    unicode: bool
    now: float = 0.0
    here: str = ""


def run_lines(glance: Glance, viewer: Viewer, width: int, marked: bool) -> list[Line]:
    """A run in two lines of `width`: sign, name, word, age; loss and lines per layer."""
    info, look, unicode = glance.info, viewer.look, viewer.unicode
    mark = (("✓ " if unicode else "+ ") if marked else "  ", look.warn)
    if info is None:
        left: Line = [mark, (f"{'✖' if unicode else 'x'} {glance.folder.name}", look.text)]
        return [
            justified(left, [("unreadable ", look.bad)], width, look.text),
            [("      ", look.muted), (printable(glance.trouble), look.muted)],
        ]
    points = SPARK if width >= SPARK_FROM else SPARK_LEAST
    spark = sparkline(_known_loss(info, glance), points, unicode)
    below: Line = [("     ", look.text), (spark.ljust(points), look.accent), ("  ", look.text)]
    cut = f"at {glance.layers[0].cut.short}" if glance.layers else ""
    names = [layer.name for layer in glance.layers]
    named = [(layer, without_shared(layer.name, names)) for layer in glance.layers]
    said = [_layer(layer, name, unicode) for layer, name in named]
    if length(below) + sum(cell_len(words) + 2 for words in said) + len(cut) > width:
        said = [_layer(layer, name, unicode, short=True) for layer, name in named]
    # nothing of a run that has diverged is in the colour of success
    good = look.muted if info.status == "diverged" else look.good
    for layer, words in zip(glance.layers, said, strict=True):
        if length(below) + cell_len(words) + 2 + len(cut) > width:
            below.append(("… ", look.muted))
            break
        below.append((f"{words}  ", good if layer.condensed else look.muted))
    below.append((cut, look.muted))
    if not glance.loss:
        below = [("     ", look.text), ("nothing measured yet" if info.active else "nothing was measured", look.muted)]
    return [_headline(glance, info, viewer, width, mark), below]


def _known_loss(info: RunInfo, glance: Glance) -> tuple[float, ...]:
    """The loss; empty where nobody said it, which of somebody else's training is no sign of a divergence."""
    unknown = info.trainer != "engine" and all(math.isnan(value) for value in glance.loss)
    return () if unknown else glance.loss


def _headline(glance: Glance, info: RunInfo, viewer: Viewer, width: int, mark: tuple[str, Style]) -> Line:
    """Sign, label, word and age of a run; where it was recorded, unless it stands under that machine's name."""
    look = viewer.look
    away = info.mirror is not None and info.mirror.link != "connected" and info.active
    sign = LAST_SEEN if away else sign_of(info.status)
    style: Style = getattr(look, sign.style)
    how_far = f" {numbers.percent(info.step / info.steps)}" if info.active and info.steps else ""
    said = (f"{sign.sign} ".ljust(3), style)
    left = [mark, said, (glance.label, look.strong)]
    if info.host != viewer.here and info.mirror is None:
        left.append((f" on {printable(info.host)}", look.muted))
    age = numbers.age(viewer.now - info.created)
    kept = "archived  " if glance.about.archived else ""
    right: Line = [(kept, look.muted), (f"{sign.word}{how_far}", style), (f"{age.rjust(8)} ", look.muted)]
    room = width - length(right) - 1
    tags: Line = [("".join(f" #{tag}" for tag in glance.about.tags), look.muted)]
    if length(left) + length(tags) <= room:
        left += tags
    if length(left) > room:
        left = [mark, said, (fitted(glance.label, room - length(left[:2])), look.strong)]
    return justified(left, right, width, look.text)


def sweep_lines(
    name: str, runs: Sequence[Glance], viewer: Viewer, width: int, *, marked: bool, unfolded: bool
) -> list[Line]:
    """The runs of a sweep in two lines of `width`: its name, how many there are, age; how many are in which state."""
    look, unicode = viewer.look, viewer.unicode
    mark = (("✓ " if unicode else "+ ") if marked else "  ", look.warn)
    fold = ("▾  " if unfolded else "▸  ") if unicode else ("-  " if unfolded else "+  ")
    newest = max((run.info.created for run in runs if run.info is not None), default=viewer.now)
    right: Line = [
        (numbers.plural(len(runs), "run"), look.text),
        (f"{numbers.age(viewer.now - newest).rjust(8)} ", look.muted),
    ]
    room = width - length(right) - 1
    left: Line = [mark, (fold, look.accent), (fitted(name, room - 5), look.strong)]
    counts = Counter(run.info.status if run.info is not None else None for run in runs)
    below: Line = [("     ", look.text)]
    for status, count in counts.most_common():
        sign = sign_of(status) if status is not None else StatusSign("✖", "unreadable", "bad")
        words = f"{sign.sign} {count} {sign.word}"
        if length(below) + cell_len(words) + 2 > width:
            below.append(("…", look.muted))
            break
        below.append((f"{words}  ", getattr(look, sign.style)))
    return [justified(left, right, width, look.text), below]


def sweep_details(name: str, how: str, look: Look, width: int, height: int) -> list[Line]:
    """Details of a sweep: what can be done with all of its runs."""
    said = [
        (printable(f"{name} · a sweep"), look.strong),
        (f"{how}; m marks, a archives, # tags and d deletes all that are listed", look.text),
    ]
    return _paragraphs(said, width, height)


def elsewhere_lines(run: Elsewhere, viewer: Viewer, width: int) -> list[Line]:
    """A run on another machine that nothing is here of, in two lines of `width`."""
    info, look = run.info, viewer.look
    how = f"     enter copies it here · {numbers.progress(info.step, info.steps)} steps"
    there = replace(viewer, here=info.host)
    return [_headline(run.glance, info, there, width, ("  ", look.text)), [(how, look.muted)]]


def machine_lines(machine: Machine, viewer: Viewer, width: int) -> list[Line]:
    """Another machine in two lines of `width`: what is known of it, and what to press."""
    look, unicode = viewer.look, viewer.unicode
    sign, style, word, below = {
        "unasked": ("○" if unicode else "o", look.muted, "not asked yet", "enter lists its runs, over your ssh"),
        "asked": ("○" if unicode else "o", look.warn, "connecting…", "you can do other things meanwhile"),
        "answered": (
            "●" if unicode else "*",
            look.good,
            numbers.plural(len(machine.runs), "run"),
            "enter lists them again",
        ),
        "silent": ("✖" if unicode else "x", look.bad, "not reached", machine.trouble),
    }[machine.state]
    if machine.state == "answered" and not machine.runs:
        below = f"start one: condense-tui run digits-gd --host {machine.name}"
    if machine.state == "answered" and machine.trouble:
        below = machine.trouble
    left: Line = [("  ", look.text), (f"{sign}  ", style), (printable(machine.name), look.strong)]
    age = numbers.age(viewer.now - machine.asked) if machine.asked and machine.state != "asked" else ""
    right: Line = [(word, style), (f"{age.rjust(8)} ", look.muted)]
    return [justified(left, right, width, look.text), [("     ", look.text), (printable(below), look.muted)]]


def preset_lines(preset: Preset, viewer: Viewer, width: int, marked: bool) -> list[Line]:
    """A preset in one line of `width`: name, whether a recording ships or its data have to be fetched, what it is, how
    long it takes."""
    look, unicode = viewer.look, viewer.unicode
    missing = ("↓" if unicode else "!") if preset.missing_data else " "
    mark = ((("✓" if unicode else "+") if marked else " ") + missing, look.warn)
    recorded = (("▷ " if unicode else "> ") if preset.recording is not None else "  ", look.playhead)
    takes: Line = [(f"{cost(preset)} ".rjust(8), look.muted)]
    room = max(8, min(PRESET_NAME, width - 16))
    line: Line = [mark, recorded, (_cut(preset.name, room), look.strong)]
    room = width - (4 + PRESET_NAME + 2) - length(takes) - 1
    if room >= 12:
        line.append((" " * (PRESET_NAME + 2 - cell_len(line[-1][0])), look.text))
        line.append((_cut(preset.summary, room), look.text))
    return [justified(line, takes, width, look.text)]


def viewer_of(widget: Lines, here: str = "") -> Viewer:
    """For whom a widget draws, now."""
    return Viewer(widget.look, widget.ability.unicode, time.time(), here)


def run_details(glance: Glance, look: Look, width: int, height: int, *, claim: Standing | None = None) -> list[Line]:
    """Details of a run, with how its claim stands once that is known."""
    info = glance.info
    if info is None:
        return _paragraphs([(glance.folder.name, look.strong), (printable(glance.trouble), look.bad)], width, height)
    host = info.host if info.mirror is None else info.mirror.host
    what = f"{info.id} · {_seeds(info)} · {info.device} on {host}"
    if info.preset and not glance.label.startswith(info.preset):
        what += f" · preset {info.preset}"
    how = f"step {numbers.progress(info.step, info.steps)} · {numbers.duration(info.seconds)}"
    if loss := _known_loss(info, glance):
        how += f" · loss {numbers.measure(loss[0])} → {numbers.measure(loss[-1])}"
    first = wrapped(printable(what), look.strong, width)
    said = [(how, look.text)]
    if claim is not None:
        *found, (own, _) = parts(claim)
        first.append([piece for text, style in found for piece in ((text, getattr(look, style)), ("  ", look.text))])
        said.append((own, look.muted))
    about = glance.about
    words = [*(f"#{tag}" for tag in about.tags), *([about.note] if about.note else [])]
    if words:
        said.append((" · ".join(words), look.text))
    if glance.trouble:
        said.append((printable(glance.trouble), look.bad))
    if info.reason:
        said.append((printable(info.reason), look.bad))
    if info.status in RESUMABLE and "resume" in info.can:
        from condense_core.runfile.info import has_checkpoint

        there = has_checkpoint(info, glance.folder)
        said.append(("p resumes it from its last checkpoint" if there else "p trains it again from step 0", look.muted))
    return [*first, *_paragraphs(said, width, height - len(first))][:height]


def members_of(info: RunInfo) -> int:
    """How many seeds a run trains as one, as its scenario says; 1 where that cannot be read, as it may come from
    anywhere."""
    from condense_core.errors import CondenseError
    from condense_core.scenario.gist import members_and_claim

    try:
        return members_and_claim(info.experiment, info.id)[0]
    except CondenseError:
        return 1


def _seeds(info: RunInfo) -> str:
    """The seed of a run, or how many it trains as one."""
    if info.trainer == "watch":
        return "a script of its own"
    if info.trainer == "import":
        return "imported"
    members = members_of(info)
    return f"seed {info.seed}" if members == 1 else f"{members} seeds, from {info.seed} on"


def elsewhere_details(run: Elsewhere, look: Look, width: int, height: int) -> list[Line]:
    """Details of a run on another machine."""
    info = run.info
    what = f"{info.id} · {_seeds(info)} · {info.device} on {info.host}"
    how = f"recorded on {run.machine}; enter copies it here, newest frames first, and follows it"
    return _paragraphs([(printable(what), look.strong), (printable(how), look.text)], width, height)


def machine_details(machine: Machine, look: Look, width: int, height: int) -> list[Line]:
    """Details of another machine: how it is reached, why it was not, and what to do about it."""
    target = f" · {machine.target}" if machine.target != machine.name else ""
    said = [(printable(f"{machine.name}{target}"), look.strong)]
    if machine.trouble:
        said.append((printable(machine.trouble), look.bad))
    else:
        said.append(("enter connects with your ssh configuration, and lists the runs there", look.text))
    asks = f"if ssh asks for a password, connect from a shell first: condense-tui attach --host {machine.name}"
    said.append((printable(asks), look.muted))
    return _paragraphs(said, width, height)


def preset_details(preset: Preset, look: Look, width: int, height: int) -> list[Line]:
    """Details of a preset: what it is, what it must show, how long it takes."""
    paper = {"fcn": "2022 paper", "cnn": "2025 paper"}.get(preset.paper, "")
    # a table and a theorem are called by what they are
    where = f"figure {preset.figure}" if preset.figure[:1].isdigit() else preset.figure
    source = ", ".join(part for part in (paper, where) if part) if paper else ""
    way = " · enter trains it" + (", space plays its recording" if preset.recording is not None else "")
    takes = f" · takes about {cost(preset)}"
    # the keys stand at the foot of the screen, too
    takes += way if cell_len(preset.name + takes + way) <= width else ""
    first: Line = [(preset.name, look.strong), (takes, look.muted)]
    missing = [(f"data missing: {printable(preset.missing_data)}; {FETCH}", look.warn)] if preset.missing_data else []
    said = [*missing, (preset.summary, look.text), (f"claim: {preset.claim}", look.text)]
    if preset.paper_shows:
        said.append((f"{source or 'the paper'}: {preset.paper_shows}", look.muted))
    return [first, *_paragraphs(said, width, height - 1)]


def cost(preset: Preset) -> str:
    """How long training takes, in short: 6 s, 2 min; on a GPU if there is no time for a CPU."""
    if preset.minutes_cpu is not None:
        return short_time(60 * preset.minutes_cpu)
    if preset.minutes_gpu is not None:
        return f"{short_time(60 * preset.minutes_gpu)} GPU"
    return numbers.UNKNOWN


def short_time(seconds: float) -> str:
    """A time in one unit: 6 s, 2 min, 3 h, 2 d."""
    for size, unit in ((172_800, "d"), (5_400, "h"), (90, "min")):
        if seconds >= size:
            return f"{round(seconds / {'d': 86_400, 'h': 3_600, 'min': 60}[unit])} {unit}"
    return f"{max(1, round(seconds))} s"


def _layer(layer: LayerGlance, name: str, unicode: bool, *, short: bool = False) -> str:
    sign = condensed_sign(layer.condensed, unicode)
    if math.isnan(layer.lines):
        return f"{sign} {name}"
    whole = float(layer.lines).is_integer()
    count = f"{layer.lines:.3g}" if short or not whole else numbers.plural(int(layer.lines), "line")
    if layer.low < layer.high:
        count += f" ({layer.low:g}–{layer.high:g})"
    return f"{sign} {name} {count}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(0, room - 1)] + "…"


def _paragraphs(said: Iterable[tuple[str, Style]], width: int, height: int) -> list[Line]:
    lines: list[Line] = []
    for text, style in said:
        if len(lines) < height:
            lines += wrapped(text, style, width, height - len(lines))
    return lines
