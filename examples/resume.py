"""A training that ended early goes on in the same run: `watch(..., resume=ID)` beside a checkpoint of one's own.

python examples/resume.py
"""

import tempfile
from pathlib import Path

import torch
from torch import nn

from condense_core import open_run, watch

torch.manual_seed(0)
x = torch.rand(256, 4) * 4 - 2
y = torch.sin(x[:, :1])


def train(checkpoint: Path, until: int) -> str:
    """Train on from the checkpoint, or from the start where there is none; the run's id."""
    model = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.01)
    optimizer, criterion = torch.optim.Adam(model.parameters(), lr=2e-3), nn.MSELoss()
    begin, before = 0, None
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        begin, before = saved["step"], saved["run"]
    run = watch(model, optimizer, loss=criterion, name="resumed", steps=until, budget=1.0, resume=before)
    for _ in range(begin, until):
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    # with the run's id, so that whoever resumes knows where to go on
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": until, "run": run.id}
    torch.save(state, checkpoint)
    run.close()
    return run.id


with tempfile.TemporaryDirectory() as folder:
    first = train(Path(folder) / "checkpoint.pt", until=100)
    second = train(Path(folder) / "checkpoint.pt", until=300)

with open_run(second) as run:
    print(f"{run.id}: {'the same run' if first == second else 'another run'}, {run.status} at step {run.step}")
    print(f"measured at {(run.measured < 100).sum()} steps before 100 and at {(run.measured > 100).sum()} after it")
    for event in run.events():
        if event.kind == "resumed":
            print(event.text)
