"""A disk that is full, that fails or loses power under the copy of a run elsewhere: the next copy is the run.

The far side is a server of ours behind something that stands for ssh and has no network.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import shim
from damage import look_at_everything
from pairing import all_rows, assert_same
from recording import Recording

from campaigns import workers
from campaigns.disk import check_words, command, fault
from campaigns.framework import Attempt, Campaign, Scene
from campaigns.medium import Medium, crash_points, lay_out
from condense_core.runfile.info import CHECKPOINT_NAME, LOG_NAME
from condense_core.runs.place import find_run, run_folders

# The shell of another machine: the command line is what comes last.
SSH = '#!/bin/sh\n[ "$1" = -V ] && { echo OpenSSH_9.2 >&2; exit 0; }\nfor last; do :; done\nexec sh -c "$last"\n'
STATUSES = {0, 1, 2, 3}


class Far:
    """A run elsewhere, and what a first copy of it changes on the disk here."""

    def __init__(self, folder: Path) -> None:
        recording = Recording(folder / "far", frames=40)
        recording.write()
        recording.finish()
        recording.close()
        self.run = recording.folder
        (self.run / LOG_NAME).write_bytes(b"said by the worker\n" * 5_000)
        (self.run / CHECKPOINT_NAME).write_bytes(Random(0).randbytes(1_500_000))
        ssh, config = folder / "bin" / "ssh", folder / "config"
        for place in (ssh.parent, config, folder / "copied"):
            place.mkdir()
        ssh.write_text(SSH)
        ssh.chmod(0o755)
        paths = os.pathsep.join(path for path in sys.path if path)
        program = f"env PYTHONPATH='{paths}' {sys.executable} -m condense_tui"
        (config / "hosts.toml").write_text(f'[far]\ncommand = """{program}"""\nruns_dir = "{self.run.parent}"\n')
        self._variables = {"PATH": f"{ssh.parent}:{os.environ['PATH']}", "CONDENSE_CONFIG_DIR": str(config)}
        self._copied = folder / "copied"
        journal = folder / "journal"
        status, words = self.pull(self._copied, SHIM_UNDER=str(self._copied), SHIM_JOURNAL=str(journal))
        assert status == 0, words
        self._changes = [change for change in shim.journal(journal) if not change.path.endswith("-shm")]

    def pull(self, runs: Path, **faults: str) -> tuple[int, str]:
        """Copy the run here; the command's status and what it says."""
        words = ("runs", "pull", self.run.name, "--host", "far", "--checkpoint")
        return command(*words, CONDENSE_RUNS_DIR=str(runs), **self._variables, **faults)

    def lose_power(self, draw: Random, runs: Path) -> None:
        """Have there what a loss of power during a first copy may leave."""
        near = draw.choice(crash_points(self._changes)) + draw.randrange(2)
        at = near if draw.random() < 0.5 else draw.randrange(len(self._changes) + 1)
        medium = Medium({})
        for change in self._changes[:at]:
            medium.play(change)
        lay_out(medium.after_a_loss(draw), self._copied, runs)
        for mirror in run_folders(runs):
            here, there = all_rows(mirror), all_rows(self.run)
            assert all(set(here[table]) <= set(there[table]) for table in there), "rows that are not the run's"
            assert look_at_everything(mirror) == 0

    def fail(self, draw: Random, runs: Path, what: str) -> bool:
        """Have a copy fail; whether it did."""
        if draw.random() < 0.4:
            # it was copied before, in part
            self.pull(runs, SHIM_UNDER=str(runs), SHIM_FAIL=f"{draw.randrange(30, 150)} W 28 -1")
        status, words = self.pull(runs, SHIM_UNDER=str(runs), SHIM_FAIL=what)
        assert status in STATUSES, f"status {status}: {words}"
        assert bool(status) == bool(words), f"status {status}, and said {words!r}"
        check_words(words, most=1)
        return status != 0

    def check(self, runs: Path) -> None:
        """The next copy is the run, file by file, and nothing is left beside it."""
        status, words = self.pull(runs)
        assert status == 0, words
        mirror = find_run(runs, self.run.name)
        assert_same(mirror, self.run)
        for name in (LOG_NAME, CHECKPOINT_NAME):
            assert (mirror / name).read_bytes() == (self.run / name).read_bytes(), f"{name} differs"
        left = {file.name for file in mirror.iterdir()} - {"run.sqlite", LOG_NAME, CHECKPOINT_NAME}
        assert not left, f"left behind: {left}"


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    with workers.zygote(scene.folder):
        far = Far(scene.folder)
        counts: Counter[str] = Counter()

        def attempt(draw: Random, folder: Path) -> int:
            runs = folder / "near"
            runs.mkdir()
            if draw.random() < 0.5:
                far.lose_power(draw, runs)
                counts["lost power"] += 1
            else:
                what = fault(draw, 300)
                (folder / "fault").write_text(what)
                counts["failed" if far.fail(draw, runs, what) else "unharmed"] += 1
            far.check(runs)
            return 1

        yield attempt
        scene.notes.append(", ".join(f"{number} {what}" for what, number in sorted(counts.items())))


CAMPAIGN = Campaign(
    "pulls",
    "a full or failing disk, or a loss of power, under the copy of a run elsewhere",
    "copies",
    tried=150,
    short=2,
    open=opened,
)
