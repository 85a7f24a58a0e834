"""The run screen's panels as text: what a pipe, a log and a poor terminal get."""

from __future__ import annotations

import itertools
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_input import one_input_run
from recording import Planted, Recording
from rich.cells import cell_len
from rich.console import Console
from watched_recording import WatchedRecording

from condense_core.runfile.frames import Array, Singular
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_core.runs.about_run import AboutRun, write_about
from condense_core.runs.layer_over_seeds import read_layer_over_seeds
from condense_core.runs.summary import summarise
from condense_core.thresholds import FINE
from condense_presets import recordings
from condense_tui.draw.ability import Ability, Depth, output_ability
from condense_tui.draw.palette import PALETTES, colours
from condense_tui.main import main
from condense_tui.snapshots import assemble
from condense_tui.text.blocks import TextInk, fitted
from condense_tui.text.run_page import page
from condense_tui.text.tables import print_layers

UTF8 = {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
PIPE = TextInk(Ability(Depth.NONE, True))


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    recording = Recording(tmp_path / "runs")
    recording.write()
    recording.finish()
    recording.close()
    return recording.folder


def lines_of(place: Path, at: int | None = None, width: int = 80, ink: TextInk = PIPE) -> list[str]:
    with RunReader(place) as run:
        return ["".join(text for text, _ in line) for line in page(run, summarise(run), at, width, ink)]


def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str, **env: str) -> str:
    for name in ("NO_COLOR", "COLORTERM", "FORCE_COLOR", "LANG", "LC_CTYPE", "COLORFGBG", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**UTF8, **env}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["condense-tui", *arguments])
    assert main() == 0
    return capsys.readouterr().out


def printed_apart(*arguments: str, **env: str) -> str:
    """What another process prints: Rich keeps the codes of a style as they were made for the first terminal."""
    names = ("NO_COLOR", "COLORTERM", "FORCE_COLOR", "LANG", "LC_CTYPE", "COLORFGBG", "COLUMNS")
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    command = [sys.executable, "-m", "condense_tui", *arguments]
    done = subprocess.run(command, env={**inherited, **UTF8, **env}, capture_output=True, check=True, encoding="utf-8")
    return done.stdout


def test_every_panel_of_the_screen_is_there(recorded: Path) -> None:
    text = "\n".join(lines_of(recorded))
    for words in (
        "done at step 4,000 of 4,000",
        "conv1    ",
        "conv1 · 32 kernels",
        "conv2 · 16 kernels",
        "-1 -@%#*+=-:. 0 .:-=+*#%@ +1",
        "loss 0.75",
        "70 %",
        "eigenvalues of ZᵀZ",
        "on v1",
        "accuracy 70 %",
        "conv1 condensed: 2 lines",
    ):
        assert words in text
    assert "╱╱" in text and " dropped" in text


def test_a_file_that_does_not_say_what_its_spectrum_is_of_is_shown_without_a_claim() -> None:
    old = Path(__file__).parents[2] / "core" / "runfile" / "recordings-0.1" / "digits-deep.sqlite"
    text = "\n".join(lines_of(old))
    assert "\neigenvalues · gap" in text
    assert "ZᵀZ" not in text and " v1" not in text and "gradient" not in text
    assert "on the predicted direction" in text


def test_the_legend_is_of_the_ramp_that_is_drawn(recorded: Path) -> None:
    """Signs are a minus where there is room for it, else letters; the legend explains whichever it is."""
    for width, negative, legend in ((80, "-@-@", "-1 -@%#*+=-:. 0"), (40, "MMM", "-1 MXeoxi~;, 0")):
        text = "\n".join(lines_of(recorded, width=width))
        assert negative in text
        assert legend in text


@pytest.mark.parametrize("width", [20, 40, 79, 80, 120, 200])
@pytest.mark.parametrize("depth", list(Depth))
def test_nothing_is_wider_than_the_width(recorded: Path, width: int, depth: Depth) -> None:
    for line in lines_of(recorded, width=width, ink=TextInk(Ability(depth, True))):
        # the table of layers needs its columns, and events say what they say
        assert cell_len(line) <= max(width, 80), line


def test_at_a_step_everything_is_of_that_step(recorded: Path) -> None:
    with RunReader(recorded) as run:
        step = int(run.instants[10])
    text = "\n".join(lines_of(recorded, at=step))
    assert f"shown at step {step}, frame 11 of" in text
    assert "conv1 condensed" not in text
    table = next(line for line in lines_of(recorded, at=step) if line.startswith("conv1  "))
    assert "no" in table.split()
    assert "│" in text


def test_colour_only_on_a_terminal(recorded: Path, monkeypatch, capsys) -> None:
    run = ("replay", str(recorded), "--headless")
    plain = printed(monkeypatch, capsys, *run)
    assert "\x1b" not in plain
    assert printed(monkeypatch, capsys, *run, FORCE_COLOR="1", NO_COLOR="1").count("\x1b") == 0
    assert printed(monkeypatch, capsys, *run, FORCE_COLOR="1", TERM="dumb").count("\x1b") == 0
    indexed = printed(monkeypatch, capsys, *run, FORCE_COLOR="1")
    assert "\x1b[" in indexed and "38;5;" in indexed and "38;2;" not in indexed
    full = printed(monkeypatch, capsys, *run, FORCE_COLOR="1", COLORTERM="truecolor")
    red, green, blue = colours(PALETTES[0], True)[-4]
    assert f"{red};{green};{blue}" in full and "▀" in full
    sixteen = printed(monkeypatch, capsys, *run, FORCE_COLOR="1", TERM="xterm")
    assert "\x1b[" in sixteen and "8;5;" not in sixteen and "8;2;" not in sixteen


def test_ascii_where_the_locale_is_c(recorded: Path, monkeypatch, capsys) -> None:
    for variables in (
        {"LC_ALL": "C"},
        {"LC_ALL": "", "LANG": "POSIX"},
        {"LC_ALL": "", "LANG": "C", "LC_CTYPE": "C.UTF-8"},
    ):
        assert printed(monkeypatch, capsys, "replay", str(recorded), "--headless", **variables).isascii()
    assert not printed(monkeypatch, capsys, "replay", str(recorded), "--headless", LANG="C").isascii()


def test_width_is_given_or_the_terminals_or_80(recorded: Path, monkeypatch, capsys) -> None:
    def widest(text: str) -> int:
        return max(map(cell_len, text.splitlines()))

    run = ("replay", str(recorded), "--headless")
    assert widest(printed(monkeypatch, capsys, *run)) <= 80
    assert 100 < widest(printed(monkeypatch, capsys, *run, "--width", "130")) <= 130
    assert 100 < widest(printed(monkeypatch, capsys, *run, COLUMNS="120")) <= 120


def test_a_run_with_one_input_has_output_and_field(tmp_path: Path) -> None:
    text = "\n".join(lines_of(one_input_run(tmp_path), width=120))
    assert "output, degree 2" in text
    assert "field over (weight, bias) · 2 stable lines" in text
    assert text.count("→") > 100


@pytest.mark.parametrize("width", [60, 120])
def test_weights_and_the_machine_are_shown_as_on_the_screen(tmp_path: Path, width: int) -> None:
    recording = Recording(tmp_path)
    recording.write()
    before = lines_of(recording.folder, width=width)
    assert any(line.startswith("norms · conv1") for line in before)
    assert any("not recorded in this file" in line for line in before)
    assert not any("processor" in line for line in before), "no words of a machine that was not recorded"
    frames = [("conv1", Singular(values=Array.of([3.0, 2.0, 1.0], "f4")))]
    recording.writer.append(StepRecord(4_000, [("cpu_use", 0.25), ("memory_use", 0.5)], frames, []))
    text = "\n".join(lines_of(recording.folder, width=width))
    for words in ("singular values · conv1", "weights of step 4,000", "processor 25 %", "memory 50 %"):
        assert words in text


@pytest.mark.parametrize("values", [[0.0, 0.0], [math.nan, math.nan], [-1.0, 0.0], [math.inf, 1.0], [1.0]])
def test_losses_that_no_logarithm_has(make_run, values: list[float]) -> None:
    folder = make_run()
    thread = RecordingThread(folder)
    for step, value in enumerate(values):
        thread.put(StepRecord(step, [("loss", value)], [], []))
    thread.set_status("diverged", "loss is not finite")
    thread.close()
    text = "\n".join(lines_of(folder))
    assert "diverged at step" in text
    assert "loss" in text


def test_a_run_without_a_frame(tmp_path: Path) -> None:
    text = "\n".join(lines_of(Recording(tmp_path).folder))
    assert "starting at step 0" in text or "lost at step 0" in text
    assert "nothing recorded yet" in text


def test_a_claim_is_below_everything() -> None:
    lines = lines_of(recordings()["digits-ce"])
    (place,) = [number for number, line in enumerate(lines) if line.startswith("claim: ")]
    assert all(line.startswith(("  met ", "  missed")) for line in lines[place + 1 :])


def test_of_a_layer_that_is_too_wide_it_says_how_many_kernels_are_measured(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(Planted, "drawn_of", 2_000)
    wide = Recording(tmp_path / "runs")
    wide.write()
    wide.finish()
    wide.close()
    text = "\n".join(lines_of(wide.folder))
    assert "conv1 · 32 of 2,000 kernels" in text
    assert "conv1: 32 of 2,000 kernels are measured" in text
    for kind in ("html", "svg"):
        out = tmp_path / f"it.{kind}"
        printed_apart("export", str(wide.folder), "--to", kind, "--out", str(out))
        assert "32 of 2,000" in out.read_text().replace("&#160;", " ")


def test_runs_show_prints_the_same(recorded: Path, monkeypatch, capsys) -> None:
    shown = printed(monkeypatch, capsys, "runs", "show", recorded.name, "--runs-dir", str(recorded.parent))
    assert shown == printed(monkeypatch, capsys, "replay", str(recorded), "--headless")


def test_what_was_said_of_a_run_is_below_its_header(recorded: Path) -> None:
    bare = lines_of(recorded)
    write_about(recorded, AboutRun(name="wide start", note="ends at step 800", tags=("paper", "keep")))
    header, *said = lines_of(recorded)[:4]
    assert header == bare[0]
    assert said == ["name: wide start", "tags: paper, keep", "note: ends at step 800"]
    assert lines_of(recorded)[4:] == bare[1:]


def test_curves_are_read_to_their_end_however_slow_that_is(recorded: Path, monkeypatch, capsys) -> None:
    shown = printed(monkeypatch, capsys, "runs", "show", recorded.name, "--runs-dir", str(recorded.parent))
    clock = itertools.count(step=10.0)
    monkeypatch.setattr(assemble.time, "monotonic", clock.__next__)
    assert printed(monkeypatch, capsys, "replay", str(recorded), "--headless") == shown


def test_a_step_before_the_recording(recorded: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["condense-tui", "replay", str(recorded), "--at", "-3"])
    assert main() == 2
    assert re.search(r"--at -3: the recording starts at step 0", capsys.readouterr().err)


def test_what_a_pipe_can_show() -> None:
    assert output_ability({"TERM": "dumb"}, False, "utf-8") == Ability(Depth.NONE, True)
    assert output_ability({"TERM": "dumb"}, True, "utf-8") == Ability(Depth.NONE, False)
    assert output_ability({"TERM": "xterm"}, False, "ascii") == Ability(Depth.NONE, False)


@given(parts=st.lists(st.text(alphabet="ab─漢 ", max_size=9), max_size=5), width=st.integers(0, 30))
def test_fitted_lines_are_as_wide_as_asked(parts: list[str], width: int) -> None:
    from rich.style import Style

    line = fitted([(part, Style.null()) for part in parts], width)
    assert sum(cell_len(text) for text, _ in line) == width


def test_fifty_four_layers_of_one_network_are_told_apart_in_eighty_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = WatchedRecording(tmp_path, scalars=2)
    recording.write()
    recording.finish()
    recording.close()
    with RunReader(recording.folder) as run:
        layers = [read_layer_over_seeds(run, name, None, FINE) for name in run.layers]
    print_layers(Console(width=80), layers)
    head, *rows = capsys.readouterr().out.splitlines()[:55]
    assert "kernels" in head and "condensed" in head
    assert all(len(row) <= 80 for row in (head, *rows))
    assert not any("…" in row.split(None, 1)[1] for row in rows)
    assert len({row.split()[0] for row in rows}) == 54
