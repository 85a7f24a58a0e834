"""Cells as tasks of a Ray cluster that is there already: each is trained on a node, and its run file comes back.

Ray moves tasks between machines that trust each other, by pickle; what we send is text and what we take is bytes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from condense_core.errors import CondenseError, HostError, MissingExtraError, ScenarioError
from condense_core.installation import how_to_add
from condense_core.runs.on_node import accept
from condense_core.scenario import toml
from condense_core.scenario.device import device_named
from condense_core.text import printable
from condense_tui.batch.cells import Cell
from condense_tui.batch.drive import note_sweep

# A cell whose node dies is trained once more, elsewhere; one that kills its node by its size does not kill them all.
RETRIES = 1
# How long cancelled tasks may take to stop their training before we leave; it stops nevertheless.
CANCEL_PATIENCE_S = 10.0
# A head that is there answers in a fraction of this, also on another continent.
REACH_S = 5.0
LONGEST_REASON = 300
# A node shares no folder with us that we knew of, so no command can be named that works there.
ON_A_NODE = "install this condense-tui with its extra 'engine' into the Python that runs Ray there"

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

TaskAnswer = tuple[Literal["trained", "refused", "missing"], bytes | str, str, str]


def require_ray() -> None:
    """MissingExtraError if Ray is not installed; nothing is imported."""
    if importlib.util.find_spec("ray") is None:
        raise MissingExtraError(f"--engine ray needs Ray, which is not installed here: {how_to_add('ray')}")


class RayEngine:
    """Trains cells on the nodes of a cluster. A node without the package is named once and gets no more of them."""

    def __init__(self, address: str, device: str, say: Callable[[str], None]) -> None:
        """Connect to the cluster: HOST:PORT of its head from one of its nodes, ray://HOST:PORT from elsewhere, or auto.

        HostError if there is none.
        """
        require_ray()
        _reach(address)
        import ray

        self._ray: Any = ray
        self._device = device
        self._say = say
        self._running: dict[Any, Cell] = {}
        self._unfit: dict[str, str] = {}
        self.refused: dict[Path, str] = {}
        """Why cells that have ended left no run file."""
        # Ray reports dead nodes on standard output, pages of it, where our result belongs
        self._silence = contextlib.redirect_stdout(io.StringIO())
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=False)
        except ImportError as error:
            raise MissingExtraError(f"--address {address}: {error}: {how_to_add('ray')}") from None
        except (RuntimeError, ValueError, OSError, AssertionError) as error:
            # a client's server sends its traceback along, whose last line says what happened
            words = (str(error).strip() or type(error).__name__).splitlines()[-1][:LONGEST_REASON]
            raise HostError(f"--address {address}: no Ray cluster answers at this address: {words}") from None
        self._on_gpu = device_named(device).kind == "cuda"
        self._task: Any = ray.remote(max_retries=RETRIES, num_cpus=1, num_gpus=int(self._on_gpu))(_task())

    @property
    def slots(self) -> int:
        """How many cells the cluster has room for, as it is now."""
        kind = "GPU" if self._on_gpu else "CPU"
        return max(1, int(self._ray.cluster_resources().get(kind, 1)))

    def start(self, cell: Cell) -> None:
        """Give the cell to the cluster."""
        if self._unfit:
            self._require_a_node()
        self._submit(cell)

    def ended(self, seconds: float) -> list[Path]:
        """Folders of cells that have ended; `refused` says why where no run file came back."""
        done, _ = self._ray.wait(list(self._running), num_returns=1, timeout=seconds)
        return [folder for task in done if (folder := self._take(task)) is not None]

    def __enter__(self) -> RayEngine:
        self._silence.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for task in self._running:
            with contextlib.suppress(self._ray.exceptions.RayError, ValueError):
                self._ray.cancel(task)
        if self._running:
            self._ray.wait(list(self._running), num_returns=len(self._running), timeout=CANCEL_PATIENCE_S)
        self._ray.shutdown()
        self._silence.__exit__(None, None, None)

    def _submit(self, cell: Cell) -> None:
        fit = {"label_selector": {"ray.io/node-id": f"!in({','.join(self._unfit)})"}} if self._unfit else {}
        text = toml.dumps(cell.experiment)
        task = self._task.options(**fit).remote(text, cell.folder.name, cell.preset, self._device)
        self._running[task] = cell

    def _take(self, task: Any) -> Path | None:
        """The folder of the task's cell; None if the cell goes to another node."""
        cell = self._running.pop(task)
        try:
            kind, content, node, host = _checked(self._ray.get(task))
            if kind == "missing":
                self._note_unfit(node, host, str(content))
                self._require_a_node()
                self._submit(cell)
                return None
            if kind == "refused":
                self.refused[cell.folder] = f"on {host}: {content!s}"
            else:
                assert isinstance(content, bytes)
                shutil.rmtree(cell.folder, ignore_errors=True)
                accept(content, toml.dumps(cell.experiment), cell.folder)
                note_sweep(cell)
        except self._ray.exceptions.RayError as error:
            self.refused[cell.folder] = _reason(error)
        except (CondenseError, OSError) as error:
            self.refused[cell.folder] = str(error)
        return cell.folder

    def _note_unfit(self, node: str, host: str, why: str) -> None:
        if node not in self._unfit:
            self._unfit[node] = host
            self._say(f"node {host} cannot train: {why}")

    def _require_a_node(self) -> None:
        """HostError if every node of the cluster lacks the package: a task for none of them would wait for ever."""
        alive = {str(node["NodeID"]) for node in self._ray.nodes() if node["Alive"]}
        if not alive - set(self._unfit):
            raise HostError(f"no node of the cluster can train with condense-tui; {ON_A_NODE}")


def _reason(error: Exception) -> str:
    """What Ray says of a task that gave nothing: where its node or process went, this begins with a line that says so;
    of an error in the task the traceback is first, in colours, and the error the last line."""
    lines = _COLOURS.sub("", str(error)).strip().splitlines() or [type(error).__name__]
    return printable(lines[-1 if hasattr(error, "cause") else 0].strip())[:LONGEST_REASON]


def _reach(address: str) -> None:
    """HostError if nothing listens at the address: Ray itself would keep trying for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto":
        return
    if not colon or not host or not port.isdecimal():
        raise ScenarioError(f"--address {address}: expected HOST:PORT, ray://HOST:PORT or auto")
    try:
        with socket.create_connection((host, int(port)), REACH_S):
            pass
    except (OSError, OverflowError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise HostError(f"--address {address}: nothing answers at this address: {words}") from None


def _task() -> Callable[[str, str, str, str], TaskAnswer]:
    """What a node runs. It is defined in here so that it is sent whole: a node without the package can say so."""
    advice = ON_A_NODE

    def train(experiment: str, run: str, preset: str, device: str) -> TaskAnswer:
        import signal
        import socket

        import ray

        # Ray cancels with SIGINT, which a node that was started in the background ignores
        signal.signal(signal.SIGINT, signal.default_int_handler)
        node, host = ray.get_runtime_context().get_node_id(), socket.gethostname()
        try:
            from condense_core.errors import CondenseError, MissingExtraError
            from condense_core.runs.on_node import train_here
        except ImportError as error:
            return "missing", f"condense-tui is not installed ({error}); {advice}", node, host
        try:
            return "trained", train_here(experiment, run=run, preset=preset, device=device), node, host
        except MissingExtraError as error:
            return "missing", str(error), node, host
        except CondenseError as error:
            return "refused", str(error), node, host

    return train


def _checked(answer: object) -> TaskAnswer:
    """What a node sent, if it is what a node may send; HostError if it is not."""
    match answer:
        case ("trained", bytes() as content, str() as node, str() as host):
            return "trained", content, node, printable(host)
        case ("refused" | "missing" as kind, str() as words, str() as node, str() as host):
            return kind, printable(words)[:LONGEST_REASON], node, printable(host)
    raise HostError("a node sent an answer that is not ours")
