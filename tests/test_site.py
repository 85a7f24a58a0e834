"""The documents as a site, built without a warning; its references are of the code, and the tutorial's commands run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import typer.main
from support import need_module

import condense_core
from condense_core.measure_table import MEASURES
from condense_tui.cli import app

TOP = Path(__file__).parents[1]
# The app, which needs a terminal; the same without one stands below it.
IN_A_TERMINAL = ["condense-tui run digits-gd"]


class Links(HTMLParser):
    """Where a page's links lead, and what can be led to on it."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.links.append(value)
            elif name == "id" and value:
                self.anchors.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    for module in ("sphinx", "myst_parser", "furo"):
        need_module(module)
    made = tmp_path_factory.mktemp("site")
    words = re.search(r"^\t\$\(BIN\)/python -m sphinx (.+) build/site$", (TOP / "Makefile").read_text(), re.MULTILINE)
    assert words is not None
    command = [sys.executable, "-m", "sphinx", *words[1].split(), str(made)]
    answer = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=240, check=False)
    assert answer.returncode == 0, answer.stderr
    return made


@pytest.mark.thorough
def test_every_document_is_a_page_and_every_link_of_it_leads_somewhere(site):
    documents = [*(TOP / "docs").glob("*.md"), TOP / "README.md", TOP / "CONTRIBUTING.md", TOP / "CHANGELOG.md"]
    pages = {page: Links(page) for page in site.rglob("*.html")}
    assert {site / document.relative_to(TOP).with_suffix(".html") for document in documents} <= pages.keys()
    for page, found in pages.items():
        for link in found.links:
            where = urlsplit(link)
            if where.scheme or not (where.path or where.fragment):
                continue
            target = (page.parent / unquote(where.path)).resolve() if where.path else page
            assert target.exists(), f"{page.name}: {link}"
            if where.fragment and target in pages:
                assert unquote(where.fragment) in pages[target].anchors | {""}, f"{page.name}: {link}"


@pytest.mark.thorough
def test_nothing_is_fetched_from_elsewhere_to_show_a_page(site):
    for page in site.rglob("*.html"):
        fetched = re.findall(r"<(?:script|img|link)\b[^>]*(?:src|href)=\"(?:https?:)?//[^>]*>", page.read_text())
        assert fetched == [], page.name


@pytest.mark.thorough
def test_the_references_name_every_command_measure_and_name_for_python(site):
    command = typer.main.get_command(app)
    commands = {name for name, each in command.commands.items() if not each.hidden}
    assert {f"condense-tui-{name}" for name in commands} <= Links(site / "docs/COMMANDS.html").anchors
    measures = (site / "docs/MEASURES.html").read_text(encoding="utf-8")
    assert [name for name in MEASURES if f">{name}<" not in measures] == []
    assert {"watchedrun", *(name.lower() for name in condense_core.__all__)} <= Links(site / "docs/API.html").anchors
    scenario = (site / "docs/SCENARIO.html").read_text(encoding="utf-8")
    assert "The share of training time that measuring may take" in scenario


@pytest.mark.thorough
@pytest.mark.usefixtures("forked")
def test_every_command_of_the_tutorial_runs_as_it_stands(tmp_path):
    text = (TOP / "docs/TUTORIAL.md").read_text(encoding="utf-8")
    scenario = re.search(r"Save this as `(.+?)`:\n\n```toml\n(.+?)```", text, re.DOTALL)
    assert scenario is not None
    (tmp_path / scenario[1]).write_text(scenario[2], encoding="utf-8")
    commands = re.findall(r"^\$ (condense-tui .+)$", text, re.MULTILINE)
    assert len(commands) > 10
    said = {}
    for command in commands:
        if command in IN_A_TERMINAL:
            continue
        answer = subprocess.run(
            [sys.executable, "-m", "condense_tui", *shlex.split(command)[1:]],
            cwd=tmp_path,
            env={**os.environ, "CONDENSE_RUNS_DIR": str(tmp_path / "runs")},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert answer.returncode == 0, f"{command}\n{answer.stderr}"
        said[command] = answer.stdout
    # what is said of the activation's lines
    tables = [
        re.search(r"^dense1 +\S+ +(\d+)", text, re.MULTILINE)
        for command, text in said.items()
        if " run mine" in command
    ]
    assert [found and found[1] for found in tables] == ["2", "1"]
    assert all((tmp_path / f"mine.{kind}").stat().st_size > 1000 for kind in ("csv", "html"))
