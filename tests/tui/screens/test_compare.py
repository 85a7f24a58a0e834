"""Two to six runs side by side: at the same step, at the same loss, and what is said of those that do not get there."""

from __future__ import annotations

import contextlib
import csv
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from piloting import at_home, text, text_has, until
from recording import Recording
from support import some_of
from textual.pilot import Pilot

from condense_core.runfile.reader import RunReader
from condense_presets import recordings
from condense_tui.app.app import CondenseApp
from condense_tui.screens.compare.pick import PickScreen
from condense_tui.screens.compare.screen import CompareScreen
from condense_tui.snapshots.comparison import Comparer, CompareView, Comparison
from condense_tui.snapshots.playhead import Playhead
from condense_tui.widgets.compare_panels import DifferencePanel
from condense_tui.widgets.plot import PlotPanel
from condense_tui.widgets.scrubber import Scrubber

SIZES = some_of([(80, 24), (120, 40), (200, 60)], one_in=2)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Recording]:
    def recording(name: str, fall: float = 0.25, write: int | None = None, **options: object) -> Recording:
        made = Recording(tmp_path / "runs", **options)
        made.fall = fall
        made.write(write)
        made.writer.update(name=name)
        if write is None:
            made.finish()
        return made

    return recording


@asynccontextmanager
async def compared(*places: Path, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[None]]:
    app = CondenseApp(runs=places[0].parent)
    async with app.run_test(size=size, notifications=True) as pilot:
        await at_home(app)
        app.compare(places)
        await until(lambda: isinstance(app.screen, CompareScreen) and app.screen.comparison, "the comparison")
        await pilot.pause()
        yield pilot


def found(pilot: Pilot[None]) -> Comparison:
    screen = pilot.app.screen
    assert isinstance(screen, CompareScreen) and screen.comparison is not None
    return screen.comparison


async def drawn(pilot: Pilot[None]) -> None:
    await until(lambda: all(panel.settled for panel in pilot.app.screen.query(PlotPanel)), "plots")
    await until(lambda: pilot.app.screen._reader.idle, "the reader to have nothing to say")
    await pilot.pause()


def test_same_step_takes_the_newest_frame_at_or_before_it(make: Callable[..., Recording]) -> None:
    long, short = make("long", steps=4000), make("short", steps=1000)
    comparer = Comparer([long.folder, short.folder])
    last = comparer.snapshot(Playhead(), CompareView())
    assert [side.step for side in last.sides] == [4000, 1000]
    assert [side.note for side in last.sides] == ["", "ended earlier"]
    assert set(last.places.tolist()) == set(long.steps.tolist()) | set(short.steps.tolist())
    at = int(np.searchsorted(last.places, 900))
    middle = comparer.snapshot(Playhead().go(at), CompareView())
    for side, recording in zip(middle.sides, (long, short), strict=True):
        assert side.step == recording.steps[recording.steps <= middle.places[at]].max()
        assert side.note == ""
    comparer.close()


def test_same_loss_takes_the_first_frame_that_is_as_low(make: Callable[..., Recording]) -> None:
    fast, slow = make("fast", fall=0.6), make("slow", fall=0.2)
    comparer = Comparer([fast.folder, slow.folder])
    view = CompareView(by="loss")
    shares = comparer.snapshot(Playhead(), view).places
    assert np.all(np.diff(shares) < 0)
    assert shares[0] == 1.0 and shares[-1] == pytest.approx(0.4)
    at = int(np.argmin(np.abs(shares - 0.9)))
    there = comparer.snapshot(Playhead().go(at), view)
    for side, recording, fall in zip(there.sides, (fast, slow), (0.6, 0.2), strict=True):
        loss = 1 - fall * (recording.steps / 4000) ** 2
        assert side.step == recording.steps[loss <= shares[at] + 1e-12].min()
    assert there.sides[0].step < there.sides[1].step
    end = comparer.snapshot(Playhead(), view)
    assert [side.note for side in end.sides] == ["", "never reached"]
    comparer.close()


def test_runs_without_a_finite_loss_have_none_to_go_by(make: Callable[..., Recording]) -> None:
    good, bad = make("good"), make("bad", fall=float("nan"))
    comparer = Comparer([good.folder, bad.folder])
    there = comparer.snapshot(Playhead(), CompareView(by="loss"))
    assert there.sides[1].note == "no finite loss"
    assert there.sides[1].image is not None
    comparer.close()


async def test_what_is_damaged_in_one_run_is_named_with_its_letter(make: Callable[..., Recording]) -> None:
    good, bad = make("good"), make("bad")
    with contextlib.closing(sqlite3.connect(bad.folder / "run.sqlite")) as file, file:
        file.execute("UPDATE scalar SET data = zeroblob(length(data)) WHERE step = 4000")
    async with compared(good.folder, bad.folder) as pilot:
        await text_has(pilot, "B: left out, since it is damaged: scalars at step 4000")
        assert [side.image is not None for side in found(pilot).sides] == [True, True]


@pytest.mark.parametrize("size", SIZES)
async def test_heatmaps_side_by_side_and_curves_with_letters(
    make: Callable[..., Recording], size: tuple[int, int]
) -> None:
    one, two = make("tanh"), make("xtanh", kernels=(24,), lines=(2,))
    async with compared(one.folder, two.folder, size=size) as pilot:
        await drawn(pilot)
        page = text(pilot)
        for words in ("A tanh · conv1", "B xtanh · conv1", "step 4,000", "-1", "+1"):
            assert words in page
        await pilot.press("2")
        await drawn(pilot)
        page = text(pilot)
        assert "loss / first loss" in page and "kernels on lines" in page
        curves = "\n".join(page.splitlines()[3:-2])
        assert curves.count("A") > 2 and curves.count("B") > 2


async def test_a_key_switches_between_same_step_and_same_loss(make: Callable[..., Recording]) -> None:
    async with compared(make("a").folder, make("b", fall=0.1).folder) as pilot:
        await text_has(pilot, "same step 4,000")
        await pilot.press("x")
        await text_has(pilot, "same loss 75 %")
        await text_has(pilot, "never reached")
        await pilot.press("home")
        await text_has(pilot, "same loss 100 %")
        await pilot.press("x")
        await text_has(pilot, "same step 4,000")


async def test_scrubbing_moves_all_of_them(make: Callable[..., Recording]) -> None:
    async with compared(make("a").folder, make("b").folder) as pilot:
        await pilot.press("home")
        await until(lambda: [side.step for side in found(pilot).sides] == [0, 0], "the first step of both")
        await pilot.press("right", "right")
        await until(lambda: [side.step for side in found(pilot).sides] == [2, 2], "two frames on")
        await pilot.click(Scrubber, offset=(119, 0))
        await until(lambda: found(pilot).sides[0].step > 1000, "the clicked place")
        await pilot.press("home", "space")
        await until(lambda: found(pilot).sides[1].step >= 4, "both to play")


async def test_seeds_of_all_runs_are_chosen_together(make: Callable[..., Recording]) -> None:
    three, two, one = make("three", members=3), make("two", members=2), make("one")
    async with compared(three.folder, two.folder, one.folder, size=(200, 60)) as pilot:
        await text_has(pilot, "A three · conv1 · seed 0 (1 of 3)")
        assert "mean of the seeds, and their range" in text(pilot)
        mean = found(pilot).sides[0]
        assert mean.loss[1][-1] == pytest.approx(1 - 0.25 * 1.1)
        assert [float(end[1][-1]) for end in mean.bands[0]] == pytest.approx([1 - 0.25 * 1.2, 0.75])
        await pilot.press("full_stop", "full_stop", "full_stop")
        await text_has(pilot, "A three · conv1 · seed 2 (3 of 3)")
        page = text(pilot)
        assert "B two · conv1 · seed 1 (2 of 2)" in page, "a run of fewer seeds stays at its last"
        assert "C one · conv1 " in page and "one seed, and the range of all" in page
        last = found(pilot).sides[0]
        assert last.loss[1][-1] == pytest.approx(1 - 0.25 * 1.2)
        assert not np.array_equal(last.image.cosine, mean.image.cosine)
        await pilot.press("full_stop")
        await text_has(pilot, "mean of the seeds, and their range")
        await pilot.press("comma")
        await text_has(pilot, "A three · conv1 · seed 2 (3 of 3)")


async def test_the_playhead_stays_where_it_is_from_seed_to_seed(make: Callable[..., Recording]) -> None:
    async with compared(make("a", members=3).folder, make("b").folder) as pilot:
        await pilot.press("x", "home", *["right"] * 40)
        await until(lambda: found(pilot).by == "loss" and found(pilot).head.index == 40, "a place on the way")
        before = found(pilot).at
        await pilot.press("full_stop", "full_stop")
        await until(lambda: found(pilot).member == 1, "the second seed")
        assert found(pilot).at == before


async def test_runs_of_one_seed_say_so(make: Callable[..., Recording]) -> None:
    async with compared(make("a").folder, make("b").folder) as pilot:
        await pilot.press("comma")
        await text_has(pilot, "these runs have one seed each")


async def test_layers_are_chosen_by_their_place(make: Callable[..., Recording]) -> None:
    async with compared(make("a").folder, make("b", kernels=(20,), lines=(1,)).folder) as pilot:
        await pilot.press("right_square_bracket")
        await text_has(pilot, "A a · conv2")
        assert "B b · conv1" in text(pilot), "a run of one layer stays at its last"


@pytest.mark.parametrize("count", [3, 6])
async def test_up_to_six_runs_have_a_heatmap_each(make: Callable[..., Recording], count: int) -> None:
    folders = [make(f"run{number}", frames=10).folder for number in range(count)]
    async with compared(*folders) as pilot:
        await drawn(pilot)
        for number, letter in zip(range(count), "ABCDEF", strict=False):
            assert f"{letter} run{number}" in text(pilot)


async def test_live_runs_are_followed(make: Callable[..., Recording]) -> None:
    done, live = make("done", steps=400), make("live", steps=4000, write=40)
    with live.worker():
        async with compared(done.folder, live.folder) as pilot:
            await text_has(pilot, "B ● live")
            before = found(pilot).sides[1].step
            live.write(5)
            await until(lambda: found(pilot).sides[1].step > before, "a newer frame")


async def test_compare_from_a_run_offers_runs_and_recordings(make: Callable[..., Recording]) -> None:
    mine, other = make("mine"), make("other")
    app = CondenseApp(mine.folder, mine.folder.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        await text_has(pilot, "kernels by line")
        await pilot.press("c")
        await until(lambda: isinstance(app.screen, PickScreen), "the list")
        await text_has(pilot, "recordings that ship with the program")
        page = text(pilot)
        assert "other" in page and "digits-ce" in page
        await pilot.press("space", "space", "enter")
        await until(lambda: isinstance(app.screen, CompareScreen) and app.screen.comparison, "the comparison")
        names = [side.name for side in found(pilot).sides]
        assert names == ["mine", "other", "digits-gd"]
        await pilot.press("escape")
        await text_has(pilot, "kernels by line")
    assert other.folder != mine.folder


async def test_a_file_that_is_gone_is_said(make: Callable[..., Recording], tmp_path: Path) -> None:
    async with CondenseApp(runs=tmp_path).run_test(size=(120, 40)) as pilot:
        await at_home(pilot.app)
        pilot.app.compare([make("a").folder, tmp_path / "nothing"])
        await text_has(pilot, "no run file at")
        await pilot.press("escape")


async def test_too_small_to_compare_says_so(make: Callable[..., Recording]) -> None:
    async with compared(make("a").folder, make("b").folder, size=(50, 20)) as pilot:
        await text_has(pilot, "50×20 is too small to compare runs")
        await pilot.resize_terminal(80, 24)
        await text_has(pilot, "A a · conv1")


async def test_any_scalar_of_the_layer_that_is_shown(make: Callable[..., Recording]) -> None:
    one, two = make("one"), make("two", kernels=(16, 8))
    async with compared(one.folder, two.folder) as pilot:
        await text_has(pilot, "coverage")
        await pilot.press("slash", *"eigenvalue.1", "enter")
        await until(lambda: found(pilot).scalar == "eigenvalue.1", "the chosen scalar")
        await drawn(pilot)
        assert "eigenvalue 1" in text(pilot)
        for number, recording in enumerate((one, two)):
            with RunReader(recording.folder) as run:
                np.testing.assert_array_equal(found(pilot).sides[number].scalar[1], run.curve("conv1.eigenvalue.1")[1])
        await pilot.press("right_square_bracket")
        with RunReader(two.folder) as run:
            other = run.curve("conv2.eigenvalue.1")[1]
        await until(lambda: np.array_equal(found(pilot).sides[1].scalar[1], other), "the next layer's")
        await pilot.press("slash", *"accuracy", "enter")
        await until(lambda: found(pilot).scalar == "accuracy", "a scalar of the network")
        assert len(found(pilot).sides[0].scalar[0]) == len(one.steps)


async def test_the_difference_of_two_heatmaps(make: Callable[..., Recording]) -> None:
    one, two, other = make("one"), make("two", lines=(3, 1)), make("other", kernels=(24, 16))
    async with compared(one.folder, two.folder, other.folder, size=(160, 50)) as pilot:
        await pilot.press("d")
        await text_has(pilot, "(A − B) / 2 · conv1")
        panel = pilot.app.screen.query_one(DifferencePanel)
        a, b = (side.image for side in found(pilot).sides[:2])
        image = panel.heatmap.image
        assert a is not None and b is not None and image is not None
        np.testing.assert_allclose(2 * image.cosine, a.cosine - b.cosine, atol=1e-6)
        panel.heatmap.focus()
        await pilot.press("up", "left")
        reading = panel.heatmap.reading
        assert reading is not None
        (row,), (column,) = reading.rows, reading.columns
        await text_has(pilot, f"A − B {a.cosine[row, column] - b.cosine[row, column]:+.2f}")
        await pilot.press("escape", "d")
        await text_has(pilot, "A − C: 32 and 24 kernels")
        await pilot.press("d")
        await until(lambda: not panel.display, "no difference any more")


async def test_settings_that_differ(make: Callable[..., Recording]) -> None:
    one, two = make("one"), make("two", steps=2000, kernels=(32, 8))
    async with compared(one.folder, two.folder) as pilot:
        await pilot.press("i")
        await text_has(pilot, "settings that differ")
        lines = [line.split() for line in text(pilot).splitlines()]
        assert any({"steps", "4000", "2000"} <= set(line) for line in lines)
        assert any({"layers.1.width", "16", "8"} <= set(line) for line in lines)
        assert not any("layers.0.width" in line for line in lines)
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, CompareScreen), "the table to close")
        assert [setting.name for setting in found(pilot).settings] == ["steps", "layers.1.width"]


@pytest.mark.parametrize("smooth", [False, True])
async def test_the_curves_that_are_shown_as_csv(
    make: Callable[..., Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smooth: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    one, two = make("one"), make("two", steps=1000)
    async with compared(one.folder, two.folder) as pilot:
        await pilot.press(*(["m"] if smooth else []), "e")
        await text_has(pilot, "comparison.csv")
        await pilot.press("enter")
        file = tmp_path / "comparison.csv"
        await until(file.exists, "the file")
        await text_has(pilot, "wrote")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [int(row["step"]) for row in rows] == sorted(set(one.steps.tolist()) | set(two.steps.tolist()))
    assert ("A one: conv1.coverage (EMA 0.6)" in rows[0]) == smooth
    first = next(row for row in rows if int(row["step"]) == 4000)
    assert float(first["A one: loss / first loss"]) == pytest.approx(0.75)
    assert first["B two: conv1.coverage"] == ""


async def test_a_picture_of_the_comparison(
    make: Callable[..., Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with compared(make("one").folder, make("two").folder) as pilot:
        await drawn(pilot)
        await pilot.press("e", "right")
        await text_has(pilot, "comparison.svg")
        await pilot.press("enter")
        await until((tmp_path / "comparison.svg").exists, "the picture")
        await text_has(pilot, "wrote")
    assert "<svg" in (tmp_path / "comparison.svg").read_text(encoding="utf-8")


def test_names_of_layers_with_dots_are_no_part_of_the_curves_that_can_be_chosen() -> None:
    comparer = Comparer([recordings()["anchors-condense"], recordings()["anchors-spread"]])
    try:
        names = comparer.snapshot(Playhead(), CompareView()).scalar_names
    finally:
        comparer.close()
    assert {"pair_abs_cos", "unseen_accuracy", "loss"} <= set(names)
    assert not [name for name in names if name.startswith(("block", "embedding"))]
