"""validate against servers of its own on loopback."""

import http.server
import threading
import unittest

from .script import load

validate = load("bin/validate")


class Validate(unittest.TestCase):
    """What a client would see."""

    def serve(self, *statuses: int) -> str:
        """A server that gives these answers in turn, the last one for ever."""
        left = list(statuses)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802, the library's name
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_words) -> None:
                """Quiet."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}/"

    def test_good_answers(self) -> None:
        self.assertEqual(validate.from_outside(self.serve(200), 3, 1.0, False), [])

    def test_one_bad_answer_is_enough(self) -> None:
        self.assertEqual(validate.from_outside(self.serve(200, 502, 200), 3, 1.0, False), ["1 of 3 requests failed: 502"])

    def test_slow_answers(self) -> None:
        self.assertIn("95 % of the answers took", validate.from_outside(self.serve(200), 3, 0.0, False)[0])

    def test_nobody_there(self) -> None:
        self.assertIn("3 of 3 requests failed: ConnectionRefusedError", validate.from_outside("http://127.0.0.1:1/", 3, 1.0, False)[0])


if __name__ == "__main__":
    unittest.main()
