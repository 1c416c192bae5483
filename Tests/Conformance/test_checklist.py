"""The checklist itself: that every clause has a test, that none is skipped, and that the clients are the published ones."""

import base64
import hashlib
import importlib
import importlib.metadata
from pathlib import Path

import pytest

from support.report import clauses

FOLDER = Path(__file__).parent
CLIENTS = ["simple-salesforce", "salesforce-bulk", "aiosfstream-ng", "aiocometd-ng", "zeep", "pyforce", "aiosalesforce"]


def marked():
    """Every test function of this folder with its marks."""
    for file in sorted(FOLDER.glob("test_*.py")):
        module = importlib.import_module(file.stem)
        for name, function in vars(module).items():
            if name.startswith("test_") and callable(function):
                marks = list(getattr(function, "pytestmark", []))
                for cases in [mark.args[1] for mark in marks if mark.name == "parametrize"]:
                    marks += [mark for case in cases if hasattr(case, "marks") for mark in case.marks]
                yield f"{file.name}::{name}", marks


def test_every_clause_has_a_test():
    tested = {mark.args for _, marks in marked() for mark in marks if mark.name == "row"}
    assert not [clause for clause in clauses() if clause not in tested]


def test_every_mark_names_a_clause():
    known = set(clauses())
    assert not [(name, mark.args) for name, marks in marked() for mark in marks if mark.name == "row" and mark.args not in known]


def test_no_test_is_skipped_or_expected_to_fail():
    assert not [name for name, marks in marked() for mark in marks if mark.name in ("skip", "skipif", "xfail")]


@pytest.mark.parametrize("client", CLIENTS)
def test_client_is_the_published_one(client):
    """The version that is asked for, each file as the package records it."""
    distribution = importlib.metadata.distribution(client)
    pinned = dict(line.split("==") for line in (FOLDER / "requirements.txt").read_text().splitlines() if "==" in line)
    assert distribution.version == pinned[client]
    recorded = [file for file in distribution.files if file.hash]
    assert recorded
    for file in recorded:
        digest = hashlib.new(file.hash.mode, file.locate().read_bytes()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value, f"{file} of {client} was changed"
