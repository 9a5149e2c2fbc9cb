"""The build under test, and how patient its kind needs us to be."""

import contextlib
import os
import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PULSEBOARD_BUILD", "build/release"))
BUILD = BUILD if BUILD.is_absolute() else TOP / BUILD


def sanitized():
    """Whether the programs under test are instrumented (and so several times slower)."""
    with contextlib.suppress(OSError):
        return re.search(
            r"^PULSEBOARD_SANITIZE:\w+=.+$", (BUILD / "CMakeCache.txt").read_text(), re.M
        )
    return None


SLOWER = 4 if sanitized() else 1
