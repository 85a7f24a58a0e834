"""What is imported on the way to each thing, in real interpreters: the promise of a quick start and of a viewer alone.

A viewer never loads PyTorch, `--help` no Textual, the first frame no NumPy: whatever breaks that, somewhere below, is
found here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from recording import Recording

from condense_presets import recordings

ENGINE = ("torch", "torchvision", "scipy", "sklearn", "safetensors", "numba")
# Runs the command line, and says by its exit status what was imported along the way and should not have been.
COMMAND = """
import sys
from condense_tui.main import main
code = main()
heavy = {unwanted!r} & set(sys.modules)
sys.exit(f"imported {{heavy}}" if heavy else code)
"""


def python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A program that a fresh interpreter ran to a good end."""
    answer = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    return answer


def imported(program: str, *names: str) -> list[str]:
    """Those of the modules that a program imports; what it prints itself is left out."""
    look = f"import sys; print([name for name in {names!r} if name in sys.modules])"
    return json.loads(python(f"{program}\n{look}").stdout.splitlines()[-1].replace("'", '"'))


def test_what_is_looked_for_is_found():
    assert imported("import json, numpy", "json", "numpy", "torch") == ["json", "numpy"]
    with pytest.raises(AssertionError, match=r"imported \{'numpy'\}"):
        python(COMMAND.format(unwanted={"numpy"}).replace("code = main()", "import numpy; code = 0"))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["runs", "--help"], ["presets", "--help"], ["--version"]]
)
def test_help_loads_neither_textual_nor_numpy_nor_pytorch(arguments):
    unwanted = {"numpy", "torch", "textual", "plotext", "msgspec", "sqlite3"}
    assert python(COMMAND.format(unwanted=unwanted), *arguments).stdout


def test_the_first_frame_waits_for_neither_numpy_nor_plotext():
    assert imported("import condense_tui.app.app", "numpy", "plotext", "sqlite3") == []


def test_the_first_frame_waits_for_no_preferences_where_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CONDENSE_CONFIG_DIR", str(tmp_path))
    start = "from condense_tui.app.app import CondenseApp, remembered; CondenseApp(habits=remembered())"
    assert imported(start, "msgspec", "tomllib", "json", "secrets", "tomli_w") == []
    # with a file it is read, and nothing that writes one
    (tmp_path / "preferences.toml").write_text("theme = 'light'")
    assert imported(start, "tomllib", "secrets", "tomli_w") == ["tomllib"]


def test_a_list_of_runs_and_presets_needs_neither_numpy_nor_pytorch():
    listing = "import condense_core.runs.glance, condense_presets.catalogue, condense_tui.screens.home.screen"
    listing += ", condense_tui.terminal.outlet"
    assert imported(listing, "numpy", "torch", "typer", "plotext") == []


def test_the_app_never_imports_pytorch(tmp_path: Path):
    recording = Recording(tmp_path)
    recording.write()
    recording.finish()
    program = f"""
import asyncio, pathlib, sys
from condense_tui.app.app import CondenseApp

async def main():
    app = CondenseApp(pathlib.Path({str(recording.folder)!r}))
    async with app.run_test(size=(120, 40)) as pilot:
        while getattr(app.screen, "snapshot", None) is None:
            await pilot.pause(0.01)
        await pilot.press("z")

asyncio.run(main())
"""
    assert imported(program, *ENGINE, "typer") == []


def test_home_loads_what_shows_a_run_once_it_has_read_its_presets(tmp_path: Path):
    program = f"""
import asyncio, pathlib, sys, time
from condense_tui.app.app import CondenseApp

async def main():
    app = CondenseApp(runs=pathlib.Path({str(tmp_path)!r}))
    async with app.run_test(size=(120, 40)) as pilot:
        assert "condense_tui.screens.run.screen" not in sys.modules
        deadline = time.monotonic() + 60
        while "condense_tui.screens.run.screen" not in sys.modules and time.monotonic() < deadline:
            await pilot.pause(0.01)
        assert app.home.lists.catalogue
        assert app.screen is app.home

asyncio.run(main())
"""
    assert imported(program, "condense_tui.screens.run.screen", "torch") == ["condense_tui.screens.run.screen"]


# All of them are replayed in tests/tui/cli/test_recordings.py; these show what they are there for.
SHOWING = sorted(name for name in recordings() if name.startswith(("digits", "photos")))


@pytest.mark.parametrize(
    "name", [*SHOWING, *(f"fcn-fig03-{name}-demo" for name in ("tanh", "xtanh", "x2tanh", "sigmoid", "softplus"))]
)
def test_a_preset_replays_headless_without_pytorch_and_its_claim_holds(name, tmp_path):
    arguments = ("replay", name, "--headless", "--json", "--runs-dir", str(tmp_path))
    answer = python(COMMAND.format(unwanted=set(ENGINE)), *arguments)
    found = json.loads(answer.stdout)
    assert found["run"] == f"{name}-recording"
    assert found["claim"]["holds"] is True
    assert "recording that ships" in answer.stderr


def test_no_step_imports_the_compiler():
    """It would add seconds to the start of every worker."""
    program = (
        "import torch; from condense_core.engine.steppers.optimisers import optimiser;"
        "from condense_core.scenario.experiment import GD, Adam\n"
        "for settings in GD(lr=1.0), Adam(lr=1.0):"
        " optimiser(settings, [torch.ones(2)], lr=1.0).update([torch.ones(2)])\n"
    )
    assert imported(program, "torch._dynamo") == []
