"""Runs the lessons of docs/training.md: a weir of its own on free ports, each command, and what it must print.

A … alone on a line stands for any lines, inside a line for any text. A command that only looks is asked again until its output
fits or the time is over, as a reload takes a moment."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from books import DOCS, ROOT, text  # noqa: E402
from test_books import binary  # noqa: E402

DEADLINE = 15
LOOKS = ("weir status", "weir why", "weir check", "weir ban list", "weir report")


def steps():
    """(command, expected lines) of the marked blocks, in order."""
    for block in re.findall(r"<!-- laptop -->\n```console\n(.*?)```", text(DOCS / "training.md"), re.S):
        command, expected = None, []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, expected
                command, expected = line[2:], []
            else:
                expected.append(line)
        yield command, expected


def fits(expected, output):
    """Whether the output is what a reader was promised."""
    parts = [r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.strip().split("…"))).join((r"[ ]*", r"[ ]*\n")) for line in expected]
    return re.fullmatch("".join(parts), output if output.endswith("\n") else output + "\n") is not None


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@unittest.skipUnless(binary() and shutil.which("curl"), "needs a built weir (WEIR=FILE names one) and curl")
class Lessons(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.http, self.admin = free_port(), free_port()
        config = (ROOT / "config/weir.toml").read_text(encoding="utf-8")
        config = config.replace('"0.0.0.0:8080"', f'"127.0.0.1:{self.http}"').replace('"127.0.0.1:9901"', f'"127.0.0.1:{self.admin}"')
        (self.folder / "my.toml").write_text(config.replace('access = "stdout"', 'access = "access.log"'), encoding="utf-8")
        (self.folder / "weir").symlink_to(binary().resolve())
        self.environment = {"PATH": f"{self.folder}:{os.environ['PATH']}", "WEIR_ADMIN": f"http://127.0.0.1:{self.admin}", "HOME": str(self.folder)}
        # Its own words go to a file: a pipe that nobody reads would hold it.
        words = (self.folder / "words.log").open("w")
        self.addCleanup(words.close)
        serving = subprocess.Popen(["weir", "serve", "--config", "my.toml"], cwd=self.folder, env=self.environment, stdout=words, stderr=words,
                                   executable=str(self.folder / "weir"))
        self.addCleanup(serving.wait)
        self.addCleanup(serving.kill)
        end = time.monotonic() + DEADLINE
        while not self.ready():
            self.assertIsNone(serving.poll(), (self.folder / "words.log").read_text())
            self.assertLess(time.monotonic(), end, "weir was not ready in time")
            time.sleep(0.05)

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def run_one(self, command):
        command = command.replace("127.0.0.1:8080", f"127.0.0.1:{self.http}")
        return subprocess.run(["bash", "-c", command], cwd=self.folder, env=self.environment, text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout

    def test_what_the_lessons_say_is_what_one_sees(self):
        ran = 0
        for command, expected in steps():
            end = time.monotonic() + DEADLINE
            output = self.run_one(command)
            while not fits(expected, output) and command.startswith(LOOKS) and time.monotonic() < end:
                time.sleep(0.1)
                output = self.run_one(command)
            if expected:
                self.assertTrue(fits(expected, output), f"$ {command}\nprinted:\n{output}\nexpected:\n" + "\n".join(expected))
            ran += 1
        self.assertGreater(ran, 15)


class Fits(unittest.TestCase):
    def test_it_can_fail(self):
        self.assertTrue(fits(["a … c", "…", "d"], "a b c\nx\ny\nd\n"))
        self.assertTrue(fits(["…", "d"], "d\n"))
        self.assertFalse(fits(["a … c"], "a b d\n"))
        self.assertFalse(fits(["a"], "a\nb\n"))
        self.assertFalse(fits(["a", "…", "d"], "a\nb\n"))


if __name__ == "__main__":
    unittest.main()
