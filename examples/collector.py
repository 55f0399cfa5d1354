#!/usr/bin/env python3
"""Fills user.log with numbered lines for ever.

It opens the log once. Only a HUP makes it open the log again; TERM ends it. The number of the next
line is kept in the file `next`, so that a collector that is started again goes on counting.
"""

import os
import signal
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOG, NEXT, PID_FILE = HERE / "user.log", HERE / "next", HERE / "newsup.pid"
PAUSE = 0.002  # seconds between two lines


def open_log():
    """The log, opened for appending."""
    return os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def main():
    """Writes until TERM comes. Signals are taken between two lines, so that no line is cut."""
    signals = {signal.SIGHUP, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    number = int(NEXT.read_text()) if NEXT.exists() else 1
    log = open_log()
    # Written under another name first: whoever reads it finds a whole number.
    scratch = HERE / f"newsup.pid.{os.getpid()}"
    scratch.write_text(f"{os.getpid()}\n")
    scratch.rename(PID_FILE)
    while True:
        os.write(log, f"{number} somebody read an article\n".encode())
        number += 1
        caught = signal.sigtimedwait(signals, PAUSE)
        if caught is None:
            continue
        if caught.si_signo == signal.SIGTERM:
            break
        os.close(log)
        log = open_log()
    NEXT.write_text(f"{number}\n")
    PID_FILE.unlink()


if __name__ == "__main__":
    main()
