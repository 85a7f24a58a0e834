"""A message above everything else leaves room for what it is about, and never loses the key to press."""

from __future__ import annotations

import pytest

from condense_tui.widgets.banner import within

REASON = "failed at step 40: " + "the disk of the folder of runs has no room left for another row " * 9
PRESS = "press 4 for the worker's log, p to resume from its last checkpoint"


@pytest.mark.parametrize("width", [36, 56, 76])
@pytest.mark.parametrize("rows", [3, 4, 6])
def test_a_long_reason_is_cut_and_the_key_stays(width: int, rows: int) -> None:
    lines = within(f"{REASON}· {PRESS}", width, rows)
    assert len(lines) <= rows
    assert all(len(line) <= width for line in lines)
    assert " ".join(lines).endswith(f"… · {PRESS}")
    if width > 36:
        assert lines[0].startswith("failed at step 40")


def test_what_fits_is_whole() -> None:
    assert " ".join(within(f"failed · {PRESS}", 40, 3)) == f"failed · {PRESS}"


def test_one_without_a_key_ends_with_dots() -> None:
    lines = within("not connected: " + "nobody answers " * 40, 40, 3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
