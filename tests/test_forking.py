"""A forked program and one that was started are alike in all that a test can see of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import forking
import pytest
from support import wait_for

PROGRAM = """
import atexit, os, sys, threading, time
if sys.argv[1:] == ["wait"]:
    print("waits", flush=True)
    time.sleep(1000)
atexit.register(lambda: print("at exit", flush=True))
threading.Thread(target=lambda: (time.sleep(0.1), print("thread", flush=True))).start()
print(sys.argv[1:], os.getcwd(), os.environ.get("SAID"), sys.path[0], __name__, os.getsid(0) == os.getpid())
print(sys.stdin.read(), file=sys.stderr)
print(sorted(os.listdir("/proc/self/fd"))[:3])
sys.exit({"number": 3, "text": "why", "none": None}[sys.argv[1]])
"""


@pytest.fixture
def program(zygote: None, tmp_path: Path) -> Path:
    (tmp_path / "said.py").write_text(PROGRAM)
    return tmp_path


def answers(program: Path, kind: type[subprocess.Popen[str]], *arguments: str, **how: object) -> tuple[object, ...]:
    """Exit status, standard output and standard error."""
    command = [sys.executable, "-m", "said", *arguments]
    pipe = subprocess.PIPE
    how = {"stdin": pipe, "stdout": pipe, "stderr": pipe, "cwd": program, "text": True, **how}
    with kind(command, **how) as process:  # type: ignore[call-overload]
        output, said = process.communicate("given")
        return process.returncode, output, said


@pytest.mark.parametrize("ending", ["number", "text", "none", "no such ending"])
def test_arguments_folder_environment_streams_and_exit_status(program, ending):
    environment = {**os.environ, "SAID": "ü"}
    forked, started = (
        answers(program, kind, ending, "[b]", env=environment) for kind in (forking.Forked, subprocess.Popen)
    )
    assert started[0] == {"number": 3, "text": 1, "none": 0}.get(ending, 1)
    assert forked[:2] == started[:2]
    assert forked[2].splitlines()[-1] == started[2].splitlines()[-1]
    assert "ü" in forked[1]


def test_a_session_and_one_stream_for_both(program):
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    how = {"start_new_session": True, "stderr": subprocess.STDOUT, "env": environment}
    forked, started = (answers(program, kind, "none", **how) for kind in (forking.Forked, subprocess.Popen))
    assert forked == started
    assert "True" in forked[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals(program, number):
    for kind in (forking.Forked, subprocess.Popen):
        with kind([sys.executable, "-m", "said", "wait"], cwd=program, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"waits\n"
            assert process.poll() is None
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.01)
            process.send_signal(number)
            assert process.wait(20) == -number
        wait_for(lambda pid=process.pid: not Path(f"/proc/{pid}").exists())


def test_other_commands_are_started(program, forked):
    code = "import sys; print('torch' in sys.modules)"
    for command in ([sys.executable, "-c", code], ["sh", "-c", "echo False"]):
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
    (program / "said.py").write_text("import sys; print('torch' in sys.modules)")
    assert answers(program, subprocess.Popen)[1] == "True\n"


def test_what_a_forked_program_starts_is_forked_too(program, zygote):
    (program / "outer.py").write_text(
        "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'said'], check=True)\n"
    )
    (program / "said.py").write_text("import sys; print('torch' in sys.modules)")
    with forking.Forked([sys.executable, "-m", "outer"], cwd=program, stdout=subprocess.PIPE, text=True) as process:
        assert process.communicate()[0] == "True\n"
