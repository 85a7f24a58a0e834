"""Whether the libraries that this program declares are there, in versions that it declares; where not, what mends it.

Looked at where something has failed that should not, since a library that is missing or too old fails in a hundred
ways. Nothing but Python's own is imported: msgspec may be what is missing.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DISTRIBUTION = "condense-tui"
# The extra that training needs; without it the program is a viewer.
ENGINE = "engine"
# `torch>=2.4; extra == "engine"`, `rich<16,>=14.2`, `ray[client]>=2.50`, as metadata of wheels and checkouts have it.
_REQUIREMENT = re.compile(
    r"""(?P<name>[\w.-]+)(?:\[[^\]]*\])?\s*(?P<range>[^;]*?)\s*(?:;\s*extra\s*==\s*['"](?P<extra>[^'"]+)['"]\s*)?"""
)
_BOUND = re.compile(r"\s*(>=|<)\s*(\d+(?:\.\d+)*)\s*")
# Modules that are not called as their package is.
_OTHER_NAMES = {"sklearn": "scikit-learn", "pynvml": "nvidia-ml-py"}


class Library(NamedTuple):
    """One that is not as it is declared: `wanted` is what pip is asked for, `found` its version, empty for none."""

    name: str
    wanted: str
    found: str

    @property
    def in_words(self) -> str:
        """`textual>=8.2.5,<9 (8.1.0 is installed)`."""
        return f"{self.wanted} ({f'{self.found} is installed' if self.found else 'not installed'})"


def wrong_libraries(extra: str = "") -> list[Library]:
    """Libraries of the program, or of one of its extras, that are missing or of a version that is not declared."""
    return [library for library in _declared(extra) if not _fits(library)]


def blame(error: BaseException) -> str:
    """The line for an error that was not expected, if a library that is declared is to blame for it; else empty.

    Of what training needs only what is there counts, and what the error says is missing.
    """
    wrong = wrong_libraries()
    wrong += [library for library in wrong_libraries(ENGINE) if library.found or _is_of(error, library)]
    options = []
    if not wrong:
        # its metadata are there, and it is not
        wrong = [library for library in (*_declared(""), *_declared(ENGINE)) if _is_of(error, library)]
        options = ["--force-reinstall"]
    if not wrong:
        return ""
    mends = install_command(*options, *(library.wanted for library in wrong))
    return f"needs {', '.join(library.in_words for library in wrong)}; to install: {mends}"


def _is_of(error: BaseException, library: Library) -> bool:
    """Whether the error says that there is no such library."""
    module = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return _OTHER_NAMES.get(module, module.replace("_", "-")) == library.name


def install_command(*what: str) -> str:
    """The shell command that installs packages for this Python, with the tool that its environment belongs to."""
    place = Path(sys.prefix)
    words = [sys.executable, "-m", "pip", "install"]
    if (place / "pipx_metadata.json").is_file():
        words = ["pipx", "runpip", place.name, "install"]
    elif importlib.util.find_spec("pip") is None:
        # uv makes environments without pip; `python -m venv --without-pip` is the only other way to such a one
        words = ["uv", "pip", "install", "--python", sys.executable]
    return shlex.join([*words, *what])


def _declared(extra: str) -> Iterator[Library]:
    """What the program's metadata ask for, each as it is found here; nothing where it is not installed."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for text in importlib.metadata.distribution(DISTRIBUTION).requires or ():
            match = _REQUIREMENT.fullmatch(text)
            if match is not None and (match["extra"] or "") == extra and match["name"] != DISTRIBUTION:
                yield Library(match["name"], text.partition(";")[0].strip(), _version(match["name"]))


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _fits(library: Library) -> bool:
    """One that is there without saying its version, as copies and links are, counts as one that was meant."""
    found = _numbers(library.found)
    if not found:
        return bool(library.found) or importlib.util.find_spec(_module_of(library.name)) is not None
    match = _REQUIREMENT.fullmatch(library.wanted)
    bounds = (_BOUND.fullmatch(part) for part in match["range"].split(",")) if match else ()
    return all(
        found >= _numbers(bound[2]) if bound[1] == ">=" else found < _numbers(bound[2])
        for bound in bounds
        if bound is not None
    )


def _module_of(name: str) -> str:
    return next((module for module, other in _OTHER_NAMES.items() if other == name), name.replace("-", "_"))


def _numbers(version: str) -> tuple[int, ...]:
    """`2.5.1+cu124` → (2, 5, 1), without zeros at the end."""
    release = re.match(r"\d+(?:\.\d+)*", version)
    parts = [int(part) for part in release[0].split(".")] if release else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)
