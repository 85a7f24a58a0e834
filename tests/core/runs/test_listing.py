"""Lists of runs some of which are damaged: none is passed over without a word, and each word is said once."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from recording import Recording

from condense_core.runfile.schema import FILE_NAME
from condense_core.runs.glance import no_base
from condense_core.runs.listing import rows
from condense_core.scenario.claims import Claim, Requirement

CLAIM = Claim(text="it condenses", requires=(Requirement(measure="lines", layer="conv1", at_most=3),))
DAMAGES = {
    "layouts": ("UPDATE layout SET names = '[]'", False, "layout.names"),
    "scalars": ("UPDATE scalar SET data = zeroblob(length(data)) WHERE step = 4000", True, "scalars at step 4000"),
    "row": ("UPDATE run SET steps = 'many'", False, "run.steps"),
}


@pytest.fixture(scope="module", params=[None, CLAIM], ids=["no claim", "a claim"])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording(tmp_path_factory.mktemp("runs"), frames=6, kernels=(6, 4), claim=request.param)
    recording.write()
    recording.finish()
    recording.close()
    return recording.folder


@pytest.mark.parametrize("claims", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_is_named_once_and_hides_no_other(original, tmp_path, damage, claims):
    statement, is_listed, why = DAMAGES[damage]
    for name in ("good", "bad"):
        shutil.copytree(original, tmp_path / f"{original.name}-{name}")
    bad = tmp_path / f"{original.name}-bad"
    with contextlib.closing(sqlite3.connect(bad / FILE_NAME)) as connection:
        connection.execute(statement)
        connection.commit()
    said: list[str] = []
    found = rows(tmp_path, no_base, said.append, claims=claims)
    names = {row.glance.folder.name.rpartition("-")[2] for row in found}
    assert names == ({"good", "bad"} if is_listed else {"good"})
    assert len(said) == 1
    assert bad.name in said[0]
    assert why in said[0]


@pytest.mark.parametrize("claims", [False, True])
def test_a_run_is_named_also_where_its_name_is_part_of_anothers_path(original, tmp_path, claims):
    runs = tmp_path / "all"
    for name in ("all", "l", "good"):
        shutil.copytree(original, runs / name)
    for name in ("all", "l"):
        with contextlib.closing(sqlite3.connect(runs / name / FILE_NAME)) as connection:
            connection.execute("UPDATE run SET steps = 'many'")
            connection.commit()
    said: list[str] = []
    assert [row.glance.folder.name for row in rows(runs, no_base, said.append, claims=claims)] == ["good"]
    assert {
        name for text in said for name in ("all", "l") if f"{runs / name}/" in text or f"{runs / name}:" in text
    } == {
        "all",
        "l",
    }
