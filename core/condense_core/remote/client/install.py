"""Putting this version of the program on a host: a virtual environment of its own, and nothing besides."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable

from condense_core.errors import HostError
from condense_core.remote.client.hosts import VENV, Host
from condense_core.remote.client.ssh import ssh_command
from condense_core.remote.client.wheel import Wheel
from condense_core.text import printable

FOLDER = VENV.rpartition("/")[0]
# $1: the wheel's file name; $2: its extras in brackets, or nothing. The wheel stays, since the project is on no index:
# whatever is added there later (`installation.how_to_add`) is installed from it.
_SCRIPT = f"""
set -e
umask 077
base="$HOME/{FOLDER}"
mkdir -p "$base"
rm -f "$base"/condense_tui-*.whl
cat > "$base/$1"
python=
for each in python3.13 python3.12 python3.11 python3 python; do
  if command -v "$each" >/dev/null && "$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$each
    break
  fi
done
if [ -z "$python" ]; then
  echo 'no Python 3.11 or newer on PATH: install one, or load its module in your shell start-up file there'
  exit 9
fi
echo "using $(command -v "$python"), $("$python" --version 2>&1)"
"$python" -m venv "$HOME/{VENV}"
"$HOME/{VENV}/bin/python" -m pip install --disable-pip-version-check --quiet --force-reinstall --no-deps "$base/$1"
"$HOME/{VENV}/bin/python" -m pip install --disable-pip-version-check --quiet "$base/$1$2"
echo "installed $("$HOME/{VENV}/bin/condense-tui" --version)"
"""


def plan(host: Host, wheel: Wheel, *, engine: bool) -> list[str]:
    """What `install` will do, a line each."""
    fetched = "PyTorch and everything else that training needs (some GB)" if engine else "the libraries a viewer needs"
    return [
        f"send {wheel.name} ({len(wheel.data) / 1e3:,.0f} kB) to {host.ssh}",
        f"create a virtual environment there in ~/{VENV}, with a Python 3.11 or newer from PATH",
        f"install the wheel into it with pip, which fetches {fetched} from the index that pip uses there,"
        " and keep the wheel",
        f"change nothing else; to remove it again: rm -r ~/{FOLDER}",
    ]


def install(host: Host, wheel: Wheel, *, engine: bool, prompt: bool, say: Callable[[str], None]) -> None:
    """Do it, telling what the far side says; HostError if it fails."""
    extras = "[engine]" if engine else ""
    remote = f"exec sh -c {shlex.quote(_SCRIPT)} install {shlex.quote(wheel.name)} {shlex.quote(extras)}"
    try:
        process = subprocess.Popen(
            ssh_command(host, remote, prompt=prompt),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except FileNotFoundError:
        raise HostError("no ssh on this machine; install OpenSSH's client") from None
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(wheel.data)
        process.stdin.close()
    except BrokenPipeError:
        pass  # its words say why
    last = ""
    for line in process.stdout:
        last = printable(line.decode("utf-8", "replace")).strip()[:500] or last
        say(last)
    if process.wait() != 0:
        raise HostError(f"cannot install on {host.name}: {last or f'exit status {process.returncode}'}")
