"""Trainings in which what an optimizer's hook sees is not what it seems."""

from __future__ import annotations

import os
import signal
import sys
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from trainings import batch, loop, network, only_run, waited

from condense_core import watch
from condense_core.runfile import control
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_watched, start_watching
from condense_core.scenario.watched import Watched
from condense_core.watching.untouched import network_of


def gradient_of(model: nn.Module) -> float:
    return float(torch.linalg.vector_norm(torch.cat([p.grad.flatten() for p in model.parameters()])))


@pytest.mark.parametrize("fused", [False, True])
def test_a_scaled_gradient_is_recorded_as_it_is_and_a_step_that_overflows_is_not(runs, fused):
    """Fused optimizers see the gradient times the scale, and are asked for steps that they leave out."""
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    run = watch(model, optimizer, runs_dir=runs)
    norms = []
    for step in range(4):
        x, y = batch()
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        run.loss(loss)
        scaler.scale(loss).backward()
        norms.append(gradient_of(model) / float(scaler.get_scale()))
        if step == 1:
            model[0].weight.grad.fill_(torch.inf)
        scaler.step(optimizer)
        scaler.update()
    run.close()
    with RunReader(only_run(runs)) as found:
        recorded = found.curve("gradient_norm")[1]
        recorded = recorded[np.isfinite(recorded)]
        assert recorded == pytest.approx([norms[0], norms[2], norms[3]], rel=1e-5)


def test_steps_are_the_optimizers_where_gradients_are_accumulated(runs):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, runs_dir=runs)
    norms = []
    for micro in range(8):
        loss = nn.functional.mse_loss(model(batch()[0]), batch()[1]) / 4
        loss.backward()
        if micro % 4 == 3:
            norms.append(gradient_of(model))
            optimizer.step()
            optimizer.zero_grad()
    run.close()
    with RunReader(only_run(runs)) as found:
        assert found.instants.tolist() == [0, 1, 2]
        assert found.curve("gradient_norm")[1][:2] == pytest.approx(norms, rel=1e-5)


def test_a_clipped_gradient_is_the_one_that_the_step_takes(runs):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, runs_dir=runs)
    (100 * model(batch()[0]).square().mean()).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step()
    run.close()
    with RunReader(only_run(runs)) as found:
        assert found.curve("gradient_norm")[1][0] == pytest.approx(0.5, rel=1e-4)


def test_an_optimizer_that_makes_its_gradients_itself_is_measured_at_the_first_of_them(runs):
    model = network()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3)
    x, y = batch()
    run = watch(model, optimizer, runs_dir=runs)
    first = []

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        seen.append((float(loss.detach()), gradient_of(model)))
        return loss

    for _ in range(2):
        seen: list[tuple[float, float]] = []
        optimizer.step(closure)
        first.append(seen[0])
        assert len(seen) > 1
    run.close()
    with RunReader(only_run(runs)) as found:
        assert found.curve("loss")[1][:2] == pytest.approx([loss for loss, _ in first], rel=1e-5)
        assert found.curve("gradient_norm")[1][:2] == pytest.approx([norm for _, norm in first], rel=1e-5)
        assert found.instants.tolist() == [0, 1, 2]


def test_a_compiled_network_has_its_own_names(runs):
    model = network()
    compiled = torch.compile(model, backend="eager")
    optimizer = torch.optim.SGD(compiled.parameters(), lr=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with watch(compiled, optimizer, runs_dir=runs) as run:
            loop(compiled, optimizer, steps=2, run=run)
    with RunReader(only_run(runs)) as found:
        assert found.layers == ("0", "2")


class Numbers(torch.utils.data.Dataset):
    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.full((5,), float(index))


def test_workers_that_load_data_are_no_part_of_the_run(runs):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    run = watch(model, optimizer, runs_dir=runs)
    for x in torch.utils.data.DataLoader(Numbers(), batch_size=4, num_workers=2, multiprocessing_context="fork"):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
    run.close()
    info = read_run(only_run(runs))
    assert (info.status, info.step) == ("done", 4)


FORKS = """
import os, sys, time, torch
from torch import nn
from condense_core import watch
model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
run = watch(model, optimizer)
model(torch.randn(4, 5)).square().mean().backward()
optimizer.step()
if not os.fork():
    # as a worker that loads data and is not told that all is over
    time.sleep(30)
    os._exit(0)
print("forked", flush=True)
time.sleep(60)
"""


@pytest.mark.thorough
@pytest.mark.own_process
def test_a_training_that_is_killed_is_lost_though_a_fork_of_it_lives_on(runs, tmp_path):
    import subprocess

    environment = {**os.environ, "CONDENSE_RUNS_DIR": str(runs)}
    with subprocess.Popen([sys.executable, "-c", FORKS], env=environment, stdout=-1) as process:
        process.stdout.readline()
        assert waited(lambda: read_run(only_run(runs)).step == 1)
        process.kill()
        process.stdout.close()
    assert waited(lambda: read_run(only_run(runs)).status == "lost")


UNTOUCHED = """
import os, time, torch
from pathlib import Path
from torch import nn
model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
while not Path("go").exists():
    time.sleep(0.01)
for _ in range(3):
    model(torch.randn(4, 5)).square().mean().backward()
    optimizer.step()
children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
programs = {Path(f"/proc/{each}/cmdline").read_bytes() for each in ["self", *children]}
if fork := os.fork():
    Path("pids.partial").write_text(f"{os.getpid()} {fork} {len(children)} {len(programs)}")
    Path("pids.partial").replace("pids")
time.sleep(60)
"""


@pytest.mark.thorough
def test_the_recorder_of_an_untouched_script_is_a_fork_and_ends_with_it_though_a_fork_of_it_lives_on(
    runs, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "untouched.py").write_text(UNTOUCHED)
    folder = create_watched(Watched(name="untouched"), runs=runs, can=("pause", "stop"))
    start_watching(folder, ("untouched.py",), (), start="new")
    assert waited(lambda: read_run(folder).reason == "running the script up to its first step")
    (tmp_path / "go").touch()
    assert waited(lambda: read_run(folder).step == 3)
    assert read_run(folder).reason == ""
    assert waited((tmp_path / "pids").exists)
    training, fork, children, programs = map(int, (tmp_path / "pids").read_text().split())
    # one child, which is the same program as the script's process
    assert (children, programs) == (1, 1)
    os.kill(training, signal.SIGKILL)
    assert waited(lambda: read_run(folder).status == "lost")
    assert not control.worker_is_alive(folder)
    os.kill(fork, signal.SIGKILL)
    with RunReader(folder) as found:
        assert found.curve("loss")[0].tolist() == [0, 1, 2]


SPREAD = """
import os, sys, torch
import torch.distributed as dist
from torch import nn
from condense_core import watch
rank = int(sys.argv[1])
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=sys.argv[2])
dist.init_process_group("gloo", rank=rank, world_size=2)
torch.manual_seed(0)
model = nn.parallel.DistributedDataParallel(nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2)))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
run = watch(model, optimizer)
for _ in range(3):
    optimizer.zero_grad()
    model(torch.randn(4, 5)).square().mean().backward()
    optimizer.step()
run.close()
dist.destroy_process_group()
"""


@pytest.mark.thorough
@pytest.mark.own_process
def test_of_two_processes_that_train_together_the_first_records(runs):
    import socket
    import subprocess

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = {**os.environ, "CONDENSE_RUNS_DIR": str(runs)}
    both = [subprocess.Popen([sys.executable, "-c", SPREAD, str(rank), port], env=environment) for rank in (0, 1)]
    assert [process.wait(120) for process in both] == [0, 0]
    info = read_run(only_run(runs))
    assert (info.status, info.step, info.can) == ("done", 3, ())
    with RunReader(only_run(runs)) as found:
        assert found.layers == ("0",)


SHARDED = """
import os, sys, torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from condense_core import watch
rank, port, who, kept = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
dist.init_process_group("gloo", rank=rank, world_size=2)
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(5, 9), nn.Tanh(), nn.Linear(9, 7, bias=False), nn.Tanh(), nn.Linear(7, 2))
mesh = init_device_mesh("cpu", (2,))
for layer in (model[0], model[2]):
    fully_shard(layer, mesh=mesh)
fully_shard(model, mesh=mesh)
optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
run = watch(model, optimizer) if who == "all" or (who == "first" and rank == 0) else None
rows, norms = [], []
for step in range(40):
    optimizer.zero_grad()
    loss = model(torch.randn(4, 5)).square().mean()
    loss.backward()
    if run is not None:
        run.loss(loss)
    rows.append(torch.cat([model[0].weight.full_tensor(), model[0].bias.full_tensor()[:, None]], dim=1).detach())
    norms.append(torch.linalg.vector_norm(torch.cat([p.grad.full_tensor().flatten() for p in model.parameters()])))
    optimizer.step()
whole = {name: p.full_tensor().detach() for name, p in model.named_parameters()}
if rank == 0:
    torch.save({"rows": torch.stack(rows), "norms": torch.stack(norms), **whole}, kept)
if run is not None:
    run.close()
dist.barrier()
dist.destroy_process_group()
"""


@pytest.mark.thorough
@pytest.mark.own_process
def test_parameters_that_are_spread_over_processes_are_put_together_by_all_of_them_or_not_at_all(runs, tmp_path):
    import socket
    import subprocess

    def trained(who: str) -> tuple[dict[str, torch.Tensor], str]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        kept = tmp_path / f"{who}.pt"
        # one of them was aborted at its end once, on a busy machine, and nobody knows by what: this would tell
        environment = {**os.environ, "CONDENSE_RUNS_DIR": str(runs), "PYTHONFAULTHANDLER": "1"}
        both = [
            subprocess.Popen(
                [sys.executable, "-c", SHARDED, str(rank), port, who, str(kept)], env=environment, stderr=-1, text=True
            )
            for rank in (0, 1)
        ]
        said = [process.communicate(timeout=120)[1] for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        return torch.load(kept), said[0]

    plain, _ = trained("nobody")
    watched, _ = trained("all")
    assert all(torch.equal(value, watched[name]) for name, value in plain.items())
    info = read_run(only_run(runs))
    assert (info.status, info.step) == ("done", 40)
    with RunReader(only_run(runs)) as found:
        assert found.layers == ("0", "2")
        assert found.instants.tolist() == [*range(33), 34, 36, 38]
        for step in found.similarity_steps("0"):
            unit = nn.functional.normalize(watched["rows"][step], dim=1)
            np.testing.assert_allclose(found.similarity("0", step), (unit @ unit.T).numpy(), atol=0.005)
        steps, norms = found.curve("gradient_norm")
        assert norms == pytest.approx(watched["norms"][steps.tolist()].tolist(), rel=1e-5)
    # one process alone cannot put them together, and would wait for the others
    alone, said = trained("first")
    assert all(torch.equal(value, alone[name]) for name, value in plain.items())
    assert "spread over processes (FSDP), and not each of them has called watch(); training goes on" in said
    assert waited(lambda: only_run(runs) is not None)


def test_the_network_of_an_optimizer_is_the_whole_module_that_has_its_parameters():
    model = nn.ModuleDict({"net": network(), "criterion": nn.MSELoss()})
    other = network()
    assert network_of(torch.optim.SGD(model["net"].parameters(), lr=0.1)) is model
    assert network_of(torch.optim.SGD(other.parameters(), lr=0.1)) is other
    loose = nn.Parameter(torch.zeros(6, 3))
    assert next(network_of(torch.optim.SGD([loose], lr=0.1)).parameters()) is loose
