"""A decoder that trains on another machine, watched over a real sshd while it trains."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import all_rows, wait_for
from test_run_in_terminal import PROGRAM

from condense_core.runfile.reader import RunReader
from condense_core.runs.place import run_folders

pytestmark = [pytest.mark.terminal, pytest.mark.thorough]

# Two blocks of two heads: fifteen layers, which are folded. It is stopped by hand.
SCENARIO = """
name = "far-decoder"
steps = 1000000
loss = "cross-entropy"
layers = [
  { kind = "block", width = 16, heads = 2, hidden = 20 },
  { kind = "block", width = 16, heads = 2, hidden = 20 },
]
data = { name = "anchors", samples = 400, test_samples = 40, items = 8, shifts = [1, 2, 5] }
init = { scheme = "width-power", gamma = 1.2 }
optimizer = { name = "adamw", lr = 0.002, batch = 100 }
record = { spacing = "linear", frames = 100000, budget = 0.5 }
"""


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_heads_are_folded_opened_and_followed_while_it_trains_there(terminal, far, near, tmp_path: Path, size) -> None:
    file = tmp_path / "decoder.toml"
    file.write_text(SCENARIO)
    window = terminal(*size, **far.environment, CONDENSE_RUNS_DIR=str(near))
    window.run(PROGRAM, "run", str(file), "--host", "far")
    # folded: a line for the heads of each, and how many of them have condensed
    window.wait("● live", "block1.q", "block2.v", "of 2", "block1.mlp", "15 layers")
    window.press("F")
    window.wait("h1", "h2")
    window.press("]")
    window.wait("block1.q.h1 · 8 kernels")
    if size[0] == 80:
        window.press("3")
    window.wait("no prediction for a decoder")
    (mirror,) = run_folders(near)
    original = far.runs / mirror.name.removesuffix("@far")
    window.press("s")
    window.wait("keep training")
    window.press("y")
    window.wait("stopped")
    window.press("q")
    window.wait_for_prompt()
    with RunReader(original) as run:
        assert run.info().status == "stopped"
        assert run.last("unseen_accuracy") >= 0
    wait_for(lambda: all_rows(mirror) == all_rows(original))
