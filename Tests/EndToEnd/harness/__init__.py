"""The parts that end-to-end tests put together: programs, a cluster, databases, an org, a relay."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def programs():
    """The folder of hc-relay and sf-simulator: PROGRAMS, or what `make build` made."""
    return Path(os.environ.get("PROGRAMS") or ROOT / ".build" / os.environ.get("CONFIGURATION", "debug"))
