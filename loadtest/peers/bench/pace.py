"""Good clients at a fixed rate, evenly paced: `python3 -m bench.pace PORT RATE SECONDS`. Prints JSON.

An open loop: a request that is due while all connections are busy waits, and its time counts from when it was due. A
request that finds a free connection counts from when it was sent, so that late timers are nobody's latency.
"""

import collections
import gc
import json
import select
import socket
import sys
import time

from . import stats

CONNECTIONS, CLIENTS = 32, 10000


def complete(answer):
    """Whether this is a whole answer: a head, and as many bytes as it says."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(body) >= int(value)
        if name.lower() == b"transfer-encoding":
            return body.endswith(b"0\r\n\r\n")
    return True


def requests():
    """Requests of so many clients in turn, for ever."""
    head = "GET / HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: pace\r\nAccept: */*\r\nX-Forwarded-For: 198.18."
    known = [f"{head}{i // 250}.{i % 250 + 1}\r\n\r\n".encode() for i in range(CLIENTS)]
    while True:
        yield from known


def run(port, rate, seconds):
    free = collections.deque(connect(port) for _ in range(CONNECTIONS))
    busy, waiting, upcoming = {}, collections.deque(), requests()
    times, failed, step = [], 0, 1 / rate

    def send(connection, since):
        busy[connection] = [since, b""]
        connection.send(next(upcoming))

    gc.disable()
    now = due = time.perf_counter()
    end = now + seconds
    while due < end or (busy and now < end + 5):
        while due <= now and due < end:
            if free:
                send(free.popleft(), time.perf_counter())
            else:
                waiting.append(due)
            due += step
        pause = due - time.perf_counter() if due < end else 0.01
        ready = select.select(list(busy), (), (), max(0, pause))[0]
        now = time.perf_counter()
        for connection in ready:
            state = busy[connection]
            piece = connection.recv(65536)
            state[1] += piece
            if piece and not complete(state[1]):
                continue
            times.append(now - state[0])
            failed += not state[1].startswith(b"HTTP/1.1 200")
            del busy[connection]
            if not piece:
                connection = connect(port)
            if waiting:
                send(connection, waiting.popleft())
            else:
                free.append(connection)
    millis = sorted(t * 1000 for t in times)
    seen = {f"p{p:g}": round(stats.percentile(millis, p), 4) for p in (50, 90, 99, 99.9)}
    return {"requests": len(times), "failed": failed + len(busy) + len(waiting)} | seen


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), 10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)
    return connection


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))))
