"""`python -m condense_core.importing`: make the run that is asked for on standard input (jobs/ask.py)."""

from __future__ import annotations

import sys

from condense_core.engine.answers.main import answer
from condense_core.importing.make_run import import_run
from condense_core.jobs.messages import AskImport

if __name__ == "__main__":
    sys.exit(answer(AskImport, import_run))
