"""The login shell of another machine is whichever its owner likes, and may have much to say before ours is heard."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest
from programs import command, need

from condense_core.remote.wire.framing import MOST_NOISE

pytestmark = pytest.mark.terminal

SHELLS = ("sh", "bash", "fish", "zsh", "tcsh")
# What sshd does with a command where that shell is in /etc/passwd: SHELL -c COMMAND.
SHELL = r"exec {shell} -c \"$SSH_ORIGINAL_COMMAND\""
# A start-up file that prints; the wheel's bytes that follow are not for it.
TALKING = r"head -c {bytes} /dev/zero | tr '\\0' {sign}; echo; exec sh -c \"$SSH_ORIGINAL_COMMAND\""


def far_python(home: Path, says: str) -> None:
    """What the script finds as Python there: enough of one to be told what it is asked for."""
    text = f"""#!/bin/sh
case "$*" in
  *"-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; printf '#!/bin/sh\\necho {says}\\n' > "$3/bin/condense-tui"
    chmod +x "$3/bin/condense-tui" ;;
  *"-m pip"*) echo "pip $*" >> "$HOME/asked" ;;
  *--version*) echo Python 3.13.9 ;;
esac
"""
    (home / "python3.13").write_text(text)
    (home / "python3.13").chmod(0o755)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_program_is_installed_and_found_through_any_login_shell(far, near, shell):
    need(shell)
    home = far.folder / f"home of {shell}"
    home.mkdir()
    far_python(home, f"condense-tui {version('condense-tui')} of {shell}")
    far.add(shell, forced=rf"HOME='{home}' PATH='{home}':$PATH " + SHELL.format(shell=shell), program="")

    # the stand-in for Python makes no server, so what is looked at after the installation is not there
    answer = command("doctor", shell, "--install", "--yes", code=3).stderr
    assert f"using {home}/python3.13, Python 3.13.9" in answer
    assert f"installed condense-tui {version('condense-tui')} of {shell}" in answer
    (wheel,) = (home / ".local/share/condense-tui").glob("*.whl*")
    assert wheel.read_bytes().endswith(b"PK\x05\x06" + wheel.read_bytes()[-18:]), "the wheel is whole to its last byte"
    without, with_extras = (home / "asked").read_text().splitlines()
    assert without.endswith(f"--no-deps {wheel}")
    assert with_extras.endswith(f"{wheel}[engine]")

    # what was installed is found by itself, and every word of a setting reaches it as it is
    program = home / ".local/share/condense-tui/venv/bin/condense-tui"
    program.write_text(f'#!/bin/sh\nexec {far.program} "$@"\n')
    assert json.loads(command("runs", "list", "--host", shell, "--json").stdout) == []


def test_thirty_thousand_bytes_of_a_start_up_file_are_passed_over(far, near):
    home = far.folder / "home of a talker"
    home.mkdir()
    far_python(home, "condense-tui 1.2.3")
    talking = TALKING.format(bytes=30_000, sign="x")
    far.add("talker", forced=rf"export HOME='{home}' PATH='{home}':$PATH; {talking}", program="")
    answer = command("doctor", "talker", "--install", "--yes", code=3).stderr
    assert "installed condense-tui 1.2.3" in answer
    assert "xxxx" not in answer
    far.add("talker-served", forced=talking)
    assert json.loads(command("runs", "list", "--host", "talker-served", "--json").stdout) == []


def test_a_hundred_thousand_bytes_are_refused_in_one_short_line(far, near):
    talking = TALKING.format(bytes=100_000, sign="x")
    far.add("drowning", forced=talking)
    said = command("runs", "list", "--host", "drowning", code=3).stderr
    assert f"drowning sent more than {MOST_NOISE:,} bytes before condense-tui's greeting" in said
    assert said.count("\n") == 1
    assert len(said) < 400
    plan, error = command("doctor", "drowning", "--install", "--yes", code=3).stderr.rsplit("\n", 2)[:2]
    assert plan.startswith("This will, on drowning:")
    assert error.startswith("condense-tui: cannot install on drowning: it sent more than")
    assert len(error) < 400


def test_a_shell_that_runs_nothing_is_told_as_that(far, near):
    far.add("restricted", forced="echo This account is not available.; exit 1")
    error = command("doctor", "restricted", "--install", "--yes", code=3).stderr.splitlines()[-1]
    assert error == (
        "condense-tui: cannot install on restricted: the shell there does not run sh (This account is not available.)"
    )
    said = command("runs", "list", "--host", "restricted", code=3).stderr
    assert "This account is not available." in said
    assert said.count("\n") == 1


def test_a_disk_that_is_full_there_is_told_in_the_words_of_the_far_side(far, near):
    home = far.folder / "home without room"
    home.mkdir()
    (home / ".local").write_text("a file where a folder should be")
    far.add("no-room", forced=rf"export HOME='{home}'; exec sh -c \"$SSH_ORIGINAL_COMMAND\"")
    error = command("doctor", "no-room", "--install", "--yes", code=3).stderr.splitlines()[-1]
    assert error.startswith("condense-tui: cannot install on no-room: mkdir")
