"""A library that is declared and missing or too old is named, with the version that is wanted and what mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from condense_core.engine import __main__ as worker
from condense_core.libraries import ENGINE, blame, wrong_libraries
from condense_core.runfile.info import read_run
from condense_core.runs.create import missing_packages
from condense_tui.main import main

PIP = [sys.executable, "-m", "pip", "install"]
REQUIRES = [
    "msgspec<1,>=0.18.5",
    "textual<9,>=8.2.5",
    'torch>=2.4; extra == "engine"',
    'scikit-learn>=1.5; extra == "engine"',
    "ray[client]<3,>=2.50; extra == 'ray'",
    'condense-tui[engine]; extra == "test"',
]
FINE = {"msgspec": "0.22.0", "textual": "8.2.8", "torch": "2.14.1+cu124", "scikit-learn": "1.5", "ray": "1.0"}
find_spec = importlib.util.find_spec
MISSING_TEXTUAL = ModuleNotFoundError("No module named 'textual.app'", name="textual.app")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has these versions of libraries be there, and no others."""

    def install(**changed: str) -> None:
        versions = FINE | {name.replace("_", "-"): version for name, version in changed.items()}

        def version(name: str) -> str:
            if not versions.get(name):
                raise importlib.metadata.PackageNotFoundError(name)
            return versions[name]

        class Program:
            requires = REQUIRES

            @staticmethod
            def read_text(name: str) -> None:
                return None

        def spec(module: str) -> object:
            name = {"sklearn": "scikit-learn"}.get(module, module)
            return None if versions.get(name) == "" else find_spec(module)

        monkeypatch.setattr(importlib.util, "find_spec", spec)
        monkeypatch.setattr(importlib.metadata, "distribution", lambda _: Program())
        monkeypatch.setattr(importlib.metadata, "version", version)

    return install


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("8.2.5", True),
        ("8.2.10", True),
        ("8.3", True),
        ("8.2.5.post1", True),
        ("8.2.5rc1", True),
        ("8.2.4", False),
        ("8", False),
        ("9.0.0", False),
        ("", False),
        ("unknown", True),
    ],
)
def test_versions_are_held_against_what_is_declared(installed, version, fits):
    installed(textual=version)
    assert [library.name for library in wrong_libraries()] == ([] if fits else ["textual"])


def test_what_is_there_without_saying_its_version_is_no_fault(installed, monkeypatch):
    installed()

    def nothing_known(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", nothing_known)
    assert wrong_libraries() == []


def test_extras_are_looked_at_by_name(installed):
    installed(torch="2.3.1", scikit_learn="")
    assert wrong_libraries() == []
    assert [library.in_words for library in wrong_libraries(ENGINE)] == [
        "torch>=2.4 (2.3.1 is installed)",
        "scikit-learn>=1.5 (not installed)",
    ]


@pytest.mark.parametrize(
    ("there", "error", "words", "command"),
    [
        ({"textual": "8.1.0"}, AttributeError("x"), "textual<9,>=8.2.5 (8.1.0 is installed)", ["textual<9,>=8.2.5"]),
        ({"textual": ""}, MISSING_TEXTUAL, "textual<9,>=8.2.5 (not installed)", ["textual<9,>=8.2.5"]),
        ({}, MISSING_TEXTUAL, "textual<9,>=8.2.5 (8.2.8", ["--force-reinstall", "textual<9,>=8.2.5"]),
        ({"torch": "2.1"}, TypeError("x"), "torch>=2.4 (2.1 is installed)", ["torch>=2.4"]),
        (
            {"scikit_learn": ""},
            ModuleNotFoundError("", name="sklearn.cluster"),
            "scikit-learn>=1.5 (not",
            ["scikit-learn>=1.5"],
        ),
        (
            {"msgspec": "", "textual": "7"},
            TypeError("x"),
            "msgspec<1,>=0.18.5 (not installed), textual<9,>=8.2.5 (7",
            None,
        ),
    ],
)
def test_what_is_to_blame_is_said_with_what_mends_it(installed, there, error, words, command):
    installed(**there)
    line = blame(error)
    assert line.startswith(f"needs {words}")
    assert command is None or shlex.split(line.partition("to install: ")[2]) == [*PIP, *command]


@pytest.mark.parametrize(
    ("there", "error"),
    [
        ({}, AttributeError("ours")),
        ({}, ModuleNotFoundError("", name="somebody_elses")),
        # of what training needs a viewer needs nothing
        ({"torch": "", "scikit_learn": ""}, AttributeError("ours")),
    ],
)
def test_mistakes_of_our_own_are_nobody_elses(installed, there, error):
    installed(**there)
    assert blame(error) == ""


def test_a_command_says_it_in_one_line(installed, monkeypatch, capsys):
    installed(textual="8.1.0")
    monkeypatch.setattr("condense_tui.main._dispatch", lambda _: getattr(sys, "forgotten"))  # noqa: B009
    monkeypatch.setattr(sys, "argv", ["condense-tui", "replay", "digits-gd"])
    assert main() == 2
    said = capsys.readouterr().err
    assert said.startswith("condense-tui: needs textual<9,>=8.2.5 (8.1.0 is installed); to install: ")
    assert said.count("\n") == 1


def test_a_worker_says_it_as_the_runs_reason(installed, monkeypatch, make_run):
    installed(torch="2.3.1")
    folder: Path = make_run()
    # as an import of what is not there, or does not fit, ends
    monkeypatch.setitem(sys.modules, "condense_core.engine.training.worker", None)
    assert worker._train(worker._Run(folder)) == 1
    assert read_run(folder).status == "failed"
    assert read_run(folder).reason.startswith("training needs torch>=2.4 (2.3.1 is installed); to install: ")


def test_training_is_refused_before_it_starts_where_a_library_is_too_old(installed):
    installed(torch="2.3.1")
    assert "torch>=2.4 (2.3.1 is installed)" in missing_packages()
    installed()
    assert missing_packages() == []
