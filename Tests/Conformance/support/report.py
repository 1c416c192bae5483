"""The table of the run: one line per clause and client, and what its tests said."""

from .checklist import CHECKLIST


def clauses():
    """Every (row, clause, client) that the checklist asks for, in its order."""
    for number, (_, wanted) in CHECKLIST.items():
        for clause, clients in wanted.items():
            for client in clients:
                yield number, clause, client


def table(results):
    """`results` maps (row, clause, client) to the outcomes of its tests; returns the lines of the table."""
    lines = [("row", "endpoint", "client", "must hold", "tests", "result")]
    for number, clause, client in clauses():
        outcomes = results.get((number, clause, client), [])
        verdict = "passed" if outcomes and all(outcome == "passed" for outcome in outcomes) else "FAILED" if outcomes else "not run"
        lines.append((str(number), CHECKLIST[number][0], client, clause, str(len(outcomes)), verdict))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in lines]
