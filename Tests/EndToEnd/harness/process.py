"""Programs under test: started in a process group of their own, never outliving the tests, their output kept in a file."""

import ctypes
import os
import signal
import subprocess
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_tests():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """One program that runs beside the test. `log` gathers what it says over all its starts."""

    started = []  # every program of the running test session, for the report of a failed test

    def __init__(self, name, arguments, log, environment=None, folder=None):
        self.name = name
        self.arguments = [str(argument) for argument in arguments]
        self.log = Path(log)
        self.environment = environment
        self.folder = folder
        self.process = None
        Program.started.append(self)

    def start(self):
        """Starts it; a program that runs already is an error of the test."""
        assert not self.running, f"{self.name} runs already"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
                env=self.environment, start_new_session=True, preexec_fn=_die_with_tests)
        return self

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def output(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def signal(self, number):
        """Sends a signal to the program alone."""
        self.process.send_signal(number)

    def pause(self):
        """SIGSTOP: the program stands still and keeps its connections."""
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """SIGKILL to the program and all it started: no farewell."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(10)

    def stop(self, timeout=15):
        """SIGTERM, and the exit code; a program that needs longer than `timeout` seconds is killed and fails the test."""
        if not self.running:
            return self.process.returncode if self.process else None
        self.process.terminate()
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop within {timeout} s of SIGTERM")

    def wait(self, timeout):
        """The exit code, once it ends by itself."""
        return self.process.wait(timeout)

    def forget(self):
        """Ends it for good, whatever state it is in."""
        self.kill()
        if self in Program.started:
            Program.started.remove(self)


def tail(text, lines=60):
    return "\n".join(text.splitlines()[-lines:])
