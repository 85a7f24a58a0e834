"""Every action of the run screen, on a recorded run, at three terminal sizes."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from piloting import head, run_screen, settled, shown, snapshot, text, text_has, until
from recording import Recording

from condense_tui.actions import actions_on, footer_hints
from condense_tui.app import CondenseApp, Leaving
from condense_tui.draw.terminal import Ability, Depth
from condense_tui.screens.compare import CompareScreen
from condense_tui.screens.home import HomeScreen
from condense_tui.screens.run import RunScreen
from condense_tui.widgets.heatmap import Heatmap
from condense_tui.widgets.layers import Layers
from condense_tui.widgets.timeline import Timeline

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.fixture
def recorded(tmp_path: Path) -> Recording:
    recording = Recording(tmp_path)
    recording.write()
    recording.finish()
    return recording


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Recording]:
    recording = Recording(tmp_path)
    recording.write(30)
    with recording.worker():
        yield recording


def commands(recording: Recording) -> list[str]:
    with contextlib.closing(sqlite3.connect(recording.folder / "run.sqlite")) as connection:
        return [verb for (verb,) in connection.execute("SELECT verb FROM command ORDER BY id")]


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


async def test_tabs_can_be_clicked(recorded: Recording) -> None:
    async with shown(recorded.folder, (80, 24)) as pilot:
        await pilot.click("#tabs", offset=(28, 0))
        await text_has(pilot, "eigenvalues of")


async def test_palettes_and_themes(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        looks = set()
        for _ in range(3):
            strip = run_screen(pilot).query_one(Heatmap)._row(0)
            looks.add(str(strip._segments[0].style))
            await pilot.press("t")
            await pilot.pause()
        assert len(looks) == 3
        await pilot.press("T")
        await pilot.pause()
        assert str(run_screen(pilot).query_one(Heatmap)._row(0)._segments[0].style) not in looks


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


async def test_mouse_reads_the_cell_under_it(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        heatmap = run_screen(pilot).query_one(Heatmap)
        await pilot.hover(heatmap, offset=(0, 0))
        await until(lambda: heatmap.reading is not None, "a reading")
        first = snapshot(pilot).images[0].order[0]
        assert heatmap.reading is not None
        assert heatmap.reading.rows == heatmap.reading.columns == (first,)
        assert heatmap.reading.cosine == pytest.approx(1.0)


async def test_click_on_the_timeline_goes_there(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await pilot.click(Timeline, offset=(4, 0))
        await until(lambda: head(pilot).index == 0, "the start")
        assert not head(pilot).following


async def test_help_lists_every_action(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
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
        await text_has(pilot, "To the first frame")
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
        assert all(keys.isascii() for keys, _ in footer_hints(False, place))


def test_footer_joins_keys_with_the_same_words() -> None:
    assert ("←→", "frame") in footer_hints(True)


async def test_live_run_is_followed_and_grows(live: Recording) -> None:
    async with shown(live.folder) as pilot:
        await text_has(pilot, "live")
        before = head(pilot).step
        live.write(5)
        await until(lambda: head(pilot).step > before, "a newer frame")
        await pilot.press("space")
        await text_has(pilot, "looking back")
        stood = head(pilot).step
        live.write(5)
        await until(lambda: head(pilot).count >= snapshot(pilot).instants.size, "the run to grow")
        assert head(pilot).step == stood


async def test_pause_and_resume_training(live: Recording) -> None:
    async with shown(live.folder) as pilot:
        await pilot.press("p")
        await until(lambda: commands(live) == ["pause"], "the command in the run file")
        live.writer.update(status="paused")
        await text_has(pilot, "training is paused")
        await pilot.press("p")
        await until(lambda: commands(live) == ["pause", "resume"], "the second command")


async def test_stop_training_asks_first(live: Recording) -> None:
    async with shown(live.folder) as pilot:
        await pilot.press("s")
        await text_has(pilot, "Stop training digits-gd?")
        await pilot.press("n")
        await until(lambda: pilot.app.screen is run_screen(pilot), "the question to close")
        assert commands(live) == []
        await pilot.press("s", "y")
        await until(lambda: commands(live) == ["stop"], "the command in the run file")


async def test_nothing_to_pause_or_stop_after_the_end(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await pilot.press("p")
        await text_has(pilot, "nothing to pause")
        await pilot.press("s")
        await text_has(pilot, "nothing to stop")
        assert commands(recorded) == []


async def test_leaving_a_live_run_says_that_it_goes_on(live: Recording) -> None:
    app = CondenseApp(live.folder)
    async with shown(live.folder, app=app) as pilot:
        await pilot.press("q")
    assert app.return_value == Leaving(live.folder.name, "running", True)
    assert app.return_value.message == f"training goes on: condense-tui attach {live.folder.name}"


async def test_leaving_a_finished_run_says_nothing(recorded: Recording) -> None:
    app = CondenseApp(recorded.folder)
    async with shown(recorded.folder, app=app) as pilot:
        await pilot.press("q")
    assert app.return_value is not None
    assert app.return_value.message == ""


async def test_waiting_for_the_first_frame(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    async with shown(recording.folder) as pilot:
        await text_has(pilot, "waiting for the first frame")
        for key in ("left", "right", "home", "end", "space", "o", "l", "z", "z", "t", "bracketright", "1", "up"):
            await pilot.press(key)
        with recording.worker():
            recording.write(3)
            await until(lambda: snapshot(pilot).head is not None, "the first frame")
            await text_has(pilot, "conv1 · 32 kernels")


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ("running", "", "worker lost at step 4,000"),
        ("diverged", "loss became nan", "diverged at step 4,000: loss became nan"),
        ("failed", "the disk is full", "failed at step 4,000: the disk is full"),
        ("stopped", "", "stopped"),
    ],
)
async def test_ends_that_need_a_word(tmp_path: Path, status: str, reason: str, words: str) -> None:
    recording = Recording(tmp_path)
    recording.write()
    recording.finish(status, reason)
    async with shown(recording.folder) as pilot:
        await text_has(pilot, words)
        await pilot.press("left")
        await until(lambda: not head(pilot).following, "scrubbing to work all the same")


async def test_file_that_is_no_run_is_said_on_the_screen(tmp_path: Path) -> None:
    (tmp_path / "run.sqlite").write_text("not a database")
    app = CondenseApp(tmp_path)
    # wide enough for the whole sentence on one line, however deep the folder of the test lies
    async with app.run_test(size=(240, 60)) as pilot:
        await text_has(pilot, "q leaves")
        await pilot.press("q")
    assert app.return_value is None


@pytest.mark.parametrize("size", [(39, 20), (60, 11), (20, 5), (1, 1)])
async def test_too_small_terminals_say_so_and_recover(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        if size[0] >= 20:
            await text_has(pilot, "too small")
        await pilot.resize_terminal(120, 40)
        await text_has(pilot, "kernels by line")


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (80, 24), (110, 30), (133, 31), (170, 30), (300, 90)])
async def test_odd_sizes_are_drawn_without_an_error(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        for key in ("1", "2", "3", "4", "1", "z", "left", "z"):
            await pilot.press(key)
        await settled(pilot)
        assert "digits-gd" in text(pilot)


async def test_text_from_a_run_file_steers_nothing(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write(20)
    nasty = "\x1b[2J[bold red]boom[/] \x07\u202e\x9b31m [@click=app.quit()]x[/]"
    recording.writer.update(name=nasty, status="diverged", reason=nasty, host=nasty)
    async with shown(recording.folder, (200, 60)) as pilot:
        await text_has(pilot, "[bold red]boom[/]")
        page = text(pilot)
        assert not set(page) & {"\x1b", "\x07", "\u202e", "\x9b"}


@pytest.mark.parametrize(("depth", "words"), [(Depth.NONE, "no colour here"), (Depth.ANSI, "16 colours here")])
async def test_keys_for_colours_say_where_there_are_none_to_choose(
    recorded: Recording, depth: Depth, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("condense_tui.app.ability", lambda *_: Ability(depth, True))
    async with shown(recorded.folder, (80, 24)) as pilot:
        for key in ("t", "T"):
            await pilot.press(key, key)
            await text_has(pilot, words)
            assert text(pilot).count(words) == 1, "one word, however often the key is pressed"
            pilot.app.clear_notifications()
            await until(lambda: words not in text(pilot), "the word to go")


@pytest.mark.parametrize("ability", [Ability(Depth.NONE, True), Ability(Depth.NONE, False), Ability(Depth.ANSI, True)])
async def test_poor_terminals(recorded: Recording, ability: Ability, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("condense_tui.app.ability", lambda *_: ability)
    async with shown(recorded.folder) as pilot:
        await settled(pilot)
        await pilot.press("1", "up", "question_mark")
        await text_has(pilot, "All keys")
        await pilot.press("escape", "T")
        page = text(pilot)
        if not ability.unicode:
            assert page.isascii()
        if ability.ascii_heatmap:
            assert "@@@@" in page
            strips = pilot.app.screen._compositor.render_strips()
            coloured = [
                s for strip in strips for s in strip if s.style and s.style.color and not s.style.color.is_default
            ]
            assert coloured == [] or ability.depth is not Depth.NONE
