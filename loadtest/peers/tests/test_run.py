"""The whole bench, short: against nginx and the weir that WEIR names, where both and wrk are installed."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from bench import process
from bench.peers import PORTS

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def why_not():
    if not os.access(os.environ.get("WEIR", ""), os.X_OK):
        return "WEIR names no binary"
    missing = [tool for tool in ("nginx", "wrk", "openssl", "taskset") if not shutil.which(tool, path=PATH)]
    if missing:
        return f"{', '.join(missing)} not installed: scripts/setup.sh peers"
    taken = [str(port) for port in PORTS if not process.free(port)]
    if taken:
        return f"in use: port {', '.join(taken)}"
    return None


class Run(unittest.TestCase):
    def test_a_short_run_writes_its_report(self):
        reason = why_not()
        if reason:
            self.skipTest(reason)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report.md")
            command = [sys.executable, "-B", "-m", "bench", "--quick", "--rows", "refuse", "--proxies", "nginx,weir"]
            command += ["--instructions", "no", "--weir", os.path.abspath(os.environ["WEIR"]), "--report", path]
            done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("2 of 2", done.stderr)
            with open(path) as f:
                text = f.read()
            self.assertIn("| refused: CPU, of nginx's |", text)
            self.assertIn("| nginx | ", text)
            for beside in ("report.csv", "report/configs.md", "report/refuse.svg"):
                self.assertTrue(os.path.getsize(os.path.join(folder, beside)), beside)


if __name__ == "__main__":
    unittest.main()
