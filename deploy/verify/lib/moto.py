"""moto on loopback, for as long as a step needs it."""
import contextlib
import socket
import subprocess
import sys
import time
import urllib.request

from . import terraform as tf


@contextlib.contextmanager
def server():
    """Yields moto's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-B", tf.VERIFY / "genuine/emulator.py", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(f"http://127.0.0.1:{port}/moto-api/", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def wait(url, process):
    for _ in range(150):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise tf.Failed("moto did not come up: make setup-deploy installs it")
