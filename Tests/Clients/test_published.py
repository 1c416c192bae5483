"""That the client is the published one, and that no test is left out."""

import base64
import hashlib
import importlib
import importlib.metadata
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("client", ["django-heroku-connect", "django"])
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


def test_no_test_is_skipped_or_expected_to_fail():
    for file in sorted(FOLDER.glob("test_*.py")):
        for name, function in vars(importlib.import_module(file.stem)).items():
            marks = {mark.name for mark in getattr(function, "pytestmark", [])} if name.startswith("test_") else set()
            assert not marks & {"skip", "skipif", "xfail"}, f"{file.name}::{name}"
