"""`python -m condense_tui`: the same as the command `condense-tui`."""

import sys

from condense_tui.main import main

if __name__ == "__main__":
    sys.exit(main())
