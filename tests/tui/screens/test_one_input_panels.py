"""Runs of networks with one input: output and field on the run screen, at three sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
from one_input import one_input_run
from piloting import head, run_screen, settled, shown, snapshot, text, text_has, until
from recording import Recording

from condense_tui.draw.ability import Ability, Depth
from condense_tui.terminal.textual_internals import strips_of

ARROWS = set("→↗↑↖←↙↓↘")


@pytest.mark.parametrize("size", [(120, 40), (200, 60)])
async def test_output_and_field_stand_beside_the_others(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(one_input_run(tmp_path), size) as pilot:
        await settled(pilot)
        page = text(pilot)
        for words in ("output, degree 2", "1.0 % apart", "field · 2 stable lines", "weight", "loss", "on v1", "layers"):
            assert words in page
        assert sum(page.count(arrow) for arrow in ARROWS) > 100
        assert len(page.splitlines()) == size[1]


async def test_a_tab_of_their_own_in_a_small_terminal(tmp_path: Path) -> None:
    async with shown(one_input_run(tmp_path), (80, 24)) as pilot:
        await settled(pilot)
        page = text(pilot)
        assert "5 output" in page
        assert "stable lines" not in page
        await pilot.press("5")
        await text_has(pilot, "field · 2 stable lines")
        await settled(pilot)
        page = text(pilot)
        assert "output, degree 2" in page
        assert "layers" not in page
        assert sum(page.count(arrow) for arrow in ARROWS) > 100
        await pilot.press("1")
        await text_has(pilot, "layers")
        assert "stable lines" not in text(pilot)


async def test_output_follows_the_playhead(tmp_path: Path) -> None:
    async with shown(one_input_run(tmp_path)) as pilot:
        await settled(pilot)
        panel = run_screen(pilot).query_one("#output")
        after = panel._plot  # type: ignore[attr-defined]
        await pilot.press("home")
        await until(lambda: head(pilot).index == 0, "the first frame")
        await settled(pilot)
        outputs = snapshot(pilot).outputs
        assert outputs is not None and outputs.step == 0
        assert panel._plot is not after  # type: ignore[attr-defined]


async def test_neurons_stand_in_the_field_from_the_step_on_at_which_they_were_kept(tmp_path: Path) -> None:
    async with shown(one_input_run(tmp_path)) as pilot:
        await settled(pilot)
        assert "● kernels at step 10" in text(pilot)
        field = next(line for line in text(pilot).splitlines() if "●" in line)
        assert field.index("●") > 30
        await pilot.press("home")
        await until(lambda: head(pilot).index == 0, "the first frame")
        await settled(pilot)
        assert "●" not in text(pilot)


async def test_field_alone(tmp_path: Path) -> None:
    async with shown(one_input_run(tmp_path)) as pilot:
        await settled(pilot)
        before = sum(text(pilot).count(arrow) for arrow in ARROWS)
        run_screen(pilot).query_one("#field").focus()
        await pilot.press("z")
        await until(lambda: "layers" not in text(pilot), "the field alone")
        await until(lambda: sum(text(pilot).count(arrow) for arrow in ARROWS) > before, "more of the field")


async def test_other_runs_have_no_such_tab_and_say_why(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write()
    recording.finish()
    async with shown(recording.folder, (80, 24)) as pilot:
        await settled(pilot)
        assert "5 output" not in text(pilot)
        await pilot.press("5")
        await text_has(pilot, "one input")
        assert "layers" in text(pilot)


async def test_without_unicode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("condense_tui.terminal.shell.ability", lambda *_: Ability(Depth.NONE, False))
    async with shown(one_input_run(tmp_path)) as pilot:
        await settled(pilot)
        strips = strips_of(pilot.app.screen)
        filters = pilot.app.get_line_filters()
        page = "".join(
            segment.text
            for strip in strips
            for segment in filters[-1].apply(list(strip), pilot.app.screen.background_colors[1])
        )
        assert page.isascii()
        assert page.count(">") > 100
