#!/usr/bin/env python3
"""The service behind weir in test.sh: answers at once, but /slow only when it is told to.

Usage: origin.py FOLDER. It writes FOLDER/port once it listens and FOLDER/arrived once /slow was asked for; that answer
goes out when FOLDER/release is there.
"""

import http.server
import pathlib
import sys
import time

PATIENCE = 30.0


class Origin(http.server.BaseHTTPRequestHandler):
    """Answers every GET with the path that was asked for."""

    protocol_version = "HTTP/1.1"
    folder = pathlib.Path()

    def do_GET(self) -> None:
        """Holds /slow until the test has seen what it wants to see."""
        if self.path == "/slow":
            (self.folder / "arrived").touch()
            end = time.monotonic() + PATIENCE
            while not (self.folder / "release").exists() and time.monotonic() < end:
                time.sleep(0.01)
        body = f"origin saw {self.path}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing: the test speaks."""


def main() -> None:
    """Listens on a free port of loopback until it is ended."""
    Origin.folder = pathlib.Path(sys.argv[1])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    # Written beside it and moved: who sees the file sees all of it.
    part = Origin.folder / "port.part"
    part.write_text(str(server.server_port))
    part.rename(Origin.folder / "port")
    server.serve_forever()


if __name__ == "__main__":
    main()
