"""Runs a piece of Python on a terminal of its own (a pseudo-terminal), types into it, and reads what it shows."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

DEADLINE_S = 60


class OnTerminal:
    """A Python process whose stdin, stdout and stderr are one terminal."""

    def __init__(self, code: str, **environ: str) -> None:
        self._master, slave = pty.openpty()
        self.text = ""
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=_environment(environ),
        )
        os.close(slave)

    def see(self, text: str) -> None:
        """Read until `text` is shown."""
        end = time.monotonic() + DEADLINE_S
        while text not in self.text:
            assert time.monotonic() < end, self.text
            assert self._read(), self.text

    def type(self, text: str) -> None:
        """Type."""
        os.write(self._master, text.encode())

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self._process.send_signal(number)

    def interrupt(self) -> None:
        """Press Ctrl-C until the process shows that it noticed or ends.

        A signal between Python's last look and the read that waits for the keyboard is noticed with the next one.
        """
        end = time.monotonic() + DEADLINE_S
        while self._process.poll() is None:
            assert time.monotonic() < end, self.text
            self._process.send_signal(signal.SIGINT)
            if select.select([self._master], [], [], 2)[0]:
                return

    def end(self) -> int:
        """Read the rest; the exit code."""
        while self._read():
            pass
        code = self._process.wait(DEADLINE_S)
        os.close(self._master)
        return code

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], DEADLINE_S)
        assert ready, self.text
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux: the other side is closed
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR", "TERM")}
    return {**kept, "TERM": "xterm-256color", **environ}
