#!/usr/bin/env python3
"""Publishes numbered messages until TERM comes: `publisher.py`.

The broker confirms each one. Prints the number of the last.
"""

import signal
import time

import broker

PAUSE = 0.0005  # seconds between two messages


def main():
    """Publishes and counts."""
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    connection = broker.connect()
    channel = connection.channel()
    channel.confirm_delivery()
    number = 1
    while not ended:
        channel.basic_publish("", broker.QUEUE, f"{number} somebody read an article".encode())
        number += 1
        time.sleep(PAUSE)
    connection.close()
    print(number - 1)


if __name__ == "__main__":
    main()
