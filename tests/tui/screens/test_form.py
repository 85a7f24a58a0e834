"""The form of a new run: checked while it is typed, in the words of the command line; nothing starts that cannot."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from piloting import at_home, text, text_has, until
from recording import Recording
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Input

from condense_core.installation import how_to_add
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runs.about_run import known_about
from condense_core.scenario.fields import SettableField, fields
from condense_core.scenario.toml import build, loads, override, parse
from condense_presets import preset_files, preset_text
from condense_presets.catalogue import catalogue
from condense_tui.app.app import CondenseApp
from condense_tui.draw.label import label
from condense_tui.screens.dialogs import form as form_module
from condense_tui.screens.dialogs.draft import of_file, of_preset, of_run
from condense_tui.screens.dialogs.form import FormScreen
from condense_tui.screens.dialogs.hints import FieldSuggester, hints, split_settings
from condense_tui.screens.list_lines import short_time
from condense_tui.screens.run.screen import RunScreen


@asynccontextmanager
async def form(runs: Path, preset: str = "digits-gd", size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[None]]:
    """The app with the form of a preset."""
    app = CondenseApp(runs=runs)
    async with app.run_test(size=size, notifications=True) as pilot:
        await at_home(app)
        found = next(item for item in catalogue() if item.name == preset)
        app.push_screen(FormScreen(of_preset(found)))
        await until(lambda: isinstance(app.screen, FormScreen), "the form")
        await pilot.pause()
        yield pilot


def takes(times: float = 1) -> str:
    """What so many times the training of digits-gd takes, as it was last measured."""
    return short_time(times * 60 * next(item.minutes_cpu for item in catalogue() if item.name == "digits-gd"))


def set_field(pilot: Pilot[None], name: str, value: str) -> None:
    pilot.app.screen.query_one(f"#{name}", Input).value = value


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Runs that a worker was started for; none really is."""
    folders: list[Path] = []
    monkeypatch.setattr("condense_core.runs.create.require_engine", lambda: None)
    monkeypatch.setattr("condense_core.runs.create.start_worker", folders.append)
    return folders


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
async def test_form_says_what_it_is_and_what_it_costs(
    tmp_path: Path, started: list[Path], size: tuple[int, int]
) -> None:
    async with form(tmp_path, size=size) as pilot:
        await text_has(pilot, "200 steps of 500 samples, 32 kernels")
        for words in ("train digits-gd", "seed", "device", "data", f"about {takes()}"):
            assert words in text(pilot)
        if size[1] >= 24:
            await text_has(pilot, "ready: press enter to start")


async def test_form_says_what_the_paper_says_and_in_what_the_preset_differs(
    tmp_path: Path, started: list[Path]
) -> None:
    async with form(tmp_path, "fcn-fig03-softplus-demo", size=(120, 40)) as pilot:
        await text_has(pilot, "the paper: neurons condense at two opposite directions")
        assert "differs from the paper: epochs: 120, the paper 100 (" in text(pilot)
    async with form(tmp_path, "cnn-fig06a", size=(120, 40)) as pilot:
        await text_has(pilot, "not in the text, ours: samples n 500")


async def test_cost_follows_the_steps_and_the_seeds(tmp_path: Path, started: list[Path]) -> None:
    async with form(tmp_path) as pilot:
        set_field(pilot, "change", "steps=20000")
        await text_has(pilot, "20,000 steps")
        await text_has(pilot, f"about {takes(100)}")
        set_field(pilot, "seeds", "10")
        await text_has(pilot, f"at most about {takes(1000)}")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("seed", "many", "seed: expected a whole number, got 'many'"),
        ("seeds", "0", "seeds: expected 1 to 4096, got 0"),
        ("device", "gpu", "expected auto, cpu, cuda or cuda:i"),
        ("data", "digit", "did you mean 'digits'?"),
        ("change", "layers.0.widht=3", "did you mean 'layers.0.width'?"),
        ("change", "layers.0.activation=thanh", "did you mean 'tanh'?"),
        ("change", "steps", "expected KEY=VALUE"),
        ("data", "folder:/nowhere/at/all", "no folder /nowhere/at/all"),
        ("data", "npz:/nowhere/at/all.npz", "no file /nowhere/at/all.npz on "),
    ],
)
async def test_mistakes_are_said_in_one_line(
    tmp_path: Path, started: list[Path], field: str, value: str, words: str
) -> None:
    async with form(tmp_path, size=(200, 60)) as pilot:
        set_field(pilot, field, value)
        await text_has(pilot, words)
        await pilot.press("enter")
        await pilot.pause(0.3)
        await text_has(pilot, words)
        assert isinstance(pilot.app.screen, FormScreen)
    assert started == []
    assert not list(tmp_path.iterdir())


async def test_missing_data_says_what_to_do(
    tmp_path: Path, started: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDENSE_DATA_ROOT", str(tmp_path / "nothing"))
    async with form(tmp_path, "cnn-fig03", size=(200, 60)) as pilot:
        await text_has(pilot, "data.download=true under change")
        set_field(pilot, "change", "data.download=true")
        await text_has(pilot, "ready: press enter to start")


@pytest.mark.parametrize("size", [(200, 60), (80, 24)])
async def test_missing_engine_says_what_to_install_and_what_works_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setattr("condense_core.runs.create.missing_packages", lambda: ["torch", "safetensors"])
    async with form(tmp_path, size=size) as pilot:
        # a narrow terminal breaks lines anywhere, and hides nothing; beside them are the frame and a scrollbar's blocks
        wanted = "".join(f"{how_to_add('engine')} · or press esc, then space to play its recording".split())
        await until(lambda: wanted in re.sub(r"[│║▁-█\s]", "", text(pilot)), "the advice")


async def test_enter_starts_the_run_and_opens_it(tmp_path: Path, started: list[Path]) -> None:
    async with form(tmp_path) as pilot:
        await text_has(pilot, "ready")
        set_field(pilot, "name", "mine")
        set_field(pilot, "seed", "7")
        set_field(pilot, "device", "cpu")
        set_field(pilot, "change", "layers.0.width=8 steps=50")
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, RunScreen), "the run")
        (folder,) = started
        assert pilot.app.screen.place == folder
        assert pilot.app.visited == [folder]
    with RunReader(folder) as run:
        info, experiment = run.info(), run.experiment
    assert (info.name, info.preset, info.device, info.seed, info.steps) == ("mine", "digits-gd", "cpu", 7, 50)
    assert experiment.layers[0].width == 8


async def test_new_run_like_this_one_takes_the_next_seed(tmp_path: Path, started: list[Path]) -> None:
    recording = Recording(tmp_path / "runs", kernels=(16,), lines=(1,))
    recording.write()
    recording.finish()
    app = CondenseApp(recording.folder, tmp_path / "runs")
    async with app.run_test(size=(120, 40)) as pilot:
        await text_has(pilot, "conv1 · 16 kernels")
        await pilot.press("n")
        await text_has(pilot, f"like {recording.folder.name}, with the next seed")
        assert pilot.app.screen.query_one("#seed", Input).value == "1"
        await text_has(pilot, "as measured in that run")
        await pilot.press("enter")
        await until(lambda: len(started) == 1, "a run to be started")
        await until(lambda: isinstance(pilot.app.screen, RunScreen) and app.screen.place == started[0], "it is shown")
    with RunReader(started[0]) as run:
        assert run.experiment.seed == 1
        assert run.experiment.layers[0].width == 16


async def test_run_of_a_file_is_called_by_what_was_changed_in_its_forms(tmp_path: Path, started: list[Path]) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(preset_text("digits-gd"))
    app = CondenseApp(runs=tmp_path / "runs")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await at_home(app)
        app.push_screen(FormScreen(of_file(file)))
        await text_has(pilot, "ready")
        set_field(pilot, "change", "layers.0.width=8")
        await pilot.press("enter")
        await until(lambda: len(started) == 1, "a run to be started")
        await text_has(pilot, "digits-gd · width 8")
        info, about = read_run(started[0]), known_about(started[0])
        assert label(started[0], info) == "digits-gd · width 8"
        # one like it keeps what was changed before
        app.push_screen(FormScreen(of_run(info, about)))
        await text_has(pilot, "ready")
        set_field(pilot, "change", "steps=5")
        await pilot.press("enter")
        await until(lambda: len(started) == 2, "another run to be started")
    assert label(started[1], read_run(started[1])) == "digits-gd · steps 5 · width 8 · seed 1"


async def test_fields_are_hinted_and_completed(tmp_path: Path, started: list[Path]) -> None:
    async with form(tmp_path) as pilot:
        await text_has(pilot, "ready")
        await pilot.press("tab", "tab", "tab", "tab", "tab")
        await text_has(pilot, "optimizer.lr_lambda1 = 0.05")
        await pilot.press(*"layers.0.ac")
        await text_has(pilot, "layers.0.activation = tanh")
        await pilot.press("right", *"relu", "enter")
        await until(lambda: len(started) == 1, "a run to be started")
    with RunReader(started[0]) as run:
        assert run.experiment.layers[0].activation == "relu"


async def test_half_a_word_is_no_mistake_until_it_is_finished(
    tmp_path: Path, started: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # longer than the test: only the end of the word brings the error
    monkeypatch.setattr(form_module, "CALM_S", 1000)
    async with form(tmp_path, size=(60, 20)) as pilot:
        await text_has(pilot, "ready")
        screen = pilot.app.screen
        assert isinstance(screen, FormScreen)
        height = screen.query_one(VerticalScroll).size.height
        pilot.app.screen.query_one("#change", Input).focus()
        await pilot.press(*"stepz=3")
        await until(lambda: screen._error is not None, "the check")
        assert "did you mean" not in text(pilot)
        await until(lambda: "ready" not in text(pilot), "no word of readiness")
        assert screen._stale
        await until(lambda: screen._cost._said[0][1] == screen._cost.look.muted, "the cost to be dimmed")
        await pilot.press("space")
        await text_has(pilot, "did you mean 'steps'?")
        assert screen.query_one(VerticalScroll).size.height == height
        set_field(pilot, "change", "")
        await text_has(pilot, "ready")
        assert screen._cost._said[0][1] == screen._cost.look.text


async def test_a_pause_or_the_next_field_finishes_a_word(
    tmp_path: Path, started: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with form(tmp_path, size=(60, 20)) as pilot:
        await text_has(pilot, "ready")
        await pilot.press("end", "x")
        await text_has(pilot, "seed: expected a whole number, got '0x'")
        monkeypatch.setattr(form_module, "CALM_S", 1000)
        await pilot.press("backspace", "y")
        await until(lambda: "expected a whole" not in text(pilot), "calm")
        await pilot.press("tab")
        await text_has(pilot, "seed: expected a whole number, got '0y'")


async def test_what_differs_between_seeds_can_be_chosen(tmp_path: Path, started: list[Path]) -> None:
    async with form(tmp_path) as pilot:
        set_field(pilot, "vary", "both")
        await text_has(pilot, "vary: both needs several seeds, and there is one: raise seeds")
        set_field(pilot, "seeds", "3")
        await text_has(pilot, "ready")
        set_field(pilot, "vary", "all")
        await text_has(pilot, "vary: unknown 'all'; expected one of init, data, both")
        set_field(pilot, "vary", "both")
        await text_has(pilot, "ready")
        await pilot.press("enter")
        await until(lambda: len(started) == 1, "a run to be started")
    with RunReader(started[0]) as run:
        assert (run.experiment.ensemble.members, run.experiment.ensemble.vary) == (3, "both")


async def test_all_fields_can_be_leafed_through_with_their_values(tmp_path: Path, started: list[Path]) -> None:
    listed = fields(loads(preset_text("digits-gd")))
    async with form(tmp_path, size=(60, 20)) as pilot:
        await text_has(pilot, "ready")
        pilot.app.screen.query_one("#change", Input).focus()
        await text_has(pilot, f"1 to 4 of {len(listed)} fields")
        seen = text(pilot)
        for page in range(1, -(-len(listed) // 4)):
            await pilot.press("pagedown")
            await text_has(pilot, f"{4 * page + 1} to ")
            seen += text(pilot)
        assert not [field.name for field in listed if f"{field.name} = {field.value}"[:40] not in seen]
        await pilot.press("pageup", *"layers.0.act")
        await text_has(pilot, "layers.0.activation = tanh   one of")
        # its name is whole: so is the sentence that says what it is
        await pilot.press("right")
        await text_has(pilot, "`centred-`")


@pytest.mark.parametrize("name", ["digits-gd", "digits-deep", "fcn-fig04", "cnn-fig03"])
def test_every_field_that_is_listed_can_be_set_to_its_own_value(name: str) -> None:
    experiment = loads(preset_text(name))
    listed = fields(experiment)
    assert len({field.name for field in listed}) == len(listed) > 20
    table = parse(preset_text(name))
    for field in listed:
        changed = build(override(table, [f"{field.name}={field.value}"]))
        assert changed == experiment, field


def test_every_preset_is_in_the_catalogue() -> None:
    found = catalogue()
    assert {preset.name for preset in found} == set(preset_files())
    assert found[0].name == "digits-gd"
    assert all(preset.summary for preset in found)


def test_settings_are_split_at_spaces_outside_of_brackets_and_quotes() -> None:
    text = "steps=3  data.terms=[[3.5, 5.0, 1.0]] data.path='a b' x="
    assert split_settings(text) == ["steps=3", "data.terms=[[3.5, 5.0, 1.0]]", "data.path='a b'", "x="]
    assert split_settings("") == []
    assert split_settings("]a b") == ["]a", "b"]


def test_hints_are_nearest_first() -> None:
    some = [
        SettableField("steps", "3"),
        SettableField("optimizer.lr", "1"),
        SettableField("layers.0.width", "4"),
        SettableField("record.steps", "[]"),
    ]
    assert [field.name for field in hints("st", some, 4)] == ["steps", "record.steps"]
    assert [field.name for field in hints("steps=3 optimiser.lr", some, 4)] == ["optimizer.lr"]
    assert hints("zzzz", some, 4) == []
    assert [field.name for field in hints("", some, 2)] == ["steps", "layers.0.width"]


async def test_suggestion_completes_only_a_name() -> None:
    suggester = FieldSuggester(lambda: ["steps", "optimizer.lr"])
    assert await suggester.get_suggestion("seed=1 opt") == "seed=1 optimizer.lr="
    assert await suggester.get_suggestion("steps=") is None
    assert await suggester.get_suggestion("") is None


async def test_layers_of_a_decoder_are_counted_together(tmp_path: Path, started: list[Path]) -> None:
    async with form(tmp_path, "anchors-condense") as pilot:
        await text_has(pilot, "300 steps of 4,000 samples, 15 layers of 16 to 64 kernels")
