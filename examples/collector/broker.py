"""How to reach the broker: what collector.py, publisher.py and account.py share."""

import os

import pika

QUEUE = "articles"


def connect():
    """A connection, with the queue that everything goes through."""
    port = int(os.environ.get("NEWSUP_BROKER_PORT", "5672"))
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
    connection.channel().queue_declare(QUEUE)
    return connection
