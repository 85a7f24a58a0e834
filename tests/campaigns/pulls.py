"""A disk that is full, or fails, under the copy of a run elsewhere: one line says so, and the next copy is the run.

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

from pairing import assert_same
from recording import Recording

from campaigns import workers
from campaigns.disk import check_words, command, fault
from campaigns.framework import Attempt, Campaign, Scene
from condense_core.runfile.info import CHECKPOINT_NAME, LOG_NAME
from condense_core.runs.place import find_run

# The shell of another machine: the command line is what comes last.
SSH = '#!/bin/sh\n[ "$1" = -V ] && { echo OpenSSH_9.2 >&2; exit 0; }\nfor last; do :; done\nexec sh -c "$last"\n'
STATUSES = {0, 1, 2, 3}


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    with workers.zygote(scene.folder):
        recording = Recording(scene.folder / "far", frames=40)
        recording.write()
        recording.finish()
        recording.close()
        original = recording.folder
        (original / LOG_NAME).write_bytes(b"said by the worker\n" * 5_000)
        (original / CHECKPOINT_NAME).write_bytes(Random(0).randbytes(1_500_000))
        ssh = scene.folder / "bin" / "ssh"
        ssh.parent.mkdir()
        ssh.write_text(SSH)
        ssh.chmod(0o755)
        config = scene.folder / "config"
        config.mkdir()
        paths = os.pathsep.join(path for path in sys.path if path)
        program = f"env PYTHONPATH='{paths}' {sys.executable} -m condense_tui"
        (config / "hosts.toml").write_text(f'[far]\ncommand = """{program}"""\nruns_dir = "{original.parent}"\n')
        environment = {"PATH": f"{ssh.parent}:{os.environ['PATH']}", "CONDENSE_CONFIG_DIR": str(config)}
        counts: Counter[str] = Counter()

        def pull(runs: Path, **faults: str) -> tuple[int, str]:
            words = ("runs", "pull", original.name, "--host", "far", "--checkpoint")
            return command(*words, CONDENSE_RUNS_DIR=str(runs), **environment, **faults)

        def attempt(draw: Random, folder: Path) -> int:
            runs = folder / "near"
            runs.mkdir()
            if draw.random() < 0.4:
                # it was copied before, in part
                pull(runs, SHIM_UNDER=str(runs), SHIM_FAIL=f"{draw.randrange(30, 150)} W 28 -1")
            what = fault(draw, 300)
            (folder / "fault").write_text(what)
            status, words = pull(runs, SHIM_UNDER=str(runs), SHIM_FAIL=what)
            assert status in STATUSES, f"status {status}: {words}"
            assert bool(status) == bool(words), f"status {status}, and said {words!r}"
            check_words(words, most=1)
            counts["failed" if status else "unharmed"] += 1
            status, words = pull(runs)
            assert status == 0, words
            mirror = find_run(runs, original.name)
            assert_same(mirror, original)
            for name in (LOG_NAME, CHECKPOINT_NAME):
                assert (mirror / name).read_bytes() == (original / name).read_bytes(), f"{name} differs"
            left = {file.name for file in mirror.iterdir()} - {"run.sqlite", LOG_NAME, CHECKPOINT_NAME}
            assert not left, f"left behind: {left}"
            return 1

        yield attempt
        scene.notes.append(", ".join(f"{number} {what}" for what, number in sorted(counts.items())))


CAMPAIGN = Campaign(
    "pulls", "a full or failing disk under the copy of a run elsewhere", "copies", tried=150, short=2, open=opened
)
