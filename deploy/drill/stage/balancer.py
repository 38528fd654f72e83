"""The load balancer's data plane: HAProxy, steered by what the API says about weights and targets, as an ALB's nodes are.

It draws the group for each request by weight, then the targets of the group in turn; it does not try again elsewhere, as
an ALB does not. Health checks are made here, and told to the API."""

import csv
import http.client
import pathlib
import socket
import string
import threading
import time

from .cloud import COLOURS, Cloud
from .process import Failed, Program, find, free_port, until

CHECK, RISE, FALL = 0.5, 2, 2      # seconds between health checks, and how many decide
FOLLOW = 0.15                      # seconds between looks at the API
SLOTS = 8                          # targets of a group at most
MINUTE, LATE = 60, 30              # the ALB's metrics are of a minute, and come this late


class Balancer:
    """HAProxy and the thread that steers it."""

    def __init__(self, cloud: Cloud, folder: pathlib.Path, ports: tuple[int, int]) -> None:
        self.cloud, self.ports = cloud, ports
        self.port, self.test_port = free_port(), free_port()
        self.slots: dict[str, dict[str, int]] = {colour: {} for colour in COLOURS}   # address → slot
        self.checks: dict[str, int] = {}                                            # address → good ones in a row, or bad below 0
        self.shown: dict[str, object] = {}
        self.moved: list[tuple[float, dict[str, int]]] = []
        self.counted: dict[str, tuple[int, int, int]] = {}
        self.minute = int(time.time() // MINUTE)
        self.late: list[tuple[float, list[dict]]] = []
        self.socket = folder / "haproxy.sock"
        self.stopping, self.fault = threading.Event(), ""
        for name in ("share.map", "tested.map"):
            (folder / name).write_text("green 0\n")
        config = string.Template((pathlib.Path(__file__).parents[1] / "haproxy.cfg").read_text())
        (folder / "haproxy.cfg").write_text(config.substitute(
            socket=self.socket, port=self.port, test_port=self.test_port, folder=folder, slots=SLOTS))
        self.folder = folder
        self.program = Program([find("haproxy", "make setup-drill"), "-db", "-f", str(folder / "haproxy.cfg")], folder / "haproxy.log")
        until("HAProxy listens", self.answers, 10)
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def answers(self) -> bool:
        """Whether it takes commands."""
        if not self.program.running:
            raise Failed(f"HAProxy ended: {self.program.said()}")
        return self.socket.exists() and bool(self.tell("show info"))

    def tell(self, command: str) -> str:
        """A command of its runtime API; what it answers."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.socket))
            line.sendall(command.encode() + b"\n")
            parts = []
            while part := line.recv(65536):
                parts.append(part)
        return b"".join(parts).decode()

    def order(self, command: str) -> None:
        """One that must not be refused."""
        told = self.tell(command).strip()
        if told and "no need" not in told and "changed" not in told:
            raise Failed(f"HAProxy does not take {command!r}: {told}")

    def follow(self) -> None:
        """Does what the API says, for ever."""
        checked = 0.0
        try:
            while not self.stopping.wait(FOLLOW):
                if time.monotonic() - checked >= CHECK:
                    checked = time.monotonic()
                    for address in {address for slots in self.slots.values() for address in slots}:
                        self.check(address)
                for colour in COLOURS:
                    self.targets(colour)
                self.weigh()
                self.publish()
        except Exception as error:  # whatever it is, the drill has to say so
            self.fault = f"the balancer: {type(error).__name__}: {error}"
            raise

    def check(self, address: str) -> None:
        """A health check."""
        connection = http.client.HTTPConnection(address, self.ports[1], timeout=1)
        try:
            connection.request("GET", "/readyz")
            good = connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            good = False
        finally:
            connection.close()
        row = self.checks.get(address, 0)
        self.checks[address] = row = max(row, 0) + 1 if good else min(row, 0) - 1
        state = self.cloud.health.get(address, "initial")
        if good and row >= RISE:
            state = "healthy"
        elif not good and -row >= FALL and state == "healthy":
            state = "unhealthy"
        self.cloud.health[address] = state

    def targets(self, colour: str) -> None:
        """Puts registered targets into slots, and takes the others out."""
        found = self.cloud.elb.describe_target_health(TargetGroupArn=self.cloud.groups[colour])["TargetHealthDescriptions"]
        registered, slots = {target["Target"]["Id"] for target in found}, self.slots[colour]
        for address in registered - set(slots):
            slots[address] = slot = next(n for n in range(1, SLOTS + 1) if n not in slots.values())
            self.order(f"set server {colour}/t{slot} addr {address} port {self.ports[0]}")
        for address in list(slots):
            healthy = address in registered and self.cloud.health.get(address) == "healthy"
            # One that leaves ends what it has; its slot is free once nothing is in flight.
            self.switch(colour, slots[address], "ready" if healthy else "drain")
            if address not in registered and not self.in_flight(colour, slots[address]):
                self.switch(colour, slots.pop(address), "maint")
                self.checks.pop(address, None)

    def switch(self, colour: str, slot: int, state: str) -> None:
        """Sets a server's state, if it is another."""
        name = f"{colour}/t{slot}"
        if self.shown.get(name, "maint") != state:
            self.order(f"set server {name} state {state}")
            self.shown[name] = state

    def weigh(self) -> None:
        """Takes over the listeners' weights."""
        weights = self.cloud.weights()
        if self.shown.get("weights") != weights:
            self.order(f"set map {self.folder}/share.map green {weights['green']}")
            self.shown["weights"] = weights
            self.moved.append((time.time(), weights))
        action = self.cloud.elb.describe_listeners(ListenerArns=[self.cloud.test_listener])["Listeners"][0]["DefaultActions"][0]
        tested = 100 * (action.get("TargetGroupArn") == self.cloud.groups["green"])
        if self.shown.get("tested") != tested:
            self.order(f"set map {self.folder}/tested.map green {tested}")
            self.shown["tested"] = tested

    def rows(self) -> list[dict[str, str]]:
        """Its counters, a row for each server."""
        lines = self.tell("show stat").lstrip("# ").strip().splitlines()
        return [row for row in csv.DictReader(lines) if row["pxname"] in COLOURS and row["svname"].startswith("t")]

    def in_flight(self, colour: str, slot: int) -> bool:
        """Whether a server has requests."""
        return any(row["pxname"] == colour and row["svname"] == f"t{slot}" and int(row["scur"]) for row in self.rows())

    def counts(self, colour: str) -> tuple[int, int, int]:
        """Answers of a colour's targets: all, 4xx, 5xx."""
        rows = [row for row in self.rows() if row["pxname"] == colour]
        per = {digit: sum(int(row[f"hrsp_{digit}xx"] or 0) for row in rows) for digit in "12345"}
        return sum(per.values()), per["4"], per["5"]

    def publish(self) -> None:
        """The ALB's metrics: of whole minutes, and late."""
        minute = int(time.time() // MINUTE)
        if minute != self.minute:
            self.late.append((time.time() + LATE, [datum for colour in COLOURS for datum in self.data(colour)]))
            self.minute = minute
        while self.late and self.late[0][0] <= time.time():
            if data := self.late.pop(0)[1]:
                self.cloud.cloudwatch.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)

    def data(self, colour: str) -> list[dict]:
        """What a colour answered in the minute that is over; like the ALB, nothing where there was nothing."""
        now, before = self.counts(colour), self.counted.get(colour, (0, 0, 0))
        self.counted[colour] = now
        names = ("RequestCount", "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count")
        return [{"MetricName": name, "Dimensions": self.dimensions(colour), "Timestamp": self.minute * MINUTE, "Value": a - b, "Unit": "Count"}
                for name, a, b in zip(names, now, before) if a > b]

    def dimensions(self, colour: str) -> list[dict[str, str]]:
        """As the ALB names itself and a group."""
        return [{"Name": "LoadBalancer", "Value": "/".join(self.cloud.listener.rsplit(":", 1)[1].split("/")[1:4])},
                {"Name": "TargetGroup", "Value": self.cloud.groups[colour].rsplit(":", 1)[1]}]

    def close(self) -> None:
        """Ends it."""
        self.stopping.set()
        self.thread.join(10)
        self.program.end()
