"""Attention whose heads condense: a small transformer, once from a small start and once from PyTorch's own.

    python examples/attention.py

It learns to name the token after the marked one. Each head's queries, keys and values are layers of their own, of 16
kernels. Printed are lines, and the share of kernels on them.
"""

import torch
from torch import nn

from condense_core import open_run, watch

TOKENS, LENGTH, WIDTH, HEADS, STEPS = 12, 8, 32, 2, 240


class Transformer(nn.Module):
    """One layer of attention and one of neurons, read at the last place."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.place = nn.Embedding(TOKENS + 1, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, bias=False)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH))
        self.out = nn.Linear(WIDTH, TOKENS)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Scores (N, TOKENS) of sequences (N, LENGTH)."""
        h = self.token(tokens) + self.place.weight
        h = h + self.attention(h, h, h, need_weights=False)[0]
        return self.out((h + self.mlp(h))[:, -1])


def samples(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random tokens with a mark somewhere, and the token after it."""
    tokens, marked = torch.randint(TOKENS, (count, LENGTH)), torch.randint(LENGTH - 1, (count,))
    tokens[torch.arange(count), marked] = TOKENS
    return tokens, tokens[torch.arange(count), marked + 1]


for name, std in (("small", 0.01), ("default", None)):
    torch.manual_seed(0)
    model, criterion = Transformer(), nn.CrossEntropyLoss()
    for parameter in model.parameters() if std else ():
        nn.init.normal_(parameter, std=std)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    tokens, wanted = samples(512)
    with watch(model, optimizer, loss=criterion, name=f"attention-{name}", layers="attention.*[*]", budget=1.0) as run:
        for _ in range(STEPS):
            optimizer.zero_grad()
            criterion(model(tokens), wanted).backward()
            optimizer.step()
    with open_run(run.id) as recorded:
        for step in (0, 52, STEPS):
            measured = recorded.curve("attention.q[0].lines")[0].tolist()
            table = recorded.table(step := min(measured, key=lambda other: abs(other - step)))
            heads = [(layer.removeprefix("attention."), table[layer]) for layer in recorded.layers]
            said = ", ".join(f"{head} {now['lines']:.0f} ({now['coverage']:.0%})" for head, now in heads)
            print(f"{name:8} step {step:3}, loss {table['']['loss']:.3f}: {said}")
