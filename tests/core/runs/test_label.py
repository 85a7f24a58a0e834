"""What runs are called: what differs from their preset, unless somebody gave a name."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from condense_core.errors import RunFileError
from condense_core.runfile.info import RunInfo
from condense_core.runs.about_run import ABOUT_NAME, NOTHING, AboutRun, known_about, read_about, write_about
from condense_core.runs.label import changed_fields, differences, label_of, number_in_short
from condense_core.scenario import toml
from condense_presets import preset_base, preset_files


def made(preset: str, *settings: str, name: str = "", base: str = "") -> RunInfo:
    table = toml.override(toml.parse(preset_base(base or preset) or ""), settings)
    experiment = toml.build(table)
    values = dict.fromkeys(RunInfo.__struct_fields__, 0) | {
        **dict.fromkeys(("revision", "device", "host", "reason"), ""),
        "id": "251126-120000-x-0000",
        "name": name or experiment.name,
        "preset": preset,
        "experiment": toml.dumps(experiment),
        "seed": experiment.seed,
        "status": "done",
        "mirror": None,
    }
    return RunInfo(**values)


def called(info: RunInfo, about: AboutRun = NOTHING) -> str:
    return label_of(info, about, differences(info, preset_base))


@pytest.mark.parametrize(
    ("settings", "label"),
    [
        ([], "digits-gd"),
        (["seed=3"], "digits-gd · seed 3"),
        (["optimizer.lr=1e-4", "seed=3"], "digits-gd · lr 1e-4 · seed 3"),
        (["record.frames=50", "record.budget=0.1"], "digits-gd"),
        (["ensemble.members=10", "data.seed=2"], "digits-gd · 10 seeds · data seed 2"),
        (["optimizer.name=adam", "optimizer.lr=0.05"], "digits-gd · optimizer adam · lr 0.05"),
        (["layers.*.width=64", "output_bias=true"], "digits-gd · width 64 · output_bias yes"),
        # a setting that the preset gives and the run has at its default
        (["data.samples=500", "data.labels=onehot"], "digits-gd · labels onehot"),
    ],
)
def test_a_run_is_called_by_what_differs(settings: list[str], label: str) -> None:
    assert called(made("digits-gd", *settings)) == label


def test_layers_are_told_apart_only_where_they_differ() -> None:
    assert called(made("digits-deep", "layers.*.activation=relu")) == "digits-deep · activation relu"
    assert called(made("digits-deep", "layers.1.activation=relu")) == "digits-deep · layer 2 activation relu"


def test_every_preset_as_it_ships_is_called_by_its_name() -> None:
    # of all but a few, which share what they are made of, the reading takes a second
    for name in list(preset_files())[::4]:
        assert called(made(name)) == name


def test_a_name_that_was_given_stands_for_the_settings() -> None:
    assert called(made("digits-gd", "seed=3", name="mine")) == "mine"
    assert called(made("digits-gd", "seed=3", name="mine"), AboutRun(name="yours")) == "yours"


def test_the_run_of_a_sweep_is_called_by_what_differs() -> None:
    info = made("digits-gd", "optimizer.lr=1e-4")
    cell = msgspec.structs.replace(info, id="lr-1e-4-1f3a09bc", name="digits-gd lr-1e-4-1f3a09bc")
    assert called(cell) == "digits-gd · lr 1e-4"


def test_a_run_of_no_preset_is_called_by_its_name_and_draws() -> None:
    assert called(made("", "seed=4", base="digits-gd")) == "digits-gd · seed 4"
    assert called(made("", "seed=4", base="digits-gd", name="mine")) == "mine"
    gone = "a-preset-of-another-version"
    assert called(made(gone, "seed=4", "steps=7", base="digits-gd", name=gone)) == f"{gone} · seed 4"


@pytest.mark.parametrize("text", ["", "no scenario", "{}", "layers = 3", "layers = [3]", "[layers]\nx = 1"])
def test_whatever_the_scenario_is_a_run_is_called_something(text: str) -> None:
    info = msgspec.structs.replace(made("digits-gd"), experiment=text, name="\x1b[2Jx", preset="")
    assert called(info).isprintable()
    assert called(msgspec.structs.replace(info, preset="digits-gd", name="digits-gd"))


def test_labels_are_bounded_and_say_what_they_leave_out() -> None:
    settings = ["steps=7", "output_bias=true", "dtype=float64", "data.samples=40", "layers.*.width=3"]
    more = ["optimizer.name=adam", "optimizer.lr=0.5", "seed=3", "data.seed=4", "ensemble.members=2"]
    label = "digits-gd · steps 7 · width 3 · dtype float64 · samples 40 · 4 more · seed 3 · data seed 4"
    assert called(made("digits-gd", *settings, *more)) == label


@pytest.mark.parametrize(
    ("value", "text"), [(1e-4, "1e-4"), (0.05, "0.05"), (2.5e-5, "2.5e-5"), (1.0, "1"), (1e6, "1e6"), (0.0, "0")]
)
def test_numbers_are_written_the_shorter_way(value: float, text: str) -> None:
    assert number_in_short(value) == text


MINE = toml.dumps(
    toml.build(toml.override(toml.parse(preset_base("digits-deep") or ""), ["output_bias=true", "name=mine"]))
)


@pytest.mark.parametrize(
    ("settings", "label"),
    [
        ([], "mine"),
        (["optimizer.lr=0.5", "layers.0.width=40", "seed=2"], "mine · layer 1 width 40 · lr 0.5 · seed 2"),
        (["layers.*.activation=relu"], "mine · activation relu"),
        (["layers=[{kind='conv', size=3, width=5, activation='tanh'}]", "steps=7"], "mine · 1 layer · steps 7"),
        # a setting that the file gives and the run has at its default
        (["output_bias=false"], "mine · output_bias no"),
    ],
)
def test_a_run_of_a_file_is_called_by_what_was_changed_over_it(settings: list[str], label: str) -> None:
    experiment = toml.dumps(toml.build(toml.override(toml.parse(MINE), settings)))
    info = msgspec.structs.replace(made("", base="digits-deep", name="mine"), experiment=experiment)
    about = AboutRun(changed=changed_fields(experiment, MINE))
    assert label_of(info, about, differences(info, preset_base, about)) == label
    # of a run that noted nothing, as old ones, no more is said than before
    assert "lr" not in called(info)


def test_names_of_changed_fields_from_a_file_do_no_harm(tmp_path: Path) -> None:
    info = made("", base="digits-gd")
    strange = ("layers.x.width", "layers.9.width", "layers", "layers.0", "about.summary", "none", "seed", "steps.x")
    assert differences(info, preset_base, AboutRun(changed=strange)) == ("1 layer",)
    write_about(tmp_path, AboutRun(changed=("layers.0.width",)))
    assert known_about(tmp_path).changed == ("layers.0.width",)
    for wrong in ('["layers.*.width"]', '["a b"]', str(["steps"] * 21)):
        (tmp_path / ABOUT_NAME).write_text(f"changed = {wrong}\n")
        with pytest.raises(RunFileError, match="changed"):
            read_about(tmp_path)
