#!/usr/bin/env python3
"""Starts and stops the collector that lies beside this file: `controller.py start|stop`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PID_FILE = HERE / "collector.pid"
PATIENCE = 30.0  # seconds


def running():
    """The process id of the collector, or None."""
    try:
        pid = int(PID_FILE.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if str(HERE / "collector.py").encode() in command else None


def start():
    """Starts the collector as a daemon and waits until it has opened its log."""
    if running():
        return
    PID_FILE.unlink(missing_ok=True)
    subprocess.Popen(
        [sys.executable, str(HERE / "collector.py")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    wait_until(lambda: running() is not None, "start")


def stop():
    """Stops the collector and waits for its end."""
    pid = running()
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: running() is None, "stop")


def wait_until(done, verb):
    """Waits, but not for ever."""
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            sys.exit(f"controller.py: the collector does not {verb}")
        time.sleep(0.01)


if __name__ == "__main__":
    if sys.argv[1:] not in (["start"], ["stop"]):
        sys.exit("usage: controller.py start|stop")
    {"start": start, "stop": stop}[sys.argv[1]]()
