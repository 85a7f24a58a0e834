"""Campaigns: thousands of seeded attempts at what could break the program, each compared with what cannot be fooled."""

import sys
from pathlib import Path

_TESTS = Path(__file__).parents[1]
# helpers of other folders' tests, which pytest finds by itself
for _place in (".", "core/runfile", "core/remote", "core/scenario", "e2e", "tui"):
    if str(_TESTS / _place) not in sys.path:
        sys.path.append(str(_TESTS / _place))
