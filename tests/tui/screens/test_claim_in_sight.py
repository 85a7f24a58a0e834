"""The claim and how it stands are always in sight, of one seed and of several, and every number says its cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from piloting import at_home, settled, shown, snapshot, text, text_has, until
from recording import Recording
from support import some_of

from condense_core.runfile.reader import RunReader
from condense_core.scenario.claims import Claim, Requirement
from condense_core.thresholds import COARSE, FINE
from condense_tui.app.app import CondenseApp
from condense_tui.cli.headless import _measured
from condense_tui.cli.runs import list_
from condense_tui.export.page import to_html
from condense_tui.widgets.layers import Layers
from condense_tui.widgets.lines import Lines

SIZES = some_of([(60, 20), (80, 24), (120, 40), (200, 60)], one_in=2)
TWO_LINES = (
    Requirement(measure="lines", layer="conv1", at_least=2, at_most=2),
    Requirement(measure="condensed", layer="conv1", at_least=1),
)
HOLDS = Claim(text="two lines on every draw", requires=TWO_LINES)
FAILS = Claim(text="one line", requires=(Requirement(measure="lines_coarse", layer="conv1", at_least=3), *TWO_LINES))


def made(tmp_path: Path, claim: Claim | None, status: str = "done", frames: int | None = None, members: int = 1):
    recording = Recording(tmp_path / "runs", claim=claim, members=members)
    recording.write(frames)
    if status != "running":
        recording.finish(status)
    return recording


@pytest.mark.parametrize("size", SIZES)
async def test_a_verdict_is_in_sight_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(made(tmp_path, FAILS).folder, size) as pilot:
        await text_has(pilot, "✖ does not hold  lines at 0.8: 1, wanted 3 or more")
        assert ("claim: one line" in text(pilot)) is (size[0] >= 120)
        await pilot.press("z")
        await settled(pilot)
        assert "✖ does not hold" in text(pilot), "also with one panel on the whole screen"


async def test_a_claim_that_holds_was_not_met_at_the_step_that_is_looked_at(tmp_path: Path) -> None:
    async with shown(made(tmp_path, HOLDS).folder) as pilot:
        await text_has(pilot, "✔ holds")
        await pilot.press("home")
        await text_has(pilot, "○ not met  lines at 0.9: 0, wanted 2, and 1 more  step 0  at step 4,000: ✔ holds")


async def test_a_live_run_is_met_so_far_and_not_green(tmp_path: Path) -> None:
    recording = made(tmp_path, HOLDS, "running")
    recording.writer.update(steps=5000)
    with recording.worker():
        async with shown(recording.folder) as pilot:
            await text_has(pilot, "○ met so far  lines at 0.9: 2, wanted 2  step 4,000")
            line = pilot.app.screen.query_one("#claim", Lines)
            assert line.look.good not in [style for row in line._lines for _, style in row]


async def test_a_run_without_a_claim_has_no_line_for_it(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await settled(pilot)
        assert not pilot.app.screen.query_one("#claim").display


async def test_lines_are_counted_at_the_cut_of_the_claim_and_a_key_changes_it(tmp_path: Path) -> None:
    async with shown(made(tmp_path, FAILS).folder) as pilot:
        await text_has(pilot, "lines at 0.8 ")
        assert snapshot(pilot).cut == COARSE
        assert snapshot(pilot).chosen.lines.middle == 1
        await pilot.press("u")
        await until(lambda: snapshot(pilot).cut == FINE, "the other cut")
        await settled(pilot)
        assert snapshot(pilot).chosen.lines.middle == 2
        assert "lines at 0.9 " in text(pilot)
        assert "lines at 0.8: 1, wanted 3" in text(pilot), "the claim stays what it is"
        await pilot.press("u")
        await until(lambda: snapshot(pilot).cut == COARSE, "the claim's cut again")


async def test_over_several_seeds_no_number_is_the_first_ones(tmp_path: Path) -> None:
    recording = made(tmp_path, FAILS, members=4, frames=42)
    async with shown(recording.folder, (160, 40)) as pilot:
        await text_has(pilot, "median of 4 seeds")
        layer = snapshot(pilot).chosen
        assert (layer.seeds, layer.lines.known) == (4, 4)
        assert snapshot(pilot).claim.of == 4
        await pilot.press("u")
        await until(lambda: snapshot(pilot).cut == FINE, "the fine cut")
        layer = snapshot(pilot).chosen
        own = []
        for member in range(4):
            await pilot.press("full_stop")
            await until(lambda member=member: snapshot(pilot).seeds.chosen == member, f"seed {member}")
            own.append(snapshot(pilot).chosen)
        await settled(pilot)
        assert "median of" not in text(pilot)
        assert {each.seeds for each in own} == {1}
        assert (layer.lines.low, layer.lines.high) == (
            min(each.lines.middle for each in own),
            max(each.lines.middle for each in own),
        )
        assert layer.condensed.yes == sum(bool(each.is_condensed) for each in own)
        coverages = sorted(each.coverage.middle for each in own)
        assert layer.coverage.middle == pytest.approx((coverages[1] + coverages[2]) / 2, abs=1e-3)
        assert snapshot(pilot).claim.of == 1, "the claim of the seed that is shown"


async def test_nothing_of_a_run_that_diverged_is_in_the_colour_of_success(tmp_path: Path) -> None:
    async with shown(made(tmp_path, HOLDS, "diverged").folder) as pilot:
        await text_has(pilot, "✖ does not hold: diverged at step 4,000")
        await text_has(pilot, "◆ condensed")
        layers = pilot.app.screen.query_one(Layers)
        assert layers.look.good not in [style for row in layers._lines for _, style in row]


@pytest.mark.parametrize("size", SIZES)
async def test_home_tells_how_the_claim_of_the_chosen_run_stands(tmp_path: Path, size: tuple[int, int]) -> None:
    made(tmp_path, FAILS).folder.rename(tmp_path / "runs" / "250101-000001-a-0001")
    made(tmp_path, HOLDS).folder.rename(tmp_path / "runs" / "250101-000000-b-0000")
    app = CondenseApp(runs=tmp_path / "runs")
    async with app.run_test(size=size) as pilot:
        await at_home(app)
        await text_has(pilot, "✖ does not hold  lines at 0.8: 1, wanted 3 or more")
        await pilot.press("down")
        await text_has(pilot, "✔ holds  lines at 0.9: 2, wanted 2")
        assert "✖ does not hold" not in text(pilot)


async def test_home_follows_a_claim_while_the_run_trains(tmp_path: Path) -> None:
    recording = made(tmp_path, HOLDS, "running", frames=20)
    app = CondenseApp(runs=tmp_path / "runs")
    with recording.worker():
        async with app.run_test() as pilot:
            await at_home(app)
            await text_has(pilot, "○ not met so far")
            recording.write()
            recording.finish()
            await text_has(pilot, "✔ holds")


def test_the_list_of_runs_has_the_verdict_of_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for claim, status, frames in (
        (HOLDS, "done", None),
        (FAILS, "done", None),
        (None, "done", 5),
        (HOLDS, "failed", 0),
    ):
        made(tmp_path, claim, status, frames)
    list_(runs_dir=tmp_path / "runs")
    page = capsys.readouterr().out
    assert "✔ holds" in page and "✖ does not hold; lines at 0.8: 1, wanted 3 or more" in page
    assert "not decided: failed at step 0, nothing was measured" in page
    list_(json=True, runs_dir=tmp_path / "runs")
    rows = json.loads(capsys.readouterr().out)
    found = {row["claim"] and row["claim"]["state"]: row["claim"] for row in rows}
    assert set(found) == {"holds", "does not hold", "not decided", None}
    assert found["holds"]["holds"] is True and found["not decided"]["holds"] is None
    assert found["does not hold"]["decides"] == "lines at 0.8: 1, wanted 3 or more"


def test_progress_without_the_app_says_how_the_claim_stands(tmp_path: Path) -> None:
    with RunReader(made(tmp_path, HOLDS, "stopped", 20, members=3).folder) as run:
        words = _measured(run)
    assert words.startswith("– not decided: stopped at step ")
    assert "conv1 0 lines at 0.9 · conv2 0 lines at 0.9 · 83 steps/s" in words


def test_a_page_counts_over_all_seeds_or_over_the_one_that_was_asked_for(tmp_path: Path) -> None:
    with RunReader(made(tmp_path, FAILS, members=3).folder) as run:
        whole, one = to_html(run, 4000), to_html(run, 4000, member=1)
    assert "does not hold: 0/3 seeds, 3 wanted" in whole and "<td>3 of 3</td>" in whole
    assert "does not hold</span>" in one and "<td>yes</td>" in one
    assert "conv1 at step 4,000: 1 line at 0.8, 2 at 0.9" in whole
