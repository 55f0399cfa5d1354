#!/usr/bin/env python3
"""Takes a finished log once and counts it: `analyzer.py FILE`, called by postrotate with its "$2".

What it has taken is appended to `analysed`, a line for each line. A file is known by its inode and its
first line, since its name moves on with every rotation. Of a log that is cut in use (copytruncate) a
file may end within a line: that piece is kept in `rest` and goes in front of the next file.
"""

import fcntl
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TAKEN, ANALYSED, REST = HERE / "taken", HERE / "analysed", HERE / "rest"
PATIENCE = 30.0  # seconds


def wait_until_nobody_writes(file):
    """A collector that got a signal needs a moment to let the file go.

    A read lease is granted exactly while nobody has the file open for writing.
    """
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                sys.exit(f"analyzer.py: {file.name} is still written")
            time.sleep(0.005)


def main():
    """Takes the file if it was not taken before."""
    with open(sys.argv[1], "rb") as file:
        wait_until_nobody_writes(file)
        text = file.read()
        inode = os.fstat(file.fileno()).st_ino
    if not text:
        return
    name = f"{inode} {text.splitlines()[0].decode()}"
    if TAKEN.exists() and name in TAKEN.read_text().splitlines():
        return
    whole, newline, rest = text.rpartition(b"\n")
    with ANALYSED.open("ab") as analysed:
        analysed.write((REST.read_bytes() if REST.exists() else b"") + whole + newline)
    REST.write_bytes(rest)
    with TAKEN.open("a") as taken:
        taken.write(f"{name}\n")


if __name__ == "__main__":
    main()
