"""A training loop of one's own, watched: two statements more than without.

    python examples/plain_loop.py       # and meanwhile, in another terminal: condense-tui attach

A two-layer tanh network that starts small learns sin(x1) + 0.5 x2; its 32 neurons condense on a few lines.
"""

import torch
from torch import nn

from condense_core import open_run, watch

torch.manual_seed(0)
x = torch.rand(256, 4) * 4 - 2
y = (torch.sin(x[:, :1]) + 0.5 * x[:, 1:2]) * 0.5

model = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
for parameter in model.parameters():
    nn.init.normal_(parameter, std=0.01)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.MSELoss()

# steps of a millisecond are soon over: measuring may take as long as they do, and not the usual 3 %
run = watch(model, optimizer, loss=criterion, name="plain-loop", steps=400, config={"std": 0.01}, budget=1.0)
for _ in range(400):
    optimizer.zero_grad()
    criterion(model(x), y).backward()
    optimizer.step()
    if run.stop_asked:  # somebody pressed s, or: condense-tui runs stop
        break
run.close()

with open_run(run.id) as recorded:
    print(f"{recorded.id}: {recorded.status} at step {recorded.step}, loss {recorded.curve('loss')[1][-1]:.4f}")
    for wanted in (0, 10, 20, 50, 100, 400):
        step = min(recorded.curve("0.lines")[0].tolist(), key=lambda other: abs(other - wanted))
        shown = recorded.table(step)["0"]
        print(f"step {step:3}: lines {shown['lines']:.0f}, coverage {shown['coverage']:.0%}")
