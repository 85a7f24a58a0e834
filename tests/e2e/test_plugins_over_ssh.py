"""A probe of one's own on another machine, over a real sshd: it measures there where it is there, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from programs import command
from support import SMALL

from condense_core.runfile.reader import RunReader
from condense_core.runs.place import run_folders

pytestmark = [pytest.mark.terminal, pytest.mark.thorough]

PLUGIN = """
from condense_core import probe

@probe("far_norm", help="norm of the layer's kernels")
def far_norm(view, layer):
    return view.kernels(layer).norm()
"""


def put(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.py").write_text(text)
    (folder / "preferences.toml").write_text('plugins = ["own.py"]\n')


def test_a_plugin_is_that_of_the_machine_that_trains(far, near, tmp_path: Path) -> None:
    here, there = far.folder / "config", far.folder / "home/.config/condense-tui"
    imported = tmp_path / "imported-here"
    scenario = tmp_path / "small.toml"
    scenario.write_text(SMALL)
    run = ("run", str(scenario), "--set", "record.own=far_norm", "--headless", "--host", "far")
    try:
        put(here, f"open({str(imported)!r}, 'w')\n{PLUGIN}")
        answer = command(*run, code=1)
        assert "no own probe 'far_norm' on " in answer.stderr and answer.stderr.count("\n") == 1
        put(there, PLUGIN)
        command(*run)
    finally:
        for folder in (here, there):
            for name in ("own.py", "preferences.toml"):
                (folder / name).unlink(missing_ok=True)
    mirror = run_folders(near)[0]
    with RunReader(mirror) as found:
        assert len(found.curve("dense1.far_norm")[0]) > 5
        (told,) = [event.text for event in found.events if event.kind == "plugin"]
    assert told.startswith("own probe far_norm of own.py (sha256 ") and told.endswith("norm of the layer's kernels")
    # the copy's own row was made before its worker knew
    with RunReader(far.runs / mirror.name.partition("@")[0]) as original:
        assert original.info().versions["own probe far_norm"].startswith("own.py (sha256 ")
    assert not imported.exists()
