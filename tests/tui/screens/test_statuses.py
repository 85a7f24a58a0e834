"""A status means the same in every list: one sign, and one answer to what can be done."""

from __future__ import annotations

import sys
from typing import get_args

import msgspec
import pytest
from recording import Recording

from condense_core.runfile import status as statuses
from condense_core.runfile.abilities import how_to_go_on
from condense_core.runfile.info import CHECKPOINT_NAME
from condense_core.runfile.reader import RunReader
from condense_core.runs.glance import glance
from condense_core.runs.row import RunRow
from condense_core.runs.summary import summarise
from condense_tui.cli.headless import exit_code
from condense_tui.draw.status import SIGNS
from condense_tui.screens.list_lines import run_details
from condense_tui.screens.run_commands import pause_word
from condense_tui.snapshots.banner import banner
from condense_tui.terminal import look
from condense_tui.text.run_list import print_runs

EVERY = get_args(statuses.Status)


def test_every_status_is_active_or_has_ended_in_some_way() -> None:
    assert set(EVERY) == statuses.ACTIVE | statuses.ENDED | statuses.INTERRUPTED
    assert not statuses.ACTIVE & (statuses.ENDED | statuses.INTERRUPTED)
    assert set(EVERY) == set(SIGNS)


@pytest.mark.parametrize("status", ["done", "stopped", "failed", "diverged"])
def test_a_list_offers_to_resume_where_the_key_does(status: str, recorded: Recording) -> None:
    recorded.finish(status)
    info = glance(recorded.folder).info
    assert info is not None
    assert ("p trains it again from step 0" in details(recorded)) is (pause_word(info) == "resume")
    (recorded.folder / CHECKPOINT_NAME).touch()
    assert ("p resumes it from its last checkpoint" in details(recorded)) is (pause_word(info) == "resume")


def details(recording: Recording) -> str:
    found = glance(recording.folder)
    return "".join(text for line in run_details(found, look.of(look.themes()[0]), 100, 20) for text, _ in line)


@pytest.mark.parametrize("status", ["lost", "failed"])
def test_a_banner_offers_a_checkpoint_where_there_is_one(status: str, recorded: Recording) -> None:
    recorded.finish(status)
    info = glance(recorded.folder).info
    assert info is not None
    assert "p to train from step 0 again" in banner(info, recorded.folder, 5).text
    (recorded.folder / CHECKPOINT_NAME).touch()
    assert "p to resume from its last checkpoint" in banner(info, recorded.folder, 5).text


@pytest.mark.parametrize("status", ["lost", "failed"])
def test_a_script_of_ones_own_is_what_goes_on_with_its_run(status: str, recorded: Recording, capsys) -> None:
    recorded.finish(status)
    with RunReader(recorded.folder) as run:
        summary, engine = summarise(run), run.info()
    watched = msgspec.structs.replace(engine, trainer="watch", can=("pause", "stop"))
    text = banner(watched, recorded.folder, 5).text
    assert "press p" not in text
    assert "its script can go on with it: condense-tui watch --resume" in text
    assert exit_code(engine, summary, check=False) == 1
    assert ("condense-tui runs resume" in capsys.readouterr().err) is (status == "lost")
    assert exit_code(watched, summary, check=False) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "runs resume" not in said
    assert (f"condense-tui watch --resume {watched.id} SCRIPT" in said) is (status == "lost")
    there = how_to_go_on(watched, "gpu")
    assert f"watch --resume {watched.id} --host gpu SCRIPT" in there
    imported = msgspec.structs.replace(engine, trainer="import", can=())
    assert how_to_go_on(imported) == ""
    assert "press p" not in banner(imported, recorded.folder, 5).text
    assert exit_code(imported, summary, check=False) == 1
    assert "SCRIPT" not in capsys.readouterr().err


def test_a_run_that_diverged_at_once_has_no_frames_before_to_go_to(recorded: Recording) -> None:
    recorded.finish("diverged")
    info = glance(recorded.folder).info
    assert info is not None
    assert "←" in banner(info, recorded.folder, 5).text
    assert "←" not in banner(info, recorded.folder, 0).text


@pytest.mark.parametrize("status", ["done", "stopped", "failed", "diverged"])
def test_the_table_of_runs_has_the_signs_of_the_screens(
    status: str, recorded: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded.finish(status)
    print_runs([RunRow(glance(recorded.folder))])
    assert f"{SIGNS[status].sign} {status}" in capsys.readouterr().out


def test_the_table_of_runs_is_written_at_once(recorded: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    # between two writes a signal may come too late for the first and too early for the second
    written: list[str] = []
    monkeypatch.setattr(sys.stdout, "write", written.append)
    print_runs([RunRow(glance(recorded.folder))] * 3)
    (table,) = filter(None, written)
    assert len(table.splitlines()) == 4


def test_the_table_of_runs_names_the_job_that_trains_one(
    recorded: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = glance(recorded.folder)
    assert seen.info is not None
    of_job = msgspec.structs.replace(seen, info=msgspec.structs.replace(seen.info, host="node07, job 120_4"))
    print_runs([RunRow(of_job), RunRow(seen)])
    listed = capsys.readouterr().out.splitlines()
    assert [line.rstrip().endswith("node07, job 120_4") for line in listed] == [False, True, False]
