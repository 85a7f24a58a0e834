"""Programs that end-to-end tests drive: ours, and those that a laptop may lack.

Where $CONDENSE_TESTS_REQUIRE names one of them, it must be there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

GROWING = Path(__file__).with_name("growing.py")


def need(program: str) -> None:
    """Skip the test where the program is missing, or fail where it is required."""
    if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") is not None:
        return
    if program in os.environ.get("CONDENSE_TESTS_REQUIRE", "").split(","):
        pytest.fail(f"{program} is required here and not installed")
    pytest.skip(f"{program} is not installed")


def command(*arguments: str, code: int | None = 0, text: str = "") -> subprocess.CompletedProcess[str]:
    """`condense-tui` here, with the exit code that is expected; None: any, which the test looks at."""
    answer = subprocess.run(
        [sys.executable, "-m", "condense_tui", *arguments],
        capture_output=True,
        text=True,
        input=text,
        check=False,
        timeout=240,
    )
    assert "Traceback" not in answer.stderr
    assert code is None or answer.returncode == code, answer.stdout + answer.stderr
    return answer
