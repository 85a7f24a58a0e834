"""What must hold on a GPU: `pytest -m gpu` there. Elsewhere these tests are not part of the suite.

$CONDENSE_TESTS_DEVICE=cpu runs them on a processor, to see that they themselves are right.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import need_module, rows, stopping_at

from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_run
from condense_core.runs.place import run_folders
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
COLOURS = 'data = { name = "photos", size = 32, samples = 40, test_samples = 8, labels = "onehot" }'
RESNET = f"""
name = "resnet"
steps = 60
trunk = "resnet18"
layers = [{{ kind = "dense", width = 16 }}]
loss = "cross-entropy"
{COLOURS}
init = {{ scheme = "normal", std = 0.02 }}
optimizer = {{ name = "adam", lr = 0.001, batch = 8 }}
record = {{ frames = 10, grace_seconds = 1000 }}
"""
DECODER = """
name = "decoder"
steps = 60
layers = [{ kind = "block", width = 16, heads = 2, hidden = 24, activation = "gelu" }]
loss = "cross-entropy"
output_bias = false
data = { name = "anchors", samples = 200, test_samples = 40 }
init = { scheme = "normal", std = 0.02 }
optimizer = { name = "adamw", lr = 0.001, batch = 50, warmup = 10, decay = "cosine" }
record = { frames = 20, grace_seconds = 1000 }
"""
PHOTOS = ["data.name=photos", "data.size=16", "data.samples=40"]
SCENARIOS = {
    "dense": (DENSE, []),
    "ten seeds": (DENSE, ["ensemble.members=10"]),
    "dense, batches": (DENSE, ["optimizer.batch=20", "steps=60"]),
    "dense, dropout and noise": (DENSE, ["layers.0.dropout=0.2", "optimizer.noise=0.01", "steps=60"]),
    "convolutions": (CONVOLUTIONS, []),
    "convolutions, batches": (CONVOLUTIONS, ["optimizer.batch=20"]),
    "convolutions, four seeds": (CONVOLUTIONS, ["ensemble.members=4"]),
    "convolutions, colours": (CONVOLUTIONS, PHOTOS),
    "convolutions, colours, four seeds": (CONVOLUTIONS, [*PHOTOS, "ensemble.members=4"]),
    "convolutions, colours, channels last": (CONVOLUTIONS, [*PHOTOS, 'fast=["channels-last"]']),
    "convolutions, colours, half the digits": (CONVOLUTIONS, [*PHOTOS, 'fast=["channels-last", "bf16"]']),
    "convolutions, batch norm": (CONVOLUTIONS, [*PHOTOS, "layers.1.batch_norm=true", "layers.1.pool=max"]),
    "ResNet18": (RESNET, []),
    "a decoder": (DECODER, []),
    "a decoder, four seeds": (DECODER, ["ensemble.members=4"]),
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
    last = 40 if text is RESNET else 400
    settings = [*settings, f"steps={last}"]
    whole, parts = make(text, *settings), make(text, *settings)
    workers.finish(whole, PATIENCE_S)
    with stopping_at(last // 2):
        assert worker.work(parts) == 0
    assert read_run(parts).status == "stopped"
    assert last // 2 <= read_run(parts).step < last
    workers.finish(parts, PATIENCE_S)
    assert read_run(parts).status == "done"
    assert final_weights(whole) == final_weights(parts)
    assert rows(whole) == rows(parts)


CAPTURED = [name for name in SCENARIOS if "noise" not in name and "decoder" not in name]


@pytest.mark.parametrize("name", [*CAPTURED, "a decoder"])
def test_a_graph_takes_the_steps_that_single_steps_take(name):
    import torch

    from condense_core.engine.data.datasets import load
    from condense_core.engine.steppers import graphs, make_ensemble
    from condense_core.engine.training import device

    text, settings = SCENARIOS[name]
    chosen = device.choose(DEVICE)
    device.make_deterministic(chosen)
    if text is DECODER:
        # a rate that changes from step to step is in no graph
        settings = [*settings, "optimizer.warmup=0", "optimizer.decay=none"]
    experiment = toml.build(toml.override(toml.parse(text), [*settings, "steps=200"]))
    samples = [load(experiment.data)] * experiment.ensemble.members
    plain, blocks = make_ensemble(experiment, samples, chosen), make_ensemble(experiment, samples, chosen)
    steps = 4 * graphs.BLOCK
    for _ in range(steps):
        plain.advance(1)
    # as a run comes to its first block: after steps of its own, and a measurement
    blocks.advance(3)
    blocks.prepare()
    blocks.advance(steps - 3)
    if DEVICE != "cpu":
        assert blocks.notes == [f"steps are taken in CUDA graphs of {graphs.BLOCK}"]
    wanted = plain.state_dict()
    for key, value in blocks.state_dict().items():
        assert torch.equal(value, wanted[key]), key


WATCHED = """
import sys
import torch
from torch import nn
device, watched, weights = sys.argv[1:]
if device != "cpu":
    torch.use_deterministic_algorithms(True)
torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Tanh(), nn.Linear(288, 6), nn.Linear(6, 2)).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
run = None
if watched == "watched":
    from condense_core import watch
    run = watch(model, optimizer, name="on a gpu", steps=80)
for step in range(80):
    optimizer.zero_grad()
    loss = model(torch.randn(16, 3, 8, 8, device=device)).square().mean()
    loss.backward()
    if run is not None:
        run.loss(loss)
    optimizer.step()
torch.save(model.state_dict(), weights)
"""


def test_a_loop_that_is_watched_gives_the_weights_that_it_gives_alone(tmp_path):
    script, runs = tmp_path / "loop.py", tmp_path / "runs"
    script.write_text(WATCHED)
    environment = {**os.environ, "CONDENSE_RUNS_DIR": str(runs), "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    found = []
    for way in ("alone", "watched"):
        weights = tmp_path / f"{way}.pt"
        command = [sys.executable, str(script), DEVICE, way, str(weights)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, done.stderr
        import torch

        found.append({name: value.cpu() for name, value in torch.load(weights, map_location="cpu").items()})
    alone, watched = found
    assert all(torch.equal(value, watched[name]) for name, value in alone.items())
    (folder,) = run_folders(runs)
    with RunReader(folder) as run:
        assert run.info().status == "done", run.info().reason
        assert run.info().device.startswith(DEVICE)
        steps, loss = run.curve("loss")
        assert (int(steps[0]), int(steps[-1])) == (0, 80)
        assert all(map(math.isfinite, loss[:-1]))
        assert math.isfinite(run.last("0.mean_abs_cos"))


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
