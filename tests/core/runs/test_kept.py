"""A cache of what was read of ended runs: never believed over a file, and worth nothing where it is damaged."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from pathlib import Path
from random import Random

import msgspec
import pytest
from recording import Recording

from condense_core.runfile.control import hold
from condense_core.runfile.schema import FILE_NAME, open_writer, writer
from condense_core.runs import glance, glances, kept, listing
from condense_core.runs.claim_state import Standing
from condense_core.runs.glance import Glance
from condense_core.runs.glances import Glances
from condense_core.scenario.claims import Claim, Requirement

CLAIM = Claim(text="it condenses", requires=(Requirement(measure="lines", layer="conv1", at_most=3),))
HOUR_S = 3600.0


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four ended runs that were written an hour ago; a cache is worth it also for these."""
    monkeypatch.setattr(kept, "WORTH_KEEPING", 1)
    monkeypatch.setattr(kept, "WORTH_WRITING", 1)
    monkeypatch.setattr(listing, "WORTH_WRITING", 1)
    monkeypatch.setattr(kept.Kept.write, "__kwdefaults__", {"least": 1})
    for status in ("done", "stopped", "failed", "diverged"):
        recording = Recording(tmp_path / "runs", frames=4, kernels=(6, 4), claim=CLAIM)
        recording.write()
        recording.finish(status)
        recording.close()
        aged(recording.folder)
    return tmp_path / "runs"


def aged(folder: Path, seconds: float = HOUR_S) -> None:
    for place in (*folder.iterdir(), folder):
        os.utime(place, (time.time() - seconds,) * 2)


def folders(runs: Path) -> list[Path]:
    return sorted((folder for folder in runs.iterdir() if folder.name != kept.FOLDER), reverse=True)


def looked(runs: Path) -> list[Glance]:
    return list(Glances(runs).look())


def claims(runs: Path) -> list[Standing | None]:
    troubles: list[str] = []
    found = listing.claims(runs, troubles.append)
    assert troubles == []
    return list(found.values())


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders of runs that were read from their files."""
    found: list[Path] = []
    one, whole = glance.glance, listing._read
    monkeypatch.setattr(glance, "glance", lambda folder, base: (found.append(folder), one(folder, base))[1])
    monkeypatch.setattr(listing, "_read", lambda folder, trouble: (found.append(folder), whole(folder, trouble))[1])
    return found


@pytest.mark.parametrize("look", [looked, claims])
def test_what_is_kept_is_what_was_read(runs, read, look):
    first = look(runs)
    assert len(first) == 4
    assert sorted(read) == sorted(folders(runs))
    read.clear()
    assert look(runs) == first
    assert read == []
    file = next(file for file in (runs / kept.FOLDER).iterdir())
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)


@pytest.mark.parametrize("look", [looked, claims])
@pytest.mark.parametrize("age", [0.0, HOUR_S])
def test_a_run_that_is_written_is_read_anew_also_where_it_keeps_its_size(runs, read, look, age):
    look(runs)
    changed = folders(runs)[1]
    before = (changed / FILE_NAME).stat()
    with writer(changed / FILE_NAME) as connection:
        connection.execute("UPDATE run SET reason = 'changed'")
    os.utime(changed / FILE_NAME, ns=(before.st_atime_ns, before.st_mtime_ns + (1 if age else 10**9)))
    read.clear()
    found = look(runs)
    assert read == [changed]
    if look is looked:
        assert found[1].info.reason == "changed"


def test_a_log_that_comes_beside_a_file_that_stays_as_it_is_is_seen(runs, read):
    looked(runs)
    changed = folders(runs)[1]
    before = (changed / FILE_NAME).stat()
    with contextlib.closing(open_writer(changed / FILE_NAME)) as connection:
        connection.execute("UPDATE run SET reason = 'changed'")
        os.utime(changed / FILE_NAME, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert (changed / FILE_NAME).stat().st_size == before.st_size
        read.clear()
        assert looked(runs)[1].info.reason == "changed"
        assert read == [changed]


@pytest.mark.parametrize("look", [looked, claims])
def test_only_what_lasts_is_kept(runs, read, look):
    trained, lost, fresh, mended = folders(runs)
    for folder in (trained, lost):
        with writer(folder / FILE_NAME) as connection:
            connection.execute("UPDATE run SET status = 'running'")
    (mended / FILE_NAME).write_bytes(b"no run file")
    for folder in (trained, lost, mended):
        aged(folder)
    aged(fresh, 0.0)
    with hold(trained):
        if look is looked:
            looked(runs)
        else:
            listing.claims(runs, lambda _: None)
        read.clear()
        if look is looked:
            looked(runs)
        else:
            listing.claims(runs, lambda _: None)
        assert sorted(read) == sorted(folders(runs))


@pytest.mark.parametrize("look", [looked, claims])
def test_a_damaged_cache_is_as_good_as_none(runs, look):
    first = look(runs)
    (file,) = (runs / kept.FOLDER).iterdir()
    whole, draw = file.read_bytes(), Random(0)
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(draw.choice((1, 2, 20))):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        file.write_bytes(bytes(damaged[: draw.choice((len(damaged), draw.randrange(len(damaged))))]))
        assert look(runs) == first
    shutil.rmtree(runs / kept.FOLDER)
    assert look(runs) == first


def test_a_cache_that_steers_the_terminal_or_is_of_another_program_is_not_believed(runs, read, monkeypatch):
    first = looked(runs)
    for text, program in (("\x1b[2J", kept._program()), ("owned", "another program")):
        cache = Glances(runs)._kept
        for folder in folders(runs):
            seen = kept.signature(str(folder))
            known = cache.get(folder.name, seen)
            info = msgspec.structs.replace(known.info, name=text)
            cache.put(folder.name, seen, seen, glances.KeptGlance(info, known.loss, known.layers))
        with monkeypatch.context() as other:
            other.setattr(kept, "_program", lambda program=program: program)
            cache.write([folder.name for folder in folders(runs)])
        assert looked(runs) == first


def test_a_cache_of_somebody_else_is_not_believed(runs, read):
    looked(runs)
    file = runs / kept.FOLDER / "glances-plain"
    for mend in (lambda: file.chmod(0o666), lambda: (file.rename(file.with_name("x")), file.symlink_to("x"))):
        mend()
        read.clear()
        looked(runs)
        assert len(read) == 4


def test_a_folder_that_cannot_be_written_is_looked_at_all_the_same(runs, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert len(looked(runs)) == 4
    assert list((runs / kept.FOLDER).iterdir()) == []


def test_what_a_killed_program_left_is_cleared_and_never_read(runs):
    looked(runs)
    left = runs / kept.FOLDER / ".glances.0000"
    left.write_bytes(b"half")
    os.utime(left, (time.time() - HOUR_S,) * 2)
    with writer(folders(runs)[0] / FILE_NAME) as connection:
        connection.execute("UPDATE run SET reason = 'changed'")
    aged(folders(runs)[0], 60.0)
    looked(runs)
    assert [file.name for file in (runs / kept.FOLDER).iterdir()] == ["glances-plain"]


def test_old_runs_are_left_alone_and_what_happens_is_seen_at_the_next_look(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(glances, "SCREENFUL", 1)
    looking, stats = Glances(runs), []
    assert len(list(looking.look())) == 4
    time.sleep(glances.SETTLED_S)
    whole = kept.signature
    monkeypatch.setattr(kept, "signature", lambda folder, before: (stats.append(folder), whole(folder, before))[1])
    list(looking.look(every=False))
    list(looking.look(every=False))
    assert stats == [str(folders(runs)[0])] * 2
    # a run that is made; the folder comes before its file
    made, removed = runs / "990101-000000-new-0000", folders(runs)[-1]
    made.mkdir()
    assert len(list(looking.look(every=False))) == 4
    shutil.copy(folders(runs)[1] / FILE_NAME, made / FILE_NAME)
    assert next(looking.look(every=False)).folder == made
    shutil.rmtree(removed)
    assert removed not in [found.folder for found in looking.look(every=False)]
    # one far down, once it is due, and at once where all are asked for
    old = folders(runs)[-1]
    with writer(old / FILE_NAME) as connection:
        connection.execute("UPDATE run SET reason = 'changed'")
    assert [found.info.reason for found in looking.look(every=False)][-1] == ""
    assert [found.info.reason for found in looking.look()][-1] == "changed"


def test_an_old_run_is_looked_at_again_in_half_a_minute(runs, monkeypatch):
    monkeypatch.setattr(glances, "SCREENFUL", 0)
    looking = Glances(runs)
    list(looking.look())
    known = looking._order[0]
    assert 0 < known.due - time.monotonic() <= glances.REST_S
    aged(folders(runs)[0], 20.0)
    list(looking.look())
    assert looking._order[0].due - time.monotonic() <= 1.1
