"""What the documents say of the code is so: files that they name, values of thresholds, exit codes, links."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
from documented import DOCUMENTS, TOP, commands_in

from condense_core import errors
from condense_core.errors import CondenseError
from condense_core.preferences import Preferences, find_preferences, preferences_file, write_preferences
from condense_core.runs.row import FIELDS
from condense_core.scenario.experiment import Experiment
from condense_tui.cli import app
from condense_tui.cli.runs import list_
from condense_tui.keys import actions_on, chosen_keys

# Packages lie in folders of their own, and are named without them.
ROOTS = ("", "core", "presets", "tui")
FOLDERS = (
    "core/",
    "presets/",
    "tui/",
    "tests/",
    "benchmarks/",
    "docs/",
    ".ci/",
    "condense_core/",
    "condense_presets/",
    "condense_tui/",
)


def anchors(document: Path) -> set[str]:
    """What links into a document can point to: its headings as a repository's page makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def headings(document: Path) -> set[str]:
    return set(re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE))


def table(document: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    text = (TOP / document).read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    rows = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert rows is not None, f"{document} has no table under {heading!r}"
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[0].splitlines()]
    return cells[2:]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_is_there(document):
    named = re.findall(r"`([\w./-]+)`", document.read_text(encoding="utf-8"))
    paths = [name for name in named if name.startswith(FOLDERS)]
    missing = [path for path in paths if not any((TOP / root / path).exists() for root in ROOTS)]
    assert missing == []


def test_every_room_of_the_house_is_named():
    text = (TOP / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
    for package in (TOP / "core/condense_core", TOP / "tui/condense_tui"):
        for item in package.iterdir():
            name = f"{package.name}/{item.name}{'/' if item.is_dir() else ''}"
            if not item.name.startswith("_") and (item.suffix == ".py" or (item / "__init__.py").is_file()):
                assert f"`{name}" in text, name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_inside_the_repository_leads_somewhere(document):
    links = re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
    for link in links:
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_thresholds_have_the_values_that_are_written_down():
    rows = table("docs/SCIENCE.md", "Thresholds")
    assert len(rows) > 10
    for value, where, _ in rows:
        module, _, name = where.strip("`").rpartition(".")
        found = getattr(importlib.import_module(module), name)
        assert found == ast.literal_eval(value), f"{where} is {found}"


def test_exit_codes_are_those_of_the_errors():
    rows = {
        name.strip("`"): int(code) for code, name, _ in table("docs/ARCHITECTURE.md", "Errors and exit codes") if name
    }
    ours = {
        name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, CondenseError)
    }
    assert {name: kind.exit_code for name, kind in ours.items()}.items() <= rows.items()
    tree = dict(re.findall(r"^ +(\w+Error) +(\d+)", errors.__doc__ or "", re.MULTILINE))
    assert tree == {name: str(kind.exit_code) for name, kind in ours.items()}


def test_comments_that_cite_a_document_cite_a_part_that_it_has():
    cited = []
    for file in [*TOP.glob("*/condense_*/**/*.py"), *TOP.glob("tests/**/*.py"), TOP / "pyproject.toml"]:
        text = re.sub(r"\s*\n\s*(?:# )?", " ", file.read_text(encoding="utf-8"))
        cited += [(file, *found) for found in re.findall(r"((?:docs/)?[A-Z]+\.md), \"([^\"]+)\"", text)]
    assert len(cited) >= 5
    for file, document, part in cited:
        assert part in headings(TOP / document), f"{file.relative_to(TOP)} cites {document}, {part!r}"


def test_the_example_of_the_preferences_is_whole_and_says_what_applies_without_it():
    text = (TOP / "docs/PREFERENCES.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.+?)```", text, re.DOTALL)[1]
    assert set(tomllib.loads(example)) == {field.name for field in dataclasses.fields(Preferences)}
    preferences_file().parent.mkdir()
    preferences_file().write_text(example)
    assert find_preferences() == (Preferences(), "", ())
    # what is said of the keys is so, too
    preferences_file().write_text(re.sub(r"^# (?=[\w-]+ = )", "", example, flags=re.MULTILINE))
    assert chosen_keys(find_preferences().preferences.keys)
    write_preferences({"theme": "light"})
    changed, *rest = preferences_file().read_text().splitlines()
    assert changed.split("#")[0].strip() == 'theme = "light"'
    assert "#" in changed, "with the words behind it"
    assert rest[:3] == example.splitlines()[1:4]


def test_every_action_that_can_have_another_key_is_named_where_it_is():
    named = {row[0]: set(re.findall(r"`([\w-]+)`", row[1])) for row in table("docs/PREFERENCES.md", "Keys")}
    everywhere = named["everywhere"]
    of = {"run": named["a run"] | named["a run, comparing"], "compare": named["comparing"] | named["a run, comparing"]}
    of |= {"home": named["home"]}
    for where, places in (("run", ["run"]), ("compare", ["compare"]), ("home", ["runs", "presets"])):
        there = {action.name for place in places for action in actions_on(place)}
        assert of[where] | everywhere == there | everywhere


def parse(command: Any, words: list[str], outer: Any = None) -> None:
    """Take a command line apart as the program does, without doing what it says."""
    context = command.make_context(command.name, words, parent=outer, resilient_parsing=not words)
    rest = [*getattr(context, "_protected_args", ()), *context.args]
    if hasattr(command, "resolve_command") and rest:
        _, inner, rest = command.resolve_command(context, rest)
        parse(inner, rest, context)


@pytest.mark.parametrize("document", [*DOCUMENTS, TOP / "examples/README.md"], ids=lambda path: path.name)
def test_every_command_in_a_document_has_the_options_that_it_is_given(document):
    program = typer.main.get_command(app)
    for words in commands_in(document):
        # it would write into the home of whoever runs the tests; a number is the shell's to fill in
        if words != ["--install-completion"]:
            parse(program, ["1" if word.startswith("$SLURM") else word for word in words])


def test_a_command_that_is_none_is_found():
    program = typer.main.get_command(app)
    assert len(commands_in(TOP / "README.md")) > 20
    for words in (["run", "digits-gd", "--hedless"], ["runz", "list"], ["runs", "lst"], ["run", "a", "--seed", "x"]):
        with pytest.raises(Exception, match=r"hedless|runz|lst|--seed|integer"):
            parse(program, words)


def test_every_field_of_a_query_is_described():
    text = (TOP / "docs/RUNS.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) - {"text"} == set(FIELDS)
    help_ = inspect.getdoc(list_) or ""
    assert all(re.search(rf"\b{name}\b", help_) for name in FIELDS)


def test_what_the_site_makes_of_the_code_is_printed_in_a_clone(monkeypatch, capsys):
    """As docs/SCENARIO.md says: every field, and one line for what is no page."""
    monkeypatch.syspath_prepend(TOP / "docs")
    main = importlib.import_module("from_code").main
    assert main(["SCENARIO"]) == 0
    named = set(re.findall(r"^\| `(\w+)` \|", capsys.readouterr().out, re.MULTILINE))
    assert set(Experiment.__struct_fields__) <= named
    assert main(["FIELDS"]) == 2
    assert capsys.readouterr() == ("", "docs/from_code.py: expected one of COMMANDS, SCENARIO, MEASURES, API\n")
