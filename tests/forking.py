"""Python programs without their start: `python -m MODULE …`, forked from a process that has imported PyTorch.

A fresh interpreter takes seconds to import PyTorch, and most tests of commands and workers would spend most of their
time on that. `python forking.py NAME` imports once, listens on the abstract Unix socket NAME, and forks for every
program that `Forked` asks for; standard streams, environment, working directory and session are the asker's, and what a
forked program starts in its turn is forked too. Tests of what an import costs or does start real interpreters.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import importlib.util
import inspect
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Where the process that forks is asked; whatever it forks knows it too.
address = ""

# A request is one message: arguments and the whole environment.
LARGEST = 1 << 20
STATUS = struct.Struct("i")


# What starts a real interpreter, also where a test has its programs forked.
Fresh = subprocess.Popen


class Forked(subprocess.Popen[Any]):
    """A `subprocess.Popen` that has `python -m MODULE …` forked, and starts whatever else it is given as ever."""

    _parameters = inspect.signature(subprocess.Popen._execute_child)  # type: ignore[attr-defined]
    _answers: socket.socket | None = None

    def _execute_child(self, *given: Any) -> None:
        asked = self._parameters.bind(self, *given).arguments
        arguments = _after_the_interpreter(asked["args"])
        if arguments is None:
            super()._execute_child(*given)  # type: ignore[misc]
            return
        assert not (asked["shell"] or asked["preexec_fn"] or asked["pass_fds"]), "not what a test's programs ask for"
        environment = os.environ if asked["env"] is None else asked["env"]
        request = {
            "arguments": arguments,
            "environment": {os.fsdecode(name): os.fsdecode(value) for name, value in environment.items()},
            "folder": os.fspath(asked["cwd"] or Path.cwd()),
            "session": asked["start_new_session"],
        }
        streams = (asked["p2cread"], asked["c2pwrite"], asked["errwrite"])
        files = [own if own != -1 else inherited for inherited, own in enumerate(streams)]
        self._answers = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._answers.connect(address)
        socket.send_fds(self._answers, [json.dumps(request).encode()], files)
        self.pid = self._answer()
        self._child_created = True
        ends = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(asked[end] for end in ends))  # type: ignore[attr-defined]

    def _answer(self) -> int:
        assert self._answers is not None
        found = self._answers.recv(STATUS.size)
        assert found, "the process that forks is gone"
        return int(STATUS.unpack(found)[0])

    def _wait(self, timeout: float | None) -> int | None:
        if self._answers is None or self.returncode is not None:
            return super()._wait(timeout)  # type: ignore[misc,no-any-return]
        if not select.select([self._answers], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        self.returncode = self._answer()
        self._answers.close()
        return self.returncode

    def _internal_poll(self, *given: Any, **named: Any) -> int | None:
        # closed where a test that failed has left the program behind: no other test hears of it
        if self._answers is None or self.returncode is not None or self._answers.fileno() < 0:
            return super()._internal_poll(*given, **named)  # type: ignore[misc,no-any-return]
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._wait(0.0)
        return self.returncode


def _after_the_interpreter(command: Any) -> list[str] | None:
    """What follows `python` in `python [-P] -m MODULE …`; None for any other command."""
    if isinstance(command, (str, bytes, os.PathLike)):
        return None
    words = [os.fsdecode(word) for word in command]
    is_module = words[1:2] == ["-m"] or words[1:3] == ["-P", "-m"]
    return words[1:] if words[0] == sys.executable and is_module else None


@contextlib.contextmanager
def zygote(**variables: str) -> Iterator[None]:
    """Have the process that forks, with more in its environment; it ends with this one. The innermost is asked."""
    global address  # noqa: PLW0603 - one for each process of tests
    before = address
    name = f"condense-tests-{uuid.uuid4().hex}"
    process = subprocess.Popen(
        [sys.executable, __file__, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
    )
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    address = f"\0{name}"
    try:
        yield
    finally:
        address = before
        process.stdin.close()
        process.wait()
        process.stdout.close()


def serve(name: str) -> None:
    """Fork whatever is asked for, until standard input closes."""
    global address  # noqa: PLW0603 - see zygote()
    _import()
    address = f"\0{name}"
    subprocess.Popen = Forked  # type: ignore[misc]
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen(64)
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # whoever runs the tests may press Ctrl-C: the tests decide when this process ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # nothing of all that was imported is looked through, and so copied, in what is forked
    gc.collect()
    gc.freeze()
    os.write(1, b"ready\n")
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([0, woken, listener], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _bury(running)
        if listener in ready:
            asker, _ = listener.accept()
            running[_fork(asker)] = asker
        if 0 in ready:
            return


# What commands and workers import, and all below: nothing that draws the app.
PACKAGES = (
    "condense_core",
    "condense_presets",
    *(f"condense_tui.{name}" for name in ("cli", "text", "reproduce", "sweep")),
)
# Callbacks for packages that need not be there.
CALLBACKS = {"condense_core.hf", "condense_core.lightning"}
# What they import only when they are called, where it is there: not every version of a library imports every other.
LIBRARIES = ("pydantic.type_adapter", "rich.markdown", "rich.progress", "sklearn.datasets", "typer.rich_utils")


def _import() -> None:
    """What the programs that tests run import, and what each of them would work out anew."""
    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and module.name not in CALLBACKS:
                importlib.import_module(module.name)
    for name in LIBRARIES:
        if importlib.util.find_spec(name.partition(".")[0]):
            importlib.import_module(name)
    from condense_core.measures.null import null_condensation

    for kernels in (2, 3, 4, 6, 8, 12):
        null_condensation(4, kernels)


def _bury(running: dict[int, socket.socket]) -> None:
    """Tell whoever asked for them how programs have ended."""
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with running.pop(pid) as asker, contextlib.suppress(OSError):
            asker.send(STATUS.pack(os.waitstatus_to_exitcode(status)))


def _fork(asker: socket.socket) -> int:
    message, files, _, _ = socket.recv_fds(asker, LARGEST, 3)
    pid = os.fork()
    if pid == 0:
        os._exit(_become(json.loads(message), files))
    for file in files:
        os.close(file)
    asker.send(STATUS.pack(pid))
    return pid


def _become(request: dict[str, Any], files: list[int]) -> int:
    """Be the program that was asked for; its exit status."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request["session"]:
        os.setsid()
    for stream, file in enumerate(files):
        os.dup2(file, stream)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.stdin = sys.__stdin__ = _open(0, "r")
    sys.stdout = sys.__stdout__ = _open(1, "w")
    sys.stderr = sys.__stderr__ = _open(2, "w", errors="backslashreplace", buffering=1)
    *safe, _, module = request["arguments"][: request["arguments"].index("-m") + 2]
    sys.path[0:1] = [] if safe else [request["folder"]]
    sys.argv = [module, *request["arguments"][len(safe) + 2 :]]
    code = _run(module)
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        return 120
    return code


def _open(stream: int, mode: str, **how: Any) -> Any:
    return open(stream, mode, encoding="utf-8", closefd=False, **how)


def _run(module: str) -> int:
    """`python -m module`, with the exit status that Python makes of its end."""
    # a module that was imported with the others is run all the same
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="runpy")
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as exit_:
        if exit_.code is None or isinstance(exit_.code, int):
            return (exit_.code or 0) & 0xFF
        sys.stderr.write(f"{exit_.code}\n")
        return 1
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:  # noqa: BLE001 - what Python itself does with whatever ends a program
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    # by its own name, so that there is one `address`
    from forking import serve as serve_

    serve_(sys.argv[1])
