"""A run that grows as if it were trained, without PyTorch, and obeys: `growing.py RUNS INSTANTS PER_SECOND`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from recording import Recording


def main() -> None:
    runs, instants, rate = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    recording = Recording(runs, kernels=(32, 12), lines=(2, 1), steps=10 * instants, frames=instants)
    paused = False
    with recording.worker():
        recording.write(1)
        sys.stdout.write(f"{recording.folder.name}\n")
        sys.stdout.flush()
        status = "done"
        while recording.written < len(recording.steps):
            for command in recording.writer.take_commands():
                if command.verb == "stop":
                    status = "stopped"
                else:
                    paused = command.verb == "pause"
                    recording.writer.update(status="paused" if paused else "running")
            if status == "stopped":
                break
            if not paused:
                recording.write(1)
            time.sleep(1 / rate)
        recording.finish(status)
        recording.close()


if __name__ == "__main__":
    main()
