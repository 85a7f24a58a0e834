"""Mutated and hostile run files through the commands and in the app: each ends with a known status, what went wrong is
one line, and nothing that steers a terminal comes out."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import forking
from damage import sign_again
from recording import Recording

from campaigns import workers
from campaigns.framework import Attempt, Campaign, Scene
from campaigns.pseudo import Kind, Screen, foreign, kinds, restored
from campaigns.run_files import mutated, originals
from condense_core.runfile.checksums import CHECKSUMS_SINCE
from condense_core.runfile.schema import FILE_NAME, version_of

# Clears the screen, sets the title, writes to the clipboard, asks for an answer that would be typed, turns the line.
ESCAPES = (
    "<script>owned()</script>]]>&\"'"
    "\x1b[2J\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x1b[6n\x1b[31337z"
    "\x9b31m\x9d0;owned\x9c\u202e\u2066evil\r\n\x1bP+q\x1b\\"
)
TEXTS = {"run": ("id", "name", "preset", "device", "host", "reason", "revision"), "event": ("kind", "text")}
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("replay", "RUN", "--headless"),
    ("attach", "RUN", "--headless"),
    ("runs", "list"),
    ("runs", "list", "--json"),
    ("runs", "show", "RUN"),
    ("runs", "show", "RUN", "--at", "3"),
    ("runs", "show", "RUN", "--json"),
    ("runs", "stop", "RUN"),
    ("runs", "rm", "RUN", "--yes"),
    ("export", "RUN", "--to", "csv", "--out", "OUT"),
    ("export", "RUN", "--to", "npz", "--out", "OUT"),
    ("export", "RUN", "--to", "html", "--out", "OUT"),
    ("export", "RUN", "--to", "svg", "--out", "OUT"),
    ("export", "RUN", "--to", "svg", "--what", "heatmap", "--out", "OUT"),
)
STATUSES = {0, 1, 2}
SIZES = ((60, 20), (80, 24), (120, 40))
_ARROWS = (b"\x1b[C", b"\x1b[D", b"\x1b[F", b"\x1b[H")
KEYS = (*_ARROWS, *(bytes([key]) for key in b"][ou /\x1b\r1z?e"))


def hostile(draw: Random, run: Path) -> None:
    """Texts that steer a terminal, in all places of the file that hold texts, or in one."""
    with contextlib.closing(sqlite3.connect(run / FILE_NAME)) as connection:
        for table, columns in TEXTS.items():
            for column in columns:
                if draw.random() < 0.7 and column != "id":
                    connection.execute(f"UPDATE {table} SET {column} = ?", (ESCAPES * draw.choice((1, 1, 40)),))
        if draw.random() < 0.5:
            for id_, names in connection.execute("SELECT id, names FROM layout").fetchall():
                steering = [f"{name}{ESCAPES}" if at % 7 == 3 else name for at, name in enumerate(json.loads(names))]
                connection.execute("UPDATE layout SET names = ? WHERE id = ?", (json.dumps(steering), id_))
            # since format 4 the names of layers stand in a table of their own
            known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'place'").fetchone()
            table = "place" if known else "frame"
            connection.execute(f"UPDATE {table} SET layer = ? WHERE layer = 'conv2'", (ESCAPES,))
            if version_of(connection) >= CHECKSUMS_SINCE:
                sign_again(connection)
        if draw.random() < 0.4:
            connection.execute("UPDATE run SET experiment = experiment || ?", (f"\n# {ESCAPES}\nname = 'x'",))
        connection.commit()


def spoilt(draw: Random, found: list[Path], folder: Path) -> Path:
    original = draw.choice(found)
    if draw.random() < 0.4:
        run = folder / original.name
        shutil.copytree(original, run)
        hostile(draw, run)
        return run
    return mutated(draw, original, folder, found)


@contextlib.contextmanager
def commands(scene: Scene) -> Iterator[Attempt]:
    with workers.zygote(scene.folder):
        found = originals(scene.folder)
        counts: Counter[str] = Counter()

        def attempt(draw: Random, folder: Path) -> int:
            runs = folder / "runs"
            runs.mkdir()
            run = spoilt(draw, found, runs)
            words = [*draw.choice(COMMANDS)]
            place = draw.choice((run.name, str(run), str(run / FILE_NAME)))
            words = [{"RUN": place, "OUT": str(folder / "out")}.get(word, word) for word in words]
            (folder / "command").write_text(" ".join(words))
            process = forking.Forked(
                [sys.executable, "-m", "condense_tui", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "CONDENSE_RUNS_DIR": str(runs), "COLUMNS": "100"},
            )
            out, err = process.communicate(timeout=90)
            assert process.returncode in STATUSES, f"status {process.returncode}: {err!r}"
            counts[f"ended with {process.returncode}"] += 1
            check(out.decode(), steering_only=words[0] != "export" and "--json" not in words)
            check(err.decode(), steering_only=False)
            lines = err.decode().splitlines()
            # a list names each run that it cannot read
            assert len(lines) <= 1 + ("list" in words), f"{len(lines)} lines of error: {err!r}"
            assert bool(lines) >= bool(process.returncode), f"status {process.returncode} without a word"
            if (folder / "out").exists() and "npz" not in words:
                check_document((folder / "out").read_text(encoding="utf-8"), words)
            return 1

        yield attempt
        scene.notes.append(", ".join(f"{number} {what}" for what, number in sorted(counts.items())))


def check_document(text: str, words: list[str]) -> None:
    """What was exported of a file from elsewhere is well-formed, and brings nothing of its own along."""
    check(text, steering_only=True)
    if "svg" in words:
        ElementTree.fromstring(text)
    if "html" in words:
        assert "<script>owned" not in text
    if "csv" in words:
        assert all(len(row) == len(next(csv.reader(text.splitlines()))) for row in csv.reader(text.splitlines()))


def check(text: str, *, steering_only: bool) -> None:
    assert "Traceback" not in text and "unexpected" not in text, text[-2000:]
    assert steering_only or all(len(line) < 2_000 or line.startswith(("{", "[")) for line in text.splitlines())
    steering = {
        character for character in text if unicodedata.category(character)[0] == "C" and character not in "\n\t\r"
    }
    assert not steering, f"{steering} came out"


@contextlib.contextmanager
def app(scene: Scene) -> Iterator[Attempt]:
    found = originals(scene.folder)
    known: set[Kind] = set()
    environment = {**os.environ, "CONDENSE_RUNS_DIR": str(scene.folder / "good")}
    good = Recording(scene.folder / "good", frames=6, kernels=(6, 4))
    good.write()
    good.finish()
    good.close()
    for size in SIZES if scene.goal > 5 else SIZES[1:2]:
        for words in (("replay", str(good.folder / FILE_NAME)), ()):
            written, status = driven(words, size, environment, list(KEYS))
            assert status == 0
            assert restored(written)
            known |= kinds(written)
    counts: Counter[str] = Counter()

    def attempt(draw: Random, folder: Path) -> int:
        runs = folder / "runs"
        runs.mkdir()
        run = spoilt(draw, found, runs)
        from_home = draw.random() < 0.5
        words = () if from_home else ("replay", str(draw.choice((run, run / FILE_NAME))))
        keys = [b"\r"] * from_home + draw.choices(KEYS, k=6)
        (folder / "driven").write_text(f"{words} {keys}")
        size = draw.choice(SIZES if scene.goal > 5 else SIZES[1:2])
        written, status = driven(words, size, {**os.environ, "CONDENSE_RUNS_DIR": str(runs)}, keys)
        (folder / "written").write_bytes(written)
        assert status in STATUSES, f"status {status}"
        assert b"Traceback" not in written
        assert restored(written), "the terminal is not left as it was found"
        came = foreign(written, known)
        assert not came, f"reached the terminal: {came}"
        counts["shown" if b"\x1b[?1049h" in written else "refused"] += 1
        return 1

    yield attempt
    scene.notes.append(", ".join(f"{number} {what}" for what, number in sorted(counts.items())))
    scene.notes.append(f"{len(known)} kinds of sequences are the program's own")


def driven(
    words: tuple[str, ...], size: tuple[int, int], environment: dict[str, str], keys: list[bytes]
) -> tuple[bytes, int]:
    """What the app wrote, and its exit status: keys pressed one after the other, and q until it ends."""
    screen = Screen([sys.executable, "-m", "condense_tui", *words], size, environment)
    try:
        screen.wait(b"\x1b[?1049h")
        screen.quiet(1.0)
        for key in keys:
            screen.press(key)
            screen.quiet()
        for _ in range(40):
            if screen.ended():
                break
            screen.press(b"\x1b")
            screen.quiet()
            screen.press(b"q")
            screen.quiet(0.5, 1.0)
        screen.quiet(0.1)
        assert screen.ended(), "q does not end it"
        assert screen.status is not None
        return screen.written, screen.status
    finally:
        screen.close()


COMMANDS_CAMPAIGN = Campaign(
    "commands", "mutated and hostile run files through the commands", "commands", tried=150, short=3, open=commands
)
APP = Campaign(
    "app", "mutated and hostile run files in the app, in a pseudo-terminal", "files", tried=50, short=1, open=app
)
