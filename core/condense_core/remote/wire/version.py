"""The version of the program that speaks."""

from __future__ import annotations

import importlib.metadata


def program_version() -> str:
    """As installed; `unknown` where it runs from a folder that was never installed."""
    try:
        return importlib.metadata.version("condense-tui")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
