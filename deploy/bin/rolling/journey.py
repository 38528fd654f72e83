"""The way of a release: start the other colour, try it, shift traffic in steps, watch each, turn back at a bad sign."""

import dataclasses
import os
import subprocess

from botocore.exceptions import BotoCoreError, ClientError

from .gates import BAD, Reading
from .lock import Lost
from .show import brief
from .target import Colour, Fault

# Exit codes, as the commands' --help lists them.
DONE, TURNED_BACK, NOT_BEGUN, TAKEN_OVER, NOT_TURNED_BACK, INTERRUPTED = 0, 3, 4, 5, 6, 130

LOOK = 5         # seconds between two looks at the gates: with two looks for the slow ones, well within 30
STARTING = 2     # seconds between two looks at tasks that start
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


# What is told in words, without a trace.
FAULTS = (Fault, BotoCoreError, ClientError)


class Interrupted(Exception):
    """Somebody asked to stop."""


class TakenOver(Exception):
    """Somebody else moved the weights."""


class Journey:
    """One release of one target."""

    def __init__(self, target, balancer, fleet, gates, lock, clock, show, plan: Plan) -> None:
        self.target, self.balancer, self.fleet, self.gates, self.lock = target, balancer, fleet, gates, lock
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

    def run(self, revision: str | None = None, image: str | None = None) -> int:
        """All of it, with the lock; the exit code. The revision is the target's, with this image if one is named."""
        try:
            self.lock.take()
        except (*FAULTS, Interrupted) as why:
            self.show.say(f"not begun, nothing was changed: {str(why) or 'interrupted'}")
            return INTERRUPTED if isinstance(why, Interrupted) else NOT_BEGUN
        try:
            return self.go(revision or self.target.task_definition, image)
        finally:
            try:
                self.lock.give_back()
            except FAULTS as why:
                self.show.say(f"the lock {self.lock.name} stays for some minutes: {why}")

    def go(self, revision: str, image: str | None) -> int:
        """Begins, goes the steps, and turns back if one is bad."""
        try:
            revision = self.fleet.with_image(image) if image else revision
            self.begin(revision)
        except (*FAULTS, Interrupted, Lost) as why:
            self.show.say(f"not begun, no request went to the new release: {str(why) or 'interrupted'}")
            return INTERRUPTED if isinstance(why, Interrupted) else NOT_BEGUN
        try:
            self.gates.begin()
            for share, seconds in zip(self.plan.steps, self.plan.bake):
                self.step(share, seconds, revision)
        except (TakenOver, Lost) as why:
            self.show.say(f"stopped, and left as it is: {why}")
            return TAKEN_OVER
        except BaseException as why:  # whatever it was, the old release is the safe place
            back = self.turn_back(str(why) or "interrupted")
            if isinstance(why, (*FAULTS, Interrupted, KeyboardInterrupt)):
                interrupted = isinstance(why, (Interrupted, KeyboardInterrupt))
                return NOT_TURNED_BACK if not back else INTERRUPTED if interrupted else TURNED_BACK
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
        if blind := self.gates.blind():
            raise Fault(blind)
        old = self.fleet.state(self.old)
        healthy, unhealthy, _ = self.balancer.health(self.old.name)
        if not healthy or unhealthy:
            raise Fault(f"{self.old.name}, to which a bad release would go back, has {healthy} healthy targets and {unhealthy} that are not")
        tasks = self.plan.tasks or old.desired
        self.balancer.remember(self.old.name)
        # It has to stay as large as it is: with less and less to do, autoscaling would take what a way back needs.
        self.fleet.hold(self.old, old.desired)
        self.show.say(f"starting {tasks} tasks of {short(revision)} as {self.new.name}; {self.old.name} has all traffic")
        self.balancer.show_to_testers(self.new.name)
        self.fleet.start(self.new, revision, tasks)
        self.wait_for(tasks, revision)
        for check in self.plan.checks:
            self.lock.keep()
            self.show.say(f"check: {check}")
            environment = {"WEIR_URL": self.balancer.test_url(), "WEIR_COLOUR": self.new.name}
            if (code := run_check(check, environment)) != 0:
                raise Fault(f"the check ended with {code}: {check}")

    def wait_for(self, tasks: int, revision: str) -> None:
        """Until every task is up and the load balancer calls it healthy."""
        end = self.clock.now() + self.plan.start_within
        while True:
            self.lock.keep()
            state, (healthy, unhealthy, _) = self.fleet.state(self.new), self.balancer.health(self.new.name)
            if state.failed or state.task_definition != revision:
                raise Fault(f"ECS gave up on {short(revision)}: its tasks do not come up. Look at the service's events")
            if state.steady and healthy >= tasks and not unhealthy:
                return
            if self.clock.now() >= end:
                raise Fault(f"after {self.plan.start_within} s {state.running} of {tasks} tasks run, {healthy} are healthy")
            self.clock.sleep(STARTING)

    def step(self, share: int, seconds: int, revision: str) -> None:
        """Shifts, and watches for so long. Ends with a look that saw all well, never blind."""
        self.lock.keep()
        self.unmoved()
        self.balancer.shift(self.new.name, share)
        self.share = share
        begun = seen = self.clock.now()
        suspects: set[str] = set()
        while True:
            self.clock.sleep(max(1, min(LOOK, begun + seconds - self.clock.now())))
            try:
                self.lock.keep()
                self.unmoved()
                readings = self.gates.look(self.new, self.old, revision)
            except (BotoCoreError, ClientError) as error:
                if self.clock.now() - seen >= BLIND:
                    raise Fault(f"for {BLIND} s nobody could see how it does: {error}") from error
                continue
            seen = self.clock.now()
            suspects = self.judge(readings, suspects)
            if seen - begun >= seconds:
                break
            self.show.progress(share, seen - begun, seconds, readings)
        self.show.say(f"{share} % for {seconds} s  " + "  ".join(map(brief, readings)))

    @staticmethod
    def judge(readings: list[Reading], suspects: set[str]) -> set[str]:
        """Raises what is bad for certain; gives what would be at a second look."""
        bad = [reading for reading in readings if reading.verdict == BAD]
        certain = [r for r in bad if r.gate not in TWICE or r.gate in suspects]
        if certain:
            raise Fault("; ".join(f"{r.gate}: {r.text}" for r in certain))
        return {reading.gate for reading in bad}

    def unmoved(self) -> None:
        """Whether the weights are still as they were set: nobody else may steer at the same time."""
        found = self.balancer.weights()[self.new.name]
        if found != self.share:
            self.clock.sleep(1)  # a second look, should the first have been an old answer
            found = self.balancer.weights()[self.new.name]
        if found != self.share:
            raise TakenOver(f"{self.new.name} was given {found} % by somebody else, and {self.share} % here")

    def turn_back(self, why: str) -> bool:
        """All traffic to the old colour. Tried until it is so: a slow AWS must not leave a bad release in front."""
        if self.nothing_there():
            self.show.say(f"NOT TURNED BACK: {self.old.name} has no healthy target any more, {self.new.name} has. Bring its tasks "
                          f"back and run rollback. It began with: {why}")
            return False
        for pause in (0, 1, 2, 4, 8, 8):
            self.clock.sleep(pause)
            try:
                self.balancer.shift(self.old.name, 100)
                if self.balancer.weights()[self.old.name] == 100:
                    self.show.say(f"turned back, {self.old.name} has all traffic: {why}")
                    return True
            except FAULTS as error:
                self.show.say(f"turning back failed, again in a moment: {error}")
        self.show.say(f"NOT TURNED BACK: run rollback, or give {self.old.name} the weight 100 by hand. It began with: {why}")
        return False

    def nothing_there(self) -> bool:
        """Whether the old colour died, and the new one did not. In doubt it is there."""
        try:
            return not self.balancer.health(self.old.name)[0] and bool(self.balancer.health(self.new.name)[0])
        except FAULTS:
            return False


def run_check(command: str, environment: dict[str, str]) -> int:
    """A smoke or load test of the operator's, by the shell, with the address in its environment."""
    return subprocess.run(["bash", "-c", command], env=os.environ | environment, check=False).returncode


def short(arn: str) -> str:
    """The part of an ARN that people read."""
    return arn.rsplit("/", 1)[-1]
