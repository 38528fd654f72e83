"""Two backends: weir's own demo service, and one that is broken."""

import http.server
import pathlib
import re
import threading

from .process import Failed, Program, until

CONFIG = """
[listen]
http = ["127.0.0.1:0"]
drain_delay = "0s"
[admin]
address = "127.0.0.1:0"
[origin]
addresses = ["demo"]
"""


class Origin:
    """The good one is a process; the broken one a thread."""

    def __init__(self, weir: pathlib.Path, folder: pathlib.Path) -> None:
        config = folder / "origin.toml"
        config.write_text(CONFIG)
        self.program = Program([str(weir), "serve", "--config", str(config)], folder / "origin.log")
        self.good = until("the demo service listens", self.listens, 30)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Broken)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.broken = f"127.0.0.1:{self.server.server_port}"

    def listens(self) -> str | None:
        """Where the demo service is, once it is."""
        if not self.program.running:
            raise Failed(f"the origin ended: {self.program.said()}")
        found = re.search(r"demo service \(([\d.:]+)\)", self.program.said())
        return found and found[1]

    def close(self) -> None:
        """Ends both."""
        self.server.shutdown()
        self.server.server_close()
        self.program.end()


class Broken(http.server.BaseHTTPRequestHandler):
    """Answers all but / with 500: what a check before the release asks for is well."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # noqa: N802, the library's name
        self.send_response(200 if self.path == "/" else 500)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_words) -> None:
        """Quiet."""
