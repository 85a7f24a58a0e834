"""Types are taken apart by one thread at a time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What reads scenarios for the first time in four threads at once, as the app's lists do.
FIRST_IN_THREADS = """
import sys, threading
sys.setswitchinterval(1e-6)
from condense_core.scenario import toml
from condense_presets import preset_text
texts = [preset_text(name) for name in ("digits-gd", "fcn-fig03-tanh", "cnn-fig03", "digits-deep")]
together, read = threading.Barrier(len(texts)), []
def first(text):
    together.wait()
    read.append(toml.loads(text))
threads = [threading.Thread(target=first, args=(text,)) for text in texts]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(read))
"""
# msgspec with a type that it may not have met; without a type there is nothing to take apart.
WITH_A_TYPE = re.compile(r"msgspec\.(convert\(|(json|msgpack|toml|yaml)\.(Decoder\(|decode\([^\n]*type=))")


@pytest.mark.parametrize("attempt", range(5))
def test_threads_that_meet_a_type_for_the_first_time_do_not_end_the_process(attempt: int) -> None:
    # without the lock a process in two ends with a segmentation fault
    ended = subprocess.run([sys.executable, "-c", FIRST_IN_THREADS], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, "4"), ended.stderr


def test_nobody_else_calls_msgspec_with_a_type() -> None:
    files = [file for part in ("core", "presets", "tui") for file in (ROOT / part).rglob("*.py")]
    assert len(files) > 200
    found = {file.name for file in files if WITH_A_TYPE.search(file.read_text(encoding="utf-8"))}
    assert found == {"typed.py"}
