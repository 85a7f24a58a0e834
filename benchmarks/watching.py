"""What watching costs a training of somebody's own: a loop of 50 ms steps, alone and watched.

Three of the same loop at the same time, so that a drifting machine drifts for all: alone, with `watch()`, and unchanged
under `condense-tui watch`. Printed are seconds of a core that the loop's process and the recorder took, what is more
than alone as a share of the time trained, what the run itself says of that, and whether the weights are the same.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from leftovers import end_tidily
from waiting import wait_until

HERE = Path(__file__).parents[1]
STEP_S = 0.05
MODES = ("alone", "watch()", "condense-tui watch")
# Width of each of four blocks, as in a small transformer without its attention.
SIZES = {"small": 32, "nano": 128, "gpt": 384}


def loop(mode: str, steps: int, size: str, out: Path) -> None:
    """The training: what is below is all that its author wrote, with two statements more where it is watched so."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.c_fc, self.c_out = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x: Any) -> Any:
            query, key, value = self.c_attn(x).chunk(3, -1)
            x = x + self.c_proj(torch.tanh(query * key + value))
            return x + self.c_out(torch.relu(self.c_fc(x)))

    torch.set_num_threads(1)
    torch.manual_seed(0)
    width = SIZES[size]
    model = nn.Sequential(*(Block(width) for _ in range(4)), nn.Linear(width, 10))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    worked, begun = time.process_time(), time.perf_counter()
    run = None
    if mode == "watch()":
        from condense_core import watch

        run = watch(model, optimizer, name="loop")
    trained = 0.0

    def report() -> None:
        # the recorder has ended by then, and its seconds are those of a child
        below = resource.getrusage(resource.RUSAGE_CHILDREN)
        told = {
            "loop": time.process_time() - worked,
            "recorder": below.ru_utime + below.ru_stime,
            "trained": trained,
            "weights": float(sum(each.double().sum() for each in model.parameters())),
        }
        out.write_text(json.dumps(told))

    atexit.register(report)
    for _ in range(steps):
        started = time.perf_counter()
        optimizer.zero_grad()
        loss = model(torch.randn(8, width)).square().mean()
        loss.backward()
        if run is not None:
            run.loss(loss)
        optimizer.step()
        time.sleep(max(0.0, STEP_S - (time.perf_counter() - started)))
    trained = time.perf_counter() - begun
    if run is not None:
        run.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=12_000, help="12,000 are ten minutes")
    parser.add_argument("--size", choices=SIZES, default="nano")
    parser.add_argument("--loop", nargs=2, metavar=("MODE", "OUT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.loop is not None:
        loop(given.loop[0], given.steps, given.size, Path(given.loop[1]))
        return
    with tempfile.TemporaryDirectory() as place:
        runs = Path(place, "runs")
        paths = os.pathsep.join(str(HERE / part) for part in ("core", "presets", "tui"))
        environment = {**os.environ, "CONDENSE_RUNS_DIR": str(runs), "OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
        processes, outs = [], [Path(place, f"{at}.json") for at in range(len(MODES))]
        for mode, out in zip(MODES, outs, strict=True):
            words = ["--steps", str(given.steps), "--size", given.size, "--loop", mode, str(out)]
            command = [sys.executable, __file__, *words]
            if mode == MODES[-1]:
                program = "from condense_tui.main import main; main()"
                command = [sys.executable, "-c", program, "watch", "--headless", __file__, *words]
            with Path(place, "said").open("ab") as said:
                processes.append(subprocess.Popen(command, env=environment, stdout=said, stderr=said))
        for process in processes:
            process.wait()
        wait_until(lambda: all(out.exists() and out.read_text() for out in outs), "the loops' reports", 60.0)
        found = [json.loads(out.read_text()) for out in outs]
        said = _said(runs)
    alone = found[0]["loop"] + found[0]["recorder"]
    print(f"{given.steps:,} steps of {1000 * STEP_S:.0f} ms, {given.size}; seconds of a core\n")
    for mode, each in zip(MODES, found, strict=True):
        more = each["loop"] + each["recorder"] - alone
        line = f"{mode:20} loop {each['loop']:7.2f}  recorder {each['recorder']:6.2f}  trained {each['trained']:7.1f} s"
        if mode != "alone":
            line += f"  more {more:6.2f} s, {more / each['trained']:.2%}  says: {said[mode]}"
        print(line)
    print("weights", "the same" if len({each["weights"] for each in found}) == 1 else "NOT the same")


def _said(runs: Path) -> dict[str, str]:
    """What each watched run says of its own cost."""
    from condense_core import open_run

    said = {}
    for folder in sorted(runs.iterdir()):
        if (folder / "run.sqlite").is_file():
            text = [event.text for event in open_run(folder).events() if event.kind == "recording"][-1]
            said[MODES[1] if "-loop-" in folder.name else MODES[2]] = text.partition(":")[0]
    return said


if __name__ == "__main__":
    end_tidily()
    main()
