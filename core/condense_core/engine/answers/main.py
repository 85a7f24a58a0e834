"""The other side of `jobs.ask`: what every `python -m` entry of the engine does around its own work."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import msgspec

from condense_core import typed
from condense_core.errors import CondenseError
from condense_core.jobs.messages import Ask, Refusal

AskT = TypeVar("AskT", bound=Ask)


def answer(question: type[AskT], work: Callable[[AskT], msgspec.Struct]) -> int:
    """Read the question from standard input and write the answer, or the refusal, to standard output."""
    asked = typed.from_json(sys.stdin.buffer.read(), question)
    try:
        found: msgspec.Struct = work(asked)
        code = 0
    except CondenseError as error:
        code = error.exit_code or 1
        found = Refusal(error=str(error), exit_code=code)
    sys.stdout.buffer.write(msgspec.json.encode(found))
    return code
