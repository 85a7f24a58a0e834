"""Training and all that computes with PyTorch; only processes of their own import it."""

import os
from pathlib import Path

try:
    Path.cwd()
except FileNotFoundError:
    # whoever started this process stands in a folder that was removed, where a library of PyTorch's ends at its import
    os.chdir("/")
