"""What must hold on a GPU: `pytest -m gpu` there. Elsewhere these tests are not part of the suite.

$CONDENSE_TESTS_DEVICE=cpu runs them on a processor, to see that they themselves are right.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support import need_module, rows, stopping_at

from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_run
from condense_core.scenario import toml
from condense_core.scenario.experiment import Anchors, Formula, Sine
from condense_presets import preset_files, preset_text

pytestmark = pytest.mark.gpu

DEVICE = os.environ.get("CONDENSE_TESTS_DEVICE", "cuda")
# A GPU is made ready, and kernels are loaded, in every worker anew.
PATIENCE_S = 240.0

DENSE = """
name = "dense"
steps = 200
layers = [{ kind = "dense", width = 50 }]
data = { name = "sine", samples = 80, inputs = 5 }
init = { scheme = "normal", std = 0.005 }
optimizer = { name = "adam", lr = 0.001 }
record = { frames = 40, grace_seconds = 1000 }
"""
CONVOLUTIONS = """
name = "convolutions"
steps = 60
layers = [{ kind = "conv", width = 8 }, { kind = "conv", width = 8 }, { kind = "dense", width = 10 }]
loss = "cross-entropy"
data = { name = "digits", samples = 100, labels = "onehot" }
init = { scheme = "normal", std = 0.02 }
optimizer = { name = "adam", lr = 0.001 }
record = { frames = 20, grace_seconds = 1000 }
"""
BATCHES = [*("optimizer.batch=20", "steps=60")]
SCENARIOS = {
    "dense": (DENSE, []),
    "ten seeds": (DENSE, ["ensemble.members=10"]),
    "dense, batches": (DENSE, BATCHES),
    "convolutions": (CONVOLUTIONS, []),
    "convolutions, batches": (CONVOLUTIONS, BATCHES),
}


@pytest.fixture(scope="module", autouse=True)
def gpu() -> None:
    need_module("torch")
    import torch

    if DEVICE != "cpu" and not torch.cuda.is_available():
        pytest.skip("PyTorch finds no GPU on this machine")


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    def made(text: str, *settings: str) -> Path:
        experiment = toml.build(toml.override(toml.parse(text), settings))
        return create_run(experiment, runs=tmp_path / "runs", device=DEVICE)

    return made


def final_weights(folder: Path) -> dict[str, bytes]:
    from condense_core.engine import checkpoint

    state = checkpoint.load(folder)
    assert state is not None, (folder / "worker.log").read_text()
    return {name: value.cpu().numpy().tobytes() for name, value in state.items()}


@pytest.mark.parametrize("name", SCENARIOS)
def test_weights_do_not_depend_on_what_is_measured(name, make, workers):
    text, settings = SCENARIOS[name]
    measured = make(text, *settings)
    blind = make(text, *settings, "record.probes=[]", "record.frames=2")
    for folder in (measured, blind):
        workers.finish(folder, PATIENCE_S)
        assert read_run(folder).status == "done"
    assert final_weights(measured) == final_weights(blind)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_run_that_was_stopped_and_resumed_is_one_that_never_was(name, make, workers, monkeypatch):
    from condense_core.engine.training import worker

    text, settings = SCENARIOS[name]
    settings = [*settings, "steps=600"]
    whole, parts = make(text, *settings), make(text, *settings)
    workers.finish(whole, PATIENCE_S)
    with stopping_at(250):
        assert worker.work(parts) == 0
    assert read_run(parts).status == "stopped"
    assert 250 <= read_run(parts).step < 600
    workers.finish(parts, PATIENCE_S)
    assert read_run(parts).status == "done"
    assert final_weights(whole) == final_weights(parts)
    assert rows(whole) == rows(parts)


@pytest.mark.parametrize("members", [1, 10])
def test_a_graph_takes_the_steps_that_single_steps_take(members):
    import torch

    from condense_core.engine.data.datasets import load
    from condense_core.engine.steppers import graphs, make_ensemble
    from condense_core.engine.training import device

    chosen = device.choose(DEVICE)
    device.make_deterministic(chosen)
    experiment = toml.build(toml.override(toml.parse(DENSE), [f"ensemble.members={members}"]))
    samples = [load(experiment.data)] * members
    plain, blocks = make_ensemble(experiment, samples, chosen), make_ensemble(experiment, samples, chosen)
    steps = 4 * graphs.BLOCK
    for _ in range(steps):
        plain.advance(1)
    blocks.advance(steps)
    if DEVICE != "cpu":
        assert blocks.notes == [f"steps are taken in CUDA graphs of {graphs.BLOCK}"]
    wanted = plain.state_dict()
    for name, value in blocks.state_dict().items():
        assert torch.equal(value, wanted[name]), name


def test_a_gpu_finds_what_a_processor_finds(make, workers, tmp_path):
    experiment = toml.build(toml.override(toml.parse(DENSE), ["dtype=float64", "steps=60"]))
    there = create_run(experiment, runs=tmp_path / "there", device=DEVICE)
    here = create_run(experiment, runs=tmp_path / "here", device="cpu")
    for folder in (there, here):
        workers.finish(folder, PATIENCE_S)
    with RunReader(there) as one, RunReader(here) as other:
        assert one.layers == other.layers
        for measure in ("loss", "gradient_norm", "dense1.lines", "dense1.mean_abs_cos", "dense1.alignment"):
            assert one.last(measure) == pytest.approx(other.last(measure), rel=1e-5), measure


@pytest.mark.parametrize("name", sorted(preset_files()))
def test_every_preset_trains_at_a_small_size(name, tmp_path, workers):
    preset = toml.loads(preset_text(name), name)
    # a claim speaks of steps that are there
    steps = max([3, *(required.at or 0 for required in preset.claim.requires)])
    settings = [f"steps={steps}", "record.steps=[]", "record.frames=2", "layers.*.width=6"]
    if not isinstance(preset.data, Sine | Formula | Anchors):
        # images that every installation has
        settings += ["data.name=photos", "data.size=32", "data.samples=8", "data.test_samples=4"]
    if preset.optimizer.batch:
        settings.append("optimizer.batch=4")
    if preset.optimizer.warmup:
        settings.append("optimizer.warmup=2")
    experiment = toml.build(toml.override(toml.parse(preset_text(name)), settings), name)
    folder = create_run(experiment, runs=tmp_path, device=DEVICE)
    workers.finish(folder, PATIENCE_S)
    info = read_run(folder)
    assert info.status == "done", info.reason
    with RunReader(folder) as run:
        assert math.isfinite(run.last("loss"))
