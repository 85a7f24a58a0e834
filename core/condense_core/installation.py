"""How this program was installed here, and so which command adds to it: every hint that names one is made here.

The project is on no package index, so its bare name installs nothing. What works is what was installed before: the
checkout, the wheel's file or the repository that pip noted in direct_url.json (PEP 610). Where nothing was noted, or
it is not there any more, the packages that an extra consists of are named instead.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import msgspec

from condense_core import typed
from condense_core.libraries import DISTRIBUTION, install_command

# Of a package that an extra adds, as wheels' metadata have it: `torch>=2.4; extra == "engine"`, or
# `numba>=0.61; (python_version < "3.15") and extra == "engine"`.
_OF_AN_EXTRA = re.compile(
    r"""(?P<package>[^;]+?)\s*;\s*(?:(?P<where>.+?)\s+and\s+)?extra\s*==\s*['"](?P<extra>[^'"]+)['"]\s*"""
)


class _Folder(msgspec.Struct):
    editable: bool = False


class _Vcs(msgspec.Struct):
    vcs: str
    commit_id: str


class Origin(msgspec.Struct):
    """What direct_url.json says of where an installation is from."""

    url: Annotated[str, msgspec.Meta(max_length=4_000)]
    dir_info: _Folder | None = None
    vcs_info: _Vcs | None = None


def how_to_add(extra: str) -> str:
    """The shell command that adds an extra of this program (`engine`, `png`, …) to where it is installed."""
    try:
        installed = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        checkout = _checkout()
        return install_command("-e", f"{checkout}[{extra}]") if checkout else f"install {DISTRIBUTION} with {extra}"
    return install_command(*_source(origin_of(installed), extra) or packages_of(installed, extra))


def how_to_install() -> str:
    """The shell command that installs the program from where it runs."""
    checkout = _checkout()
    return install_command("-e", str(checkout)) if checkout else f"install {DISTRIBUTION}"


def origin_of(installed: importlib.metadata.Distribution) -> Origin | None:
    """Where a distribution is from; None if nothing was noted, or nothing that makes sense."""
    try:
        return typed.from_json(installed.read_text("direct_url.json") or "", Origin)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError):
        return None


def packages_of(installed: importlib.metadata.Distribution, extra: str) -> list[str]:
    """The packages that an extra adds, with their versions as the distribution asks for them."""
    found = (_OF_AN_EXTRA.fullmatch(each) for each in installed.requires or ())
    return [
        f"{match['package']}; {match['where']}" if match["where"] else match["package"]
        for match in found
        if match is not None and match["extra"] == extra
    ]


def _source(origin: Origin | None, extra: str) -> Sequence[str]:
    """What pip is given to install from the same source; empty if that is not known, or not there any more."""
    if origin is None:
        return ()
    if origin.vcs_info is not None:
        return (f"{DISTRIBUTION}[{extra}] @ {origin.vcs_info.vcs}+{origin.url}@{origin.vcs_info.commit_id}",)
    address = urlsplit(origin.url)
    if address.scheme != "file":
        return (f"{DISTRIBUTION}[{extra}] @ {origin.url}",)
    place = Path(unquote(address.path))
    if not place.exists():
        return ()
    editable = origin.dir_info is not None and origin.dir_info.editable
    return (*(("-e",) if editable else ()), f"{place}[{extra}]")


def _checkout() -> Path | None:
    """The folder of the repository that this file lies in; None if it was installed from somewhere."""
    top = Path(__file__).parents[2]
    return top if (top / "pyproject.toml").is_file() else None
