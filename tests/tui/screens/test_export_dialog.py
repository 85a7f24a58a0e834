"""The key `e`: what to write, in which format and where; the screen then says where it went."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from one_input import one_input_run
from piloting import head, settled, shown, text, text_has, until
from recording import Recording
from support import need_module

from condense_tui.screens.dialogs.export import OFFERED, ExportDialog
from condense_tui.widgets.choice import Choice


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    recording = Recording(tmp_path / "runs")
    recording.write()
    recording.finish()
    recording.close()
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return recording.folder


def work(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "work").iterdir())


async def is_written(pilot, tmp_path: Path) -> Path:
    """The one file, once the screen says so: until then what stands there may be the part that becomes it."""
    await text_has(pilot, "wrote ")
    (path,) = work(tmp_path)
    return path


def dialog(pilot) -> ExportDialog:
    assert isinstance(pilot.app.screen, ExportDialog)
    return pilot.app.screen


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
async def test_enter_writes_the_screen_as_it_is(recorded: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(recorded, size) as pilot:
        await settled(pilot)
        await pilot.press("e")
        await text_has(pilot, "enter write")
        for words in ("screen", "heatmap", "loss", "svg", "png", "tensorboard", ".svg"):
            assert words in text(pilot)
        await pilot.press("enter")
        path = await is_written(pilot, tmp_path)
    page = "".join(ElementTree.fromstring(path.read_text()).itertext()).replace("\xa0", " ")
    assert "step 4,000 of 4,000" in page
    assert "enter write" not in page


async def test_what_and_format_are_chosen_with_arrows_and_name_the_file(recorded: Path, tmp_path: Path) -> None:
    async with shown(recorded) as pilot:
        await pilot.press("home")
        await until(lambda: head(pilot).index == 0, "the first frame")
        await pilot.press("e", "right", "right")
        assert dialog(pilot).query_one("#what", Choice).value == "loss"
        await pilot.press("left", "down", "right", "enter")
        path = await is_written(pilot, tmp_path)
    assert path.name.endswith("-heatmap-conv1-step-0.png")
    assert path.read_bytes().startswith(b"\x89PNG")


async def test_the_field_that_keys_go_to_is_marked(recorded: Path) -> None:
    async with shown(recorded) as pilot:
        await pilot.press("e")
        await text_has(pilot, "▌what")
        await pilot.press("down")
        await text_has(pilot, "▌format")
        assert "▌what" not in text(pilot)


async def test_formats_of_the_whole_run_have_nothing_to_choose(recorded: Path, tmp_path: Path) -> None:
    async with shown(recorded) as pilot:
        await pilot.press("e", "down", "right", "right")
        assert dialog(pilot).query_one("#format", Choice).value == "csv"
        assert dialog(pilot).query_one("#what", Choice).disabled
        await pilot.press("enter")
        path = await is_written(pilot, tmp_path)
    assert path.read_text().startswith("step,")


async def test_a_name_of_ones_own_and_nothing_replaced(recorded: Path, tmp_path: Path) -> None:
    taken = tmp_path / "work" / "mine.svg"
    taken.write_text("mine")
    async with shown(recorded) as pilot:
        await pilot.press("e", "down", "down", "ctrl+a", "ctrl+k", *"mine.svg", "enter")
        await text_has(pilot, "already exists")
    assert taken.read_text() == "mine"
    assert work(tmp_path) == [taken]


async def test_the_second_file_gets_a_name_of_its_own(recorded: Path, tmp_path: Path) -> None:
    async with shown(recorded) as pilot:
        for _ in range(2):
            await pilot.press("e", "right", "enter")
            await text_has(pilot, "wrote ")
            pilot.app.clear_notifications()
            await until(lambda: "wrote " not in text(pilot), "the word to go")
    first, second = work(tmp_path)
    assert second.stem == f"{first.stem}-2" or first.stem == f"{second.stem}-2"


async def test_escape_writes_nothing(recorded: Path, tmp_path: Path) -> None:
    async with shown(recorded) as pilot:
        await pilot.press("e", "escape")
        await until(lambda: not isinstance(pilot.app.screen, ExportDialog), "the run screen")
    assert work(tmp_path) == []


async def test_options_can_be_clicked(recorded: Path) -> None:
    async with shown(recorded) as pilot:
        await pilot.press("e")
        await text_has(pilot, "enter write")
        choice = dialog(pilot).query_one("#format", Choice)
        _, start, _ = choice._places[3]
        await pilot.click(choice, offset=(start + 1, 0))
        assert choice.value == "npz"


async def test_a_seed_of_several_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(tmp_path / "runs", members=3, frames=8)
    recording.write()
    recording.finish()
    recording.close()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    async with shown(recording.folder) as pilot:
        await pilot.press("full_stop")
        await text_has(pilot, "seed 0 (1 of 3)")
        await pilot.press("e", "right")
        await text_has(pilot, "‹  1 of 3  ›")
        await pilot.press("down", "down", "right", "enter")
        path = await is_written(pilot, tmp_path)
        assert "seed 1 (2 of 3)" in text(pilot).replace("\n", " ")
    assert path.name.endswith("-heatmap-conv1-nth-seed-2.svg")
    assert "seed 1 (2 of 3)" in path.read_text()


async def test_a_network_with_one_input_offers_its_panels(tmp_path: Path) -> None:
    async with shown(one_input_run(tmp_path)) as pilot:
        await pilot.press("e")
        await text_has(pilot, "enter write")
        assert {"output", "field"} <= set(dialog(pilot).query_one("#what", Choice)._options)


async def test_a_pdf_is_the_figure_of_the_step_that_is_shown(recorded: Path, tmp_path: Path) -> None:
    need_module("matplotlib")
    async with shown(recorded) as pilot:
        await pilot.press("home")
        await until(lambda: head(pilot).index == 0, "the first frame")
        await pilot.press("e", "down", *["right"] * (len(OFFERED) - 1), "enter")
        path = await is_written(pilot, tmp_path)
    assert path.name.endswith("-heatmap-conv1-step-0.pdf")
    assert path.read_bytes().startswith(b"%PDF-")
