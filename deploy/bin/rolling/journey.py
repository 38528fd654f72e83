"""The way of a release: start the other colour, try it, shift traffic in steps, watch each, turn back at a bad sign."""

import dataclasses
import os
import subprocess

from botocore.exceptions import BotoCoreError, ClientError

from .gates import BAD, Reading
from .show import brief
from .target import Colour, Fault

# Exit codes, as the commands' --help lists them.
DONE, USAGE, TURNED_BACK, NOT_BEGUN, TAKEN_OVER, INTERRUPTED = 0, 64, 3, 4, 5, 130

LOOK = 5         # seconds between two looks at the gates: with two looks for the slow ones, well within 30
BLIND = 20       # seconds without an answer of AWS after which a release that nobody can see goes back
# One failed health check is not yet a fault; an alarm or a share above its limit has been judged over time already.
TWICE = ("tasks", "targets")


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the operator asked for."""

    steps: tuple[int, ...] = (5, 25, 50, 100)
    bake: tuple[int, ...] = (300, 300, 300, 600)
    tasks: int | None = None
    start_within: int = 600
    checks: tuple[str, ...] = ()


class Interrupted(Exception):
    """Somebody asked to stop."""


class TakenOver(Exception):
    """Somebody else moved the weights."""


class Journey:
    """One release of one target."""

    def __init__(self, target, balancer, fleet, gates, clock, show, plan: Plan) -> None:
        self.target, self.balancer, self.fleet, self.gates = target, balancer, fleet, gates
        self.clock, self.show, self.plan = clock, show, plan
        self.old: Colour | None = None
        self.new: Colour | None = None
        self.share = 0

    def colours(self) -> None:
        """Which colour is live and which one takes the release."""
        weights = self.balancer.weights()
        live = [name for name, share in weights.items() if share == 100]
        if not live:
            raise Fault(f"traffic is split ({weights}): a release is under way, or was left. Wait, or run rollback")
        self.old = self.target.colours[live[0]]
        self.new = self.target.other(live[0])

    def describe(self, revision: str) -> list[str]:
        """What would be done, in words."""
        state = self.fleet.state(self.old)
        tasks = self.plan.tasks or state.desired
        lines = [f"{self.old.name} is live with {state.running} tasks of {short(state.task_definition)}",
                 f"1. start {tasks} tasks of {short(revision)} as {self.new.name}, and wait until they are healthy",
                 f"2. point the test listener at them: {self.balancer.test_url()}"]
        lines += [f"   run: {check}" for check in self.plan.checks]
        lines += [f"{at}. give {self.new.name} {share} % of requests, watch for {seconds} s"
                  for at, (share, seconds) in enumerate(zip(self.plan.steps, self.plan.bake), 3)]
        return lines + [f"At a bad sign all traffic goes back to {self.old.name}, whose tasks stay."]

    def run(self, revision: str) -> int:
        """All of it; the exit code."""
        try:
            self.begin(revision)
        except (Fault, Interrupted, BotoCoreError, ClientError) as why:
            self.show.say(f"not begun, no request went to the new release: {str(why) or 'interrupted'}")
            return INTERRUPTED if isinstance(why, Interrupted) else NOT_BEGUN
        try:
            for share, seconds in zip(self.plan.steps, self.plan.bake):
                self.step(share, seconds, revision)
        except TakenOver as why:
            self.show.say(f"stopped, and left as it is: {why}")
            return TAKEN_OVER
        except BaseException as why:  # whatever it was, the old release is the safe place
            self.turn_back(str(why) or "interrupted")
            if isinstance(why, (Fault, Interrupted, KeyboardInterrupt, BotoCoreError, ClientError)):
                return INTERRUPTED if isinstance(why, (Interrupted, KeyboardInterrupt)) else TURNED_BACK
            raise
        # What is remembered stays the old colour: after a release, rollback leads there.
        self.show.say(f"done: {self.new.name} has all traffic. {self.old.name} stays as it was; rollback leads there")
        return DONE

    def begin(self, revision: str) -> None:
        """Up to the first request: nothing here meets a client."""
        self.colours()
        # An alarm that is loud already would turn the release back at once, or hide that it made things worse.
        alarms = self.gates.alarms()
        if alarms.verdict == BAD:
            raise Fault(alarms.text)
        self.balancer.remember(self.old.name)
        tasks = self.plan.tasks or self.fleet.state(self.old).desired
        self.show.say(f"starting {tasks} tasks of {short(revision)} as {self.new.name}; {self.old.name} has all traffic")
        self.balancer.show_to_testers(self.new.name)
        self.fleet.start(self.new, revision, tasks)
        self.wait_for(tasks, revision)
        for check in self.plan.checks:
            self.show.say(f"check: {check}")
            environment = {"WEIR_URL": self.balancer.test_url(), "WEIR_COLOUR": self.new.name}
            if (code := run_check(check, environment)) != 0:
                raise Fault(f"the check ended with {code}: {check}")

    def wait_for(self, tasks: int, revision: str) -> None:
        """Until every task is up and the load balancer calls it healthy."""
        end = self.clock.now() + self.plan.start_within
        while True:
            state, (healthy, unhealthy, _) = self.fleet.state(self.new), self.balancer.health(self.new.name)
            if state.failed or state.task_definition != revision:
                raise Fault(f"ECS gave up on {short(revision)}: its tasks do not come up. Look at the service's events")
            if state.steady and healthy >= tasks and not unhealthy:
                return
            if self.clock.now() >= end:
                raise Fault(f"after {self.plan.start_within} s {state.running} of {tasks} tasks run, {healthy} are healthy")
            self.clock.sleep(LOOK)

    def step(self, share: int, seconds: int, revision: str) -> None:
        """Shifts, and watches for so long."""
        self.unmoved()
        self.balancer.shift(self.new.name, share)
        self.share = share
        begun = seen = self.clock.now()
        suspects: set[str] = set()
        while (gone := self.clock.now() - begun) < seconds:
            self.clock.sleep(min(LOOK, seconds - gone))
            try:
                self.unmoved()
                readings = self.gates.look(self.new, self.old, revision)
            except (BotoCoreError, ClientError) as error:
                if self.clock.now() - seen >= BLIND:
                    raise Fault(f"for {BLIND} s nobody could see how it does: {error}") from error
                continue
            seen = self.clock.now()
            self.show.progress(share, seen - begun, seconds, readings)
            bad = {reading.gate for reading in readings if reading.verdict == BAD}
            certain = [r for r in readings if r.verdict == BAD and (r.gate not in TWICE or r.gate in suspects)]
            if certain:
                raise Fault("; ".join(f"{r.gate}: {r.text}" for r in certain))
            suspects = bad
        self.show.say(f"{share} % for {seconds} s  " + "  ".join(map(brief, readings)))

    def unmoved(self) -> None:
        """Whether the weights are still as they were set: nobody else may steer at the same time."""
        found = self.balancer.weights()[self.new.name]
        if found != self.share:
            self.clock.sleep(1)  # a second look, should the first have been an old answer
            found = self.balancer.weights()[self.new.name]
        if found != self.share:
            raise TakenOver(f"{self.new.name} was given {found} % by somebody else, and {self.share} % here")

    def turn_back(self, why: str) -> None:
        """All traffic to the old colour. Tried until it is so: a slow AWS must not leave a bad release in front."""
        for pause in (0, 1, 2, 4, 8, 8):
            self.clock.sleep(pause)
            try:
                self.balancer.shift(self.old.name, 100)
                if self.balancer.weights()[self.old.name] == 100:
                    self.show.say(f"turned back, {self.old.name} has all traffic: {why}")
                    return
            except (BotoCoreError, ClientError) as error:
                self.show.say(f"turning back failed, again in a moment: {error}")
        self.show.say(f"NOT TURNED BACK: run rollback, or give {self.old.name} the weight 100 by hand. It began with: {why}")


def run_check(command: str, environment: dict[str, str]) -> int:
    """A smoke or load test of the operator's, by the shell, with the address in its environment."""
    return subprocess.run(["bash", "-c", command], env=os.environ | environment, check=False).returncode


def short(arn: str) -> str:
    """The part of an ARN that people read."""
    return arn.rsplit("/", 1)[-1]
