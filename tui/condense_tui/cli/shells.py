"""What a shell asks while a line is typed, in Typer's protocol: `_CONDENSE_TUI_COMPLETE` and the words in variables."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import MutableMapping

from condense_tui.app.launch import SHELL_ASKS

# Where bash ends a word of its own, unless it was told otherwise.
_BREAKS = "=:"
# What ends a word or means something else in bash, which puts what is offered into the line as it is.
_QUOTED = re.compile(r"([\s'\"\\$`&;|()])")


def answer() -> int:
    """Print what fits. Nothing else is printed: it would stand in the middle of the line that is typed."""
    # Typer has Rich take markup out of every line of help, which takes as long as all the rest; it does without
    sys.modules["rich"] = None  # type: ignore[assignment]
    bash = os.environ[SHELL_ASKS] == "complete_bash"
    broken = _join(os.environ) if bash else ""
    # in a word that was begun with a quotation mark all is taken as it stands
    quoted = os.environ.get("COMP_WORDS", "").rpartition("\n")[2].startswith(("'", '"'))
    from condense_tui.cli import app
    from condense_tui.cli.outline import outline

    down = _take_minus(os.environ)
    printed = io.StringIO()
    code = 0
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        try:
            outline(app)([], prog_name="condense-tui", standalone_mode=False)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
    text = printed.getvalue()
    if down:
        # zsh is given its words in quotes, the others one a line
        before = r'^(?:.*\(\()?"' if "zsh" in os.environ[SHELL_ASKS] else r"^(?=.)"
        text = re.sub(before, r"\g<0>-", text, flags=re.MULTILINE)
    lines = [line.removeprefix(broken) for line in text.splitlines()]
    if bash and not quoted:
        lines = [_QUOTED.sub(r"\\\1", line) for line in lines]
    sys.stdout.write("".join(f"{line}\n" for line in lines if line))
    return code


def _join(environment: MutableMapping[str, str]) -> str:
    """Bash makes three words of KEY=VALUE and replaces the last one: put them together in the environment, and give
    back what stands before it."""
    words = environment.get("COMP_WORDS", "").split("\n")
    at = int(environment.get("COMP_CWORD", "0"))
    if at >= len(words):
        return ""
    # what is behind the cursor has no say
    words = words[: at + 1]
    joined: list[str] = []
    # of an option's name and its value with a sign between them, Typer makes two words itself
    for number, word in enumerate(words):
        before = words[number - 1] if number else ""
        ended = bool(word) and not word.strip(_BREAKS)
        goes_on = bool(before) and not before.strip(_BREAKS)
        if joined and (ended or goes_on) and number > 1:
            joined[-1] += word
        else:
            joined.append(word)
    # words that are empty, Typer cannot see
    environment["COMP_WORDS"] = "\n".join(joined)
    environment["COMP_CWORD"] = str(len(joined) - 1)
    whole = joined[-1]
    last = words[-1]
    return whole if last and not last.strip(_BREAKS) else whole.removesuffix(last) if last else whole


def _take_minus(environment: MutableMapping[str, str]) -> bool:
    """Whether `-` begins the field that is typed behind `--sort`, and take it away: Typer would complete options."""
    for name in ("COMP_WORDS", "_TYPER_COMPLETE_ARGS"):
        line = environment.get(name, "")
        without = re.sub(r"([\s]--sort[\s=])-(\S*)$", r"\1\2", line)
        if without != line:
            environment[name] = without
            return True
    return False


def typed_words() -> list[str]:
    """The words of the line behind the program's name."""
    return (os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")).split()[1:]
