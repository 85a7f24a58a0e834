"""The preferences file: what is chosen stays, what is somebody's own stays, and a broken one is never written to."""

from __future__ import annotations

import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest

from condense_core.preferences import (
    Preferences,
    PreferencesError,
    PreferencesWarning,
    find_preferences,
    preferences_file,
    write_preferences,
)
from condense_core.runs.place import runs_folder

OWN = """\
# mine
theme = 'light'   # at night, dark
new-thing = [1, 2]

[keys]
export = "x"

# of curves
[axes]
values = "log"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONDENSE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("CONDENSE_RUNS_DIR", raising=False)
    return tmp_path / "config" / "preferences.toml"


def put(file: Path, text: str | bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)


def test_without_a_file_there_are_defaults_and_what_is_chosen_makes_one(file: Path) -> None:
    assert find_preferences() == (Preferences(), "", ())
    assert preferences_file() == file
    assert not file.exists()
    write_preferences({"theme": "dark", "axes.values": "linear", "speed": 20.0})
    write_preferences({"axes.steps": "log", "palette": "reef", "theme": "light"})
    found = find_preferences().preferences
    assert (found.theme, found.palette, found.speed) == ("light", "reef", 20.0)
    assert (found.axes.values, found.axes.steps) == ("linear", "log")
    assert file.read_text().startswith("# ")
    assert list(file.parent.iterdir()) == [file]


def test_what_is_somebodys_own_stays_line_by_line(file: Path) -> None:
    put(file, OWN)
    write_preferences({"theme": "dark", "axes.values": "linear", "axes.steps": "log", "cut": "0.8"})
    assert file.read_text() == (
        OWN.replace("'light'", '"dark"')
        .replace("[1, 2]\n", '[1, 2]\ncut = "0.8"\n')
        .replace('values = "log"\n', 'values = "linear"\nsteps = "log"\n')
    )
    assert find_preferences().unknown == ("new-thing",)


@pytest.mark.parametrize(
    "text",
    [
        "[axes]\n",
        'axes.values = "log"\n',
        "axes = { values = 'log', steps = 'auto' }\n",
        "axes = {\n",
        'note = """\n[axes]\nvalues = "log"\n"""\n',
        'note = """\ntheme = "light"\n"""\n',
        "theme = '''light'''\n",
        "theme = 'light'\r\n[axes]\r\nvalues = 'log'\r\n",
        "theme='light'",
        '"theme" = "light"#x',
        "[[own]]\ntheme = 1\n[own.axes]\nvalues = 3\n",
        "",
    ],
)
def test_a_value_is_set_with_everything_else_as_it_was_or_nothing_is(file: Path, text: str) -> None:
    for name, value in (("theme", "dark"), ("axes.values", "linear"), ("axes.steps", "log")):
        put(file, text)
        try:
            write_preferences({name: value})
        except PreferencesError as error:
            assert str(file) in str(error)
            assert file.read_bytes() == text.encode()
            continue
        wanted = tomllib.loads(text)
        part, _, own = name.rpartition(".")
        (wanted.setdefault(part, {}) if part else wanted)[own] = value
        assert tomllib.loads(file.read_bytes().decode()) == wanted


BROKEN = {
    "theme = 'blue'": "theme: unknown 'blue'; expected one of auto, dark, light",
    "axes.steps = 'x'": "axes.steps: unknown 'x'; expected one of auto, log, linear",
    "theme = [": "Invalid value",
    "speed = 1e9": "speed: expected 1 to 200 frames a second, got 1000000000.0",
    "speed = nan": "speed: expected 1 to 200 frames a second, got nan",
    "axes = 3": "axes: expected a table, got 3",
    "runs_dir = 7": "runs_dir: expected text, got 7",
    "x = " + "[" * 40_000: "nested too deeply",
    "a." * 30_000 + "b = 1": "nested too deeply",
    "x = " + "9" * 50_000: "digits",
    "#" * 200_000: "larger than 100,000 bytes",
    "theme = 'd\x1b[2Jark'": "",
}


@pytest.mark.parametrize("text", [*BROKEN, b"\xff\xfe\x00"], ids=range(len(BROKEN) + 1))
def test_a_broken_file_is_one_line_and_defaults_and_is_not_written_to(file: Path, text: str | bytes) -> None:
    put(file, text)
    before = file.read_bytes()
    found = find_preferences()
    assert found.preferences == Preferences()
    assert found.trouble.startswith(f"{file}: ")
    assert BROKEN.get(text, "UTF-16") in found.trouble
    assert found.trouble.isprintable()
    assert len(found.trouble) < 400 + len(str(file))
    with pytest.raises(PreferencesError):
        write_preferences({"theme": "dark"})
    assert file.read_bytes() == before
    with pytest.warns(PreferencesWarning, match="the defaults apply"):
        assert runs_folder().name == "runs"


def test_a_file_that_may_not_be_written_is_one_line(file: Path) -> None:
    file.parent.write_text("no folder")
    with pytest.raises(PreferencesError, match="cannot write"):
        write_preferences({"theme": "dark"})


def test_where_the_file_is_a_link_the_link_stays(file: Path, tmp_path: Path) -> None:
    put(tmp_path / "dotfiles" / "p.toml", OWN)
    (tmp_path / "dotfiles" / "p.toml").chmod(0o600)
    file.parent.mkdir()
    file.symlink_to(tmp_path / "dotfiles" / "p.toml")
    write_preferences({"theme": "dark"})
    assert file.is_symlink()
    assert find_preferences().preferences.theme == "dark"
    assert file.stat().st_mode & 0o777 == 0o600


def test_several_that_write_at_once_leave_a_whole_file(file: Path) -> None:
    put(file, OWN)
    seen: list[str] = []
    done = threading.Event()

    def write(number: int) -> None:
        for at in range(20):
            write_preferences({"theme": ("dark", "light")[(number + at) % 2], "speed": float(1 + at)})

    def read() -> None:
        while not done.is_set():
            seen.append(find_preferences().trouble)

    reader, writers = threading.Thread(target=read), [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert set(seen) == {""}
    assert find_preferences().preferences.speed == 20.0
    assert "new-thing = [1, 2]" in file.read_text()
    assert list(file.parent.iterdir()) == [file]


def test_runs_are_where_the_preferences_say_unless_something_nearer_says_otherwise(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(file, 'runs_dir = "~/kept"')
    monkeypatch.setenv("HOME", str(tmp_path))
    assert runs_folder() == tmp_path / "kept"
    monkeypatch.setenv("CONDENSE_RUNS_DIR", "/nearer")
    assert runs_folder() == Path("/nearer")
    assert runs_folder(Path("/nearest")) == Path("/nearest")


def test_a_command_says_in_one_line_that_they_cannot_be_used_and_goes_on(file: Path, tmp_path: Path) -> None:
    put(file, "theme = 'blue'")
    command = "import sys; from condense_tui.main import main; sys.exit(main())"
    environment = {"CONDENSE_CONFIG_DIR": str(file.parent), "HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    answer = subprocess.run(
        [sys.executable, "-c", command, "runs", "list", "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert (answer.returncode, answer.stdout.strip()) == (0, "[]")
    line = f"condense-tui: {file}: theme: unknown 'blue'; expected one of auto, dark, light; the defaults apply, "
    assert answer.stderr == f"{line}and nothing is written there until it is corrected\n"
