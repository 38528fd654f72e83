"""All parts together, and what the scenes ask of them."""

import contextlib
import datetime
import json
import pathlib
import signal
import sys
import time

from .balancer import Balancer
from .cloud import DIMENSIONS, Cloud, image
from .origin import Origin
from .process import Failed, Program, free_port, until
from .tasks import Tasks
from .traffic import Traffic

BIN = pathlib.Path(__file__).resolve().parents[2] / "bin"


class World:
    """Blue is live with some tasks, green has none, and clients come."""

    def __init__(self, weir: pathlib.Path, folder: pathlib.Path, tasks: int, rate: int, interval: str, abrupt: bool = False) -> None:
        self.folder, self.count, self.ending = folder, tasks, contextlib.ExitStack()
        try:
            self.build(weir, rate, interval, abrupt)
        except BaseException:
            self.close()
            raise

    def build(self, weir: pathlib.Path, rate: int, interval: str, abrupt: bool) -> None:
        """Starts the parts, each of which is ended whatever happens to the next."""
        def begin(part):
            self.ending.callback(part.close)
            return part
        folder, ports = self.folder, (free_port(), free_port())
        self.cloud = begin(Cloud(folder))
        origin = begin(Origin(weir, folder))
        well = {"origin": origin.good, "rate": "1000/s", "burst": "20"}
        releases = {"good": well, "better": well | {"burst": "21"}, "broken": well | {"origin": origin.broken},
                    "strict": well | {"rate": "1/h", "burst": "1"}}
        self.balancer = begin(Balancer(self.cloud, folder, ports))
        self.tasks = begin(Tasks(self.cloud, folder, weir, ports, releases, interval, abrupt))
        self.cloud.want("blue", self.count)
        until("blue is healthy", lambda: self.healthy("blue") == self.count)
        until("HAProxy has blue's targets", lambda: len(self.balancer.slots["blue"]) == self.count)
        (folder / "target.json").write_text(json.dumps(self.cloud.target()))
        self.traffic = begin(Traffic(self.balancer.port, rate, folder))
        until("weir's metrics are in CloudWatch", lambda: self.sum_of("Forwarded"), 60)

    def whole(self) -> None:
        """Says if a part of the stage itself broke: a scene would show nothing then."""
        for part in (self.balancer, self.tasks):
            if part.fault:
                raise Failed(part.fault)

    def healthy(self, colour: str) -> int:
        """How many targets of a colour are."""
        self.whole()
        found = self.cloud.elb.describe_target_health(TargetGroupArn=self.cloud.groups[colour])["TargetHealthDescriptions"]
        return sum(target["TargetHealth"]["State"] == "healthy" for target in found)

    def sum_of(self, name: str, since: float = 0.0, **more: str) -> float:
        """What CloudWatch has of one of weir's metrics."""
        dimensions = [{"Name": key, "Value": value} for key, value in (DIMENSIONS | more).items()]
        return self.sum("weir", name, dimensions, since)

    def balancers_sum(self, name: str, colour: str, since: float) -> float:
        """What it has of one of the load balancer's, from the minute on in which `since` is."""
        return self.sum("AWS/ApplicationELB", name, self.balancer.dimensions(colour), since - since % 60)

    def sum(self, namespace: str, name: str, dimensions: list[dict[str, str]], since: float) -> float:
        """Of the last half hour at most."""
        start = datetime.datetime.fromtimestamp(max(since, time.time() - 1800), datetime.timezone.utc)
        told = self.cloud.cloudwatch.get_metric_data(
            StartTime=start, EndTime=datetime.datetime.now(datetime.timezone.utc), MetricDataQueries=[
                {"Id": "m", "MetricStat": {"Stat": "Sum", "Period": 1, "Metric": {
                    "Namespace": namespace, "MetricName": name, "Dimensions": dimensions}}}])
        return sum(told["MetricDataResults"][0]["Values"])

    def start(self, command: str, *words: str) -> Program:
        """rollout or rollback, as a person or the pipeline starts it."""
        return Program([sys.executable, str(BIN / command), "--target", str(self.folder / "target.json"), *words],
                       self.folder / f"{command}-{time.monotonic_ns()}.log", self.cloud.environment())

    def rollout(self, release: str, steps: str, bake: str) -> Program:
        """A release by its image."""
        return self.start("rollout", "--image", image(release), "--steps", steps, "--bake", bake,
                          "--check", 'curl -fsS -o /dev/null -H "X-Drill-Client: 203.0.113.1" '
                                     f"http://127.0.0.1:{self.balancer.test_port}/")

    def wait(self, program: Program, code: int, seconds: float) -> str:
        """Until a command ended, with this exit code."""
        def over() -> bool:
            self.whole()
            return not program.running
        until(f"{program.process.args[1]} ends; it said: {program.said()}", over, seconds)
        if program.process.returncode != code:
            raise Failed(f"{program.process.args[1]} ended with {program.process.returncode}, not {code}:\n{program.said()}")
        return program.said()

    def moved_to(self, colour: str, since: float) -> float:
        """When HAProxy first gave a colour everything, after a moment."""
        return next(moment for moment, weights in self.balancer.moved if moment > since and weights[colour] == 100)

    def interrupt(self, program: Program) -> None:
        """Ctrl-C."""
        program.process.send_signal(signal.SIGINT)

    def reset(self) -> None:
        """Blue is live and whole, green has no tasks."""
        self.cloud.want("blue", self.count)
        until("blue is healthy", lambda: self.healthy("blue") == self.count)
        if self.cloud.weights()["blue"] != 100:
            raise Failed(f"blue should be live by now: {self.cloud.weights()}")
        self.stop("green")

    def stop(self, colour: str) -> None:
        """Scales a colour in, and waits until its last task is gone."""
        self.cloud.want(colour, 0)
        until(f"{colour}'s tasks are gone", lambda: self.whole() or not [t for t in self.tasks.running if t.colour == colour], 60)

    def close(self) -> None:
        """Ends all, the last one first."""
        self.ending.close()

