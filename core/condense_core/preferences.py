"""What a person has chosen for every time: one TOML file, of which the app writes what is chosen with its keys.

A file that cannot be used is said to be so in one line, defaults apply, and it is never written to: nothing in it is
lost. What the program does not know stays as it is, and so do comments. docs/PREFERENCES.md has all of it.

The app's first frame waits for this module, and for what decodes the file only where there is one.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_type_hints

import platformdirs

from condense_core.errors import CondenseError
from condense_core.foreign import bounded_text, decoding, open_file, toml_table
from condense_core.text import place_of, short
from condense_core.validation import in_words

CONFIG_VARIABLE = "CONDENSE_CONFIG_DIR"
FILE_NAME = "preferences.toml"
# Bytes of that file: hundreds of times what the longest one needs.
LARGEST = 100_000
# Frames a second; below it a run never comes to its end.
SLOWEST, FASTEST = 1.0, 200.0
HEAD = """\
# Preferences of condense-tui: it writes here what you choose with its keys, and leaves everything else as it is.
# All that can be set is in docs/PREFERENCES.md.
"""

Occasion = Literal["end", "condensed", "diverged"]
Way = Literal["bell", "notification"]
PreferenceValue = str | float


class PreferencesError(CondenseError):
    """Preferences that cannot be used, or not be written."""

    exit_code = 2


class PreferencesWarning(UserWarning):
    """Preferences that cannot be used; the defaults apply."""


@dataclass(frozen=True)
class PreferredAxes:
    """How curves are drawn; `auto` as the recorded steps are spaced."""

    values: Literal["log", "linear"] = "log"
    steps: Literal["auto", "log", "linear"] = "auto"


@dataclass(frozen=True)
class PreferredNotices:
    """Of what the terminal is told, and how; `title` has it show step and state of the run."""

    of: tuple[Occasion, ...] = ("end", "condensed", "diverged")
    by: tuple[Way, ...] = ("bell", "notification")
    title: bool = True


@dataclass(frozen=True)
class Preferences:
    """Everything in the file, with what applies where it says nothing.

    `cut`: where lines are counted, `claim` for each claim's own. `keys`: other keys of actions, by the actions' names.
    `plugins`: Python files of one's own, `presets`: folders of scenarios, both relative to the file's folder.
    """

    theme: Literal["auto", "dark", "light"] = "auto"
    palette: Literal["ember", "orchid", "reef"] = "ember"
    order: Literal["line", "index"] = "line"
    cut: Literal["claim", "0.9", "0.8"] = "claim"
    speed: float = 10.0
    runs_dir: str = ""
    plugins: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    axes: PreferredAxes = PreferredAxes()
    notices: PreferredNotices = PreferredNotices()
    keys: dict[str, str | list[str]] = field(default_factory=dict)


class FoundPreferences(NamedTuple):
    """What the file says, why it cannot be used (empty if it can), and what in it nobody knows."""

    preferences: Preferences
    trouble: str = ""
    unknown: tuple[str, ...] = ()


def config_folder() -> Path:
    """Where settings are: $CONDENSE_CONFIG_DIR, else the user's config folder."""
    given = os.environ.get(CONFIG_VARIABLE)
    return place_of(given) if given else platformdirs.user_config_path("condense-tui")


def preferences_file() -> Path:
    """Where the file is, or would be."""
    return config_folder() / FILE_NAME


def find_preferences() -> FoundPreferences:
    """The preferences in the file; the defaults where there is none, and where it cannot be used."""
    file = preferences_file()
    try:
        table = toml_table(_text(file))
        return FoundPreferences(_converted(table, file), unknown=_unknown(table))
    except FileNotFoundError:
        return FoundPreferences(Preferences())
    except Exception as error:  # noqa: BLE001 - hostile text has more ways to fail than a list of them
        try:
            with decoding(PreferencesError, file):
                raise error
        except PreferencesError as told:
            return FoundPreferences(
                Preferences(), f"{told}; the defaults apply, and nothing is written there until it is corrected"
            )


def preferred_runs_folder() -> str:
    """Where runs are kept by preference, empty if there is none; a file that cannot be used is warned of."""
    found = find_preferences()
    if found.trouble:
        warnings.warn(found.trouble, PreferencesWarning, stacklevel=2)
    return found.preferences.runs_dir


def write_preferences(changes: Mapping[str, PreferenceValue]) -> None:
    """Set values by their names (`theme`, `axes.values`) and leave the rest of the file as it is: whole or not at all,
    whoever else writes it. PreferencesError if that cannot be, also where what is there cannot be used."""
    # where the file is a link into somebody's collection of settings, the link stays
    file = Path(os.path.realpath(preferences_file()))
    try:
        text = _text(file) if file.exists() else HEAD
    except Exception as error:
        raise _unwritten(file, error) from error
    with decoding(PreferencesError, f"nothing was written to {file}"):
        before = toml_table(text)
        _converted(before, file)
        for name, value in changes.items():
            text = _with(text, name, value)
    try:
        _replace(file, text.encode())
    except OSError as error:
        raise _unwritten(file, error) from error


def _unwritten(file: Path, error: Exception) -> PreferencesError:
    with decoding(PreferencesError, f"cannot write {file}"):
        raise error


def _text(file: Path) -> str:
    with open_file(file) as opened:
        return bounded_text(opened.read(LARGEST + 1), LARGEST)


def _converted(table: dict[str, Any], file: Path) -> Preferences:
    import msgspec

    from condense_core import typed

    try:
        found = typed.convert(table, Preferences)
    except msgspec.ValidationError as error:
        words = in_words(str(error), table)
        raise PreferencesError(f"{file}: {words}{_expected(words.partition(':')[0])}") from None
    if not SLOWEST <= found.speed <= FASTEST:
        limits = f"{SLOWEST:g} to {FASTEST:g} frames a second"
        raise PreferencesError(f"{file}: speed: expected {limits}, got {short(table['speed'])}")
    return found


def _expected(path: str) -> str:
    """What a field of few words may be, for one that is something else."""
    kind: Any = Preferences
    for part in path.split("."):
        kind = get_type_hints(kind).get(part) if isinstance(kind, type) else (*get_args(kind), None)[0]
    choices = [choice for choice in get_args(kind) if isinstance(choice, str)]
    return f"; expected one of {', '.join(choices)}" if choices else ""


def _unknown(table: Mapping[str, Any], kind: type[Any] = Preferences, lead: str = "") -> tuple[str, ...]:
    known = {of.name for of in fields(kind)}
    inside = [("axes.", PreferredAxes), ("notices.", PreferredNotices)] if kind is Preferences else []
    found = [short(lead + name).strip("'") for name in table if name not in known]
    return (*found, *(name for part, of in inside for name in _unknown(table.get(part[:-1], {}), of, part)))


def _with(text: str, name: str, value: PreferenceValue) -> str:
    """TOML text with one value set and nothing else changed; ValueError where it is written in a way that a line
    of its own cannot change."""
    import json

    part, _, key = name.rpartition(".")
    lines = text.splitlines(keepends=True)
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += newline
    begin, end = _section(lines, part)
    written = f"{key} = {json.dumps(value)}"
    own = re.compile(
        rf"""([ \t]*)["']?{key}["']?[ \t]*=[ \t]*(?:"[^"\\\n]*"|'[^'\n]*'|[\w.+-]+)([ \t]*(?:\#.*)?\r?\n)"""
    )
    for at in range(begin, end):
        if found := own.fullmatch(lines[at]):
            lines[at] = f"{found[1]}{written}{found[2]}"
            break
    else:
        # behind the last value of its table
        while end > begin and not re.match(r"[ \t]*[^#\s]", lines[end - 1]):
            end -= 1
        head = [] if not part or begin else ([newline] if lines else []) + [f"[{part}]{newline}"]
        if head:
            end = len(lines)
        elif not part and end == begin:
            # before the tables, and below the words at the top of the file
            end = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
        lines[end:end] = [*head, written + newline]
    new = "".join(lines)
    if not _is_with(new, text, part, key, value):
        raise ValueError(f"{name} = {json.dumps(value)} cannot be put beside what is there; write it there yourself")
    return new


def _section(lines: list[str], part: str) -> tuple[int, int]:
    """Where the lines of a table begin and end; both 0 for one that is not there."""
    heads = [at for at, line in enumerate(lines) if re.match(r"[ \t]*\[", line)]
    if not part:
        return 0, heads[0] if heads else len(lines)
    for number, at in enumerate(heads):
        if re.match(rf"[ \t]*\[[ \t]*{part}[ \t]*\]", lines[at]):
            return at + 1, heads[number + 1] if number + 1 < len(heads) else len(lines)
    return 0, 0


def _is_with(new: str, old: str, part: str, key: str, value: PreferenceValue) -> bool:
    wanted = toml_table(old)
    inside = wanted.setdefault(part, {}) if part else wanted
    inside[key] = value
    try:
        return toml_table(new) == wanted
    except ValueError:
        return False


def _replace(file: Path, data: bytes) -> None:
    import secrets

    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = file.with_name(f".{file.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as opened:
            if file.exists():
                os.fchmod(opened.fileno(), file.stat().st_mode & 0o777)
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(partial, file)  # noqa: PTH105 - replaces atomically
    finally:
        partial.unlink(missing_ok=True)
