"""ECS: runs as many weir processes as each service wants, each at an address of its own, as tasks have."""

import dataclasses
import itertools
import os
import pathlib
import signal
import string
import threading
import time

from moto.ecs.models import ecs_backends

from .cloud import CLUSTER, COLOURS, DIMENSIONS, REGION, Cloud, release
from .process import Program

LOOK = 0.2
STOP_TIMEOUT = 40   # as in the task definition: then SIGKILL
DEREGISTER = 3      # seconds between leaving the load balancer and SIGTERM: its deregistration delay, shorter than AWS's


@dataclasses.dataclass
class Task:
    """One weir."""

    colour: str
    revision: str
    address: str
    program: Program
    leaving: float | None = None    # since when it is out of the load balancer
    asked: float | None = None      # since when it is asked to end


class Tasks:
    """The thread that starts and stops them."""

    def __init__(self, cloud: Cloud, folder: pathlib.Path, weir: pathlib.Path, ports: tuple[int, int],
                 releases: dict[str, dict[str, str]], interval: str, abrupt: bool) -> None:
        self.cloud, self.folder, self.weir, self.ports = cloud, folder, weir, ports
        self.releases, self.interval, self.abrupt = releases, interval, abrupt
        self.running: list[Task] = []
        self.ended: list[tuple[str, int]] = []    # address and exit code of those that were asked to end
        self.died: list[tuple[str, float]] = []   # those that were not
        # A part of 127.0.0.0/8 for each drill, so that two of them do not meet.
        self.addresses = (f"127.{100 + os.getpid() % 100}.{n // 250}.{n % 250 + 1}" for n in itertools.count())
        self.template = string.Template((pathlib.Path(__file__).parents[1] / "weir.toml").read_text())
        self.stopping, self.fault = threading.Event(), ""
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def of(self, colour: str) -> list[Task]:
        """A colour's tasks that shall stay."""
        return [task for task in self.running if task.colour == colour and task.leaving is None]

    def run(self) -> None:
        """Brings what is to what should be, for ever."""
        try:
            while not self.stopping.wait(LOOK):
                for task in list(self.running):
                    self.look_after(task)
                for colour in COLOURS:
                    self.reconcile(colour)
        except Exception as error:
            self.fault = f"the tasks: {type(error).__name__}: {error}"
            raise

    def reconcile(self, colour: str) -> None:
        """One service. Starts the new revision before it takes the old one's tasks."""
        service = self.cloud.ecs.describe_services(cluster=CLUSTER, services=[self.cloud.services[colour]])["services"][0]
        wanted, revision, tasks = service["desiredCount"], service["taskDefinition"], self.of(colour)
        right = [task for task in tasks if task.revision == revision]
        for _ in range(wanted - len(right)):
            self.start(colour, revision)
        for task in right[wanted:] + [task for task in tasks if task.revision != revision]:
            self.leave(task)
        up = sum(task.program.running for task in self.of(colour))
        # moto says that all run; what is true stands here.
        held = ecs_backends["123456789012"][REGION].services[f"{CLUSTER}:{self.cloud.services[colour]}"]
        held.running_count = up
        for deployment in held.deployments:
            deployment["runningCount"], deployment["taskDefinition"] = up, revision

    def start(self, colour: str, revision: str) -> None:
        """A task of this revision: its image says which release it is."""
        told = self.cloud.ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]
        name, address = release(told["containerDefinitions"][0]["image"]), next(self.addresses)
        config = self.folder / f"weir-{address}.toml"
        config.write_text(self.template.substitute(address=address, http=self.ports[0], admin=self.ports[1], interval=self.interval,
                                                   service=DIMENSIONS["Service"], environment=DIMENSIONS["Environment"],
                                                   **self.releases[name]))
        program = Program([str(self.weir), "serve", "--config", str(config)], self.folder / f"weir-{address}.log",
                          {"AWS_ENDPOINT_URL": self.cloud.metrics})
        self.running.append(Task(colour, revision, address, program))
        self.cloud.elb.register_targets(TargetGroupArn=self.cloud.groups[colour],
                                        Targets=[{"Id": address, "Port": self.ports[0]}])

    def leave(self, task: Task) -> None:
        """Out of the load balancer first; the signal comes later. Abrupt: both at once, to show that a drill can fail."""
        if self.abrupt:
            task.program.process.kill()
        self.cloud.elb.deregister_targets(TargetGroupArn=self.cloud.groups[task.colour], Targets=[{"Id": task.address}])
        task.leaving = time.monotonic()

    def look_after(self, task: Task) -> None:
        """The next thing in a task's life, if it is time."""
        now = time.monotonic()
        if not task.program.running:
            if task.leaving is None:
                self.leave(task)
                self.died.append((task.address, time.time()))
            elif task.asked is not None:
                self.ended.append((task.address, task.program.process.wait()))
            self.running.remove(task)
        elif task.leaving is not None and task.asked is None and now - task.leaving >= DEREGISTER:
            task.program.process.send_signal(signal.SIGTERM)
            task.asked = now
        elif task.asked is not None and now - task.asked >= STOP_TIMEOUT:
            task.program.process.kill()

    def close(self) -> None:
        """Ends all."""
        self.stopping.set()
        self.thread.join(10)
        for task in self.running:
            task.program.process.kill()
            task.program.process.wait()
