"""A run file that is open, and what was read of it first: whoever reads more of it in the same moment begins there."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from condense_core.runfile.info import RunInfo
from condense_core.runfile.scalars import Scalars


class OpenFile(NamedTuple):
    """The connection belongs to whoever opened it."""

    connection: sqlite3.Connection
    info: RunInfo
    scalars: Scalars
