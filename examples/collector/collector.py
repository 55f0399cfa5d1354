#!/usr/bin/env python3
"""Takes messages from RabbitMQ and appends them to user.log, one a line.

It opens the log once and keeps it open for ever; only a HUP makes it open the log anew. TERM ends it
between two messages. A message is acknowledged after its line is written, and only then is it gone
from the queue: what this process did not get to, the next one gets.
"""

import os
import signal
from pathlib import Path

import broker

HERE = Path(__file__).resolve().parent
LOG, PID_FILE = HERE / "user.log", HERE / "collector.pid"


class Flags:
    """What signals ask for. A handler only notes it, so that no line is cut."""

    reopen = False
    end = False


def open_log():
    """The log, opened for appending: so lines stay whole, and logrotate-rs can cut it in use."""
    return os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def main():
    """Collects until TERM comes."""
    signal.signal(signal.SIGHUP, lambda *_: setattr(Flags, "reopen", True))
    signal.signal(signal.SIGTERM, lambda *_: setattr(Flags, "end", True))
    log = open_log()
    connection = broker.connect()
    channel = connection.channel()
    channel.basic_qos(prefetch_count=200)
    # Written under another name first: whoever reads it finds a whole number.
    scratch = HERE / f"collector.pid.{os.getpid()}"
    scratch.write_text(f"{os.getpid()}\n")
    scratch.rename(PID_FILE)
    # Every 50 ms without a message there is a turn with none.
    for method, _, body in channel.consume(broker.QUEUE, inactivity_timeout=0.05):
        if Flags.reopen:
            Flags.reopen = False
            os.close(log)
            log = open_log()
        if method is not None and not Flags.end:
            os.write(log, body + b"\n")
            channel.basic_ack(method.delivery_tag)
        if Flags.end:
            break
    # What was fetched and not written goes back into the queue.
    channel.cancel()
    connection.close()
    # Before the file that says that it runs: who finds that gone finds nobody writing the log.
    os.close(log)
    PID_FILE.unlink()


if __name__ == "__main__":
    main()
