"""Redirects: a browser follows those that stay at the target, with its cookies; nobody follows one that leaves."""

import collections
import json
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from kit import catalog, tools
from tests.test_runs import run

PROBE = "/probe?"
# Where a Location leads from http://target.example:8080; None: nowhere that is followed.
LEADS = {
    "/": "/", "/page?x=1&y=/z": "/page?x=1&y=/z", "/.well-known/weir/s?/": "/.well-known/weir/s?/",
    "http://target.example:8080/page": "/page", "http://target.example:8080": None,
    "http://target.example:80801/": None, "http://target.example:8080@192.0.2.1/": None,
    "http://target.example:8080//192.0.2.1/": None, "https://target.example:8080/": None, "http://192.0.2.1/": None,
    "//192.0.2.1/": None, "/\\192.0.2.1/": None, "\\\\192.0.2.1/": None, "page": None, "": None, "/a b": None,
}


class Served:
    """Serves with a handler on a free loopback port until the block ends; it counts what it was asked."""

    def __init__(self, handler):
        self.handler = handler

    def __enter__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self.server.lock, self.server.seen, self.server.cookies = threading.Lock(), collections.Counter(), set()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        client = self.headers["X-Forwarded-For"]
        agent = "browser" if self.headers["User-Agent"].startswith("Mozilla") else "program"
        status, headers = self.answer(client, agent)
        with self.server.lock:
            self.server.seen[agent, self.path.split("?")[0], status] += 1
        body = b"{}" if status == 200 else b""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Probing(Handler):
    """Asks each browser once for a cookie of its own by a detour, as weir's soft probe; a program's answer is a 307."""

    def answer(self, client, agent):
        cookie = self.headers["Cookie"]
        if cookie is not None and cookie != f"weir={client.replace(':', '-')}":
            return 500, {}
        with self.server.lock:
            first = client not in self.server.cookies
            self.server.cookies.add(client)
        if self.path.startswith(PROBE):
            return (307, {"Location": self.path[len(PROBE):]}) if cookie else (403, {})
        if first:
            return 307, {"Location": PROBE + self.path, "Set-Cookie": f"weir={client.replace(':', '-')}; Path=/; HttpOnly"}
        return 200 if cookie or agent == "program" else 500, {}


class Circling(Handler):
    """Sends everybody round in circles."""

    def answer(self, *_):
        return 307, {"Location": self.path}


class Elsewhere(Handler):
    """Sends everybody to another server."""

    def answer(self, *_):
        return 302, {"Location": f"http://127.0.0.1:{self.server.other}{self.path}"}


class Redirects(unittest.TestCase):
    def play(self, name, server, **env):
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with tempfile.TemporaryDirectory() as folder:
            code, rows, said, out = run(name, folder, env={"URL": url, "DURATION": "2", **env})
            result = Path(out, f"{name}.json")
            values = {r["says"]: r["value"] for r in json.loads(result.read_text())["rows"]} if result.exists() else {}
        return code, rows, said, values

    def test_a_browser_takes_the_detour_and_sees_one_page(self):
        with Served(Probing) as server:
            code, rows, said, values = self.play("flash-crowd", server)
        self.assertEqual(code, 0, said)
        seen = server.seen
        people = len(server.cookies)
        self.assertGreater(people, 10)
        self.assertEqual(seen["browser", "/", 307], people)
        self.assertEqual(seen["browser", "/probe", 307], people)
        self.assertEqual(seen["browser", "/", 200], people)
        # What the person asked for is counted, and not the requests that it took.
        self.assertEqual(int(values["good clients: requests sent"]), seen["browser", "/", 200] + seen["browser", "/profile", 200])

    def test_who_comes_back_has_its_cookie(self):
        with Served(Probing) as server:
            _, _, said, _ = self.play("steady", server, PEOPLE="3", CALLERS="1", THINK="0.2")
        self.assertEqual(server.seen["browser", "/", 307], 3, said)
        self.assertGreater(server.seen["browser", "/", 200], 3, said)
        self.assertEqual([k for k in server.seen if k[2] in (403, 500)], [], said)

    def test_a_program_and_an_attacker_follow_nothing(self):
        with Served(Probing) as server:
            code, rows, said, _ = self.play("single-source-flood", server, CALLERS="2", PEOPLE="2")
        self.assertEqual(code, 1, said)
        self.assertFalse(rows["good clients: answers are right"], said)
        self.assertEqual(server.seen["program", "/probe", 403] + server.seen["program", "/probe", 307], 0, said)

    def test_a_circle_ends_and_fails(self):
        with Served(Circling) as server:
            code, rows, said, values = self.play("flash-crowd", server)
        self.assertEqual((code, rows["good clients: answers are right"]), (1, False), said)
        # The first request and five more.
        self.assertLessEqual(server.seen.total(), 6 * (int(values["good clients: requests sent"]) + 20), said)

    def test_elsewhere_nobody_goes(self):
        with Served(Elsewhere) as server, Served(Circling) as other:
            server.other = other.server_address[1]
            for name in ("smoke", "oha-pass", "slow-range"):
                code, _, said, _ = self.play(name, server, DURATION="1")
                self.assertEqual(code, 1, said)
        self.assertEqual(other.seen, {})

    def test_where_a_location_leads(self):
        script = """
            import { pathHere } from '%s/k6/lib/target.js';
            const leads = (all) => Object.fromEntries(all.map((l) => [l, pathHere(l, 'http://target.example:8080')]));
            export const options = { vus: 1, iterations: 1 };
            export default function () {}
            export const handleSummary = () => ({ stdout: JSON.stringify([leads(%s), pathHere(undefined)]) });
            """ % (catalog.HERE, json.dumps(list(LEADS)))
        with tempfile.NamedTemporaryFile("w", suffix=".js") as file:
            file.write(script)
            file.flush()
            code, out, errors = tools.run(["k6", "run", "--quiet", "--no-usage-report", file.name], seconds=60)
        self.assertEqual(code, 0, errors)
        self.assertEqual(json.loads(out), [LEADS, None])


if __name__ == "__main__":
    unittest.main()
