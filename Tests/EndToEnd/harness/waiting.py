"""Waiting for what another process does, with a limit and a reason."""

import time


def wait_until(predicate, timeout, what):
    """Calls `predicate` until it returns something true, and returns that.

    `timeout` is in seconds; past it the test fails, naming `what` was awaited and what was last seen. An exception of the
    predicate counts as "not yet", since servers come and go in these tests; the last one is part of the failure. But an
    AssertionError ends the waiting at once.
    """
    deadline = time.monotonic() + timeout
    pause = 0.02
    while True:
        try:
            seen = predicate()
            if seen:
                return seen
        except AssertionError:
            raise
        except Exception as error:
            seen = error
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what}; last seen: {seen!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
