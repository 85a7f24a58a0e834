"""Completion: what shells are answered while a line is typed, asked as bash, zsh and fish ask it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from recording import Recording

from condense_core.runs.about_run import AboutRun, write_about

PROTOCOL = "_CONDENSE_TUI_COMPLETE"
Ask = Callable[..., list[str]]


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    for file, text in {
        ".config/condense-tui/hosts.toml": '[cluster]\nssh = "me@login.example.org"\n',
        ".ssh/config": "Host gpu-box *.example.org\n  User me\nHost=lab # the old one\n",
    }.items():
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_text(text)
    program = tmp_path / "bin" / "condense-tui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m condense_tui "$@"\n')
    program.chmod(0o755)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("XDG_")},
        "HOME": str(home),
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "CONDENSE_RUNS_DIR": str(tmp_path),
        "CONDENSE_CONFIG_DIR": str(home / ".config/condense-tui"),
    }


@pytest.fixture
def ask(surroundings: dict[str, str], forked: None) -> Ask:
    """What is printed for words as bash has them, the last of which is typed."""

    def asked(*words: str) -> list[str]:
        line = {"COMP_WORDS": "\n".join(("condense-tui", *words)), "COMP_CWORD": str(len(words))}
        answer = subprocess.run(
            [sys.executable, "-m", "condense_tui"],
            env={**surroundings, PROTOCOL: "complete_bash", **line},
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.stderr == ""
        return answer.stdout.splitlines()

    return asked


def in_shell(shell: str, script: str, surroundings: dict[str, str]) -> list[str]:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    plain = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    answer = subprocess.run(
        [shell, *plain, "-c", script], env=surroundings, capture_output=True, text=True, check=False, timeout=60
    )
    assert answer.stderr == ""
    return answer.stdout.splitlines()


def test_presets_settings_and_formats(ask: Ask) -> None:
    assert ask("run", "digits-") == ["digits-ce", "digits-deep", "digits-gd"]
    assert ask("run", "digits-gd", "--set", "optimizer.lr") == [
        "optimizer.lr=",
        "optimizer.lr_lambda1=",
        "optimizer.lr_curvature=",
        "optimizer.lr_most=",
    ]
    # of one that is alone also the value that it has, or a shell would end the word before it
    assert ask("run", "digits-deep", "--set", "layers.1.wi") == ["layers.1.width=", "layers.1.width=32"]
    assert ask("sweep", "digits-gd", "--over", "ensemble.va") == ["ensemble.vary=", "ensemble.vary=init"]
    assert ask("export", "x", "--to", "p") == ["png", "pdf", "parquet"]
    assert ask("run", "./dig") == []


def test_values_stand_alone_where_bash_breaks_words(ask: Ask) -> None:
    assert ask("run", "digits-gd", "--set", "optimizer.name", "=") == ["gd", "adam", "adamw"]
    assert ask("run", "digits-gd", "--set", "optimizer.name", "=", "ad") == ["adam", "adamw"]
    assert "xtanh" in ask("run", "digits-gd", "--set", "layers.0.activation", "=")
    # a setting before is one word too
    assert ask("run", "digits-gd", "--set", "a.b", "=", "3", "--set", "dty") == ["dtype=", "dtype=float32"]
    assert ask("run", "--data", "npz", ":") == ["PATH"]


def test_queries_and_hosts(ask: Ask) -> None:
    assert ask("runs", "list", "stat")[:2] == ["status:", "status:starting"]
    assert ask("runs", "list", "status", ":", "d") == ["done", "diverged"]
    assert ask("runs", "rm", "lin") == ["lines<", "lines>"]
    assert ask("runs", "list", "--sort", "los") == ["loss"]
    assert ask("runs", "list", "--sort", "-los") == ask("runs", "list", "--sort", "=", "-los") == ["-loss"]
    assert ask("attach", "--host", "") == ["cluster", "gpu-box", "lab"]
    assert ask("attach", "--host", "me@g") == ["me@gpu-box"]


def test_runs_by_any_part_of_their_ids(ask: Ask, recorded: Recording) -> None:
    name = recorded.folder.name
    end = name.rpartition("-")[2]
    assert ask("attach", name[:4]) == [name]
    assert ask("reduce", end[:2])[0].endswith(end)
    assert len(ask("runs", "show", "")) == 1
    # no other machine is asked in the middle of a line
    assert ask("runs", "show", "--host", "cluster", "") == []


def test_runs_by_the_names_that_they_were_given(ask: Ask, recorded: Recording) -> None:
    write_about(recorded.folder, AboutRun(name="wide start"))
    # bash puts into the line what it is given, as it is
    assert ask("attach", "wi") == ask("export", "wide\\ s") == ["wide\\ start"]
    assert ask("attach", '"wide s') == ["wide start"]
    assert ask("attach", "start") == []
    assert len(ask("runs", "show", "")) == 2


def test_what_cannot_be_read_offers_nothing(ask: Ask, surroundings: dict[str, str]) -> None:
    Path(surroundings["HOME"], ".config/condense-tui/hosts.toml").write_text("[[[")
    assert ask("attach", "--host", "") == []
    assert ask("run", "no-such.toml", "--set", "op") == []


def test_in_bash(surroundings: dict[str, str]) -> None:
    script = f"""
        eval "$({PROTOCOL}=source_bash condense-tui)"
        complete -p condense-tui
        COMP_WORDS=(condense-tui run digits-gd --set optimizer.name = ada); COMP_CWORD=6
        _condense_tui_completion condense-tui
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert in_shell("bash", script, surroundings)[1:] == ["adam", "adamw"]


def test_in_zsh(surroundings: dict[str, str]) -> None:
    # without its line editor zsh has no compdef and no _arguments: these print what they are given
    script = f"""
        compdef() {{ print -r -- "$2 by $1" }}
        _arguments() {{ print -r -- "$@" }}
        eval "$({PROTOCOL}=source_zsh condense-tui)"
        words=(condense-tui run digits-gd --set optimizer.name=ad); CURRENT=5
        _condense_tui_completion
        words=(condense-tui runs list --sort -lo); CURRENT=5
        _condense_tui_completion
    """
    assert in_shell("zsh", script, surroundings) == [
        "condense-tui by _condense_tui_completion",
        '*: :(("optimizer.name=adam" "optimizer.name=adamw"))',
        '*: :(("-loss" "-low"))',
    ]


def test_in_fish(surroundings: dict[str, str], recorded: Recording) -> None:
    script = f"""
        {PROTOCOL}=source_fish condense-tui | source
        complete -C 'condense-tui export {recorded.folder.name[:3]}'
        complete -C 'condense-tui run digits-gd --set optimizer.name=ad'
        complete -C 'condense-tui runs list --sort -lo'
    """
    lines = in_shell("fish", script, surroundings)
    assert lines[0].startswith(f"{recorded.folder.name}\t")
    assert lines[1:] == ["optimizer.name=adam", "optimizer.name=adamw", "-loss", "-low"]


def test_a_shell_waits_for_neither_numpy_nor_rich_nor_textual(surroundings: dict[str, str]) -> None:
    program = """
import sys
from condense_tui.main import main
main()
print({"numpy", "torch", "textual", "rich.text"} & set(sys.modules), file=sys.stderr)
"""
    line = {PROTOCOL: "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    for words in ("attach ", "run digits-gd --set o", "runs list st", "attach --host "):
        answer = subprocess.run(
            [sys.executable, "-c", program],
            env={**surroundings, **line, "_TYPER_COMPLETE_ARGS": f"condense-tui {words}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.stderr == "set()\n", words


def test_what_the_readme_says_takes_away_all_that_completion_installs(tmp_path, monkeypatch):
    from typer._completion_shared import install_bash, install_fish, install_zsh

    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".bashrc").write_text("alias ll='ls -l'\n")
    for shell, install in {"bash": install_bash, "zsh": install_zsh, "fish": install_fish}.items():
        install(prog_name="condense-tui", complete_var=PROTOCOL, shell=shell)
    assert ".bash_completions/condense-tui.sh" in (tmp_path / ".bashrc").read_text()
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    (commands,) = (block.removeprefix("sh\n") for block in readme.split("```")[1::2] if ".bash_completions" in block)
    subprocess.run(["sh", "-ec", commands], check=True, env={**os.environ, "HOME": str(tmp_path)})
    assert not [file for file in tmp_path.rglob("*condense-tui*") if file.is_file()]
    left = [file.read_text() for file in (tmp_path / ".bashrc", tmp_path / ".zshrc")]
    assert "condense-tui" not in "".join(left)
    assert left[0].startswith("alias ll='ls -l'\n")
