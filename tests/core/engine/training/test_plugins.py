"""Plugins of one's own in real runs: what they give is recorded and named, and what goes wrong in them is one line."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support import SMALL, rows

from condense_core.engine import checkpoint
from condense_core.errors import ScenarioError
from condense_core.jobs.ask import ChildError
from condense_core.plugins import load
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runs.own_names import check_own_names
from condense_core.scenario import toml

pytestmark = pytest.mark.usefixtures("forked")
TOP = Path(__file__).parents[4]
EXAMPLES = re.findall(r"```python\n(.+?)```", (TOP / "docs/PLUGINS.md").read_text(encoding="utf-8"), re.DOTALL)
SHORT = ("steps=40", "record.frames=8")


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes plugins into the folder of preferences that name them: put(own="…")."""
    folder = tmp_path / "config"
    folder.mkdir()
    monkeypatch.setenv("CONDENSE_CONFIG_DIR", str(folder))

    def write(**files: str) -> Path:
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        named = sorted(file.name for file in folder.glob("*.py"))
        (folder / "preferences.toml").write_text(f"plugins = {named}\n")
        return folder

    return write


def told(folder: Path) -> list[str]:
    with RunReader(folder) as run:
        assert run.info().status == "done", run.info().reason
        return [event.text for event in run.events if event.kind == "plugin"]


def test_the_probe_of_the_documents_is_a_curve_and_moves_no_weight(make_run, workers, put):
    put(own=EXAMPLES[0])
    assert len(EXAMPLES[0].splitlines()) <= 20
    without, with_it = make_run(*SHORT), make_run(*SHORT, "record.own=weight_norm,largest_weight")
    for folder in (without, with_it):
        workers.finish(folder)
    with RunReader(with_it) as run:
        steps, values = run.curve("dense1.weight_norm")
        assert len(steps) == len(run.curve("loss")[0]) > 5
        assert (np.diff(values) != 0).all() and 0 < values[0] < 0.1
        assert len(run.curve("largest_weight")[0]) == len(steps)
        versions = run.info().versions
    assert re.fullmatch(r"own\.py \(sha256 [0-9a-f]{12}\)", versions["own probe weight_norm"])
    assert any("weight_norm" in text and "mean Euclidean norm of the kept kernels" in text for text in told(with_it))
    assert {name: value.tolist() for name, value in checkpoint.load(without).items()} == {
        name: value.tolist() for name, value in checkpoint.load(with_it).items()
    }
    own = ("dense1.weight_norm", "largest_weight")
    assert rows(with_it, without=(*own, "steps_per_second", "recording_share"))["frame"] == rows(without)["frame"]


MEDDLES = """
import torch
from condense_core import probe

@probe("meddles", help="changes all that it is given", of="network")
def meddles(view):
    for value in view.parameters().values():
        value.zero_()
    for layer in view.layers:
        view.kernels(layer).zero_(), view.gradient(layer).zero_(), view.kept(layer).zero_()
    torch.manual_seed(1)
    torch.set_grad_enabled(False)
    torch.set_default_dtype(torch.float16)
    return torch.rand(1)
"""


def test_a_probe_that_changes_all_it_is_given_changes_nothing(make_run, workers, put):
    put(own=MEDDLES)
    # dropout and batches draw their numbers while the probe draws its own
    settings = (*SHORT, "layers.0.dropout=0.2", "optimizer.batch=10", "ensemble.members=2")
    without, with_it = make_run(*settings), make_run(*settings, "record.own=meddles")
    for folder in (without, with_it):
        workers.finish(folder)
    assert {name: value.tolist() for name, value in checkpoint.load(without).items()} == {
        name: value.tolist() for name, value in checkpoint.load(with_it).items()
    }
    with RunReader(with_it) as run:
        assert len(run.curve("meddles")[0]) > 5


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return 1 / 0", "ZeroDivisionError: division by zero (line 4), in dense1 at step 0; it measures no more"),
        ("return view.kernels(layer)", "expected one number, got a tensor of shape (12, 4)"),
        ("return 'much'", "expected one number, got str"),
        ("raise SystemExit(3)", "SystemExit: 3 (line 4), in dense1 at step 0; it measures no more"),
        ("return float('nan')", "gave nan in dense1 at step 0"),
    ],
)
def test_a_probe_that_gives_no_number_is_one_line_and_training_goes_on(make_run, workers, put, body, words):
    put(own=f"from condense_core import probe\n@probe('odd', help='x')\ndef odd(view, layer):\n    {body}\n")
    folder = make_run(*SHORT, "record.own=odd")
    workers.finish(folder)
    lines = [text for text in told(folder) if words in text]
    assert len(lines) == 1 and lines[0].startswith("own probe odd of own.py (sha256 ")


def test_an_activation_and_a_data_set_of_ones_own_are_trained_on_and_resumed_only_as_they_were(make_run, workers, put):
    folder = put(own=EXAMPLES[1])
    text = SMALL.replace('name = "sine"\nsamples = 40\ninputs = 3', 'name = "own"\nset = "rings"\nsamples = 40')
    settings = (*SHORT, "layers.0.activation=own:mish", "data.test_samples=8", "loss=softmax-mse")
    run_folder = make_run(*settings, text=text)
    workers.finish(run_folder)
    assert any("own activation mish" in text for text in told(run_folder))
    with RunReader(run_folder) as run:
        assert run.last("test_accuracy") >= 0
        (found,) = [event.text for event in run.events if event.kind == "data"]
    assert "48 samples of 2 inputs, 2 classes: 0, 1" in found
    _longer(run_folder)
    put(own=EXAMPLES[1] + "# another version\n")
    workers.finish(run_folder)
    assert any("own activation mish is another than the run had so far: own.py (sha256" in t for t in told(run_folder))
    _longer(run_folder)
    put(own=EXAMPLES[1].replace("(1 + ring)", "(2 + ring)"))
    workers.finish(run_folder)
    assert read_run(run_folder).status == "failed"
    assert "have changed since its checkpoint" in read_run(run_folder).reason
    # nothing is written beside somebody's file
    assert {file.name for file in folder.iterdir()} == {"own.py", "preferences.toml"}


def _longer(folder: Path) -> None:
    """More steps than the run was made for, so that it goes on."""
    with RunReader(folder) as run:
        experiment = run.experiment
    longer = toml.build(toml.override(toml.parse(toml.dumps(experiment)), [f"steps={experiment.steps + 10}"]))
    with writer(folder / FILE_NAME) as connection:
        connection.execute("UPDATE run SET experiment = ?, steps = ?, status = 'stopped'", (toml.dumps(longer), 0))


def test_what_a_scenario_names_and_nobody_has_is_refused_before_a_run_is_made(put):
    put(own=EXAMPLES[0])
    check_own_names(toml.build(toml.override(toml.parse(SMALL), ["record.own=weight_norm"])))
    with pytest.raises(ChildError, match=r"no own probe 'weigth_norm' on .*did you mean 'weight_norm'\?") as caught:
        check_own_names(toml.build(toml.override(toml.parse(SMALL), ["record.own=weigth_norm"])))
    assert caught.value.exit_code == 2
    with pytest.raises(ChildError, match="no own activation 'swash'"):
        check_own_names(toml.build(toml.override(toml.parse(SMALL), ["layers.0.activation=own:swash"])))


def test_nothing_is_asked_of_a_scenario_without_plugins(monkeypatch):
    monkeypatch.setattr("condense_core.runs.own_names.ask", None)
    check_own_names(toml.loads(SMALL))


def test_what_is_missing_is_one_line_and_a_resumed_run_goes_on_without_its_probe(make_run, workers, put):
    folder = put(broken="import nothing_of_that_name\n", own=EXAMPLES[0], taken=EXAMPLES[0])
    run_folder = make_run(*SHORT, "record.own=weight_norn")
    workers.finish(run_folder)
    reason = read_run(run_folder).reason
    assert reason.startswith("no own probe 'weight_norn' on ") and "did you mean 'weight_norm'?" in reason
    assert "plugin broken.py: ModuleNotFoundError: No module named 'nothing_of_that_name' (line 1)" in reason
    assert "plugin taken.py: probe weight_norm left out, whose name one of own.py has" in reason
    other = make_run(*SHORT, "record.own=weight_norm")
    workers.finish(other)
    assert [text for text in told(other) if text.startswith("plugin broken.py: ModuleNotFoundError")]
    _longer(other)
    (folder / "own.py").unlink()
    (folder / "taken.py").unlink()
    put()
    workers.finish(other)
    assert [text for text in told(other) if "the run goes on without it" in text]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return x.sum()", "expected (3, 2) of torch.float32, as it was given, got ()"),
        ("return x - x.mean()", "expected an elementwise function"),
        ("return x.detach()", "does not require grad"),
        ("return x.log()", "not finite"),
    ],
)
def test_an_activation_that_cannot_train_is_refused_in_one_line(make_run, workers, put, body, words):
    put(own=f"from condense_core import activation\n@activation('odd')\ndef odd(x):\n    {body}\n")
    folder = make_run(*SHORT, "layers.0.activation=own:odd")
    workers.finish(folder)
    assert read_run(folder).status == "failed"
    assert read_run(folder).reason.startswith("own activation odd of own.py (sha256 ")
    assert words in read_run(folder).reason and "\n" not in read_run(folder).reason


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return [[1.0]] * samples", "expected inputs and targets, got list"),
        ("return torch.ones(3, 2), torch.ones(3)", "inputs of shape (3, 2); expected 40 samples, as asked for"),
        ("return torch.full((samples, 2), torch.nan), torch.ones(samples)", "inputs[0, 0] is nan"),
        ("raise OSError('no disk')", "OSError: no disk (line 5)"),
    ],
)
def test_a_data_set_that_cannot_be_trained_on_is_refused_in_one_line(make_run, workers, put, body, words):
    head = "import torch\nfrom condense_core import data_set\n@data_set('odd')\ndef odd(seed, samples):\n"
    put(own=f"{head}    {body}\n")
    text = SMALL.replace('name = "sine"\nsamples = 40\ninputs = 3', 'name = "own"\nset = "odd"\nsamples = 40')
    folder = make_run(*SHORT, text=text)
    workers.finish(folder)
    assert read_run(folder).status == "failed"
    assert words in read_run(folder).reason and read_run(folder).reason.startswith("own data set odd of own.py")


def test_nobody_who_looks_at_a_run_imports_a_plugin(make_run, workers, put, tmp_path):
    """Neither a viewer, nor a worker whose scenario names none."""
    marked = tmp_path / "imported"
    put(own=EXAMPLES[0])
    folder = make_run(*SHORT, "record.own=weight_norm")
    workers.finish(folder)
    put(own=f"open({str(marked)!r}, 'w').close()\n{EXAMPLES[0]}")
    workers.finish(make_run(*SHORT))
    for words in (["runs", "show", folder.name], ["export", folder.name, "--to", "csv"], ["--help"], ["presets"]):
        command = [sys.executable, "-m", "condense_tui", *words]
        command += ["--runs-dir", str(folder.parent)] if words[0] in {"runs", "export"} else []
        answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert answer.returncode == 0, answer.stderr
    assert "dense1.weight_norm" in next(tmp_path.glob("*.csv")).read_text()
    assert not marked.exists()
    workers.finish(make_run(*SHORT, "record.own=weight_norm"))
    assert marked.exists()


@pytest.mark.parametrize(
    "setting", ["record.own=../own", "layers.0.activation=own:os.system", "data.name=own", "record.own=[1]"]
)
def test_a_scenario_names_what_is_here_and_no_file(setting):
    more = ["data.set=/etc/passwd"] if setting == "data.name=own" else []
    with pytest.raises(ScenarioError, match=r"expected|Expected"):
        toml.build(toml.override(toml.parse(SMALL), [setting, *more]))


def test_an_installed_package_offers_a_module_by_an_entry_point(put, tmp_path, monkeypatch):
    put()
    site = tmp_path / "site"
    (site / "mine-1.2.dist-info").mkdir(parents=True)
    (site / "mine-1.2.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.2\n")
    points = "[condense_tui.plugins]\nmine = mine_plugin\nodd = mine_plugin:weight_norm\ngone = mine_gone\n"
    (site / "mine-1.2.dist-info/entry_points.txt").write_text(points)
    (site / "mine_plugin.py").write_text(EXAMPLES[0])
    monkeypatch.syspath_prepend(site)
    load.plugins.cache_clear()
    try:
        found = load.plugins()
        assert [str(each) for each in found.found.values()] == [
            "own probe weight_norm of mine (1.2)",
            "own probe largest_weight of mine (1.2)",
        ]
        assert found.troubles == (
            "plugin mine: mine_gone: ModuleNotFoundError: No module named 'mine_gone'",
            "plugin mine: mine_plugin:weight_norm: expected a module, got OwnProbe",
        )
    finally:
        load.plugins.cache_clear()


def test_plugins_are_listed_with_what_is_broken_in_them(put, tmp_path):
    bad = "from condense_core import activation\n@activation('odd')\ndef odd(x):\n    return x.sum()\n"
    put(broken="import nothing_of_that_name\n", loud=f"print('{{')\n{EXAMPLES[0]}", mish=EXAMPLES[1], odd=bad)
    command = [sys.executable, "-m", "condense_tui", "plugins", "--json"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    found = json.loads(answer.stdout)
    assert [(own["kind"], own["name"], own["words"]) for own in found["offered"]] == [
        ("probe", "weight_norm", "of each layer: mean Euclidean norm of the kept kernels"),
        ("probe", "largest_weight", "largest |weight| of the network"),
        ("activation", "own:mish", "multiplicity 1"),
        ("data set", "rings", "points on two rings, by radius"),
    ]
    assert [trouble.partition(":")[0] for trouble in found["troubles"]] == [
        "plugin broken.py",
        f"own activation odd of odd.py (sha256 {hashlib.sha256(bad.encode()).hexdigest()[:12]})",
    ]
    assert answer.returncode == 1
