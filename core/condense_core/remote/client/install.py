"""Putting this version of the program on a host: a virtual environment of its own, and nothing besides."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Callable, Iterator

from condense_core.errors import HostError
from condense_core.remote.client.connection import MEET_PATIENCE_S, PROMPT_PATIENCE_S
from condense_core.remote.client.hosts import VENV, Host
from condense_core.remote.client.ssh import Pipe
from condense_core.remote.client.wheel import Wheel
from condense_core.remote.wire.framing import Greeting, WireError
from condense_core.text import printable

FOLDER = VENV.rpartition("/")[0]
# Bytes: all that pip says, also of an extension that cannot be built; a host that says more is not listened to.
MOST_SAID = 2_000_000
LOOK_S = 0.2
_GREETING = b"\ncondense-tui install\n"
# What the shell there is given, whichever it is: one line without a sign that means something between quotes to one of
# them (tcsh ends at a line break and takes ! for history, fish reads backslashes). sh takes the script itself from its
# input, byte by byte, since the wheel comes after it. $1: the script's length in bytes.
_STARTER = 'echo; echo condense-tui install; exec 2>&1; eval "$(dd bs=1 count="$1" 2>/dev/null)"'
# $2: the wheel's file name; $3: its length in bytes; $4: its extras in brackets, or nothing. The wheel stays, since the
# project is on no index: whatever is added there later (`installation.how_to_add`) is installed from it.
_SCRIPT = f"""
set -e
umask 077
base="$HOME/{FOLDER}"
mkdir -p "$base"
rm -f "$base"/condense_tui-*.whl.partial
cat > "$base/$2.partial"
if [ "$(wc -c < "$base/$2.partial")" -ne "$3" ]; then
  echo "the wheel did not arrive whole; is there room in $base?"
  exit 9
fi
rm -f "$base"/condense_tui-*.whl
mv "$base/$2.partial" "$base/$2"
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
"$HOME/{VENV}/bin/python" -m pip install --disable-pip-version-check --quiet --force-reinstall --no-deps "$base/$2"
"$HOME/{VENV}/bin/python" -m pip install --disable-pip-version-check --quiet "$base/$2$4"
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
    script = _SCRIPT.encode()
    words = [str(len(script)), wheel.name, str(len(wheel.data)), "[engine]" if engine else ""]
    command = f"exec sh -c {shlex.quote(_STARTER)} install {shlex.join(words)}"
    with contextlib.closing(Pipe(host, command, prompt=prompt)) as pipe:
        first = _greeted(host, pipe, PROMPT_PATIENCE_S if prompt else MEET_PATIENCE_S)
        # a script that ends before it has all of it says why, and that is still read
        if pipe.offer(script + wheel.data):
            pipe.end_input()
        last = ""
        for line in _lines(host, pipe, first):
            last = line
            say(line)
        if (code := pipe.end()) != 0:
            raise _failed(host, last or f"exit status {code}")


def _greeted(host: Host, pipe: Pipe, seconds: float) -> bytes:
    """Wait until sh runs on the far side, whatever the shell there says before; what came after the greeting."""
    greeting = Greeting(_GREETING)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        data = pipe.read(LOOK_S)
        if data == b"":
            code = pipe.end()
            if code == 255 or code < 0:
                raise pipe.failure()
            raise _failed(host, f"the shell there does not run sh ({greeting.noise or pipe.said or code})")
        try:
            first = greeting.after(data or b"")
        except WireError as error:
            raise _failed(host, f"it sent {error}") from None
        if greeting.heard:
            return first
    raise _failed(host, f"no answer within {seconds:.0f} s")


def _lines(host: Host, pipe: Pipe, first: bytes) -> Iterator[str]:
    """What is said until the end, line by line; HostError where it has none."""
    said, data, rest = 0, first, b""
    while True:
        *whole, rest = (rest + data).split(b"\n")
        yield from filter(None, map(_shown, whole))
        said += len(data)
        if said > MOST_SAID:
            raise _failed(host, f"it said more than {MOST_SAID:,} bytes")
        while (arrived := pipe.read(LOOK_S)) is None:
            pass
        if not arrived:
            yield from filter(None, [_shown(rest)])
            return
        data = arrived


def _shown(line: bytes) -> str:
    return printable(line[:2_000].decode("utf-8", "replace")).strip()[:500]


def _failed(host: Host, why: str) -> HostError:
    return HostError(f"cannot install on {host.name}: {why}")
