"""What `doctor` looks at on one machine: what works, and what to do about what does not."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from condense_core.errors import CondenseError

Health = Literal["works", "note", "broken"]


class Check(msgspec.Struct, frozen=True):
    """One line of doctor's output: what was checked, its state, and what to do if it does not work."""

    name: str
    state: Health
    text: str
    advice: str = ""


def checks_here(runs_dir: Path | None) -> Iterator[Check]:
    """All checks of this machine, one by one."""
    for check in (_program, _training, _terminal, _data_sets, lambda: _runs(runs_dir), _ssh, _hosts, _preferences):
        yield from check()


def _program() -> Iterator[Check]:
    from condense_core.libraries import install_command, wrong_libraries
    from condense_core.remote.wire.version import program_version

    where = Path(__file__).parents[2]
    yield Check("program", "works", f"condense-tui {program_version()}, Python {platform.python_version()}, in {where}")
    wrong = wrong_libraries()
    if wrong:
        advice = install_command(*(library.wanted for library in wrong))
        yield Check("libraries", "broken", ", ".join(library.in_words for library in wrong), advice)


def _training() -> Iterator[Check]:
    from condense_core.installation import how_to_add
    from condense_core.jobs.ask import ask
    from condense_core.jobs.messages import AskDevices, DevicesAnswer
    from condense_core.libraries import install_command
    from condense_core.runs.create import missing_packages

    missing = missing_packages()
    if missing:
        text = f"not possible here, {', '.join(missing)} missing; watching and replaying work"
        yield Check("training", "note", text, f"{how_to_add('engine')}, or train elsewhere with --host")
        return
    try:
        found = ask("condense_core.engine.answers.hardware", AskDevices(), DevicesAnswer)
    except CondenseError as error:
        advice = install_command("--upgrade", "torch", "torchvision")
        yield Check("training", "broken", f"PyTorch cannot be used: {error}", advice)
        return
    yield Check("training", "works", f"PyTorch {found.torch}")
    for device in found.devices:
        yield Check("device", "works", device)


def _terminal() -> Iterator[Check]:
    from condense_tui.app.launch import can_draw, has_terminal
    from condense_tui.draw.ability import Depth, ability

    if has_terminal() and not can_draw():
        yield Check("terminal", "note", "TERM is dumb: commands print tables instead of opening the app")
        return
    if not has_terminal():
        yield Check("terminal", "note", "none here: commands print tables instead of opening the app")
        return
    found = ability(os.environ, sys.stdout.encoding)
    size = os.get_terminal_size()
    colours = {Depth.NONE: "no colours", Depth.ANSI: "16 colours", Depth.INDEXED: "256 colours"}
    text = f"{size.columns}×{size.lines}, {colours.get(found.depth, 'true colour')}, " + (
        "Unicode" if found.unicode else "no Unicode"
    )
    advice = []
    if found.depth < Depth.TRUE and "NO_COLOR" not in os.environ:
        advice.append("set COLORTERM=truecolor if this terminal supports it")
    if not found.unicode:
        advice.append("set a UTF-8 locale, such as LC_ALL=C.UTF-8")
    if (size.columns, size.lines) < (80, 24):
        advice.append("make it 80×24 or larger")
    yield Check("terminal", "note" if advice else "works", f"{os.environ.get('TERM', '')} {text}", "; ".join(advice))


def _data_sets() -> Iterator[Check]:
    from condense_core.scenario.data import Cifar10, Cifar100, Mnist
    from condense_core.scenario.paths import data_is_there, data_root

    yield Check("data", "works", "digits, photos and sine targets come with the program")
    root = data_root(None)
    for kind in (Mnist, Cifar10, Cifar100):
        name = str(kind.__struct_config__.tag)
        if data_is_there(kind, root):
            yield Check("data", "works", f"{name} in {root}")
        else:
            advice = "add --download to a run, or name its folder with --data-root DIR or $CONDENSE_DATA_ROOT"
            yield Check("data", "note", f"{name} is not in {root}", advice)


def _runs(runs_dir: Path | None) -> Iterator[Check]:
    from condense_core.runfile.file_system import network_type
    from condense_core.runs.place import run_folders, runs_folder

    place = runs_folder(runs_dir)
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    if not os.access(there, os.W_OK):
        advice = "choose another folder with --runs-dir or $CONDENSE_RUNS_DIR"
        yield Check("runs", "broken", f"cannot write to {place}", advice)
        return
    free = shutil.disk_usage(there).free
    kind = network_type(there)
    text = f"{len(run_folders(place))} in {place}, {free / 1e9:,.1f} GB free"
    if kind:
        advice = "a local disk is faster: choose one with --runs-dir or $CONDENSE_RUNS_DIR"
        yield Check("runs", "note", f"{text}, on a network file system ({kind})", advice)
    elif free < 1e9:
        yield Check("runs", "note", text, "free some space: 1 GB holds many runs")
    else:
        yield Check("runs", "works", text)


def _ssh() -> Iterator[Check]:
    ssh = shutil.which("ssh")
    if ssh is None:
        yield Check("ssh", "note", "not on PATH; --host needs it", "install OpenSSH's client")
        return
    answer = subprocess.run([ssh, "-V"], capture_output=True, text=True, check=False)
    yield Check("ssh", "works", f"{answer.stderr.strip().partition(',')[0]} in {ssh}")


def _hosts() -> Iterator[Check]:
    from condense_core.preferences import config_folder
    from condense_core.remote.client.hosts import FILE_NAME, known_hosts

    try:
        names = list(known_hosts())
    except CondenseError as error:
        yield Check("hosts", "broken", str(error), "correct that file; hosts can also be given as user@name without it")
        return
    if names:
        yield Check("hosts", "works", f"{', '.join(names)}; condense-tui doctor HOST checks one")
    else:
        file = config_folder() / FILE_NAME
        yield Check("hosts", "works", f"none in {file}, which is optional: --host user@name works without it")


def _preferences() -> Iterator[Check]:
    from condense_core.preferences import find_preferences, preferences_file

    found, file = find_preferences(), preferences_file()
    trouble = found.trouble
    if found.preferences.keys:
        from condense_tui.keys import KeysError, chosen_keys

        try:
            chosen_keys(found.preferences.keys)
        except KeysError as error:
            trouble = f"{file}: {error}"
    if trouble:
        yield Check("preferences", "broken", trouble, "correct that file, or move it away")
    elif found.unknown:
        names = ", ".join(found.unknown[:5]) + (", …" if len(found.unknown) > 5 else "")
        yield Check("preferences", "note", f"unknown in {file}, and left as it is: {names}")
    else:
        there = "" if file.exists() else ", which is made when something is chosen"
        yield Check("preferences", "works", f"in {file}{there}")
