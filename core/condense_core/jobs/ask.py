"""Asking a separate process for work that needs PyTorch: one question on its standard input, one answer back.

A viewer never loads PyTorch, so a command that computes with it starts `python -m` of an engine module for it.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TypeVar

import msgspec

from condense_core import typed
from condense_core.errors import CondenseError
from condense_core.jobs.messages import Ask, Refusal

Answer = TypeVar("Answer", bound=msgspec.Struct)

# The last words of a process that died without an answer: its error's own line is among them.
LAST_WORDS = 300


class ChildError(CondenseError):
    """The error of the process that was asked, with its exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def ask(module: str, question: Ask, answer: type[Answer]) -> Answer:
    """The answer of `python -m module` to the question; its own error where it refuses, with its exit code."""
    child = subprocess.run(
        [sys.executable, "-P", "-m", module], input=msgspec.json.encode(question), capture_output=True, check=False
    )
    try:
        if child.returncode == 0:
            return typed.from_json(child.stdout, answer)
        refusal = typed.from_json(child.stdout, Refusal)
    except msgspec.DecodeError:
        words = child.stderr.decode("utf-8", "replace").strip()[-LAST_WORDS:].splitlines()
        reason = words[-1] if words else f"exit status {child.returncode}"
        raise ChildError(f"{module} ended without an answer: {reason}", 1) from None
    raise ChildError(refusal.error, refusal.exit_code)
