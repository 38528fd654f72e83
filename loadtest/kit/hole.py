"""A black hole: what a server that hangs looks like."""

import socket
import threading


def black_hole():
    """A port that takes connections and says nothing."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    held = []

    def swallow():
        while True:
            held.append(listener.accept()[0])

    threading.Thread(target=swallow, daemon=True).start()
    return listener.getsockname()[1]
