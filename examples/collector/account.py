#!/usr/bin/env python3
"""Tells whether nothing is lost and nothing is there twice.

    account.py wait LAST    waits until the collector has written as many lines
    account.py LAST         the messages 1 to LAST, and no others, are in the files user.log* once
                            each, and were analysed once each
"""

import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATIENCE = 60.0  # seconds


def wait(last):
    """Waits for the collector to write what is left: as many lines as there are messages."""
    end = time.monotonic() + PATIENCE
    while sum(file.read_bytes().count(b"\n") for file in HERE.glob("user.log*")) < last:
        if time.monotonic() > end:
            sys.exit("account.py: the collector does not write all that was published")
        time.sleep(0.05)


def age(file):
    """Its number, the log itself having none: the higher, the older."""
    return int(file.name.rpartition(".")[2]) if file.name != "user.log" else 0


def numbers(files):
    """How often each number is in the files, the oldest first: a line may go on in the next file."""
    found = Counter()
    for line in b"".join(file.read_bytes() for file in files).splitlines():
        number, _, rest = line.partition(b" ")
        if rest != b"somebody read an article":
            sys.exit(f"account.py: there is the line {line!r}")
        found[int(number)] += 1
    return found


def main():
    """Compares what was published with what is there."""
    last = int(sys.argv[1])
    files = sorted(HERE.glob("user.log*"), key=age, reverse=True)
    in_files, analysed = numbers(files), numbers([HERE / "analysed"])
    wanted = Counter(range(1, last + 1))
    if in_files != wanted or analysed != wanted:
        for name, found in (("in files", in_files), ("analysed", analysed)):
            lost, extra = wanted - found, found - wanted
            print(f"{name}: lost {sorted(lost)[:5]}, too many {sorted(extra)[:5]}")
        sys.exit("account.py: something is lost, or there twice")
    versions = len(files) - 1
    print(
        f"{last} published = {in_files.total()} lines in {versions} rotated files and"
        f" the log = {analysed.total()} analysed, each once"
    )


if __name__ == "__main__":
    wait(int(sys.argv[2])) if sys.argv[1] == "wait" else main()
