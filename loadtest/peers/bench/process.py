"""Processes: where they run, whether they answer, and what the kernel says of their time and memory."""

import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import time


class Failed(Exception):
    """A measurement that did not go as it must; the bench leaves its cell out and goes on."""


def cores():
    """Cores by role, and all but the proxy on another one than it where there are several."""
    own = sorted(os.sched_getaffinity(0))
    pick = [own[i % len(own)] if len(own) >= 4 else own[min(i, 1, len(own) - 1)] for i in range(4)]
    return dict(zip(("proxy", "load", "origin", "good"), pick))


def pinned(core):
    return ["taskset", "-c", str(core)]


def pin(pid, core):
    """Moves a running process and its children to a core."""
    for member in family(pid):
        for task in os.listdir(f"/proc/{member}/task"):
            os.sched_setaffinity(int(task), {core})


@contextlib.contextmanager
def first(pids):
    """Lets processes run before all others of their core, where we may: the load must not hold up what it measures."""
    try:
        for pid in pids:
            os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pass
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(PermissionError, ProcessLookupError):
                os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))


def spawn(command, core, log):
    with open(log, "ab") as out:
        return subprocess.Popen(pinned(core) + command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        for pid in family(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()


def free(port):
    """Whether nobody listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_ready(process, port, transport, log, seconds=60):
    """Returns once the process answers on its port; its last words are in the message where it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if _answers(port, transport):
                return
        except OSError:
            pass
        time.sleep(0.05)
    with open(log, errors="replace") as f:
        said = " / ".join(f.read().strip().splitlines()[-3:])
    raise Failed(f"nothing answers on {port}: {said}")


def _answers(port, transport):
    ask = b"GET / HTTP/1.1\r\nHost: bench.test\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        if transport == "h2c":
            # The preface, and a SETTINGS frame without settings.
            ask = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
        if transport == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = context.wrap_socket(connection)
        connection.sendall(ask)
        return bool(connection.recv(1))


def family(pid):
    """A process and its children."""
    found = [pid]
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as f:
                if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                    found += family(int(entry))
        except OSError:
            pass
    return found


def cpu_seconds(pids):
    """Time on the CPU of all threads, to the nanosecond."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
    return total / 1e9


def pss_kib(pids):
    """Memory, what is shared between processes counted once."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1])
    return total
