"""Runs that were never read are read by several processes, and are the same runs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from recording import Recording

from condense_core.runfile.control import hold
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runs import ahead, glance, glances, kept, listing, read_run
from condense_core.runs.glances import Glances
from condense_core.scenario.claims import Claim, Requirement

CLAIM = Claim(text="it condenses", requires=(Requirement(measure="lines", layer="conv1", at_most=3),))
RUNS = 6


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs that were written an hour ago: one is damaged, and one is being trained."""
    monkeypatch.setattr(ahead, "usable_cores", lambda: 2)
    for module in (ahead, glances, listing):
        monkeypatch.setattr(module, "WORTH_PROCESSES", 1)
    monkeypatch.setattr(glances, "SCREENFUL", 0)
    monkeypatch.setattr(kept, "WORTH_KEEPING", 1000)
    recording = Recording(tmp_path / "runs", frames=4, kernels=(6, 4), claim=CLAIM)
    recording.write()
    recording.finish()
    recording.close()
    for number in range(RUNS - 1):
        shutil.copytree(recording.folder, tmp_path / "runs" / f"990101-00000{number}-copy-0000")
    trained, damaged = folders(tmp_path / "runs")[:2]
    with writer(trained / FILE_NAME) as connection:
        connection.execute("UPDATE run SET status = 'running'")
    (damaged / FILE_NAME).write_bytes(b"no run file")
    for folder in folders(tmp_path / "runs"):
        for place in (*folder.iterdir(), folder):
            os.utime(place, (time.time() - 3600,) * 2)
    return tmp_path / "runs"


def folders(runs: Path) -> list[Path]:
    return sorted(runs.iterdir(), reverse=True)


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders of runs that were read by this process."""
    found: list[Path] = []
    one, whole = glance.glance, listing._read
    monkeypatch.setattr(glance, "glance", lambda folder, *rest: (found.append(folder), one(folder, *rest))[1])
    monkeypatch.setattr(listing, "_read", lambda folder, trouble: (found.append(folder), whole(folder, trouble))[1])
    return found


def rows(runs: Path) -> tuple[list[object], list[str]]:
    troubles: list[str] = []
    found = listing.rows(runs, glance.no_base, troubles.append, claims=True)
    return [(row.glance, row.claim) for row in found], troubles


def test_what_processes_read_is_what_one_reads_and_the_rest_is_read_here(runs, read_here, monkeypatch):
    trained, damaged, *ended = folders(runs)
    with hold(trained):
        found, troubles = rows(runs)
        # those of which nothing can be kept, for the list and for their claims
        assert sorted(read_here) == sorted([trained, trained, damaged, damaged])
        claims = listing.claims(runs, lambda _: None)
        assert sorted(read_here[4:]) == sorted([trained, damaged])
        monkeypatch.setattr(ahead, "usable_cores", lambda: 1)
        assert rows(runs) == (found, troubles)
    assert set(ended) <= set(read_here)
    assert len(found) == RUNS - 1
    assert len(troubles) == 1
    assert "is damaged" in troubles[0]
    assert claims == {row.folder.name: claim for row, claim in found}


def test_what_a_process_read_is_not_looked_at_again_until_the_next_look(runs, monkeypatch):
    looked: list[str] = []
    look = kept.signature
    monkeypatch.setattr(
        kept, "signature", lambda folder, before: (looked.append(Path(folder).name), look(folder, before))[1]
    )
    trained, damaged, first, *_ = folders(runs)
    of_all = Glances(runs)
    before = {found.folder: found for found in of_all.look()}
    assert sorted(looked) == sorted([trained.name, damaged.name])
    with writer(first / FILE_NAME) as connection:
        connection.execute("UPDATE run SET step = 7")
    after = {found.folder: found for found in of_all.look()}
    assert before[first].info.step != 7
    assert after[first].info.step == 7
    assert {folder for folder in after if after[folder] != before[folder]} == {first}


def test_a_process_that_ends_without_a_word_has_read_nothing(runs, read_here, monkeypatch):
    monkeypatch.setattr(ahead.sys, "executable", "/bin/false")
    assert len(list(Glances(runs).look())) == RUNS
    assert len(read_here) == RUNS


def test_names_that_no_other_process_knows_are_read_here(runs, read_here):
    assert len(list(Glances(runs, lambda preset: None).look())) == RUNS
    assert len(read_here) == RUNS


def test_a_run_that_is_listed_with_its_claim_is_opened_once(runs, monkeypatch):
    monkeypatch.setattr(ahead, "usable_cores", lambda: 1)
    opened: list[str] = []
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda place, *rest, **more: (opened.append(place), connect(place, *rest, **more))[1]
    )
    ended = folders(runs)[2:]
    found = listing.rows(runs, glance.no_base, lambda _: None, claims=True)
    assert [row.claim is not None for row in found] == [True] * (RUNS - 1)
    assert [sum(folder.name in place for place in opened) for folder in ended] == [1] * len(ended)


def test_files_are_looked_at_once_for_a_list_and_its_claims(runs, monkeypatch):
    monkeypatch.setattr(ahead, "usable_cores", lambda: 1)
    looked: list[str] = []
    look = kept.signature
    monkeypatch.setattr(kept, "signature", lambda folder, before: (looked.append(folder), look(folder, before))[1])
    found, _ = rows(runs)
    assert [claim is not None for _, claim in found] == [True] * (RUNS - 1)
    assert len(set(looked)) == len(looked) == RUNS


def test_a_claim_that_cannot_be_read_is_no_trouble_of_the_list(runs, monkeypatch):
    monkeypatch.setattr(ahead, "usable_cores", lambda: 1)
    folder = folders(runs)[2]
    with writer(folder / FILE_NAME) as connection:
        connection.execute("UPDATE place SET layer = x'ff' WHERE kind = 'similarity'")
    seen = kept.signature(str(folder))
    found, lasting = read_run.read(folder, glance.no_base, seen, claims=True)
    assert found.trouble == ""
    assert lasting is not None
    assert lasting.claim is None
    troubles: list[str] = []
    assert listing.rows(runs, glance.no_base, troubles.append, claims=True)
    assert any("place.layer" in line for line in troubles)


@pytest.mark.parametrize("piece", [1, 1000, 10**7])
def test_answers_are_taken_as_they_come_and_half_a_one_is_none(runs, piece, tmp_path):
    ended = [folder.name for folder in folders(runs)[2:]]
    pieces = ("\n".join(names).ljust(100, "\n") for names in (ended[:2], ended[2:], ["nothing"]))
    (tmp_path / "asked").write_text("".join(pieces))
    few = "import sys; from condense_core.runs import ahead; ahead.ANSWER = 2; sys.exit(ahead.main())"
    with (tmp_path / "asked").open("rb") as asked, (tmp_path / "answers").open("wb") as answered:
        words = [str(runs), "condense_core.runs.glance:no_base", "", "100"]
        subprocess.run([sys.executable, "-c", few, *words], stdin=asked, stdout=answered, check=True)
    data = (tmp_path / "answers").read_bytes()
    answers = ahead._Answers()
    found = [each.name for at in range(0, len(data), piece) for each in answers.behind(data[at : at + piece])]
    assert found == ended
    cut = [each.name for each in ahead._Answers().behind(data[:-1])]
    assert cut == ended[: len(cut)]
    assert 0 < len(cut) < len(ended)
