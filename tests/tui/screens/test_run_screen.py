"""Every action of the run screen, on a recorded run, at three terminal sizes."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from pathlib import Path

import msgspec
import pytest
from piloting import head, run_screen, settled, shown, snapshot, text, text_has, until
from recording import Recording
from support import some_of

from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs.create import create_watched
from condense_core.scenario.watched import Watched
from condense_tui.app.app import CondenseApp
from condense_tui.keys import actions_on, footer_hints
from condense_tui.screens.compare.screen import CompareScreen
from condense_tui.screens.home.screen import HomeScreen
from condense_tui.screens.list_lines import members_of
from condense_tui.screens.run.screen import RunScreen
from condense_tui.widgets.heatmap import Heatmap
from condense_tui.widgets.layers import Layers
from condense_tui.widgets.panel_grid import PlotGrid
from condense_tui.widgets.plot import PlotPanel

SIZES = some_of([(80, 24), (120, 40), (200, 60)], one_in=2)


@pytest.mark.parametrize("size", SIZES)
async def test_screen_shows_the_run(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        await settled(pilot)
        page = text(pilot)
        for words in ("digits-gd", "done", "step 4,000 of 4,000", "conv1", "conv2", "condensed", "100 %", "-1", "+1"):
            assert words in page
        assert len(page.splitlines()) == size[1]


@pytest.mark.parametrize("size", SIZES)
async def test_scrubbing(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        last = head(pilot).count - 1
        for key, index in (
            ("left", last - 1),
            ("shift+left", last - 11),
            ("right", last - 10),
            ("home", 0),
            ("right", 1),
        ):
            await pilot.press(key)
            await until(lambda index=index: head(pilot).index == index, f"frame {index} after {key}")
        assert not head(pilot).following
        await pilot.press("end")
        await until(lambda: head(pilot).following, "following again")


@pytest.mark.parametrize("size", SIZES)
async def test_playing_a_recording_from_its_start(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        await pilot.press("space")
        await until(lambda: head(pilot).playing and head(pilot).index >= 2, "frames to pass")
        await text_has(pilot, "replay")
        await pilot.press("space")
        await until(lambda: not head(pilot).playing, "the playhead to stand")


async def test_speed(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        before = head(pilot).speed
        await pilot.press("plus", "plus")
        await until(lambda: head(pilot).speed > 2 * before, "a higher speed")
        await pilot.press("minus", "minus", "minus")
        await until(lambda: head(pilot).speed < before, "a lower speed")


@pytest.mark.parametrize("size", SIZES)
async def test_layers(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        assert snapshot(pilot).layer == "conv1"
        await pilot.press("right_square_bracket")
        await until(lambda: snapshot(pilot).layer == "conv2", "the next layer")
        await text_has(pilot, "conv2 · 16 kernels")
        await pilot.press("left_square_bracket")
        await until(lambda: snapshot(pilot).layer == "conv1", "the layer before")
        await pilot.click(Layers, offset=(3, 6))
        await until(lambda: snapshot(pilot).layer == "conv2", "the clicked layer")


async def test_all_layers_side_by_side_where_there_is_room(recorded: Recording) -> None:
    async with shown(recorded.folder, (200, 60)) as pilot:
        await until(lambda: len(snapshot(pilot).images) == 2, "images of both layers")
        await text_has(pilot, "conv2 · 16 kernels")
        assert "conv1 · 32 kernels" in text(pilot)
        await pilot.resize_terminal(120, 40)
        await until(lambda: len(snapshot(pilot).images) == 1, "one image in a smaller terminal")


async def test_order_of_kernels(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        by_line = snapshot(pilot).images[0].order.tolist()
        await pilot.press("o")
        await text_has(pilot, "by index")
        assert snapshot(pilot).images[0].order.tolist() == sorted(by_line)
        await pilot.press("o")
        await text_has(pilot, "by line")


async def test_log_axes(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await settled(pilot)
        assert re.search(r"│0\.01 ┈", text(pilot))
        await pilot.press("l")
        await settled(pilot)
        assert not re.search(r"│0\.01 ┈", text(pilot))
        assert re.search(r"\b10 +1k\b", text(pilot))
        await pilot.press("L")
        await settled(pilot)
        assert not re.search(r"\b10 +1k\b", text(pilot))


@pytest.mark.parametrize("size", SIZES)
async def test_zoom(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        screen = run_screen(pilot)
        await pilot.press("z")
        await pilot.pause()
        assert screen.query_one(Heatmap).size.width >= size[0] - 4
        await pilot.press("z")
        await pilot.pause()
        assert screen.query_one(Heatmap).size.width < size[0] - 20


async def test_escape_leads_from_the_log_back_to_all_panels(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        assert "all panels" not in text(pilot)
        await pilot.press("4")
        await text_has(pilot, "training on cpu")
        assert "esc all panels" in text(pilot)
        await pilot.press("escape")
        await text_has(pilot, "kernels by line")
        assert "all panels" not in text(pilot)


async def test_zoom_of_the_focused_plot(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await pilot.press("2", "z")
        await settled(pilot)
        assert run_screen(pilot).query_one("#loss").size.width == 118


@pytest.mark.parametrize(
    ("key", "words"),
    [("1", "kernels by line"), ("2", "accuracy 70 %"), ("3", "eigenvalues of"), ("4", "training on cpu")],
)
async def test_tabs_in_a_small_terminal(recorded: Recording, key: str, words: str) -> None:
    async with shown(recorded.folder, (80, 24)) as pilot:
        await pilot.press(key)
        await settled(pilot)
        await text_has(pilot, words)


async def test_cursor_reads_kernels_and_cosine(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        heatmap = run_screen(pilot).query_one(Heatmap)
        await pilot.press("1", "up", "left")
        await pilot.pause()
        reading = heatmap.reading
        assert reading is not None
        image = snapshot(pilot).images[0]
        assert reading.rows == (image.order[16],)
        assert reading.columns == (image.order[15],)
        assert reading.cosine == pytest.approx(float(image.cosine[reading.rows[0], reading.columns[0]]))
        await text_has(pilot, f"kernel {reading.rows[0]} · {reading.columns[0]}")
        await pilot.press("escape", "left")
        await until(lambda: not head(pilot).following, "arrows to move the playhead again")
        assert heatmap.reading is None


@pytest.mark.parametrize("less", ["a layer of fewer kernels", "less room"])
async def test_the_cursor_stays_on_the_heatmap_where_that_has_fewer_cells(recorded: Recording, less: str) -> None:
    async with shown(recorded.folder) as pilot:
        await settled(pilot)
        heatmap = run_screen(pilot).query_one(Heatmap)
        await pilot.press("1", *["right"] * 20, *["down"] * 20)
        await until(lambda: heatmap.reading is not None, "a reading")
        image = heatmap.image
        assert image is not None
        assert heatmap.reading is not None
        assert heatmap.reading.rows == (image.order[31],)
        if less == "less room":
            await pilot.resize_terminal(120, 17)
            await until(lambda: heatmap.layout_ is not None and heatmap.layout_.pooled, "kernels to share cells")
        else:
            await pilot.press("]")
            await until(lambda: heatmap.image is not image, "the other layer")
        await settled(pilot)
        layout, image, reading = heatmap.layout_, heatmap.image, heatmap.reading
        assert layout is not None
        assert image is not None
        assert reading is not None
        assert reading.rows == reading.columns == tuple(image.order[layout.edges[-2] :])
        await text_has(pilot, "kernel")


async def test_help_lists_every_action(recorded: Recording) -> None:
    async with shown(recorded.folder, (120, 60)) as pilot:
        await pilot.press("question_mark")
        for action in actions_on("run"):
            await text_has(pilot, action.help)
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is run_screen(pilot), "help to close")


async def test_command_palette_reaches_every_action(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        found = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert found == {action.help for action in actions_on("run")}
        await pilot.press("ctrl+p")
        await pilot.press(*"first frame")
        await text_has(pilot, "Go to the first frame")
        await pilot.press("enter")
        await until(lambda: head(pilot).index == 0 and not head(pilot).following, "the first frame")


@pytest.mark.parametrize("screen", [RunScreen, HomeScreen, CompareScreen])
def test_every_action_of_the_table_is_there_and_bound_once(screen: type) -> None:
    for place in screen.PLACES:
        there = actions_on(place)
        keys = [key for action in there for key in action.keys]
        assert len(set(keys)) == len(keys)
        for action in there:
            owner = CondenseApp if action.call.startswith("app.") else screen
            assert hasattr(owner, f"action_{action.call.removeprefix('app.').partition('(')[0]}")
        assert all(keys.isascii() for keys, _, _ in footer_hints(False, place))


def test_footer_joins_keys_with_the_same_words() -> None:
    assert ("←→", "frame", ("frame(-1)", "frame(1)")) in footer_hints(True)


async def test_file_that_is_no_run_is_said_on_the_screen(tmp_path: Path) -> None:
    (tmp_path / "run.sqlite").write_text("not a database")
    app = CondenseApp(tmp_path)
    # wide enough for the whole sentence on one line, however deep the folder of the test lies
    async with app.run_test(size=(240, 60)) as pilot:
        await text_has(pilot, "press q to leave")
        await pilot.press("q")
    assert app.return_value is None


async def test_text_from_a_run_file_steers_nothing(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write(20)
    nasty = "\x1b[2J[bold red]boom[/] \x07\u202e\x9b31m [@click=app.quit()]x[/]"
    recording.writer.update(name=nasty, status="diverged", reason=nasty, host=nasty)
    async with shown(recording.folder, (200, 60)) as pilot:
        await text_has(pilot, "[bold red]boom[/]")
        page = text(pilot)
        assert not set(page) & {"\x1b", "\x07", "\u202e", "\x9b"}


async def test_a_row_that_cannot_be_read_is_said_and_opens_no_form(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        with contextlib.closing(sqlite3.connect(recorded.folder / "run.sqlite")) as file, file:
            file.execute("UPDATE run SET experiment = CAST(x'ff' || experiment AS TEXT)")
        await pilot.press("n")
        await text_has(pilot, "damaged")
        assert isinstance(pilot.app.screen, RunScreen)


async def test_a_damaged_frame_is_named_and_all_others_are_shown(recorded: Recording) -> None:
    with contextlib.closing(sqlite3.connect(recorded.folder / "run.sqlite")) as file, file:
        where = "kind = 'similarity' AND layer = 'conv1'"
        file.execute(
            f"UPDATE frame SET blob = zeroblob(50) WHERE step = 4000 AND place IN (SELECT id FROM place WHERE {where})"
        )
    async with shown(recorded.folder) as pilot:
        await text_has(pilot, "left out, since it is damaged: similarity of conv1 at step 4000")
        await text_has(pilot, "no similarity can be read here")
        await pilot.press("right_square_bracket")
        await until(lambda: [image.layer for image in snapshot(pilot).images] == ["conv2"], "the other layer")
        await pilot.press("left_square_bracket", "left")
        await until(lambda: [image.layer for image in snapshot(pilot).images] == ["conv1"], "the frame before")
        assert run_screen(pilot).trouble == ""


@pytest.mark.parametrize("scenario", ["name = ", 'ensemble = "ten"', '[ensemble]\nmembers = "ten"'])
def test_a_scenario_from_anywhere_counts_one_seed(recorded: Recording, scenario: str) -> None:
    with RunReader(recorded.folder) as run:
        assert members_of(msgspec.structs.replace(run.info(), experiment=scenario)) == 1


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@pytest.mark.parametrize("loss", ["loss", "train/loss"])
async def test_a_run_of_curves_alone_shows_each_of_them(tmp_path: Path, size: tuple[int, int], loss: str) -> None:
    names = (loss, "eval/accuracy", "grad_norm", "lr")
    folder = create_watched(Watched(name="curves"), runs=tmp_path, steps=10)
    with contextlib.closing(RunWriter(folder)) as writer:
        for step in range(5):
            writer.append(StepRecord(step, [*((name, 1.0 / (1 + step)) for name in names), ("cpu_use", 0.5)], [], []))
        writer.update(status="done", step=5)
    async with shown(folder, size) as pilot:
        grid = run_screen(pilot).query_one("#curves", PlotGrid)

        def drawn() -> list[PlotPanel]:
            return [panel for panel in grid.panels if panel.display]

        # they are asked for when the first snapshot has said which there are
        await until(lambda: len(drawn()) == len(names), "a plot of each curve")
        await settled(pilot)
        assert all(panel.size.height > 2 for panel in drawn())
        assert "similarity" not in text(pilot) and "eigenvalues" not in text(pilot)
        assert "of the kernels yet" not in text(pilot)
        for label in ("eval/accuracy", "grad norm", "lr"):
            assert label in text(pilot)
        await pilot.press("z")
        assert "similarity" not in text(pilot)
        await pilot.press("escape", "7")
        await until(lambda: not grid.display, "what is known of the machine in its place")


async def test_a_run_that_has_no_layer_yet_keeps_their_places(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "runs")
    with recording.worker():
        async with shown(recording.folder, (120, 40)) as pilot:
            assert not run_screen(pilot).query_one("#curves", PlotGrid).display
    recording.close()
