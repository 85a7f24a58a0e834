"""Which key goes to a panel, which one has the focus, and where messages stand: all to be seen without colour."""

from __future__ import annotations

from typing import Any

import pytest
from piloting import run_screen, settled, shown, text, text_has, until
from recording import Recording

from condense_tui.app.app import CondenseApp
from condense_tui.draw.ability import Ability, Depth
from condense_tui.terminal.textual_internals import strips_of
from condense_tui.terminal.toast import say


async def test_a_title_says_the_key_that_goes_to_its_panel(recorded: Recording) -> None:
    async with shown(recorded.folder, (120, 40)) as pilot:
        await settled(pilot)
        page = text(pilot)
        for title in ("[1] conv1 · 32 kernels", "[2] loss ", "[3] eigenvalues"):
            assert f"╭─ {title}" in page
        for key, title in (("2", "[2] loss "), ("3", "[3] eigenvalues"), ("1", "[1] conv1")):
            await pilot.press(key)
            # another kind of line, which needs no colour
            await text_has(pilot, f"╔═ {title}")
            assert text(pilot).count("╔═") == 1
        await pilot.press("z")
        await until(lambda: "[2]" not in text(pilot), "one panel, to which no key has to go")


async def test_with_every_heatmap_in_view_the_chosen_layers_has_the_key(recorded: Recording) -> None:
    async with shown(recorded.folder, (200, 60)) as pilot:
        await text_has(pilot, "[1] conv1")
        await pilot.press("right_square_bracket")
        await text_has(pilot, "[1] conv2")
        assert "[1] conv1" not in text(pilot)


async def test_where_tabs_have_the_numbers_titles_have_none(recorded: Recording) -> None:
    async with shown(recorded.folder, (80, 24)) as pilot:
        await text_has(pilot, "1 kernels")
        assert "[1]" not in text(pilot)


async def test_the_focus_is_seen_in_ascii(recorded: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("condense_tui.terminal.shell.ability", lambda *_: Ability(Depth.NONE, False))
    async with shown(recorded.folder, (120, 40)) as pilot:
        await pilot.press("2")
        await until(lambda: "+= [2] loss" in as_written(pilot), "a frame of another sign")


def as_written(pilot) -> str:
    """The screen after its filters."""
    lines = []
    for strip in strips_of(pilot.app.screen):
        for line_filter in pilot.app.get_line_filters():
            strip = strip.apply_filter(line_filter, pilot.app.screen.background_colors[1])  # noqa: PLW2901
        lines.append(strip.text)
    return "\n".join(lines)


class Lasting(CondenseApp):
    """One whose messages stay, however slow the machine is."""

    def notify(self, message: str, **options: Any) -> None:
        super().notify(message, **{**options, "timeout": 60})


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_message_takes_one_line_below_the_panels(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size, Lasting(recorded.folder)) as pilot:
        await settled(pilot)
        before = text(pilot).splitlines()
        for number in range(3):
            say(run_screen(pilot), f"something that happened, number {number}")
            await text_has(pilot, f"number {number}")
        await text_has(pilot, "number 2")

        def changed() -> list[int]:
            lines = zip(before, text(pilot).splitlines(), strict=True)
            return [at for at, (old, new) in enumerate(lines) if old.rstrip() != new.rstrip()]

        await until(lambda: changed() == [size[1] - 2], "the line over the keys to be the only one")
        assert text(pilot).splitlines()[-2].strip("▌ ") == "something that happened, number 2"
