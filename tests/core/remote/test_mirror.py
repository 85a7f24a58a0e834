"""The mirror is the original, however it came about; and it is an ordinary run file meanwhile."""

from __future__ import annotations

import contextlib
import math
import random

import numpy as np
import pytest
from pairing import assert_same, following
from recording import Recording

from condense_core.errors import RunFileError
from condense_core.remote.client.mirror import MirrorFile, make_mirror_folder
from condense_core.remote.server.source import RunSource
from condense_core.remote.wire import messages as say
from condense_core.remote.wire.version import program_version
from condense_core.runfile import control
from condense_core.runfile.info import read_run
from condense_core.runfile.levels import SimilarityEncoder
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs.create import create_watched
from condense_core.runs.summary import summarise, to_json
from condense_core.scenario.watched import Watched


def test_the_mirror_of_a_finished_run_is_the_run(far, near):
    recording = Recording(far, kernels=(32, 16, 8), lines=(2, 1, 1), frames=60)
    recording.write()
    recording.finish()
    with following(far, near, recording.folder.name) as link:
        link.settle()
        folder = link.folder
    assert_same(folder, recording.folder)
    with RunReader(folder) as mirror, RunReader(recording.folder) as original:
        here, there = mirror.info(), original.info()
        assert here.mirror is not None
        assert (here.id, here.experiment, here.status, here.step) == (there.id, there.experiment, "done", there.step)
        assert to_json(summarise(mirror)) == to_json(summarise(original))


def test_rows_of_several_seeds_are_mirrored_whichever_come_first(far, near, make_run):
    folder, encoder = make_run("ensemble.members=5"), SimilarityEncoder()
    writer, drawn = RunWriter(folder), np.random.default_rng(0)
    for step in range(40):
        members = (0, 1, 2, 3, 4) if step < 20 else (0, 2, 3)
        stack = encoder.encode_members(drawn.uniform(-1, 1, (len(members), 21)), members, 6, 6)
        writer.append(StepRecord(step, [("loss", 1.0)], [("dense1", stack)], []))
    writer.update(status="done")
    writer.close()
    for newest, runs in ((False, near / "all"), (True, near / "newest")):
        with following(folder.parent, runs, folder.name, newest=newest) as link:
            link.settle()
        assert_same(link.folder, folder)
        with RunReader(folder) as there, RunReader(link.folder) as here:
            for number, last in ((0, 39), (1, 19), (3, 39)):
                assert here.member(number).similarity_steps("dense1")[-1] == last
                matrix = here.member(number).similarity("dense1")
                np.testing.assert_array_equal(matrix, there.member(number).similarity("dense1"))


def test_the_mirror_of_a_run_of_an_earlier_format_is_of_that_format(far, near):
    recording = Recording(far, frames=20, format_=1)
    recording.write(10)
    for rest in (None, 5, None):
        with recording.worker(), following(far, near, recording.folder.name) as link:
            link.settle()
            assert link.mirror.format == 1
            if rest:
                recording.write(rest)
                link.settle()
    assert_same(link.folder, recording.folder)


def test_a_client_of_the_protocol_before_is_served_runs_that_it_can_read_and_refused_others(far, near):
    old, new = Recording(far, frames=20, format_=1), Recording(far, frames=3)
    old.write()
    with following(far, near, old.folder.name, protocol=2) as link:
        link.settle()
        (hello,) = (message for message in link.received if isinstance(message, say.Hello))
        assert hello.protocol == 2
        answers: list[say.Refused] = []
        with pytest.raises(StopIteration):
            link.ask(lambda ask: say.Subscribe(ask, new.folder.name, 0, False), say.Described)
        answers += [message for message in link.received if isinstance(message, say.Refused)]
    assert_same(link.folder, old.folder)
    assert [answer.error for answer in answers] == [
        f"{new.folder.name} is recorded in format 5, which your condense-tui cannot receive;"
        f" update it to one like that of this machine, {program_version()}"
    ]


def test_a_client_of_the_protocol_before_is_told_of_a_watched_run_in_a_line(far, near):
    old = Recording(far, frames=20, format_=1)
    old.write()
    watched = create_watched(Watched(name="mine"), runs=far)
    newer = f"update it to one like that of this machine, {program_version()}"
    for protocol, listed in ((say.PROTOCOL, 2), (2, 1)):
        with following(far, near, old.folder.name, protocol=protocol) as link:
            runs, troubles = link.ask(say.ListRuns, say.Runs).unpacked()
            assert len(runs) == listed
            with contextlib.suppress(StopIteration):
                link.ask(lambda ask: say.Subscribe(ask, watched.name, 0, False), say.Described)
            refused = [message.error for message in link.received if isinstance(message, say.Refused)]
    # the older one
    assert troubles == [
        f"{watched.name} is trained by a script of its own, which your condense-tui cannot show; {newer}"
    ]
    assert refused == [f"{watched.name} is recorded in format 5, which your condense-tui cannot receive; {newer}"]


def test_a_file_of_a_later_format_is_not_copied(far, near):
    recording = Recording(far, frames=3)
    with pytest.raises(RunFileError, match="has format 99, and this program reads up to 5"):
        MirrorFile(make_mirror_folder(near, "far", "x"), "far", read_run(recording.folder), 99)


def test_numbers_arrive_as_themselves(make_run, tmp_path, near):
    original = make_run()
    writer = RunWriter(original)
    values = [1e-300, -0.0, math.inf, -math.inf, math.nan, 5e-324, 0.1]
    for step, value in enumerate(values):
        writer.append(StepRecord(step, [("loss", value), ("other", 1.0)], [], [("note", "text ✓")]))
    with following(tmp_path / "runs", near, original.name) as link:
        link.settle()
        with RunReader(link.folder) as mirror:
            assert np.array_equal(mirror.curve("loss")[1], values, equal_nan=True)
        assert_same(link.folder, original)
    writer.close()


def test_a_run_that_grows_is_followed_row_by_row(far, near):
    recording = Recording(far, frames=40)
    with recording.worker(), following(far, near, recording.folder.name) as link:
        while recording.written < len(recording.steps):
            recording.write(1)
            link.settle()
            assert_same(link.folder, recording.folder)
            assert read_run(link.folder).status == "running"
        recording.finish()
        link.server._state_due = 0
        link.settle()
    assert read_run(link.folder).status == "done"


@pytest.mark.parametrize("newest", [False, True])
def test_fifty_cuts_at_random_bytes_lose_nothing_and_repeat_nothing(far, near, random_source: random.Random, newest):
    recording = Recording(far, frames=300, kernels=(24, 12), steps=100_000)
    folder = None
    for _ in range(50):
        recording.write(random_source.randrange(12))
        with following(far, near, recording.folder.name, newest=newest) as link:
            folder = link.folder
            for _ in range(random_source.randrange(6)):
                recording.write(random_source.randrange(3))
                link.step(random_source.randrange(1, 30_000))
    recording.write()
    recording.finish()
    with following(far, near, recording.folder.name, newest=newest) as link:
        link.settle()
    assert folder is not None
    assert_same(folder, recording.folder)


def test_far_behind_the_newest_rows_come_first_and_all_come_in_the_end(far, near):
    recording = Recording(far, frames=1500, kernels=(48, 20), lines=(2, 1), steps=10**6)
    recording.write(len(recording.steps) - 20)
    with recording.worker(), following(far, near, recording.folder.name, newest=True) as link:
        while not any(isinstance(message, say.Rows) for message in link.received):
            link.step()
        while link.mirror.top < RunSource(recording.folder).last_seq():
            link.step()
        asked = [message for message in link.received if isinstance(message, say.Rows) and not message.fill]
        assert asked[0].after > 0, "the server did not leap to the newest rows"
        assert len(asked) <= 4
        with RunReader(link.folder) as mirror, RunReader(recording.folder) as original:
            assert 0 < len(mirror.instants) < 200
            newest = int(original.instants[-1])
            assert mirror.instants[-1] == newest
            for layer in original.layers:
                assert np.array_equal(mirror.similarity(layer), original.similarity(layer))
            before = mirror.instants.copy()
            assert mirror.info().mirror.missing > 0
            # what grows meanwhile is not kept waiting by what is filled in
            recording.write(1)
            link.step()
            link.step()
            assert mirror.instants[-1] == original.instants[-1] > newest
            link.settle()
            assert len(before) < len(mirror.instants) == len(original.instants)
            assert np.array_equal(mirror.curve("loss")[1], original.curve("loss")[1])
            assert [event.text for event in mirror.events] == [event.text for event in original.events]
            assert mirror.info().mirror.missing == 0
        assert_same(link.folder, recording.folder)


def test_no_picture_is_made_over_a_hole(far, near):
    """At every moment of filling in, each picture that can be seen is the one of its step."""
    recording = Recording(far, frames=400, kernels=(40, 9), lines=(2, 1), steps=10**5)
    recording.write()
    with following(far, near, recording.folder.name, newest=True) as link, RunReader(recording.folder) as original:
        seen = missing = 0
        for _ in range(200):
            link.step()
            with RunReader(link.folder) as mirror:
                steps = mirror.instants
                for step in steps[:: max(1, len(steps) // 40)]:
                    for layer in mirror.layers:
                        picture = mirror.similarity(layer, int(step))
                        if picture is None:
                            missing += 1
                        else:
                            seen += 1
                            assert np.array_equal(picture, original.similarity(layer, int(step)))
            if link.follower.complete:
                break
        assert link.follower.complete
        assert seen > 100
    assert_same(link.folder, recording.folder)


def test_a_run_that_has_ended_is_told_only_when_its_last_rows_are_there(far, near):
    recording = Recording(far, frames=800, kernels=(48,), lines=(2,), steps=10**6)
    recording.write()
    recording.finish()
    with following(far, near, recording.folder.name) as link:
        for _ in range(2000):
            link.step()
            with RunReader(link.folder) as mirror:
                ended = mirror.info().status == "done"
            rows = RunSource(link.folder).last_seq()
            if ended:
                break
        assert ended
        assert rows == RunSource(recording.folder).last_seq()


def test_commands_reach_the_worker_and_are_not_repeated(far, near):
    recording = Recording(far, frames=4)
    recording.write(2)
    with recording.worker(), following(far, near, recording.folder.name) as link:
        link.settle()
        control.send(link.folder, "pause")
        control.send(link.folder, "stop")
        for _ in range(4):
            link.step()
        assert [command.verb for command in recording.writer.take_commands()] == ["pause", "stop"]
        assert link.mirror.waiting_commands() == []
    with recording.worker(), following(far, near, recording.folder.name) as link:
        for _ in range(4):
            link.step()
        assert recording.writer.take_commands() == []


def test_what_the_far_side_refuses_is_said(far, near):
    recording = Recording(far, frames=4)
    recording.write()
    recording.finish()
    with following(far, near, recording.folder.name) as link:
        link.settle()
        control.send(link.folder, "stop")
        for _ in range(4):
            link.step()
            link.follower._shown = -1e9
        link.follower.tick()
        with RunReader(link.folder) as mirror:
            assert "nothing to stop" in mirror.info().mirror.trouble


def test_an_old_command_is_not_carried_out_hours_later(far, near):
    recording = Recording(far, frames=4)
    recording.write(2)
    with recording.worker(), following(far, near, recording.folder.name) as link:
        link.settle()
        control.send(link.folder, "stop")
        link.mirror._connection.execute("UPDATE command SET sent_at = sent_at - 3600")
        for _ in range(4):
            link.step()
        assert recording.writer.take_commands() == []


def test_a_mirrors_status_is_what_the_far_side_saw(far, near):
    recording = Recording(far, frames=4)
    recording.write()
    with following(far, near, recording.folder.name) as link:
        with recording.worker():
            link.settle()
            assert read_run(link.folder).status == "running"
        # its worker is gone without a word
        link.server._state_due = 0
        link.settle()
        for _ in range(3):
            link.step()
        info = read_run(link.folder)
        assert info.status == "lost"
        assert info.mirror.link == "connected"
    assert read_run(link.folder).mirror.link == "offline"
