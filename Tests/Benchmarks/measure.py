"""What the kernel and the server say of a running relay."""

import os
from pathlib import Path


def memory_peak(pid):
    """The most resident memory since the process began, in MiB."""
    return int(_status(pid)["VmHWM"].split()[0]) / 1024


def reset_memory_peak(pid):
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def processor_seconds(pid):
    """User and system time of the process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connections(database):
    """Sessions of relays in this database now."""
    return database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'hc-relay%%'")


def _status(pid):
    return dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
