"""Somebody's own training loop, watched: nothing in it changes, and the run file says what happened."""

from __future__ import annotations

import contextlib
import math
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from trainings import STEPS, batch, loop, network, only_run, texts, waited

from condense_core import watch
from condense_core.plugins.load import plugins
from condense_core.runfile import control
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runs.place import run_folders


def test_a_loop_with_two_more_statements_is_recorded(runs):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    first = torch.cat([model[0].weight, model[0].bias[:, None]], dim=1).detach()
    with watch(model, optimizer, name="mine", config={"lr": 0.1, "data": {"n": 16}}, runs_dir=runs) as run:
        losses = loop(model, optimizer, run=run)
        run.log(accuracy=0.5)
    with RunReader(only_run(runs)) as found:
        info = found.info()
        assert (info.id, info.name, info.status, info.trainer, info.steps) == (run.id, "mine", "done", "watch", None)
        assert info.step == STEPS
        steps, recorded = found.curve("loss")
        assert steps.tolist() == list(range(STEPS + 1))
        np.testing.assert_allclose(recorded[:-1], losses, rtol=1e-6)
        assert found.layers == ("0", "2")
        assert found.last("accuracy") == 0.5
        unit = nn.functional.normalize(first, dim=1)
        np.testing.assert_allclose(found.similarity("0", 0), (unit @ unit.T).numpy(), atol=0.005)
        assert found.alignment("0", 3) is not None
        assert found.subject.config == {"lr": 0.1, "data.n": 16}
        assert found.subject.optimizer.startswith("SGD, lr 0.1")
        assert [layer.geometry.kernels for layer in found.subject.layers] == [8, 6]
        assert texts(found, "layers") == ["2 of 3 layers are measured; left out: layer 4 (output)"]


def trained(watched: bool, runs: Path) -> tuple[dict[str, Tensor], Tensor]:
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.Flatten(), nn.Dropout(0.2), nn.Linear(6 * 36, 4))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    criterion = nn.CrossEntropyLoss()
    run = watch(model, optimizer, loss=criterion, runs_dir=runs) if watched else None
    for _ in range(STEPS):
        optimizer.zero_grad()
        criterion(model(torch.randn(8, 1, 8, 8)), torch.randint(0, 4, (8,))).backward()
        optimizer.step()
    if run is not None:
        run.close()
    return model.state_dict(), torch.get_rng_state()


def test_weights_and_random_numbers_are_the_same_bits_with_and_without(runs):
    torch.manual_seed(1)
    plain, after = trained(False, runs)
    torch.manual_seed(1)
    watched, after_watched = trained(True, runs)
    assert all(torch.equal(value, watched[name]) for name, value in plain.items())
    assert torch.equal(after, after_watched)
    with RunReader(only_run(runs)) as run:
        assert np.isfinite(run.curve("loss")[1]).all()


def test_the_gradient_is_that_of_the_weights_it_is_recorded_with(runs):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    x, y = batch()
    run = watch(model, optimizer, runs_dir=runs)
    for scale in (1.0, 3.0):
        optimizer.zero_grad()
        (scale * nn.functional.mse_loss(model(x), y)).backward()
        norm = float(torch.linalg.vector_norm(torch.cat([p.grad.flatten() for p in model.parameters()])))
        optimizer.step()
        found = norm if scale == 1.0 else norm / 3
    run.close()
    with RunReader(only_run(runs)) as recorded:
        steps, norms = recorded.curve("gradient_norm")
        assert norms[:2] == pytest.approx([found, 3 * found], rel=1e-5)
        assert steps[:2].tolist() == [0, 1]


def test_without_an_optimizer_each_step_is_said(runs):
    model = network()
    run = watch(model, runs_dir=runs)
    for _ in range(3):
        loss = nn.functional.mse_loss(model(batch()[0]), batch()[1])
        model.zero_grad()
        loss.backward()
        run.step(loss)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.sub_(0.1 * parameter.grad)
    run.close()
    with RunReader(only_run(runs)) as found:
        assert found.instants.tolist() == [0, 1, 2, 3]
        assert np.isfinite(found.curve("gradient_norm")[1][:3]).all()


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (None, "done", ""),
        (ValueError("no data\nat all"), "failed", "ValueError: no data"),
        (KeyboardInterrupt(), "stopped", "stopped by Ctrl-C"),
    ],
)
def test_a_run_ends_as_its_block_does(runs, error, status, reason):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with contextlib.suppress(ValueError, KeyboardInterrupt), watch(model, optimizer, runs_dir=runs):
        loop(model, optimizer, steps=2)
        if error is not None:
            raise error
    info = read_run(only_run(runs))
    assert (info.status, info.reason) == (status, reason)


SCRIPT = """
import sys, os, signal, time
import torch
from torch import nn
from condense_core import watch
model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
watch(model, optimizer)
for _ in range(3):
    optimizer.zero_grad()
    model(torch.randn(4, 5)).square().mean().backward()
    optimizer.step()
{end}
"""


@pytest.mark.thorough
@pytest.mark.own_process
@pytest.mark.parametrize(
    ("end", "status", "reason"),
    [
        ("", "done", ""),
        ("raise ValueError('no data')", "failed", "ValueError: no data"),
        ("raise KeyboardInterrupt", "stopped", "stopped by Ctrl-C"),
        ("print('measured', flush=True); time.sleep(60)", "lost", ""),
    ],
)
def test_a_script_that_says_nothing_more_ends_as_its_process_does(runs, tmp_path, end, status, reason):
    file = tmp_path / "train.py"
    file.write_text(SCRIPT.format(end=end))
    environment = {**os.environ, "CONDENSE_RUNS_DIR": str(runs)}
    with subprocess.Popen([sys.executable, str(file)], env=environment, stdout=-1, stderr=-1, text=True) as process:
        if status == "lost":
            process.stdout.readline()
            assert waited(lambda: read_run(only_run(runs)).step == 3)
            process.kill()
        out, err = process.communicate(timeout=60)
    assert waited(lambda: not read_run(only_run(runs)).active), (out, err)
    info = read_run(only_run(runs))
    assert (info.status, info.reason) == (status, reason)
    assert f"condense-tui attach {info.id}" in err
    with RunReader(only_run(runs)) as run:
        assert run.subject.script == str(file)
        assert len(run.instants) >= 3


def test_stopping_is_asked_for_and_heeded_by_the_loop(runs):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, runs_dir=runs)
    loop(model, optimizer, steps=2)
    assert "stop" not in read_run(only_run(runs)).can
    assert not run.stop_asked
    # a loop that looks at it can be stopped, and from then on the run says so
    assert waited(lambda: "stop" in read_run(only_run(runs)).can)
    control.send(only_run(runs), "stop")
    steps = 0
    deadline = time.monotonic() + 20
    while not run.stop_asked and time.monotonic() < deadline:
        loop(model, optimizer, steps=1)
        steps += 1
    assert run.stop_asked
    run.close()
    info = read_run(only_run(runs))
    assert (info.status, info.reason, info.step) == ("stopped", "stopped by command", 2 + steps)


def test_a_loop_waits_while_it_is_paused(runs):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, runs_dir=runs)
    loop(model, optimizer, steps=1)
    folder = only_run(runs)
    control.send(folder, "pause")
    assert waited(lambda: run._recording.commands)

    def go_on() -> None:
        assert waited(lambda: read_run(folder).status == "paused")
        control.send(folder, "resume")

    threading.Thread(target=go_on).start()
    loop(model, optimizer, steps=1)
    run.close()
    with RunReader(folder) as found:
        assert [event.kind for event in found.events if event.kind in {"paused", "resumed"}] == ["paused", "resumed"]
        assert found.info().status == "done"
        # what was waited for is neither training nor measuring
        assert 0 <= found.info().seconds < 5


def test_a_layer_that_comes_later_is_measured_from_then_on(runs):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, runs_dir=runs)
    loop(model, optimizer, steps=2)
    model.insert(4, nn.Linear(6, 6))
    optimizer.add_param_group({"params": model[4].parameters()})
    loop(model, optimizer, steps=2)
    run.close()
    with RunReader(only_run(runs)) as found:
        assert found.similarity("4", 4) is not None
        assert len(found.curve("4.relative_change")[0]) == 3
        assert texts(found, "layers")[1] == "new: layer 4"


def test_lazy_layers_are_found_at_the_first_step(runs):
    model = nn.Sequential(nn.LazyLinear(8), nn.Tanh(), nn.LazyLinear(6), nn.Tanh(), nn.LazyLinear(2))
    run = watch(model, runs_dir=runs)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    model(batch()[0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        loss = model(batch()[0]).square().mean()
        loss.backward()
        run.step(loss)
        optimizer.step()
    run.close()
    with RunReader(only_run(runs)) as found:
        assert found.layers == ("0", "2")
        assert [layer.name for layer in found.subject.layers] == ["0", "2"]


def test_a_loss_that_is_no_number_is_recorded_and_training_is_left_alone(runs):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, runs_dir=runs)
    for step in range(4):
        optimizer.zero_grad()
        loss = model(batch()[0]).square().mean() * (math.nan if step >= 2 else 1.0)
        loss.backward()
        run.loss(loss)
        optimizer.step()
    run.close()
    with RunReader(only_run(runs)) as found:
        assert np.isfinite(found.curve("loss")[1]).tolist() == [True, True, False, False, False]
        assert found.info().status == "done"
        assert found.info().step == 4


def test_two_trainings_are_watched_at_once_and_one_that_begins_again_is_another_run(runs):
    models = [network(), network()]
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.1) for model in models]
    both = [watch(m, o, name=n, runs_dir=runs) for m, o, n in zip(models, optimizers, "ab", strict=True)]
    for model, optimizer, run, steps in zip(models, optimizers, both, (2, 3), strict=True):
        loop(model, optimizer, steps=steps, run=run)
    again = watch(models[0], optimizers[0], name="again", runs_dir=runs)
    loop(models[0], optimizers[0], steps=4, run=again)
    again.close()
    both[1].close()
    found = {info.name: (info.step, info.status) for info in map(read_run, run_folders(runs))}
    assert found == {"a": (2, "done"), "b": (3, "done"), "again": (4, "done")}


def test_a_training_that_nobody_holds_any_more_is_over(runs):
    import gc

    def cell() -> None:
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        loop(model, optimizer, steps=2, run=watch(model, optimizer, runs_dir=runs))

    cell()
    gc.collect()
    assert waited(lambda: not read_run(only_run(runs)).active)
    assert read_run(only_run(runs)).status == "done"


@pytest.mark.thorough
@pytest.mark.own_process
def test_what_watching_is_said_to_take_is_what_its_process_took(runs, tmp_path):
    """By the kernel's count of it, in which the imports before the first measurement are most."""
    file = tmp_path / "train.py"
    end = (
        "run.close(); import resource; u = resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_utime + u.ru_stime)"
    )
    file.write_text(SCRIPT.replace("\nwatch(", "\nrun = watch(").replace("range(3)", "range(40)").format(end=end))
    environment = {**os.environ, "CONDENSE_RUNS_DIR": str(runs)}
    took = float(subprocess.check_output([sys.executable, str(file)], env=environment, timeout=120))
    with RunReader(only_run(runs)) as found:
        (said,) = texts(found, "recording")
        assert found.instants.tolist() == [*range(33), *range(34, 41, 2)]
    parts = dict(re.findall(r"(\w+) ([\d.]+) s", said.partition(": ")[2]))
    here = float(parts.pop("copying", 0)) + float(parts.pop("sending", 0))
    total = float(re.search(r"took ([\d.]+) s", said)[1])
    assert total - here == pytest.approx(took, rel=0.2, abs=0.1)
    assert sum(map(float, parts.values())) == pytest.approx(total - here, abs=0.1)


@pytest.mark.parametrize(
    ("probes", "has", "has_not"),
    [
        (["change"], "0.relative_change", "0.lines"),
        ("condensation", "0.lines", "0.relative_change"),
        ([], "gradient_norm", "0.lines"),
    ],
)
def test_only_the_probes_that_are_asked_for_run_and_the_loss_always(runs, probes, has, has_not):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, probes=probes, runs_dir=runs) as run:
        loop(model, optimizer, run=run, steps=3)
    with RunReader(only_run(runs)) as found:
        assert found.instants.tolist() == [0, 1, 2, 3]
        assert has in found.curve_names
        assert has_not not in found.curve_names
        assert (found.similarity("0") is None) == ("similarity" not in probes)


PLUGIN = """
from condense_core import probe

@probe("norm", help="norm of the layer's rows")
def norm(view, layer):
    return view.kernels(layer).zero_().add_(1).norm()

@probe("layers", help="how many layers there are", of="network")
def layers(view):
    return len(view.layers)
"""


def test_probes_of_ones_own_plugins_measure_a_training_that_is_watched(runs, tmp_path, monkeypatch):
    monkeypatch.setenv("CONDENSE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "own.py").write_text(PLUGIN)
    (tmp_path / "preferences.toml").write_text('plugins = ["own.py"]')
    plugins.cache_clear()
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, probes=["similarity", "own:norm", "own:layers", "own:no_such"], runs_dir=runs) as run:
        loop(model, optimizer, run=run, steps=3)
    plugins.cache_clear()
    with RunReader(only_run(runs)) as found:
        steps, norms = found.curve("0.norm")
        assert steps.tolist() == found.instants.tolist() == [0, 1, 2, 3]
        # of 8 rows with 5 weights and a bias, which the probe has set to 1
        np.testing.assert_allclose(norms, 48**0.5, rtol=1e-6)
        assert set(found.curve("layers")[1].tolist()) == {2}
        told = [event.text for event in found.events if event.kind == "plugin"]
    assert told[0].startswith("own probe norm of own.py (sha256 ") and told[2].startswith("no own probe 'no_such' on ")
    with pytest.raises(ValueError, match=r"unknown 'own:\.\./x'"):
        watch(model, optimizer, probes=["own:../x"], runs_dir=runs)


def test_only_the_first_of_several_processes_records(runs, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, runs_dir=runs)
    loop(model, optimizer, run=run)
    run.close()
    assert run.id == ""
    assert run_folders(runs) == []
