"""What a scenario runs against: weir before the demo service, the demo service alone, or a service that is broken."""

import http.client
import json
import re
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

START_SECONDS = 30
STOP_SECONDS = 10
# Beyond the tables, which a config fixes: buffers of connections, and an allocator's reserves.
SPARE_MIB = 64


class Unavailable(Exception):
    """weir did not start, or is gone."""


def fetch(address, path, timeout=10):
    """Status and body of a path on "HOST:PORT"."""
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


class Weir:
    """weir on free loopback ports, with the demo service; stopped when the block ends."""

    def __init__(self, binary, config):
        self.command = [str(binary), "serve", "--config", str(config)]

    def __enter__(self):
        self.log = tempfile.NamedTemporaryFile("w+", prefix="weir-load-", suffix=".log")
        try:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log)
        except OSError as error:
            raise Unavailable(f"{self.command[0]}: {error.strerror}; build it with: make build") from error
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _said(self):
        with open(self.log.name) as log:
            return log.read()

    def _wait(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            said = self._said()
            heard = re.search(r"listens +http://(\S+)", said)
            demo = re.search(r"demo service \(([\d.:]+)\)", said)
            admin = re.search(r"live page +http://(\S+?)/\n", said)
            # The origin stands above the live page; it need not be the demo service.
            if heard and admin:
                self.http, self.demo, self.admin = heard[1], demo and demo[1], admin[1]
                try:
                    if fetch(self.admin, "/readyz")[0] == 200:
                        return
                except OSError:
                    pass
            time.sleep(0.05)
        raise Unavailable(f"weir was not ready within {START_SECONDS} s; it said:\n{self._said()}")

    def metrics(self):
        """The sum of each metric's values, by its name."""
        found = {}
        for line in fetch(self.admin, "/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, value = re.split(r"[{ ]", line, maxsplit=1)[0], float(line.rsplit(" ", 1)[1])
                found[name] = found.get(name, 0) + value
        return found

    def overrun(self):
        """How many requests the demo service could not bear."""
        return json.loads(fetch(self.demo, "/stats")[1])["totals"]["rejected"]

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


class Watch:
    """Looks at weir every half second while a scenario runs; its peaks are what `peak` says."""

    def __init__(self, weir):
        self.weir, self.peak, self.lost = weir, {}, 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.first = self.weir.metrics()
        self.thread.start()
        return self

    def _run(self):
        while not self.stop.wait(0.5):
            self.look()

    def look(self):
        try:
            for name, value in self.weir.metrics().items():
                self.peak[name] = max(value, self.peak.get(name, value))
        except (OSError, ValueError, http.client.HTTPException):
            self.lost += 1

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.look()


def judge_weir(alive, overrun, first, peak):
    """Rows on weir and the service behind it, from the metrics before a run and their peaks."""
    tables = first.get("weir_table_bytes", 0)  # no limits, no tables
    grown = (peak.get("process_resident_memory_bytes", float("inf")) - first["process_resident_memory_bytes"]) / 2**20
    most = tables / 2**20 + SPARE_MIB
    return [
        row("weir still runs", "yes" if alive else "no", "yes", alive),
        row("requests that the service could not bear", overrun, "0", overrun == 0),
        row("weir's memory grew, MiB", f"{grown:.0f}", f"<={most:.0f}", grown <= most),
    ]


def row(says, value, wanted, ok):
    """One line of a verdict."""
    return {"says": says, "value": str(value), "wanted": str(wanted), "ok": bool(ok)}


class Broken:
    """A service that no threshold may take for good. Of each kind of client and path the first request gets a bare 429,
    the second a closed connection, and all others wait in vain, good clients longer than a short run lasts."""

    GOOD_HANG, BAD_HANG = 30, 4

    class Server(ThreadingHTTPServer):
        request_queue_size = 1024

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            # A botnet's networks are numbered from 0, other attackers' from 200.
            bad = re.match(r"198\.18\.(2\d\d\.)?", self.headers.get("X-Forwarded-For", ""))
            kind = (bad and bad[0], self.path)
            with self.server.lock:
                turn = self.server.turns[kind] = self.server.turns.get(kind, 0) + 1
            self.close_connection = True
            if turn > 2:
                time.sleep(Broken.BAD_HANG if bad else Broken.GOOD_HANG)
            if turn != 1:
                return
            self.send_response(429)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_HEAD = answer

        def log_message(self, *_):
            pass

        def handle(self):
            try:
                super().handle()
            except OSError:
                pass

    def __enter__(self):
        self.server = self.Server(("127.0.0.1", 0), self.Handler)
        self.server.lock, self.server.turns = threading.Lock(), {}
        self.http = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
