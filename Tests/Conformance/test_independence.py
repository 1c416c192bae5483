"""The simulator is a witness only as long as it shares no code with the client that it is to judge."""

import json
import re
import subprocess

import pytest

from harness import ROOT

CLIENT = {"SalesforceAPI", "HTTPTransport"}
SIMULATOR = {"SalesforceSimulator"}
LONGEST_LIKENESS = 6   # lines; shorter bodies are alike by chance


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    """The targets of the package by name; read in a place of its own, so that it waits for no build."""
    command = ["swift", "package", "--scratch-path", tmp_path_factory.mktemp("package"), "dump-package"]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {target["name"]: target for target in json.loads(text)["targets"]}


def dependencies(targets, name):
    """Every target of the package that `name` is built from, and itself."""
    found, open_ = set(), [name]
    while open_:
        name = open_.pop()
        if name in targets and name not in found:
            found.add(name)
            for dependency in targets[name]["dependencies"]:
                (_, values), = dependency.items()
                open_.append(values[0])
    return found


def folder(target):
    return ROOT / (target.get("path") or f"Sources/{target['name']}")


def sources(names):
    return [file for name in sorted(names) for file in sorted((ROOT / "Sources" / name).rglob("*.swift"))]


def bodies(file):
    """The functions of a Swift file as (place, lines of the body), blank lines, comments and indentation aside."""
    lines = [line.strip() for line in file.read_text().splitlines()]
    indents = [len(line) - len(line.lstrip()) for line in file.read_text().splitlines()]
    for number, line in enumerate(lines):
        if re.search(r"\b(func|init)\b.*[({]", line) and not line.startswith("//"):
            body = []
            for following in range(number + 1, len(lines)):
                if lines[following] and indents[following] <= indents[number] and lines[following].startswith("}"):
                    break
                if lines[following] and not lines[following].startswith("//"):
                    body.append(lines[following])
            yield f"{file.relative_to(ROOT)}:{number + 1}", body


def test_neither_side_is_built_from_the_other(targets):
    assert CLIENT | SIMULATOR <= set(targets)
    simulator = set().union(*(dependencies(targets, name) for name in SIMULATOR))
    client = set().union(*(dependencies(targets, name) for name in CLIENT))
    assert not simulator & client, "a target that both are built from can be wrong for both"


def test_no_file_belongs_to_both(targets):
    for name in CLIENT | SIMULATOR:
        assert folder(targets[name]) == ROOT / "Sources" / name
        assert targets[name].get("sources") is None, "whole folders, so that none can list a file of the other's"
    real = [{file.resolve() for file in sources(side)} for side in (CLIENT, SIMULATOR)]
    assert all(real) and not real[0] & real[1]


def test_neither_side_imports_the_other():
    for side, other in ((CLIENT, SIMULATOR), (SIMULATOR, CLIENT)):
        for file in sources(side):
            imported = set(re.findall(r"^\s*(?:@\w+ |public |internal |private |fileprivate |package )*import (?:\w+ )?(\w+)",
                                      file.read_text(), re.MULTILINE))
            assert not imported & other, file


def test_no_function_is_a_copy():
    found = {}
    for file in sources(CLIENT):
        for place, body in bodies(file):
            if len(body) > LONGEST_LIKENESS:
                found.setdefault(tuple(body), place)
    assert len(found) > 50, "the client has functions of this length; else this test looks at nothing"
    looked_at, copies = 0, []
    for file in sources(SIMULATOR):
        for place, body in bodies(file):
            if len(body) > LONGEST_LIKENESS:
                looked_at += 1
                if tuple(body) in found:
                    copies.append((place, found[tuple(body)]))
    assert looked_at > 50 and not copies
