"""What the screens look like, cell by cell, against files that were looked at and kept.

A file holds each line of the screen, and under it one letter a cell for its style; the styles are listed at the end, so
that a change can be read. After a change that is meant:

    UPDATE_SNAPSHOTS=1 python -m pytest tests/tui/screens/test_kept_screens.py     # then look at what git shows

Other versions of the drawing libraries draw other cells: there the tests are skipped, and said to be.
"""

from __future__ import annotations

import os
import string
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from piloting import PATIENCE_S, at_home, text_has, until
from recording import Recording
from rich.style import Style
from textual.pilot import Pilot
from watched_recording import WatchedRecording

from condense_core.runfile.frames import Array, Singular
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_presets.catalogue import Preset
from condense_tui.app.app import CondenseApp
from condense_tui.draw.ability import Ability, Depth
from condense_tui.readers.glances import PresetsReady
from condense_tui.terminal.textual_internals import strips_of
from condense_tui.widgets.plot import PlotPanel

KEPT = Path(__file__).with_name("kept")
# The versions that the files were made with; the extra `snapshots` in pyproject.toml pins the same.
PINNED = {"textual": "8.2.8", "rich": "15.0.0", "plotext": "5.3.2"}
SIZES = [(80, 24), (120, 40), (200, 60)]
PALETTES = {"ember": 0, "reef": 2}
LETTERS = string.ascii_letters + string.digits + "!#$%&*+-/<=>?@^_~"

pytestmark = pytest.mark.skipif(
    any(version(name) != wanted for name, wanted in PINNED.items()), reason=f"snapshots were made with {PINNED}"
)

PRESETS = tuple(
    Preset(
        name=name,
        group=group,
        paper=paper,
        figure=figure,
        summary=f"What {name} is, in a line that is long enough to be cut where there is no room for all of it",
        claim="one line with both directions",
        paper_shows="kernels turn to one direction",
        minutes_cpu=minutes,
        minutes_quick=None,
        minutes_gpu=3.0,
        recording=Path("digits-gd.sqlite") if group == "starters" else None,
    )
    for name, group, paper, figure, minutes in (
        ("digits-gd", "starters", "cnn", "", 0.1),
        ("digits-ce", "starters", "none", "", 2.0),
        ("cnn-fig03", "cnn", "cnn", "3", 200.0),
        ("fcn-fig02-tanh", "fcn", "fcn", "2a", None),
    )
)


def dump(pilot: Pilot[None]) -> str:
    """The screen as text and styles."""
    styles: dict[str, str] = {}
    lines = []
    for strip in strips_of(pilot.app.screen):
        cells = [(character, segment.style) for segment in strip for character in segment.text]
        lines.append("".join(character for character, _ in cells).rstrip())
        letters = [styles.setdefault(_named(style), LETTERS[len(styles) % len(LETTERS)]) for _, style in cells]
        lines.append("".join(letters))
    return "\n".join([*lines, "", *(f"{letter} {style}" for style, letter in styles.items()), ""])


def _named(style: Style | None) -> str:
    return "" if style is None else str(style.clear_meta_and_links())


def check(name: str, found: str) -> None:
    file = KEPT / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        KEPT.mkdir(exist_ok=True)
        file.write_text(found, encoding="utf-8")
    assert file.exists(), f"no {file}; make it with UPDATE_SNAPSHOTS=1, and look at it"
    assert found == file.read_text(encoding="utf-8")


async def still(pilot: Pilot[None]) -> None:
    """Nothing is being drawn, read or blinking."""
    screen = pilot.app.screen
    reader = getattr(screen, "_reader", None)
    await until(lambda: all(panel.settled for panel in screen.query(PlotPanel)), "plots")
    await until(lambda: reader is None or reader.idle, "the reader")
    deadline = time.monotonic() + PATIENCE_S
    before = ""
    while (now := dump(pilot)) != before:
        assert time.monotonic() < deadline, "the screen never stands still"
        before = now
        await pilot.pause(0.15)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs whose every number, name and time is the same on each machine."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr("condense_core.runfile.info.socket.gethostname", lambda: "here")
    monkeypatch.setattr("condense_core.runs.create.socket.gethostname", lambda: "here")
    monkeypatch.setattr("condense_tui.screens.home.screen.HomeHeader.show", lambda *_: None)
    # figures of real presets change when they are measured again
    monkeypatch.setattr("condense_tui.screens.home.screen.read_presets", lambda post: post(PresetsReady(PRESETS)))
    for number, (kernels, lines) in enumerate([((32, 16), (2, 1)), ((24, 12), (1, 1))]):
        recording = Recording(tmp_path / "runs", kernels=kernels, lines=lines)
        recording.write()
        recording.finish()
        created = time.time() - 3600 * (2 - number) - 60
        folder = f"250101-00000{number}-digits-gd-000{number}"
        recording.writer.update(created=created, id=folder, name=f"digits-{number}")
        recording.writer._connection.execute("UPDATE event SET time = 1735689600")
        recording.close()
        recording.folder.rename(recording.folder.with_name(folder))
    return tmp_path / "runs"


async def of_home(app: CondenseApp, pilot: Pilot[None]) -> None:
    await text_has(pilot, "digits-0" if app.size.width > 80 else "digits-1")
    await until(lambda: pilot.app.screen.lists.catalogue is not None, "the presets")


async def of_run(app: CondenseApp, pilot: Pilot[None]) -> None:
    app.open_run(min(app.runs.iterdir()))
    await text_has(pilot, "kernels by line")
    await pilot.press(*["shift+left"] * 2)
    await until(lambda: not pilot.app.screen.snapshot.head.following, "twenty frames back")


async def of_compare(app: CondenseApp, pilot: Pilot[None]) -> None:
    app.compare(sorted(app.runs.iterdir()))
    await text_has(pilot, "B digits-1 · conv1")


SCREENS: dict[str, Callable[[CondenseApp, Pilot[None]], Awaitable[None]]] = {
    "home": of_home,
    "run": of_run,
    "compare": of_compare,
}


# home shows no heatmap, and so has one palette
SHOWN = [(screen, palette) for screen in SCREENS for palette in PALETTES if screen != "home" or palette == "ember"]


async def of_seeds(app: CondenseApp, pilot: Pilot[None]) -> None:
    recording = Recording(app.runs / "..", members=4, kernels=(24, 12))
    recording.fall = 0.6
    recording.write()
    recording.finish()
    recording.writer.update(name="four seeds")
    recording.writer._connection.execute("UPDATE event SET time = 1735689600")
    recording.close()
    app.open_run(recording.folder)
    await text_has(pilot, "mean of 4 seeds")
    await text_has(pilot, "of the first loss")


async def of_one_that_diverged(app: CondenseApp, pilot: Pilot[None]) -> None:
    folder = min(app.runs.iterdir())
    writer = RunWriter(folder)
    writer.update(status="diverged", step=4000, reason="the loss is inf at step 4000; a smaller optimizer.lr may help")
    writer.close()
    app.open_run(folder)
    await text_has(pilot, "diverged at step 4,000")
    await text_has(pilot, "kernels by line")


async def of_weights(app: CondenseApp, pilot: Pilot[None]) -> None:
    folder = min(app.runs.iterdir())
    with RunReader(folder) as run:
        last = int(run.instants[-1])
    writer = RunWriter(folder)
    values = Array.of(np.geomspace(3.0, 1e-6, 12), "f4")
    writer.append(StepRecord(last, [], [("conv1", Singular(values=values))], []))
    writer.close()
    app.open_run(folder)
    await text_has(pilot, "kernels by line")
    await pilot.press("6")
    await text_has(pilot, f"weights of step {last:,}")


async def open_watched(app: CondenseApp, pilot: Pilot[None]) -> WatchedRecording:
    """A watched network of 54 layers and 200 logged numbers, whose script has printed something."""
    recording = WatchedRecording(app.runs / "..")
    recording.write(18)
    recording.finish("stopped", "stopped by Ctrl-C")
    recording.writer._connection.execute("UPDATE event SET time = 1735689600")
    recording.close()
    lines = [f"iter {step}: loss {4 - step / 500:.4f}, time 20 ms\n" for step in range(400)]
    lines[380] = "step 380: train loss 3.2400, val loss 3.3100 \x1b[32m日本語の出力\x1b[0m\n"
    (recording.folder / "worker.log").write_text("".join(lines))
    app.open_run(recording.folder)
    await text_has(pilot, "54 layers")
    return recording


async def of_watched(app: CondenseApp, pilot: Pilot[None]) -> None:
    recording = await open_watched(app, pilot)
    for name in recording.names[1:9]:
        await pilot.press("right_square_bracket")
        await until(lambda name=name: pilot.app.screen.snapshot.layer == name, name)
    await pilot.press("f")


async def of_watched_found(app: CondenseApp, pilot: Pilot[None]) -> None:
    await open_watched(app, pilot)
    await pilot.press("slash", *"mlp.c_fc")
    await text_has(pilot, "9 of 54 layers")
    await pilot.press("enter")
    await until(lambda: pilot.app.screen.snapshot.layer == "transformer.h.0.mlp.c_fc", "the first of them")


async def of_watched_log(app: CondenseApp, pilot: Pilot[None]) -> None:
    await open_watched(app, pilot)
    await pilot.press("4")
    await text_has(pilot, "iter 399")
    await pilot.press("slash", *"val loss")
    await text_has(pilot, "1 of 1")
    await pilot.press("enter")


async def of_watched_settings(app: CondenseApp, pilot: Pilot[None]) -> None:
    await open_watched(app, pilot)
    await pilot.press("i")
    await text_has(pilot, "config.batch_size")
    pilot.app.screen._words.cursor_blink = False


# What else is telling, and terminals with fewer colours or less room: a screen, its size, and the colours there are.
OTHERS: dict[str, tuple[Callable[[CondenseApp, Pilot[None]], Awaitable[None]], tuple[int, int], Depth]] = {
    "run-60x20-256": (of_run, (60, 20), Depth.INDEXED),
    "run-80x24-16": (of_run, (80, 24), Depth.ANSI),
    "run-80x24-none": (of_run, (80, 24), Depth.NONE),
    "diverged-80x24-16": (of_one_that_diverged, (80, 24), Depth.ANSI),
    "seeds-120x40-true": (of_seeds, (120, 40), Depth.TRUE),
    "weights-80x24-true": (of_weights, (80, 24), Depth.TRUE),
    "watched-60x20-none": (of_watched, (60, 20), Depth.NONE),
    "watched-80x24-true": (of_watched, (80, 24), Depth.TRUE),
    "watched-120x40-true": (of_watched, (120, 40), Depth.TRUE),
    "watched-200x60-true": (of_watched, (200, 60), Depth.TRUE),
    "watched-found-80x24-16": (of_watched_found, (80, 24), Depth.ANSI),
    "watched-log-80x24-true": (of_watched_log, (80, 24), Depth.TRUE),
    "watched-settings-80x24-true": (of_watched_settings, (80, 24), Depth.TRUE),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_other_screens_and_terminals_look_as_they_did(
    runs: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    show, size, depth = OTHERS[name]
    monkeypatch.setattr("condense_tui.terminal.shell.ability", lambda *_: Ability(depth, True))
    app = CondenseApp(runs=runs)
    async with app.run_test(size=size) as pilot:
        await at_home(app)
        await show(app, pilot)
        await still(pilot)
        check(name, dump(pilot))


@pytest.mark.parametrize(("screen", "palette"), SHOWN)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_screens_look_as_they_did(runs: Path, screen: str, size: tuple[int, int], palette: str) -> None:
    app = CondenseApp(runs=runs)
    async with app.run_test(size=size) as pilot:
        await at_home(app)
        await SCREENS[screen](app, pilot)
        await pilot.press(*["t"] * PALETTES[palette])
        if palette != "ember":
            await pilot.press("T")
        await still(pilot)
        check(f"{screen}-{size[0]}x{size[1]}-{palette}", dump(pilot))
