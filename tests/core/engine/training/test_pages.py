"""What a step gives back is there for the next one: its pages are not made anew."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys

import pytest

from condense_core.engine.training import memory

# Arrays of 40 MB that are written to, one after the other, as steps make them; how many pages the system made for ten.
STEPS = """
import resource
from condense_core.engine.training.memory import keep_pages
{first}
def made(arrays):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(arrays):
        b"x" * 40_000_000
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
made(2)
print(made(10))
"""
PAGES = 40_000_000 // resource.getpagesize()


def made(first: str) -> int:
    done = subprocess.run([sys.executable, "-c", STEPS.format(first=first)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.fixture
def made_before(monkeypatch):
    """Pages without a word to malloc, on a system that makes them one by one."""
    for name in ("GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_"):
        monkeypatch.delenv(name, raising=False)
    found = made("")
    if platform.libc_ver()[0] != "glibc" or found < 5 * PAGES:
        pytest.skip("pages are not made one by one here")
    return found


def test_a_large_array_has_the_pages_of_the_one_before(made_before, monkeypatch):
    assert made("keep_pages()") < PAGES
    # whoever has told malloc otherwise is obeyed
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "1000000")
    assert made("keep_pages()") > 0.9 * made_before


def test_another_c_library_is_left_as_it_is():
    first = "import ctypes; ctypes.CDLL = lambda name: object(); keep_pages()"
    assert made(first) >= 0


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (2**62, [(memory._MMAP_THRESHOLD, 2**30), (memory._TRIM_THRESHOLD, 2**30)]),
        (2**25, [(memory._MMAP_THRESHOLD, 2**25), (memory._TRIM_THRESHOLD, 2**30)]),
        (0, []),
    ],
)
def test_what_malloc_takes_is_set_and_nothing_by_halves(monkeypatch, most, expected):
    """An older glibc refuses arrays of more than 32 MB; with the rest set it would keep none, of any size."""
    found = []

    class Library:
        def mallopt(self, name: int, value: int) -> int:
            taken = name != memory._MMAP_THRESHOLD or value <= most
            if taken:
                found.append((name, value))
            return taken

    for name in [name for name in os.environ if name.startswith("MALLOC_") or name == "GLIBC_TUNABLES"]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: Library())
    memory.keep_pages()
    assert found == expected
