"""Every hint names a command that works: from the same place, for the same Python, with the tool that it belongs to."""

from __future__ import annotations

import importlib.metadata
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from condense_core import installation
from condense_core.installation import how_to_add, how_to_install
from condense_core.libraries import install_command

PIP = [sys.executable, "-m", "pip", "install"]
REQUIRES = ["numpy>=1.26", 'torch>=2.4; extra == "engine"', "resvg-py<1,>=0.5; extra == 'png'"]


class Installed:
    """A distribution of which nothing is known but what it was installed from, and what it asks for."""

    requires = REQUIRES

    def __init__(self, origin: str | None) -> None:
        self._origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self._origin


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch):
    """Has the program be installed from what direct_url.json says, None for no such file; "nowhere" for not at all."""

    def install(origin: object) -> None:
        text = origin if origin is None or isinstance(origin, str) else json.dumps(origin)

        def find(name: str) -> Installed:
            if origin == "nowhere":
                raise importlib.metadata.PackageNotFoundError(name)
            return Installed(text)

        monkeypatch.setattr(importlib.metadata, "distribution", find)

    return install


def said(extra: str = "engine") -> list[str]:
    return shlex.split(how_to_add(extra))


def test_from_a_checkout(installed, tmp_path):
    place = tmp_path / "with space [and more]"
    place.mkdir()
    installed({"url": place.as_uri(), "dir_info": {"editable": True}})
    assert said() == [*PIP, "-e", f"{place}[engine]"]
    installed({"url": place.as_uri(), "dir_info": {}})
    assert said() == [*PIP, f"{place}[engine]"]


def test_from_a_wheel(installed, tmp_path):
    wheel = tmp_path / "condense_tui-0.1.0-py3-none-any.whl"
    wheel.touch()
    installed({"url": wheel.as_uri(), "archive_info": {"hash": "sha256=0"}})
    assert said("png") == [*PIP, f"{wheel}[png]"]


def test_from_a_repository_or_an_address(installed):
    vcs = {"vcs": "git", "commit_id": "abc", "requested_revision": "main"}
    installed({"url": "https://git.example.org/us/condense-tui", "vcs_info": vcs})
    assert said() == [*PIP, "condense-tui[engine] @ git+https://git.example.org/us/condense-tui@abc"]
    installed({"url": "https://example.org/condense_tui-0.1.0-py3-none-any.whl", "archive_info": {}})
    assert said() == [*PIP, "condense-tui[engine] @ https://example.org/condense_tui-0.1.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    "origin",
    [None, "", "{}", "[1]", '{"url": 3}', "\x00", '{"url": "file:///no/longer/there.whl", "archive_info": {}}'],
)
def test_where_the_source_is_not_known_or_gone_the_packages_are_named(installed, origin):
    installed(origin)
    assert said() == [*PIP, "torch>=2.4"]
    assert said("png") == [*PIP, "resvg-py<1,>=0.5"]


def test_a_package_for_some_pythons_only_is_named_with_its_condition(installed, monkeypatch):
    monkeypatch.setattr(Installed, "requires", ['numba>=0.61; (python_version < "3.15") and extra == "engine"'])
    installed(None)
    assert said() == [*PIP, 'numba>=0.61; (python_version < "3.15")']
    assert said("png") == PIP


def test_never_installed(installed, tmp_path, monkeypatch):
    installed("nowhere")
    checkout = Path(__file__).parents[2]
    monkeypatch.setattr(installation, "__file__", str(checkout / "core" / "condense_core" / "installation.py"))
    assert said() == [*PIP, "-e", f"{checkout}[engine]"]
    assert shlex.split(how_to_install()) == [*PIP, "-e", str(checkout)]
    monkeypatch.setattr(installation, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    assert "pip" not in how_to_add("engine") + how_to_install()


def test_the_tool_that_the_environment_belongs_to(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "condense-tui-old"))
    assert shlex.split(install_command("a b")) == [*PIP, "a b"]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert shlex.split(install_command("a")) == ["uv", "pip", "install", "--python", sys.executable, "a"]
    (tmp_path / "condense-tui-old").mkdir()
    (tmp_path / "condense-tui-old" / "pipx_metadata.json").touch()
    assert shlex.split(install_command("a")) == ["pipx", "runpip", "condense-tui-old", "install", "a"]


def test_every_extra_that_a_hint_names_is_one_of_ours():
    """The hints of the source, against what is declared: a renamed extra would be a hint that installs nothing."""
    top = Path(__file__).parents[2]
    found = subprocess.run(
        ["grep", "-rhoP", r"how_to_add\(['\"]\K[a-z]+", "core", "tui"],
        cwd=top,
        capture_output=True,
        text=True,
        check=True,
    )
    named = set(found.stdout.split())
    declared = importlib.metadata.metadata("condense-tui").get_all("Provides-Extra")
    assert {"engine", "png", "parquet", "ray", "tensorboard"} <= named <= set(declared or ())


def test_no_text_names_the_project_as_if_an_index_had_it():
    top = Path(__file__).parents[2]
    found = subprocess.run(
        [
            "grep",
            "-rnE",
            r"\binstall '?condense-tui",
            "core",
            "presets",
            "tui",
            "README.md",
            "docs",
            "--include=*.py",
            "--include=*.md",
        ],
        cwd=top,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""
