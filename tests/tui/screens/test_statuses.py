"""A status means the same in every list: one sign, and one answer to what can be done."""

from __future__ import annotations

from typing import get_args

import pytest
from recording import Recording

from condense_core.runfile import status as statuses
from condense_core.runs.glance import glance
from condense_tui.draw.status import SIGNS
from condense_tui.screens.list_lines import run_details
from condense_tui.screens.run_commands import pause_word
from condense_tui.terminal import look
from condense_tui.text.tables import print_runs

EVERY = get_args(statuses.Status)


def test_every_status_is_active_or_has_ended_in_some_way() -> None:
    assert set(EVERY) == statuses.ACTIVE | statuses.ENDED | statuses.INTERRUPTED
    assert not statuses.ACTIVE & (statuses.ENDED | statuses.INTERRUPTED)
    assert set(EVERY) == set(SIGNS)


@pytest.mark.parametrize("status", ["done", "stopped", "failed", "diverged"])
def test_a_list_offers_to_resume_where_the_key_does(status: str, recorded: Recording) -> None:
    recorded.finish(status)
    found = glance(recorded.folder)
    words = "".join(text for line in run_details(found, look.of(look.themes()[0]), 100, 20) for text, _ in line)
    assert ("p resumes it from its last checkpoint" in words) is (pause_word(status) == "resume")


@pytest.mark.parametrize("status", ["done", "stopped", "failed", "diverged"])
def test_the_table_of_runs_has_the_signs_of_the_screens(
    status: str, recorded: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded.finish(status)
    info = glance(recorded.folder).info
    assert info is not None
    print_runs([info])
    assert f"{SIGNS[status].sign} {status}" in capsys.readouterr().out
