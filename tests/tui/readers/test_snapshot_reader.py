"""The reader thread: newest first, never too often, never more than the screen can paint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from recording import Recording
from textual.message import Message

from condense_core.runfile.frames import Array, Condensation
from condense_core.runfile.reader import RunReader
from condense_tui.readers.run import run_thread
from condense_tui.readers.thread import ANSWERS_PER_SECOND, ReadFailed, SnapshotReady
from condense_tui.snapshots.assemble import Assembler, ViewRequest
from condense_tui.snapshots.image import image_of
from condense_tui.snapshots.playhead import Playhead
from condense_tui.snapshots.snapshot import Snapshot

PATIENCE_S = 20.0


class Posted:
    """Takes messages as the app does, and can be told not to say that it has painted."""

    def __init__(self, place: Path, paints: bool = True) -> None:
        self.messages: list[Message] = []
        self.times: list[float] = []
        self.paints = paints
        self._came = threading.Condition()
        self.thread = run_thread(place, self._post, ViewRequest(), Playhead())

    def _post(self, message: Message) -> None:
        with self._came:
            self.messages.append(message)
            self.times.append(time.monotonic())
            self._came.notify_all()
        if self.paints:
            self.thread.painted()

    def until(self, holds: Callable[[Snapshot], bool]) -> Snapshot:
        with self._came:
            assert self._came.wait_for(lambda: bool(self.snapshots) and holds(self.snapshots[-1]), PATIENCE_S)
            return self.snapshots[-1]

    @property
    def snapshots(self) -> list[Snapshot]:
        return [message.snapshot for message in self.messages if isinstance(message, SnapshotReady)]


@contextmanager
def reading(place: Path, paints: bool = True) -> Iterator[Posted]:
    posted = Posted(place, paints)
    posted.thread.start()
    try:
        yield posted
    finally:
        posted.thread.stop()


def test_live_frames_arrive_and_the_newest_is_shown(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    with recording.worker(), reading(recording.folder) as posted:
        assert posted.until(lambda _: True).head is None
        for count in (1, 4, 10):
            recording.write(count)
            wanted = recording.steps[recording.written - 1]
            shown = posted.until(
                lambda snapshot, wanted=wanted: snapshot.head is not None and snapshot.head.step == wanted
            )
            assert len(shown.images) == 1


def test_quiet_finished_run_posts_nothing_new(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write()
    recording.finish()
    with reading(recording.folder) as posted:
        posted.until(lambda _: True)
        posted.thread.look(ViewRequest(by_line=False))
        posted.until(lambda snapshot: snapshot.images[0].groups == ())
        assert len(posted.snapshots) == 2


def test_held_key_is_answered_at_a_bounded_rate(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write()
    recording.finish()
    with reading(recording.folder) as posted:
        count = posted.until(lambda _: True).instants.size
        for _ in range(200):
            posted.thread.move(lambda playhead, last: playhead.step(-1, last.head.count))
        posted.until(lambda snapshot: snapshot.head is not None and snapshot.head.index == max(0, count - 201))
        # not gap by gap: a busy machine may hand over one late and the next one in time
        assert len(posted.times) <= 2 + ANSWERS_PER_SECOND * (posted.times[-1] - posted.times[0])


def test_unpainted_screen_gets_one_snapshot_and_then_the_newest(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write(2)
    with recording.worker(), reading(recording.folder, paints=False) as posted:
        posted.until(lambda _: True)
        for _ in range(5):
            recording.write(2)
        newest = int(recording.steps[recording.written - 1])
        posted.thread.painted()
        shown = posted.until(lambda snapshot: snapshot.head is not None and snapshot.head.step == newest)
        assert shown is posted.snapshots[-1]
        assert len(posted.snapshots) <= 3


def test_missing_run_is_reported(tmp_path: Path) -> None:
    posted = Posted(tmp_path)
    posted.thread.start()
    posted.thread.join(PATIENCE_S)
    assert [type(message) for message in posted.messages] == [ReadFailed]


def test_snapshot_at_a_step_holds_what_was_measured_there(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write()
    with RunReader(recording.folder) as reader:
        assembler = Assembler(reader)
        early = assembler.snapshot(Playhead().go(0), ViewRequest())
        late = assembler.snapshot(Playhead(), ViewRequest(layer="conv2", every_layer=True))
    assert early.head is not None
    assert early.head.step == 0
    assert early.chosen is not None
    assert not early.chosen.is_condensed
    assert late.chosen is not None
    assert late.chosen.name == "conv2"
    assert late.chosen.condensed
    assert late.chosen.condensed_at is not None
    assert [image.layer for image in late.images] == ["conv1", "conv2"]
    assert late.loss is early.loss
    labels = [group.label for group in late.images[0].groups]
    assert labels == sorted(labels, key=lambda label: label if label >= 0 else 100 - label)


def test_pooled_and_uncondensed_matrices_keep_the_recorded_order() -> None:
    cosine = np.eye(4, dtype=np.float32)
    assert image_of("a", cosine, None, True).order.tolist() == [0, 1, 2, 3]
    pooled = image_of("a", cosine, condensation(1000), True)
    assert pooled.pooled
    assert pooled.kernels == 1000
    assert not pooled.dropped.any()


def condensation(kernels: int) -> Condensation:
    return Condensation(
        kernels=kernels,
        kept=kernels,
        lines=0,
        lines_coarse=0,
        directions=0,
        coverage=0.0,
        mean_abs_cos=float("nan"),
        pair_abs_cos=0.0,
        null_coverage=0.0,
        null_abs_cos=0.0,
        condensed=False,
        sizes=(),
        label=Array.of(np.full(kernels, -1), "i2"),
        sign=Array.of(np.ones(kernels), "i1"),
        norm=Array.of(np.ones(kernels), "f4"),
    )


def test_a_frame_that_is_looked_at_stays_while_earlier_ones_come(tmp_path):
    """A mirror has its newest frames first; what is put in before them moves nobody who looks back."""
    recording = Recording(tmp_path / "runs", frames=40)
    recording.write()
    recording.writer._connection.execute("CREATE TABLE mirror (filled INTEGER, host, link, delay, heard, trouble)")
    recording.writer._connection.execute("CREATE TABLE hole (after INTEGER, last INTEGER)")
    recording.writer._connection.execute("INSERT INTO mirror VALUES (0, 'far', 'offline', NULL, 0.0, '')")
    kept = recording.writer._connection.execute("SELECT * FROM scalar WHERE step < 100").fetchall()
    recording.writer._connection.execute("DELETE FROM scalar WHERE step < 100")
    with reading(recording.folder) as posted:
        posted.until(lambda snapshot: snapshot.head is not None)
        posted.thread.move(lambda playhead, _: playhead.go(3))
        before = posted.until(lambda snapshot: snapshot.head.index == 3)
        recording.writer._connection.executemany("INSERT INTO scalar VALUES (?, ?, ?, ?)", kept)
        recording.writer._connection.execute("UPDATE mirror SET filled = 1")
        after = posted.until(lambda snapshot: snapshot.head.count > before.head.count)
        assert after.head.step == before.head.step
        assert after.head.index == 3 + len(kept)
    recording.close()
