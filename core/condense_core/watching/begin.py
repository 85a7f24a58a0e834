"""`watch`: the one way in for somebody's own training loop."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from condense_core.errors import CondenseError
from condense_core.foreign import reason
from condense_core.runs.create import create_watched, revision_at
from condense_core.runs.place import runs_folder
from condense_core.watching import ends
from condense_core.watching.described import described, place_of_script
from condense_core.watching.find import Finder, Reads, unwrapped
from condense_core.watching.recording import Recording
from condense_core.watching.run import WatchedRun, living

# The share of training time that measuring may take.
BUDGET = 0.03


def watch(
    model: nn.Module,
    optimizer: Optimizer | None = None,
    *,
    loss: nn.Module | None = None,
    name: str = "",
    config: object = None,
    layers: str | Sequence[str] = "*",
    split: Mapping[str, int] | None = None,
    rows: Reads = "out",
    steps: int | None = None,
    every: int | None = None,
    budget: float = BUDGET,
    enabled: bool | None = None,
    runs_dir: str | Path | None = None,
) -> WatchedRun:
    """Record how the layers of a network condense while you train it; watch it with `condense-tui attach`.

    Everything is measured before the optimizer's step, in a thread of its own; weights and random numbers are the same
    bits with and without. With an `optimizer` its step is heard of by itself, otherwise call `run.step(loss)` after
    `backward` and before the update.

    `loss` is the module that computes the loss, or call `run.loss(loss)`. `config` is noted: a mapping, a dataclass,
    what argparse gives. `layers` names those that are measured, `*` standing for anything; by default those that are
    trained, without embeddings and the output layer. `split` says into how many parts the rows of a fused layer are
    split, as `{"*.c_attn": 3}`; `rows` which way round bare 2-d parameters are. `steps` is how many there will be, if
    you know; `every` measures every so many steps in place of ever fewer. `budget` is the share of training time that
    measuring may take. `enabled` is true on rank 0 alone unless you say otherwise.

    TypeError and ValueError for arguments of other kinds; whatever goes wrong later is said once, and training goes on.
    """
    _check(model, optimizer, loss, every, budget)
    inner = bare(optimizer)
    if enabled is None:
        enabled = rank() == 0
    asked = (layers,) if isinstance(layers, str) else tuple(layers)
    network = unwrapped(model)
    finder = Finder(network, split=split, reads=rows)
    watched = described(name, inner, config)
    for other in list(living):
        # a notebook's cell that runs once more watches the same training: that is another run
        if other.is_of(network, inner):
            other.close()
    recording = _recording(watched, steps, budget, runs_dir, pausable=not spread()) if enabled else None
    run = WatchedRun(network, inner, recording, watched, finder=finder, layers=asked, every=every)
    if recording is not None:
        ends.heed()
        try:
            run.find(recording)
        except CondenseError as error:
            run.close()
            raise ValueError(str(error)) from None
        except Exception as error:  # noqa: BLE001 - a network that cannot be looked at can still be trained
            recording.give_up(error)
        if recording.usable:
            print(f"condense-tui: watch this training: condense-tui attach {run.id}", file=sys.stderr)  # noqa: T201
    if loss is not None:
        run.listen(loss)
    return run


def bare(optimizer: Any) -> Optimizer | None:
    """The optimizer itself, without what accelerate and others put around it."""
    while optimizer is not None and isinstance(getattr(optimizer, "optimizer", None), Optimizer):
        optimizer = optimizer.optimizer
    found: Optimizer | None = optimizer
    return found


def rank() -> int:
    """This process's number among those that train together; 0 where there is one."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank()
    return int(os.environ.get("RANK", "0") or 0)


def spread() -> bool:
    """Whether several processes train together, of which one alone cannot be paused."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _check(model: object, optimizer: object, loss: object, every: object, budget: object) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(f"watch: model: expected a torch.nn.Module, got {type(model).__name__}")
    if optimizer is not None and not isinstance(bare(optimizer), Optimizer):
        raise TypeError(f"watch: optimizer: expected a torch.optim.Optimizer, got {type(optimizer).__name__}")
    if loss is not None and not isinstance(loss, nn.Module):
        raise TypeError(
            f"watch: loss: expected the module that computes it, got {type(loss).__name__}; for a value,"
            " call run.loss(loss) before each step"
        )
    if every is not None and not (isinstance(every, int) and every >= 1):
        raise ValueError(f"watch: every: expected a number of steps, 1 or more, got {every!r}")
    if not (isinstance(budget, int | float) and 0 < budget <= 1):
        raise ValueError(f"watch: budget: expected a share of the time, above 0 and at most 1, got {budget!r}")


def _recording(watched: Any, steps: int | None, budget: float, runs_dir: Any, *, pausable: bool) -> Recording | None:
    try:
        runs = runs_folder(None if runs_dir is None else Path(runs_dir))
        at = revision_at(place_of_script(watched))
        can: tuple[Any, ...] = ("pause",) if pausable else ()
        return Recording(create_watched(watched, runs=runs, revision=at, steps=steps, can=can), budget)
    except Exception as error:  # noqa: BLE001 - training does not need to be watched
        print(  # noqa: T201
            f"condense-tui: this training is not watched: {reason(error)}; training goes on", file=sys.stderr
        )
        return None
