"""The smaller parts around the run screen: the worker's log, the reduction, dialogs, lists and sparklines."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from piloting import run_screen, settled, shown, snapshot, text, text_has, until
from recording import Recording
from rich.style import Style

from condense_core.jobs.ask import ChildError
from condense_core.jobs.messages import LayerReduction, PointAnswer, ReduceAnswer
from condense_core.runfile.writer import StepRecord
from condense_core.scenario.data import Cifar10
from condense_core.scenario.fields import fields
from condense_core.scenario.paths import missing_set
from condense_core.scenario.toml import loads
from condense_presets import preset_text
from condense_presets.catalogue import Preset
from condense_tui.draw import numbers
from condense_tui.draw.sparkline import BLOCKS, PLAIN, sparkline
from condense_tui.screens.dialogs.hints import hint_line, whole_hint
from condense_tui.screens.dialogs.reduce import ReduceScreen, small_place
from condense_tui.screens.list_lines import Viewer, preset_details, preset_lines, short_time
from condense_tui.snapshots.machine import NOTHING
from condense_tui.snapshots.worker_log import MOST_BYTES, MOST_LINES, WorkerLog
from condense_tui.snapshots.worker_log import shown as shown_log
from condense_tui.terminal import look
from condense_tui.widgets.lines import centred

ANSWER = ReduceAnswer(
    run="digits-gd-1234",
    step=200,
    source="checkpoint",
    layers=[LayerReduction(name="conv1", before=32, after=1, lines=1, unchanged=0, dropped=2)],
    parameters_before=1344,
    parameters_after=42,
    output_change=2.2e-4,
    loss_before=13.9,
    loss_after=13.9,
    loss_change=1.4e-6,
    accuracy_before=0.09,
    accuracy_after=0.09,
    weights="effective.safetensors",
    scenario="effective.toml",
    trained=PointAnswer(
        parameters=1344, loss=13.9, gradient=0.2, steepness=0.1, largest_curvature=3.5, lowest_curvature=-1.5
    ),
    reduced=PointAnswer(
        parameters=42, loss=13.9, gradient=0.3, steepness=0.1, largest_curvature=3.1, lowest_curvature=-1.25
    ),
    embedded=PointAnswer(
        parameters=1344, loss=13.9, gradient=0.4, steepness=0.1, largest_curvature=None, lowest_curvature=None
    ),
)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_log_shows_events_and_the_end_of_the_workers_log(recorded: Recording, size: tuple[int, int]) -> None:
    (recorded.folder / "worker.log").write_bytes(
        b"first\n\x1b[31mred\x1b[0m and \x07bell\nprogress 1 %\rprogress 9 %\n"
    )
    async with shown(recorded.folder, size) as pilot:
        assert snapshot(pilot).worker_log == (), "the log is read only while it is shown"
        await pilot.press("4")
        await text_has(pilot, "red and bell")
        page = text(pilot)
        for words in ("worker.log", "first", "progress 9 %", "condensed", "training on cpu"):
            assert words in page
        assert "progress 1 %" not in page
        assert not set(page) & {"\x1b", "\x07"}
        with (recorded.folder / "worker.log").open("a") as log:
            log.write("something new\n")
        await text_has(pilot, "something new")


async def test_events_can_be_read_to_their_end_in_sixty_columns(tmp_path: Path) -> None:
    recording = Recording(tmp_path, frames=2)
    recording.write()
    words = (
        "measuring took 0.71 s, 18 % of training: condensation 0.40 s, alignment 0.24 s, spectrum 0.16 s, change 0.13 s"
    )
    recording.writer.append(StepRecord(4000, [], [], [("initial-stage-ended", ""), ("recording", words)]))
    recording.finish()
    recording.close()
    async with shown(recording.folder, (60, 20)) as pilot:
        await pilot.press("4")
        await text_has(pilot, "change 0.13 s")
        said = " ".join(line.strip("│║ ▇▆▅▄▃▂▁█") for line in text(pilot).splitlines())
        assert words in said
        await text_has(pilot, "recording")


@pytest.mark.parametrize("width", [20, 60, 76, 200])
def test_words_in_the_middle_of_a_panel_are_never_cut(width: int) -> None:
    lines = centred(NOTHING, Style.null(), width, 12)
    said = ["".join(part for part, _ in line) for line in lines]
    assert all(len(line) <= width for line in said)
    assert " ".join(line.strip() for line in said if line) == NOTHING
    assert len(lines) <= 12


@pytest.mark.parametrize(
    ("paper", "figure", "source"),
    [
        ("cnn", "7", "2025 paper, figure 7: "),
        ("fcn", "2a", "2022 paper, figure 2a: "),
        ("cnn", "theorem 1", "2025 paper, theorem 1: "),
        ("cnn", "", "2025 paper: "),
        ("none", "", "the paper: "),
    ],
)
def test_figures_tables_and_theorems_are_called_what_they_are(paper: str, figure: str, source: str) -> None:
    preset = Preset(
        name="p",
        group="cnn",
        paper=paper,
        figure=figure,
        summary="a summary",
        claim="a claim",
        paper_shows="that kernels turn",
        minutes_cpu=1.0,
        minutes_quick=None,
        minutes_gpu=None,
        recording=None,
    )
    said = ["".join(text for text, _ in line) for line in preset_details(preset, look.of(look.themes()[0]), 100, 8)]
    assert f"{source}that kernels turn" in said


def a_preset(**values: object) -> Preset:
    whole: dict[str, object] = {
        "name": "p",
        "group": "cnn",
        "paper": "cnn",
        "figure": "7",
        "summary": "a summary",
        "claim": "a claim",
    }
    whole |= {"paper_shows": "", "minutes_cpu": 1.0, "minutes_quick": None, "minutes_gpu": None, "recording": None}
    return Preset(**{**whole, **values})  # type: ignore[arg-type]


def test_a_preset_without_its_data_is_marked_and_says_what_to_do() -> None:
    colours = look.of(look.themes()[0])
    there, missing = a_preset(), a_preset(missing_data="mnist, not in /data")
    viewer = Viewer(colours, unicode=True)
    (line,), (marked,) = (preset_lines(preset, viewer, 60, marked=False) for preset in (there, missing))
    assert "↓" not in "".join(text for text, _ in line)
    assert "↓  p" in "".join(text for text, _ in marked)
    said = [" ".join(text for text, _ in line) for line in preset_details(missing, colours, 56, 4)]
    assert "data.download=true" in " ".join(said)
    assert "data missing: mnist, not in /data" in " ".join(said)
    assert "data missing" not in str(preset_details(there, colours, 56, 4))


def test_the_details_of_a_preset_fit_their_width() -> None:
    preset = a_preset(name="fcn-fig03-softplus-demo", summary="a long word or two " * 4, recording=Path("x"))
    for width in (46, 56, 100):
        lines = preset_details(preset, look.of(look.themes()[0]), width, 9)
        assert max(len("".join(text for text, _ in line)) for line in lines) <= width


def test_details_that_go_on_below_the_last_line_are_marked_as_cut() -> None:
    preset, colours = a_preset(claim="two directions in the layer, " * 8), look.of(look.themes()[0])
    cut = ["".join(text for text, _ in line) for line in preset_details(preset, colours, 76, 3)]
    assert len(cut) == 3 and cut[-1].startswith("claim:") and cut[-1].endswith("…") and len(cut[-1]) <= 76
    whole = ["".join(text for text, _ in line) for line in preset_details(preset, colours, 76, 30)]
    assert "…" not in "".join(whole)


def test_help_of_a_field_that_is_cut_is_marked_as_everywhere() -> None:
    found = [field for field in fields(loads(preset_text("digits-gd"))) if len(field.help) > 100]
    assert found
    for field in found:
        lines = [hint_line(field, 60), *whole_hint(field, 60, 2)]
        assert len(lines) == 3 and lines[0].endswith("…") and lines[-1].endswith("…")
        assert max(map(len, lines)) <= 60 and "..." not in "".join(lines)


def test_missing_sets_are_found_where_torchvision_puts_them(tmp_path: Path) -> None:
    experiment = loads(preset_text("cnn-fig03"))
    assert isinstance(experiment.data, Cifar10)
    inside = msgspec.structs.replace(experiment, data=msgspec.structs.replace(experiment.data, root=str(tmp_path)))
    assert missing_set(inside) == f"cifar10, not in {tmp_path}"
    (tmp_path / "cifar-10-batches-py").mkdir()
    assert missing_set(inside) == ""
    assert missing_set(loads(preset_text("digits-gd"))) == ""


async def test_before_the_first_measurement_nothing_is_said_to_be_missing(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    with recording.worker():
        recording.writer.update(status="running")
        async with shown(recording.folder) as pilot:
            await text_has(pilot, "nothing recorded yet")
            page = text(pilot)
            assert "no spectrum recorded" not in page
            assert "no prediction recorded" not in page
            recording.writer.append(StepRecord(0, [("loss", 1.0)], [], []))
            await text_has(pilot, "no spectrum recorded")


async def test_where_the_theory_predicts_nothing_the_panels_say_so(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    with recording.worker():
        recording.writer.update(status="running")
        said = [("unpredicted", "no prediction for a decoder")]
        recording.writer.append(StepRecord(0, [("loss", 1.0)], [], said))
        async with shown(recording.folder) as pilot:
            await text_has(pilot, "no prediction for a decoder")
            page = text(pilot)
            assert "no spectrum recorded" not in page
            assert "no prediction recorded" not in page


async def test_no_log_is_said(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await pilot.press("4")
        await text_has(pilot, "the worker's log is empty")


def test_log_is_bounded_and_its_cut_line_left_out(tmp_path: Path) -> None:
    file = tmp_path / "worker.log"
    file.write_text("".join(f"line {number} {'x' * 300}\n" for number in range(5000)))
    lines = WorkerLog(file).lines()
    assert 0 < len(lines) <= MOST_LINES
    assert lines[-1].startswith("line 4999")
    assert all(line.startswith("line ") for line in lines)
    assert sum(map(len, lines)) <= MOST_BYTES
    assert WorkerLog(tmp_path / "nothing").lines() == ()
    assert WorkerLog(None).lines() == ()
    file.chmod(0o600)


@given(st.binary(max_size=2000), st.booleans())
def test_whatever_is_in_a_log_steers_nothing(data: bytes, whole: bool) -> None:
    for line in shown_log(data, whole):
        assert line.isprintable()


async def test_reduction_is_shown_and_can_be_trained_on(recorded: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("condense_core.runs.create.require_engine", lambda: None)
    monkeypatch.setattr(
        "condense_core.jobs.ask.ask", lambda module, question, answer: (asked.append(question), ANSWER)[1]
    )
    async with shown(recorded.folder) as pilot:
        await pilot.press("r")
        await text_has(pilot, "parameters   1,344 → 42")
        page = text(pilot)
        named = "digits-gd-1234 at step 200"
        for words in ("conv1", named, "relative change 2.2e-4", "9 % → 9 %", "to train it further"):
            assert words in page
        assert asked[0].at is None and asked[0].out == str(recorded.folder / "effective")
        await pilot.press("escape", "left")
        await until(lambda: not snapshot(pilot).head.following, "the playhead to move")
        await pilot.press("r")
        await until(lambda: len(asked) == 2, "a second question")
        assert asked[1].at == snapshot(pilot).head.step
        await pilot.press("n")
        await text_has(pilot, "cannot read the scenario effective.toml")


async def test_refused_reduction_is_one_line(recorded: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ChildError("no weights were kept", 2)

    monkeypatch.setattr("condense_core.runs.create.require_engine", lambda: None)
    monkeypatch.setattr("condense_core.jobs.ask.ask", refuse)
    async with shown(recorded.folder) as pilot:
        await pilot.press("r")
        await text_has(pilot, "no weights were kept")
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is run_screen(pilot), "the dialog to close")


def test_small_network_goes_beside_what_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    assert small_place(tmp_path / "run") == tmp_path / "run" / "effective"
    (tmp_path / "shipped.sqlite").touch()
    assert small_place(tmp_path / "shipped.sqlite") == tmp_path / "shipped-effective"


async def test_dialog_stands_still_over_a_live_run_and_catches_up(tmp_path: Path) -> None:
    live = Recording(tmp_path)
    live.write(20)
    with live.worker():
        async with shown(live.folder) as pilot:
            await settled(pilot)
            before = text(pilot).splitlines()[0]
            await pilot.press("question_mark")
            await text_has(pilot, "esc closes")
            assert text(pilot).splitlines()[0] == before
            live.write(10)
            newest = f"step {live.steps[29]:,}"
            await until(lambda: snapshot(pilot).head.step == live.steps[29], "the newest snapshot")
            await pilot.pause(0.3)
            assert text(pilot).splitlines()[0] == before
            await pilot.press("escape")
            await text_has(pilot, newest)


async def test_dialog_is_drawn_anew_at_another_size(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await pilot.press("r")
        await until(lambda: isinstance(pilot.app.screen, ReduceScreen), "the dialog")
        for size in ((80, 24), (60, 20), (120, 40)):
            await pilot.resize_terminal(*size)
            await until(lambda size=size: len(text(pilot).splitlines()) == size[1], "the new size")
            assert "effective network" in text(pilot)


@given(st.lists(st.floats(), max_size=60), st.integers(-1, 40), st.booleans())
def test_sparkline_has_a_character_a_value_at_most_and_no_more_than_the_width(
    values: list[float], width: int, unicode: bool
) -> None:
    drawn = sparkline(values, width, unicode)
    assert len(drawn) == min(max(0, width), len(values))
    assert set(drawn) <= set((BLOCKS if unicode else PLAIN) + "x^v")
    if values and width > 0:
        assert (drawn[-1] == "x") == math.isnan(values[-1])


def test_sparkline_shows_the_shape() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == BLOCKS
    assert sparkline([1, 1, 1], 8) == BLOCKS[0] * 3
    assert sparkline([1, math.nan, 2, math.inf, -math.inf], 8) == f"{BLOCKS[0]}x{BLOCKS[-1]}^v"
    decades = sparkline([1e-4, 1e-3, 1e-2, 1e-1, 1], 8)
    assert len(set(decades)) == 5, "decades are steps of equal height"
    assert sparkline(range(100), 10)[-1] == BLOCKS[-1], "the newest value is the last"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "now"), (4, "now"), (40, "40 s"), (61, "1 min"), (7300, "2 h"), (200_000, "2 d")],
)
def test_ages(seconds: float, said: str) -> None:
    assert numbers.age(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1 s"), (6, "6 s"), (100, "2 min"), (6000, "2 h"), (260_000, "3 d")]
)
def test_costs(seconds: float, said: str) -> None:
    assert short_time(seconds) == said
