"""Steps in compiled code: what its functions are worth, and that nothing but the scenario decides over bits."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numba
import numpy as np
import pytest
import torch
from ensembles import METHODS, make, scenario
from scipy import special
from support import stopping_at
from tolerances import rtol

from condense_core import compiling
from condense_core.engine import checkpoint
from condense_core.engine.data.datasets import load
from condense_core.engine.network.activations import activation
from condense_core.engine.steppers import compiled, gradient_method, make_ensemble
from condense_core.engine.steppers.compiled import functions
from condense_core.engine.steppers.gradients import compiled as gradients
from condense_core.engine.steppers.gradients import numpys_tanh
from condense_core.engine.steppers.gradients.compiled import CompiledGradients
from condense_core.engine.steppers.gradients.mlp import MlpGradients
from condense_core.engine.training import worker
from condense_core.runfile.reader import RunReader
from condense_core.scenario.experiment import GD, Adam, AdamW, Dense, Digits, Ensemble

CPU = torch.device("cpu")
SOURCES = [Path(functions.__file__)]


@numba.njit
def _activated(code, h, d):
    functions.activate(code, h, d, 0, len(h))


def activated(name: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    value, slope = x.copy(), np.empty_like(x)
    _activated(functions.CODES[name], value, slope)
    return value, slope


def sample(dtype: str) -> np.ndarray:
    small = 10.0 ** np.linspace(-30, 0, 1600)
    return np.concatenate([np.linspace(-15, 15, 16_000), small, -small]).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", functions.CODES)
def test_activations_keep_their_digits_however_small(name, dtype):
    x = sample(dtype)
    exact = torch.tensor(x.astype("float64"), requires_grad=True)
    y = activation(name)(exact)
    (slope,) = torch.autograd.grad(y.sum(), exact)
    wanted, wanted_slope = y.detach().numpy(), slope.numpy()
    if name == "gelu":
        # PyTorch's own is a difference that leaves nothing for x far below 0
        wanted = x.astype("float64") * special.ndtr(x.astype("float64"))
    found, found_slope = activated(name, x)
    eps = np.finfo(dtype).eps
    # 1.8 was measured for tanh, 2.5 for the worst; gelu's e^(-x²/2) loses what x² has too many of
    np.testing.assert_allclose(found, wanted, rtol=(200 if name == "gelu" else 3) * eps, atol=np.finfo(dtype).tiny)
    # 1 - tanh² is exact to eps, and x or x² of it is taken, as in PyTorch
    assert (np.abs(found_slope - wanted_slope) <= 4 * eps * (np.abs(wanted_slope) + 1 + x.astype("float64") ** 2)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tanh_is_within_four_units_of_the_last_place(dtype):
    x = sample(dtype).astype("float32").astype(dtype)
    found = activated("tanh", x)[0]
    exact = np.tanh(x.astype("longdouble"))
    assert float(np.max(np.abs(found - exact) / np.spacing(np.abs(exact).astype(dtype)))) < 4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", functions.CODES)
def test_a_network_that_diverged_stays_so(name, dtype):
    lanes = np.full(16, np.nan, dtype)
    assert np.isnan(activated(name, lanes)[0]).all()
    infinite = np.full(16, np.inf, dtype)
    expected = 1.0 if name in {"tanh", "sigmoid"} else 0.5 if name == "centred-sigmoid" else np.inf
    assert (activated(name, infinite)[0] == expected).all()


@pytest.mark.parametrize("case", ["compiled", "compiled in batches", "compiled with momentum", "compiled adamw"])
def test_however_many_steps_are_asked_for_at_a_time_bits_are_the_same(case):
    method, experiment = METHODS[case]
    whole, parts = make(method, experiment), make(method, experiment)
    whole.advance(40)
    for steps in (1, 2, 30, 7):
        parts.advance(steps)
    assert parts.step == 40
    one, other = whole.state_dict(), parts.state_dict()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("case", ["compiled", "compiled in batches", "compiled with momentum", "compiled adamw"])
@pytest.mark.parametrize("chunk", [gradients.CHUNK_BYTES, 64], ids=["one chunk", "many"])
def test_steps_go_on_with_the_gradients_that_were_looked_at(case, chunk, monkeypatch):
    monkeypatch.setattr(gradients, "CHUNK_BYTES", chunk)
    method, experiment = METHODS[case]
    unseen, seen = make(method, experiment), make(method, experiment)
    unseen.advance(20)
    for steps in (1, 5, 1, 13):
        seen.prepare()
        seen.advance(steps)
    one, other = unseen.state_dict(), seen.state_dict()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_gradient_that_is_there_is_not_worked_out_again():
    ensemble = make(CompiledGradients, scenario(optimizer=GD(lr=0.05)))
    ensemble.prepare()
    (weights,) = ensemble._parameters.groups[0].params
    before = weights.clone()
    ensemble._gradients.parameters.zero_grad()
    ensemble.advance()
    assert torch.equal(weights, before)
    ensemble.advance()
    assert not torch.equal(weights, before)


def test_a_rate_that_changes_within_a_block_changes_at_its_step():
    experiment = scenario(optimizer=GD(lr=0.05, later_lr=((4, 0.01), (9, 0.002))))
    blocks, singles = make(CompiledGradients, experiment), make(CompiledGradients, experiment)
    blocks.advance(12)
    for _ in range(12):
        singles.advance()
    one, other = blocks.state_dict(), singles.state_dict()
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    in_torch = make(MlpGradients, experiment)
    for _ in range(12):
        in_torch.advance()
    for found, wanted in zip(blocks.observe(), in_torch.observe(), strict=True):
        for name, value in wanted.parameters().items():
            assert float((found.parameters()[name] - value).norm()) <= rtol("member") * float(value.norm())


@pytest.mark.parametrize("case", ["compiled", "compiled in batches"])
def test_threads_change_no_bit(case, monkeypatch):
    method, experiment = METHODS[case]
    alone, together = make(method, experiment), make(method, experiment)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    alone.advance(20)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    together.warm_up()
    together.advance(20)
    one, other = alone.state_dict(), together.state_dict()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("case", [case for case, (method, _) in METHODS.items() if method is CompiledGradients])
def test_a_rehearsal_is_a_block_as_it_is_trained_and_changes_nothing(case, monkeypatch):
    """What decides between one thread and two has to give threads what they get: a block each, not a step."""
    method, experiment = METHODS[case]
    rehearsed, other = make(method, experiment), make(method, experiment)
    rehearsed.advance(3)
    other.advance(3)
    taken = []
    run = CompiledGradients._run
    monkeypatch.setattr(
        CompiledGradients, "_run", lambda self, steps, *rest: (taken.append(steps), run(self, steps, *rest))
    )
    rehearsed.warm_up()
    assert taken == [rehearsed.block]
    monkeypatch.undo()
    rehearsed.advance(20)
    other.advance(20)
    one, wanted = rehearsed.state_dict(), other.state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in one.items())


def test_more_samples_than_a_chunk_has_are_the_same_network(monkeypatch):
    experiment = scenario(layers=(Dense(width=7), Dense(width=5)), optimizer=Adam(lr=0.01))
    whole = make(CompiledGradients, experiment)
    monkeypatch.setattr(gradients, "CHUNK_BYTES", 1)
    monkeypatch.setattr(gradients, "VECTOR", 8)
    chunks = make(CompiledGradients, experiment)
    whole.advance(5)
    chunks.advance(5)
    for one, other in zip(whole.observe(), chunks.observe(), strict=True):
        assert one.loss == pytest.approx(other.loss, rel=rtol("member"))


LONG = scenario(steps=1_000_000, dtype="float32")


def test_the_scenario_alone_decides():
    assert gradient_method(LONG, CPU) is CompiledGradients
    assert gradient_method(msgspec.structs.replace(LONG, steps=100), CPU) is MlpGradients
    assert gradient_method(LONG, torch.device("cuda")) is MlpGradients
    wide = msgspec.structs.replace(LONG, layers=(Dense(width=500), Dense(width=500)))
    assert gradient_method(wide, CPU) is MlpGradients
    many = msgspec.structs.replace(LONG, steps=2_000, ensemble=Ensemble(members=1024), data=Digits(samples=300))
    assert gradient_method(many, CPU) is CompiledGradients


def test_every_optimiser_is_compiled_and_nothing_that_is_drawn():
    schedule = {"warmup": 4, "decay": "cosine"}
    known = GD(lr=0.1, momentum=0.9, **schedule), Adam(lr=0.1, weight_decay=0.1, **schedule), AdamW(lr=0.1)
    drawn = GD(lr=0.1, noise=0.3), AdamW(lr=0.1, noise=0.3)
    of = {each: gradient_method(msgspec.structs.replace(LONG, optimizer=each), CPU) for each in (*known, *drawn)}
    assert {of[each] for each in known} == {CompiledGradients}
    assert {of[each] for each in drawn} == {MlpGradients}
    dropped = msgspec.structs.replace(LONG, layers=(Dense(width=7, dropout=0.1),))
    assert gradient_method(dropped, CPU) is MlpGradients


def test_what_a_checkpoint_says_is_obeyed():
    assert gradient_method(LONG, CPU, MlpGradients.name) is MlpGradients
    # of a version that knew no other way
    assert gradient_method(LONG, CPU, "") is MlpGradients
    assert gradient_method(scenario(), CPU, CompiledGradients.name) is CompiledGradients


@pytest.mark.parametrize("way", [None, CompiledGradients.name])
def test_without_numba_the_faster_tanh_is_taken(way, monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    monkeypatch.setattr(numpys_tanh.tanh, "faster", lambda dtype: numpys_tanh.tanh.NUMPY)
    monkeypatch.setattr(numpys_tanh, "TANH_MATTERS_S", 0.0)
    compiled.load.cache_clear()
    assert make_ensemble(LONG, [load(LONG.data)] * 3, CPU, way).name == numpys_tanh.NAME


def test_without_numba_steps_are_those_of_pytorch_and_that_is_said(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    monkeypatch.setattr(numpys_tanh.tanh, "faster", lambda dtype: numpys_tanh.tanh.TORCH)
    compiled.load.cache_clear()
    ensemble = make_ensemble(LONG, [load(LONG.data)] * 3, CPU)
    assert ensemble.name == MlpGradients.name
    (note,) = ensemble.notes
    assert "NUMBA_DISABLE_JIT" in note and "so far" not in note
    (note,) = make_ensemble(LONG, [load(LONG.data)] * 3, CPU, CompiledGradients.name).notes
    assert "so far were compiled" in note


BROKEN = {
    "of a library that is missing": "raise OSError('Could not find/load shared object file: libllvmlite.so')",
    "too old for NumPy": "raise AttributeError('module numpy has no attribute long')",
    "too new for Python": "raise ImportError('Numba needs Python 3.10')",
    "that cannot compile": """
class config:
    DISABLE_JIT, CACHE_DIR = 0, ""
def njit(*_, **__):
    raise RuntimeError("no such target\\nmore")
""",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_numba_costs_speed_and_no_run(how, tmp_path, monkeypatch):
    (tmp_path / "numba.py").write_text(BROKEN[how])
    for name in [name for name in sys.modules if name.partition(".")[0] == "numba"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    compiled.load.cache_clear()
    ensemble = make_ensemble(LONG, [load(LONG.data)] * 3, CPU)
    assert ensemble.name in {MlpGradients.name, numpys_tanh.NAME}
    (note,) = ensemble.notes
    assert "steps are not compiled: " in note
    assert "\n" not in note


def test_compiled_code_is_taken_only_from_where_nobody_else_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(compiling.platformdirs, "user_cache_path", lambda name: tmp_path / name)
    folder = compiling.cache_folder(SOURCES)
    assert folder is not None
    assert folder.stat().st_mode & 0o077 == 0
    for others in (0o720, 0o702):
        folder.chmod(others)
        assert compiling.cache_folder(SOURCES) is None
    folder.chmod(0o755)
    assert compiling.cache_folder(SOURCES) == folder


def test_compiled_code_is_kept_by_what_was_compiled_and_only_where_that_can_be(monkeypatch, tmp_path):
    monkeypatch.setattr(compiling.platformdirs, "user_cache_path", lambda name: tmp_path / name)
    folder = compiling.cache_folder(SOURCES)
    assert folder is not None and folder.is_dir()
    assert compiling.cache_folder(SOURCES) == folder
    monkeypatch.setattr(compiling.os, "access", lambda *_: False)
    assert compiling.cache_folder(SOURCES) is None
    monkeypatch.setattr(compiling.platformdirs, "user_cache_path", lambda name: tmp_path / "file" / name)
    (tmp_path / "file").write_text("no folder")
    assert compiling.cache_folder(SOURCES) is None


@pytest.mark.thorough
def test_a_damaged_cache_is_made_anew(monkeypatch, tmp_path):
    monkeypatch.setattr(compiling.platformdirs, "user_cache_path", lambda name: tmp_path)
    compiled.load.cache_clear()
    compiled.load("float64")
    kept = sorted(tmp_path.rglob("*.nb?"))
    assert kept
    for file in kept:
        file.write_bytes(b"damaged")
    compiled.load.cache_clear()
    assert compiled.load("float64").call
    assert not any(file.exists() for file in kept)
    compiled.load.cache_clear()


@pytest.fixture
def repaying(monkeypatch):
    """Has every run of dense layers take compiled steps."""
    monkeypatch.setattr(gradients, "REPAYS_S", 0.0)


@pytest.mark.usefixtures("repaying")
def test_a_run_says_how_it_steps_and_has_the_same_bits_whatever_is_measured(make_run):
    measured, blind = make_run("steps=700"), make_run("steps=700", "record.probes=[]", "record.frames=2")
    states = []
    for folder in (measured, blind):
        assert worker.work(folder) == 0
        assert checkpoint.steps(folder) == CompiledGradients.name
        with RunReader(folder) as run:
            assert f"{CompiledGradients.name} steps" in next(each.text for each in run.events if each.kind == "started")
            assert run.info().step == 700
        states.append(checkpoint.load(folder))
    one, other = states
    assert all(torch.equal(value, other[name]) for name, value in one.items())


# one that began in PyTorch, where compiled steps would now be chosen, and one that began in compiled steps
@pytest.mark.parametrize(("first", "then", "name"), [(1e9, 0.0, MlpGradients.name), (0.0, 1e9, CompiledGradients.name)])
def test_a_resumed_run_goes_on_as_it_began(make_run, monkeypatch, first, then, name):
    whole, parts = make_run("steps=900"), make_run("steps=900")
    monkeypatch.setattr(gradients, "REPAYS_S", first)
    assert worker.work(whole) == 0
    with stopping_at(400):
        assert worker.work(parts) == 0
    assert checkpoint.steps(parts) == name
    monkeypatch.setattr(gradients, "REPAYS_S", then)
    with RunReader(parts) as run:
        assert run.info().step < 900
    assert worker.work(parts) == 0
    assert checkpoint.steps(parts) == name
    one, other = checkpoint.load(whole), checkpoint.load(parts)
    assert all(torch.equal(value, other[key]) for key, value in one.items())
