"""Runs as a collection at home: names, notes, tags, the archive, deleting, queries, sorting, sweeps; among hundreds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from many_small_runs import make_many
from piloting import at_home, text, text_has, until
from recording import Recording
from textual.pilot import Pilot

from condense_core.runs.about_run import AboutRun, read_about, write_about
from condense_core.runs.place import run_names
from condense_tui.app.app import CondenseApp
from condense_tui.screens.dialogs.ask_text import AskText
from condense_tui.screens.dialogs.question import Question
from condense_tui.screens.home.screen import HomeScreen


@asynccontextmanager
async def home(runs: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Pilot[None], HomeScreen]]:
    app = CondenseApp(runs=runs)
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await at_home(app)
        count = len(run_names(runs))
        await until(lambda: len(screen.lists.glances or ()) == count and screen.lists.on_runs, f"{count} runs")
        yield pilot, screen


async def filtered(pilot: Pilot[None], screen: HomeScreen, query: str, title: str) -> None:
    """Type a query in place of the one that is there, and keep it."""
    await pilot.press("slash")
    await until(lambda: screen.lists.filter.has_focus, "the filter")
    field = screen.focused
    field.value = query  # type: ignore[union-attr]
    await text_has(pilot, title)
    await pilot.press("enter")
    await until(lambda: screen.lists.runs.has_focus, "the list")


async def answered(pilot: Pilot[None], key: str, value: str) -> None:
    """Press the key of a question for text, and answer it."""
    await pilot.press(key)
    await until(lambda: isinstance(pilot.app.screen, AskText), f"what {key} asks")
    for letter in value:
        await pilot.press("space" if letter == " " else "minus" if letter == "-" else letter)
    await pilot.press("enter")
    await until(lambda: isinstance(pilot.app.screen, HomeScreen), "home")


def labelled(screen: HomeScreen) -> list[str]:
    return [glance.label for glance in screen.lists.glances or ()]


@pytest.mark.thorough
async def test_five_hundred_runs_are_named_tagged_queried_and_cleaned(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    folders = make_many(runs, 500, sweep=40)
    async with home(runs) as (pilot, screen):
        await text_has(pilot, "runs 500")
        assert len(text(pilot).splitlines()) == 24
        assert "digits-ce · lr 1e-3 · seed 499" in text(pilot)
        # name one
        await pilot.press("r")
        await until(lambda: isinstance(pilot.app.screen, AskText), "the question")
        pilot.app.screen.focused.value = ""
        for letter in "mine":
            await pilot.press(letter)
        await pilot.press("enter")
        await text_has(pilot, "✔  mine")
        assert read_about(folders[-1]).name == "mine"
        await answered(pilot, "N", "look")
        await until(lambda: read_about(folders[-1]).note == "look", "the note")
        # tag what a query finds
        await filtered(pilot, screen, "status:diverged lr<1e-3", "runs 83 of 500")
        await pilot.press("M")
        await text_has(pilot, "83 marked")
        await answered(pilot, "number_sign", "bad x")
        await text_has(pilot, "#bad #x")
        await until(lambda: sum("bad" in run.about.tags for run in screen.lists.glances) == 83, "83 tags")
        # query by the tag; take one of them away again
        await filtered(pilot, screen, "tag:bad seed>400", "runs 17 of 500")
        await pilot.press("M")
        await answered(pilot, "number_sign", "-x")
        await until(lambda: sum("x" in run.about.tags for run in screen.lists.glances) == 66, "66 tags")
        # archive some, delete some
        await filtered(pilot, screen, "status:stopped", "runs 83 of 500")
        await pilot.press("M", "a")
        await text_has(pilot, "no run fits")
        await filtered(pilot, screen, "archived:yes", "runs 83 of 500")
        await filtered(pilot, screen, "tag:bad", "runs 83 of 500")
        await pilot.press("M", "d")
        await until(lambda: isinstance(pilot.app.screen, Question), "the question")
        await text_has(pilot, "Delete 83 runs?")
        await pilot.press("y")
        await until(lambda: len(run_names(runs)) == 417, "83 to be deleted")
        await pilot.press("slash", "escape")
        await text_has(pilot, "runs 334")
        assert not any("bad" in run.about.tags for run in screen.lists.glances)
        assert len(text(pilot).splitlines()) == 24


@pytest.fixture
def few(tmp_path: Path) -> Path:
    make_many(tmp_path / "runs", 12, sweep=4)
    return tmp_path / "runs"


async def test_a_sweep_is_one_row_until_it_is_unfolded(few: Path) -> None:
    async with home(few) as (pilot, _):
        await pilot.press("end")
        await text_has(pilot, "▸  digits over lr")
        assert "4 runs" in text(pilot) and "✔ 3 done" in text(pilot) and "■ 1 stopped" in text(pilot)
        await text_has(pilot, "runs 12")
        assert "seed 3" not in text(pilot)
        await pilot.press("enter")
        await text_has(pilot, "▾  digits over lr")
        await text_has(pilot, "digits-ce · lr 0.01 · seed 3")
        await text_has(pilot, "runs 12")
        await pilot.press("enter")
        await text_has(pilot, "▸  digits over lr")
        await pilot.press("m")
        await text_has(pilot, "4 marked")
        await pilot.press("escape")
        await until(lambda: "marked" not in text(pilot), "no marks")
        # without marks, all of the sweep is meant
        await pilot.press("a")
        await text_has(pilot, "runs 8")


async def test_runs_are_sorted_by_a_key_and_the_title_says_by_what(few: Path) -> None:
    async with home(few) as (pilot, screen):
        for by in ("name", "status", "loss", "lines", "step", "claim"):
            await pilot.press("o")
            await text_has(pilot, f"by {by}")
        await until(lambda: screen.lists.claims is not None, "how claims stand")
        for _ in range(3):
            await pilot.press("o")
        await until(lambda: " by " not in text(pilot), "the order of before")


async def test_a_query_of_claims_reads_how_they_stand(few: Path) -> None:
    async with home(few) as (pilot, screen):
        await filtered(pilot, screen, "claim:not-decided", "runs 4 of 12")


async def test_a_mistake_in_a_query_is_said_and_what_made_sense_stays(few: Path) -> None:
    async with home(few) as (pilot, screen):
        await filtered(pilot, screen, "status:diverged", "runs 2 of 12")
        await pilot.press("slash")
        screen.focused.value = "sttus:diverged"  # type: ignore[union-attr]
        await text_has(pilot, "did you mean 'status'?")
        await text_has(pilot, "runs 2 of 12")
        await pilot.press("escape")
        await text_has(pilot, "runs 12")
        assert "did you mean" not in text(pilot)


async def test_a_run_that_trains_is_not_deleted(tmp_path: Path) -> None:
    live = Recording(tmp_path / "runs", frames=6, kernels=(8,), lines=(1,))
    live.write(3)
    with live.worker():
        async with home(tmp_path / "runs") as (pilot, _):
            await pilot.press("d")
            await text_has(pilot, "still training")
            assert isinstance(pilot.app.screen, HomeScreen)
    assert live.folder.exists()
    live.close()


async def test_no_is_no_and_a_refused_word_is_said(few: Path) -> None:
    async with home(few) as (pilot, _):
        await pilot.press("d")
        await until(lambda: isinstance(pilot.app.screen, Question), "the question")
        await pilot.press("n")
        await until(lambda: isinstance(pilot.app.screen, HomeScreen), "home")
        assert len(run_names(few)) == 12
        await answered(pilot, "number_sign", "a*b")
        await text_has(pilot, "is not a tag")


async def test_a_label_and_an_archived_run_are_shown_as_they_are(few: Path) -> None:
    newest = max(few.iterdir())
    write_about(newest, AboutRun(name="a name that is longer than a list in a narrow terminal has room for, really"))
    write_about(sorted(few.iterdir())[-2], AboutRun(archived=True, tags=("old",)))
    async with home(few, (60, 20)) as (pilot, screen):
        await text_has(pilot, "runs 11")
        await text_has(pilot, "a name that")
        line = next(line for line in text(pilot).splitlines() if "a name that" in line)
        assert "…" in line and "really" in line and "diverged" in line
        await filtered(pilot, screen, "archived:yes", "runs 1 of 12")
        await text_has(pilot, "archived")
        await pilot.press("a")
        await text_has(pilot, "no run fits")
        await pilot.press("slash", "escape")
        await text_has(pilot, "runs 12")
