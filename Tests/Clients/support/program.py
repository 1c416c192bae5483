"""Applications in other languages, in programs/: run to their end with a database's address, they print one JSON object."""

import json
import subprocess
from pathlib import Path

PROGRAMS = Path(__file__).resolve().parents[1] / "programs"


def run(interpreter, program, scenario, database, timeout=60):
    done = subprocess.run([*interpreter, PROGRAMS / program, scenario, database.url], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, f"{program} {scenario}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)
