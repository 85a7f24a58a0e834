"""Compiled functions of SciPy's without the packages around them, each of which takes a tenth of a second to load."""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

import scipy


def compiled_function(name: str, module: str, *packages: str) -> Callable[..., Any] | None:
    """`name` of `module`, in the first of these folders of SciPy's that has the module; no part of what SciPy promises:
    None where this SciPy has it elsewhere, and its public function does the same."""
    folders = [str(Path(folder) / package) for package in packages for folder in scipy.__path__]
    spec = PathFinder.find_spec(module, folders)
    if spec is None or spec.loader is None:
        return None
    try:
        found = module_from_spec(spec)
        spec.loader.exec_module(found)
    except ImportError:
        return None
    return getattr(found, name, None)
