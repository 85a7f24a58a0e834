"""A watched network of 54 layers and 200 logged numbers on the run screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from piloting import head, run_screen, settled, shown, snapshot, text, text_has, until
from rich.style import Style
from watched_recording import GPT, WatchedRecording

from condense_core.runfile.writer import StepRecord
from condense_tui.app.app import CondenseApp
from condense_tui.widgets.layers import Layers
from condense_tui.widgets.plot import PlotPanel

SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[WatchedRecording]:
    recording = WatchedRecording(tmp_path)
    recording.write(15)
    with recording.worker():
        yield recording
    recording.close()


def in_list(pilot) -> list[str]:
    """The lines of the list of layers."""
    widget = run_screen(pilot).query_one(Layers)
    return ["".join(piece for piece, _ in row.line).rstrip() for row in widget._shown]


def visible_layers(pilot) -> list[str]:
    return list(dict.fromkeys(row.layer for row in run_screen(pilot).query_one(Layers)._shown if row.layer))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_all_blocks_and_the_chosen_layer_are_visible_at_once(watched: WatchedRecording, size: tuple[int, int]):
    async with shown(watched.folder, size) as pilot:

        def blocks() -> list[str]:
            return [line.split()[1] for line in in_list(pilot) if line.startswith("▸ h.")]

        # the list has its height one refresh after the screen has its panels
        await until(lambda: blocks() == [f"h.{number}" for number in range(9)], "all blocks")
        assert visible_layers(pilot) == [GPT[0]]
        # each says how many have condensed, and on how many lines they lie
        said = " ".join(in_list(pilot))
        assert said.count("6/6") + said.count("6 of 6") + said.count("0/6") + said.count("0 of 6") >= 2
        assert "54 layers" in text(pilot)


@pytest.mark.parametrize("size", [(60, 20), (120, 40)], ids=["60x20", "120x40"])
async def test_brackets_go_through_folded_and_unfolded_blocks_alike(watched: WatchedRecording, size: tuple[int, int]):
    async with shown(watched.folder, size) as pilot:
        await pilot.press("F")
        order = [*GPT[1:], GPT[0]]
        for number, name in enumerate(order):
            if number == 9:
                await pilot.press("F")
            await pilot.press("]")
            await until(lambda name=name: snapshot(pilot).layer == name, name)
            await pilot.pause()
            assert name in visible_layers(pilot)
        await pilot.press("[")
        await until(lambda: snapshot(pilot).layer == GPT[-1], "the last one")


async def test_a_block_is_folded_by_its_key_and_by_a_click(watched: WatchedRecording):
    async with shown(watched.folder, (80, 24)) as pilot:
        await pilot.press("f")
        assert visible_layers(pilot) == list(GPT[:6])
        assert in_list(pilot)[0].startswith("▾ h.0")
        await pilot.press("f")
        assert visible_layers(pilot) == [GPT[0]]
        layers = run_screen(pilot).query_one(Layers)
        row = next(at for at, line in enumerate(in_list(pilot)) if line.startswith("▸ h.3"))
        await pilot.click(Layers, offset=(3, row))
        assert visible_layers(pilot) == [GPT[0], *GPT[18:24]]
        await pilot.click(Layers, offset=(3, row + 2))
        await until(lambda: snapshot(pilot).layer == GPT[19], "the layer that was clicked")
        assert layers.has_focus


async def test_words_narrow_the_list_down_and_brackets_stay_among_what_was_found(watched: WatchedRecording):
    async with shown(watched.folder, (80, 24)) as pilot:
        await pilot.press("slash", *"4 c_attn")
        await until(lambda: visible_layers(pilot) == list(GPT[24:27]), "the three")
        await until(lambda: snapshot(pilot).layer == GPT[24], "the first of them to be chosen")
        assert "3 of 54 layers" in text(pilot)
        await pilot.press("down")
        await until(lambda: snapshot(pilot).layer == GPT[25], "the next, while words are typed")
        await pilot.press("enter")
        for name in (GPT[26], GPT[24]):
            await pilot.press("]")
            await until(lambda name=name: snapshot(pilot).layer == name, name)
        await pilot.press("escape")
        await until(lambda: len(in_list(pilot)) > 9, "all blocks again")
        assert visible_layers(pilot) == [GPT[24]]
        # what all names begin with is no word of any of them
        await pilot.press("slash", *"former")
        await text_has(pilot, "0 of 54 layers")


async def test_a_slash_chooses_curves_where_the_list_is_not_in_front(watched: WatchedRecording):
    async with shown(watched.folder, (200, 60)) as pilot:
        assert "/ curves" in text(pilot)
        assert "/ finds" not in text(pilot)
        await pilot.press("slash")
        await text_has(pilot, "enter marks")
        await pilot.press("escape")
        await pilot.click(Layers, offset=(3, 30))
        await text_has(pilot, "/ layers")
        await pilot.press("slash", *"mlp")
        await text_has(pilot, "18 of 54 layers")


async def test_where_all_layers_are_drawn_at_once_those_of_one_block_are(watched: WatchedRecording):
    async with shown(watched.folder, (200, 60)) as pilot:
        await until(lambda: len(snapshot(pilot).images) == 6, "the heatmaps")
        for _ in range(7):
            await pilot.press("]")
        await until(lambda: snapshot(pilot).layer == GPT[7], "a layer of the next block")
        assert [image.layer for image in snapshot(pilot).images] == list(GPT[6:12])


async def test_no_total_is_invented_and_the_timeline_is_logarithmic(watched: WatchedRecording):
    watched.write()
    async with shown(watched.folder, (80, 24)) as pilot:
        await settled(pilot)
        assert "step 4,665 " in text(pilot) + " "
        assert " of 4,665" not in text(pilot)
        assert "left" not in text(pilot).splitlines()[0]


async def test_the_timeline_is_logarithmic_however_the_steps_are_spaced(tmp_path: Path):
    recording = WatchedRecording(tmp_path, names=GPT[:6], scalars=2)
    recording.steps = np.arange(0, 4001, 100)
    recording.write()
    with recording.worker():
        async with shown(recording.folder, (80, 24)) as pilot:
            await pilot.click("#timeline", offset=(40, 0))
            await until(lambda: not head(pilot).following, "to look back")
            # the middle of a logarithmic line from 0 to 4,000 is far from the middle of its steps
            assert head(pilot).step <= 200
    recording.close()


async def test_looking_back_in_a_run_that_trains_is_no_replay(watched: WatchedRecording):
    async with shown(watched.folder, (120, 40)) as pilot:
        await pilot.press("home")
        await text_has(pilot, "looking back")
        await pilot.press("minus", "minus", "minus", "space")
        await until(lambda: head(pilot).playing, "frames to be played")
        await text_has(pilot, "frames/s")
        first = text(pilot).splitlines()[0]
        assert "looking back" in first
        assert "replay" not in text(pilot)


async def test_the_log_line_tells_what_kernels_did_and_never_that_something_was_saved(watched: WatchedRecording):
    async with shown(watched.folder, (120, 40)) as pilot:
        await text_has(pilot, "nothing to tell of the kernels yet")
        watched.write(4)
        await until(lambda: snapshot(pilot).told is not None, "something to tell")
        await settled(pilot)
        line = text(pilot).splitlines()[-2]
        assert "condensed" in line or "before" in line
        assert "checkpoint" not in line
        await pilot.press("home")
        await text_has(pilot, "nothing to tell of the kernels yet")


async def test_what_its_user_gave_is_shown_and_found(tmp_path: Path):
    config = {"lr": 3e-4, "steer\x1b[31m": "red\x1b[0m", "note": "長" * 90, "none": None}
    recording = WatchedRecording(tmp_path, config=config)
    recording.write(3)
    recording.close()
    async with shown(recording.folder, (60, 20)) as pilot:
        await pilot.press("i")
        await text_has(pilot, "config.lr")
        page = text(pilot)
        for words in ("settings of train", "AdamW(lr=0.0003)", "nanoGPT/train.py", "0.0003", "none"):
            assert words in page
        assert page.count("長") == 90
        assert "\x1b" not in page
        await pilot.press(*"mlp")
        await text_has(pilot, "18 of 61")
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is run_screen(pilot), "the dialog to close")
        await pilot.press("4")
        await text_has(pilot, "no output: the script has printed none")
        await pilot.press("6")
        await pilot.resize_terminal(80, 24)
        await text_has(pilot, "norms · 0.attn.c_attn.q")


async def test_compare_shows_what_differs_and_after_a_key_the_rest(tmp_path: Path):
    folders = []
    for number, lr in enumerate((1e-3, 3e-4)):
        recording = WatchedRecording(tmp_path, config={"lr": lr, "batch": 64}, name=f"train{number}", scalars=2)
        recording.write(3)
        recording.close()
        folders.append(recording.folder)
    app = CondenseApp(folders[0])
    async with shown(folders[0], (80, 24), app) as pilot:
        app.compare(folders)
        await until(lambda: getattr(pilot.app.screen, "comparison", None) is not None, "both runs")
        # which layer it is, its end says
        await text_has(pilot, "attn.c_attn.q ─╮╭─ B train1 · ")
        await pilot.press("i")
        await text_has(pilot, "settings that differ")
        page = text(pilot)
        assert "config.lr" in page
        assert "0.001" in page
        assert "config.batch" not in page
        await pilot.press("a")
        await text_has(pilot, "config.batch")
        await pilot.press("a")
        await until(lambda: "config.batch" not in text(pilot), "those alone that differ")


async def test_two_hundred_logged_numbers_are_found_and_drawn(watched: WatchedRecording):
    async with shown(watched.folder, (80, 24)) as pilot:
        await pilot.press("2", "slash")
        await text_has(pilot, "curves · 958")
        # what was logged comes first, in the order of its numbers
        found = [line for line in text(pilot).splitlines() if "grad/norm_of_block_" in line]
        assert [int(line.split("block_")[1].split()[0].strip("│")) for line in found[:12]] == list(range(12))
        await pilot.press(*"loss")
        await until(lambda: " of 958" in text(pilot).split("curves ·")[1][:14], "the list to be narrowed down")
        assert text(pilot).splitlines()[4].strip("│▌ ").split()[0] == "loss"
        await pilot.press(*"_of_batch_1", "enter", "down", "enter", "escape")
        await settled(pilot)
        page = text(pilot)
        title = page.splitlines()[2]
        assert "a tr" in title
        assert "tch 1 " in title
        assert "· b tr" in title
        assert "ch 10 " in title


async def test_names_of_layers_are_without_what_all_begin_with_in_the_list_of_curves(watched: WatchedRecording):
    async with shown(watched.folder, (60, 20)) as pilot:
        await pilot.press("2", "slash", *"h.4.mlp.c_fc lines")
        await text_has(pilot, "4.mlp.c_fc.lines")
        listed = [line for line in text(pilot).splitlines() if "c_fc.lines" in line]
        assert not any("transformer" in line for line in listed)


async def test_curves_of_a_layer_are_drawn_anew_where_another_one_is_chosen(watched: WatchedRecording):
    watched.write()
    async with shown(watched.folder, (120, 40)) as pilot:
        await settled(pilot)
        panels = [run_screen(pilot).query_one(f"#{name}", PlotPanel) for name in ("prediction", "eigenvalues")]
        built = [panel._plot for panel in panels]
        await pilot.press("]", "]")
        await until(lambda: snapshot(pilot).layer == GPT[2], "the third layer")
        await settled(pilot)
        assert all(panel._plot is not before for panel, before in zip(panels, built, strict=True))
        # nothing else tells the two apart: as many points, up to the same step
        drawn = panels[0]._plot
        assert drawn is not None
        assert drawn.curves[0].y[-1] == snapshot(pilot).ratio[1][-1]


async def test_blocks_and_layers_of_an_earlier_step_stand_back(watched: WatchedRecording):
    async with shown(watched.folder, (80, 24)) as pilot:
        await pilot.press("f")
        layers = run_screen(pilot).query_one(Layers)
        muted = layers.look.muted

        def styles(at: int) -> set[Style]:
            return {style for piece, style in layers._shown[at].line if piece.strip()}

        assert styles(0) != {muted} != styles(5)
        # a step at which the loss alone was measured
        watched.writer.append(StepRecord(5000, [("loss", 1.0)], [], []))
        watched.writer.update(step=5000)
        await until(lambda: head(pilot).step == 5000, "the newer step")
        await until(lambda: styles(0) == {muted} == styles(5) == styles(12), "all of it to stand back")
        step = f"step {int(watched.steps[14]):,}"
        assert f"of {step}" in in_list(pilot)[1]
        # the list of a wide terminal is narrow, and a name is cut for it
        await pilot.resize_terminal(120, 40)
        await until(lambda: step in "".join(in_list(pilot)), f"the step: {in_list(pilot)}")
