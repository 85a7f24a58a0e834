"""A watched network of 54 layers and 200 logged numbers on the run screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from piloting import run_screen, settled, shown, snapshot, text, text_has, until
from watched_recording import GPT, WatchedRecording

from condense_tui.widgets.layers import Layers

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
        blocks = [line for line in in_list(pilot) if line.startswith("▸ h.")]
        assert [line.split()[1] for line in blocks] == [f"h.{number}" for number in range(9)]
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
    async with shown(watched.folder, (120, 40)) as pilot:
        await pilot.press("slash")
        await text_has(pilot, "enter marks")


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
