#!/usr/bin/env python3
"""Clients of the drill: some keep their connections, some open one for each request. Every tenth of a second a line of JSON
says what came back, and every request that failed with its time and reason. Ends at SIGTERM.

usage: traffic.py HOST PORT REQUESTS_PER_SECOND
"""

import asyncio
import collections
import itertools
import json
import random
import signal
import sys
import time

CLIENTS = [f"198.51.100.{n}" for n in range(1, 241)]
LONGEST = 15  # seconds that a client waits
# Most are short; some are still in flight when weights move or tasks drain.
PATHS = ["/health"] * 12 + ["/", "/download?size=20000", "/slow?ms=1500"]


class Client:
    """Asks again and again."""

    def __init__(self, place: tuple[str, int], keeps: bool, tally: "Tally") -> None:
        self.place, self.keeps, self.tally = place, keeps, tally
        self.stream = None

    async def ask(self, address: str, path: str) -> None:
        """One request, counted whatever becomes of it."""
        began = time.time()
        try:
            status, colour = await asyncio.wait_for(self.exchange(address, path), LONGEST)
            self.tally.count(colour, None if status < 400 else str(status), began)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ValueError) as error:
            self.tally.count("none", type(error).__name__, began)
            self.drop()

    async def exchange(self, address: str, path: str) -> tuple[int, str]:
        """Status, and which colour answered."""
        if self.stream is None:
            self.stream = await asyncio.open_connection(*self.place)
        reader, writer = self.stream
        closing = "" if self.keeps else "Connection: close\r\n"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: shop.example\r\nX-Drill-Client: {address}\r\n{closing}\r\n".encode())
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        head = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        if "chunked" in head.get("transfer-encoding", ""):
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        else:
            await reader.readexactly(int(head.get("content-length", 0)))
        if not self.keeps or head.get("connection") == "close":
            self.drop()
        return int(lines[0].split()[1]), head.get("x-colour", "none")

    def drop(self) -> None:
        """The next request opens a new connection."""
        if self.stream:
            self.stream[1].close()
        self.stream = None


class Tally:
    """What came back since the last line."""

    def __init__(self) -> None:
        self.well, self.failed = collections.Counter(), []

    def count(self, colour: str, why: str | None, began: float) -> None:
        """One request."""
        if why is None:
            self.well[colour] += 1
        else:
            self.failed.append({"colour": colour, "why": why, "began": began, "ended": time.time()})

    def line(self) -> str:
        """Says it and begins anew."""
        text = json.dumps({"well": self.well, "failed": self.failed, "at": time.time()})
        self.well, self.failed = collections.Counter(), []
        return text


async def main() -> None:
    """Starts requests at the rate, each by a client that is free, or by a new one."""
    place, rate = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3])
    tally, stopped, going = Tally(), asyncio.Event(), set()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    free = [Client(place, keeps=n % 2 == 0, tally=tally) for n in range(32)]
    addresses, chance = itertools.cycle(CLIENTS), random.Random(7)

    async def one(client: Client) -> None:
        await client.ask(next(addresses), chance.choice(PATHS))
        free.append(client)
    began, sent, told = time.monotonic(), 0, 0.0
    while not stopped.is_set():
        await asyncio.sleep(0.005)
        now = time.monotonic()
        for _ in range(int((now - began) * rate) - sent):
            client = free.pop(0) if free else Client(place, keeps=sent % 2 == 0, tally=tally)
            going.add(task := asyncio.create_task(one(client)))
            task.add_done_callback(going.discard)
            sent += 1
        if now - told >= 0.1:
            told = now
            print(tally.line(), flush=True)
    await asyncio.gather(*going)
    print(tally.line(), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    asyncio.run(main())
