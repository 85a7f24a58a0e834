"""The log panel: what a script prints without end is followed, scrolled back in and searched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from piloting import run_screen, shown, text, text_has, until
from rich.cells import cell_len
from watched_recording import GPT, WatchedRecording

from condense_tui.snapshots.worker_log import LONGEST_LINE, MOST_BYTES, MOST_LINES, WorkerLog
from condense_tui.snapshots.worker_log import shown as shown_log
from condense_tui.widgets.log import Events, WorkerLines


@pytest.fixture
def printing(tmp_path: Path) -> Iterator[WatchedRecording]:
    """A script that has printed 300 lines, every fiftieth of them with its validation."""
    recording = WatchedRecording(tmp_path, names=GPT[:6], scalars=5)
    recording.write(10)
    with (recording.folder / "worker.log").open("w") as log:
        for step in range(300):
            log.write(f"iter {step}: loss 3.2{' VAL loss 3.4' if step % 50 == 0 else ''}\n")
    with recording.worker():
        yield recording
    recording.close()


def prints(recording: WatchedRecording, words: str) -> None:
    with (recording.folder / "worker.log").open("a") as log:
        log.write(words)


def view(pilot) -> WorkerLines:
    return run_screen(pilot).query_one(WorkerLines)


def remark(pilot) -> str:
    return str(view(pilot).border_subtitle)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)], ids=["60x20", "80x24", "120x40"])
async def test_the_end_is_followed_until_one_scrolls_back_and_again_after(
    printing: WatchedRecording, size: tuple[int, int]
):
    async with shown(printing.folder, size) as pilot:
        await pilot.press("4")
        await text_has(pilot, "iter 299:")
        assert remark(pilot) == "following"
        prints(printing, "iter 300: loss 3.2\n")
        await text_has(pilot, "iter 300:")
        await until(lambda: view(pilot).has_focus, "the keys to go to the output")
        await pilot.press("up", "pageup")
        page = text(pilot)
        assert "iter 300:" not in page
        assert "more below · end follows" in remark(pilot)
        prints(printing, "iter 301: loss 3.2\n" * 40)
        await until(lambda: "iter 301" in view(pilot).text_of(view(pilot)._count - 1), "more output")
        # what is read stays where it is
        assert [line for line in text(pilot).splitlines() if "iter" in line] == [
            line for line in page.splitlines() if "iter" in line
        ]
        await pilot.press("end")
        await text_has(pilot, "iter 301:")
        assert remark(pilot) == "following"
        await pilot.press("home")
        await text_has(pilot, "iter 0:")
        await pilot.press("pagedown")
        assert "more below" in remark(pilot)


async def test_text_is_found_counted_marked_and_gone_through(printing: WatchedRecording):
    async with shown(printing.folder, (80, 24)) as pilot:
        await pilot.press("4", "slash", *"val")
        # whatever its case, and the newest first
        await until(lambda: remark(pilot).startswith("6 of 6"), "six lines to be found")
        assert "iter 250: loss 3.2 VAL" in text(pilot)
        marked = [piece for line in view(pilot)._lines for piece, style in line if style.reverse]
        assert marked == ["VAL"]
        await pilot.press("enter", "N")
        await text_has(pilot, "iter 200: loss 3.2 VAL")
        assert remark(pilot).startswith("5 of 6")
        await pilot.press("n", "n")
        await text_has(pilot, "iter 0: loss 3.2 VAL")
        assert remark(pilot).startswith("1 of 6")
        # what comes is counted, and moves nothing
        prints(printing, "iter 300: val\n")
        await until(lambda: remark(pilot).startswith("1 of 7"), "another one")
        assert "iter 0:" in text(pilot)
        await pilot.press("slash", "backspace", "backspace", "backspace", *"nowhere")
        await until(lambda: "found nowhere" in remark(pilot), "nothing to be found")
        await pilot.press("escape")
        await until(lambda: "found" not in remark(pilot), "the search to end")
        assert view(pilot).has_focus


async def test_events_are_searched_too_and_n_is_a_new_run_where_nothing_is_searched(printing: WatchedRecording):
    async with shown(printing.folder, (80, 24)) as pilot:
        await pilot.press("4", "slash", *"checkpoint at step 2", "enter")
        events = run_screen(pilot).query_one(Events)
        await until(lambda: events.has_focus, "the keys to go to the events, which have it")
        assert str(events.border_subtitle).startswith(f"{events.found} of {events.found}")
        assert events.found >= 1
        await pilot.press("escape", "n")
        await until(
            lambda: any("another one" in str(toast.render()) for toast in pilot.app.screen.query("Toast")),
            "why there is none",
        )


async def test_wide_characters_and_escapes_do_no_harm(printing: WatchedRecording):
    prints(printing, "\x1b[32m損失\x1b[0m " + "は三点二" * 40 + "\x1b]0;title\x07\x1bPq#0\x1b\\end of it\n")
    async with shown(printing.folder, (60, 20)) as pilot:
        await pilot.press("4")
        await text_has(pilot, "end of it")
        page = text(pilot)
        assert "損失" in page
        assert not {"\x1b", "\x07"} & set(page)
        assert "title" not in page
        assert "#0" not in page
        assert {cell_len(line) for line in page.splitlines()} == {60}


@given(st.lists(st.binary(max_size=60), max_size=12), st.data())
def test_a_log_read_in_pieces_is_the_log_read_at_once(tmp_path_factory, pieces: list[bytes], data):
    file = tmp_path_factory.mktemp("log") / "worker.log"
    file.write_bytes(b"")
    log = WorkerLog(file)
    for piece in pieces:
        with file.open("ab") as opened:
            opened.write(piece)
        if data.draw(st.booleans()):
            log.lines()
    assert log.lines() == WorkerLog(file).lines() == shown_log(b"".join(pieces), whole=True)


def test_output_without_end_takes_bounded_memory_and_little_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "worker.log"
    file.write_bytes(b"x" * (3 * MOST_BYTES))
    log = WorkerLog(file)
    assert [len(line) for line in log.lines()] == [LONGEST_LINE]
    with file.open("ab") as opened:
        opened.write(b"\n" + b"".join(b"line %d\n" % number for number in range(3 * MOST_LINES)))
    assert len(log.lines()) == MOST_LINES
    assert log.lines()[-1] == f"line {3 * MOST_LINES - 1}"
    assert log.first > 0
    # only what is new is read
    read = []
    monkeypatch.setattr(
        "condense_tui.snapshots.worker_log.shown", lambda data, whole: read.append(data) or shown_log(data, whole)
    )
    with file.open("ab") as opened:
        opened.write(b"one more\n")
    before, kept = log.first, log.lines()
    assert log.first == before + 1
    assert kept[-1] == "one more"
    assert sum(map(len, read)) < 100
    assert log.lines() is kept
    # another file under the name is read from its beginning
    other = tmp_path / "other"
    other.write_text("of another worker\n")
    other.replace(file)
    assert log.lines() == ("of another worker",)
