"""The run screen in terminals of every size and of few colours."""

from __future__ import annotations

import pytest
from piloting import run_screen, settled, shown, text, text_has, until
from recording import Recording

from condense_tui.draw.ability import Ability, Depth
from condense_tui.terminal.textual_internals import strips_of
from condense_tui.widgets.heatmap import Heatmap


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


@pytest.mark.parametrize(("depth", "words"), [(Depth.NONE, "no colours"), (Depth.ANSI, "16 colours")])
async def test_keys_for_colours_say_where_there_are_none_to_choose(
    recorded: Recording, depth: Depth, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("condense_tui.terminal.shell.ability", lambda *_: Ability(depth, True))
    async with shown(recorded.folder, (80, 24)) as pilot:
        for key in ("t", "T"):
            await pilot.press(key, key)
            await text_has(pilot, words)
            assert text(pilot).count(words) == 1, "one word, however often the key is pressed"
            pilot.app.clear_notifications()
            await until(lambda: words not in text(pilot), "the word to go")


@pytest.mark.parametrize("ability", [Ability(Depth.NONE, True), Ability(Depth.NONE, False), Ability(Depth.ANSI, True)])
async def test_poor_terminals(recorded: Recording, ability: Ability, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("condense_tui.terminal.shell.ability", lambda *_: ability)
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
            strips = strips_of(pilot.app.screen)
            coloured = [
                s for strip in strips for s in strip if s.style and s.style.color and not s.style.color.is_default
            ]
            assert coloured == [] or ability.depth is not Depth.NONE


async def test_palettes_and_themes(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        looks = set()
        for _ in range(3):
            strip = run_screen(pilot).query_one(Heatmap)._row(0)
            looks.add(str(strip.make()[0].style))
            await pilot.press("t")
            await pilot.pause()
        assert len(looks) == 3
        await pilot.press("T")
        await pilot.pause()
        assert str(run_screen(pilot).query_one(Heatmap)._row(0).make()[0].style) not in looks
