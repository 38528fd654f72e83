"""A good client beside an attack: asks, measures, asks again."""

import http.client
import ssl
import threading
import time

from .service import row

PAUSE = 0.25
PATIENCE = 5
LEAST = 10


class Probe:
    """Asks for a light page from an address of its own for as long as the block lasts, every time anew as well as over
    one connection: who gets in while attackers hold connections is half of the question."""

    def __init__(self, target, path="/profile"):
        self.target, self.path = target, path
        self.took, self.failed = [], []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _connection(self):
        if self.target.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self.target.host, self.target.port, timeout=PATIENCE, context=context)
        return http.client.HTTPConnection(self.target.host, self.target.port, timeout=PATIENCE)

    def _ask(self, connection):
        headers = {"X-Forwarded-For": "198.19.0.1", "User-Agent": "probe/1.0"}
        began = time.monotonic()
        try:
            connection.request("GET", self.path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            fault = None if answer.status == 200 else str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            fault = type(error).__name__
        self.took.append((time.monotonic() - began) * 1000)
        if fault:
            self.failed.append(fault)

    def _run(self):
        kept = self._connection()
        while not self.stop.is_set():
            self._ask(kept)
            fresh = self._connection()
            self._ask(fresh)
            fresh.close()
            # Below the limit of one client.
            self.stop.wait(PAUSE)
        kept.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        # Where an attack ended at once, the probe must still have seen something.
        deadline = time.monotonic() + PATIENCE
        while len(self.took) < LEAST and time.monotonic() < deadline:
            time.sleep(0.05)
        self.stop.set()
        self.thread.join(3 * PATIENCE)

    def judge(self, p99):
        """Rows on what the good client met."""
        took = sorted(self.took)
        seen = took[int(len(took) * 0.99)] if took else float("inf")
        what = f"{len(self.failed)} ({', '.join(sorted(set(self.failed)))})" if self.failed else "0"
        return [
            row("good client: requests sent", len(took), f">={LEAST}", len(took) >= LEAST),
            row("good client: failed", what, "0", not self.failed),
            row("good client: 99th percentile, ms", f"{seen:.1f}", f"<{p99:.0f}", seen < p99),
        ]
