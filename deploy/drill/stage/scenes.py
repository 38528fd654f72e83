"""The scenes. Each gives its figures, and fails where one is not as it should be."""

import dataclasses
import threading
import time

from .process import Failed, until
from .world import World

LONGEST = 30   # seconds from a bad metric to the way back, as asked for


@dataclasses.dataclass
class Figures:
    """What a scene showed: lines for people, and what the report adds up."""

    rows: dict[str, str] = dataclasses.field(default_factory=dict)
    unfailed: int = 0               # requests while the scene let none fail
    way_back: float | None = None   # seconds from the first bad metric to weight 0

    def none_failed(self, world: World, since: float, what: str, text: str = "") -> None:
        """Holds that no request failed since then, and notes how many there were."""
        world.traffic.settle()
        well, failed = world.traffic.since(since)
        hold(not failed, f"{len(failed)} requests failed, such as {failed[:3]}")
        self.unfailed += sum(well.values())
        counts = ", ".join(f"{colour} {count}" for colour, count in sorted(well.items()))
        self.rows[what] = f"{text}{counts}, failed 0"


@dataclasses.dataclass(frozen=True)
class Pace:
    """How long steps are watched: by far shorter than a real release."""

    steps: str = "5,25,50,100"
    bake: str = "12s"
    bad_bake: str = "3m"    # long enough for the slowest gate

    @property
    def shares(self) -> list[int]:
        """As numbers."""
        return [int(part) for part in self.steps.split(",")]


def hold(true: bool, text: str) -> None:
    """What must be so."""
    if not true:
        raise Failed(text)


class Watch:
    """Notices when a figure first is above zero."""

    def __init__(self, figure) -> None:
        self.figure, self.at, self.stopped = figure, None, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        """Looks four times a second."""
        while self.at is None and not self.stopped.wait(0.25):
            if self.figure() > 0:
                self.at = time.time()

    def stop(self) -> float:
        """When it was, and that it was."""
        self.stopped.set()
        self.thread.join(10)
        hold(self.at is not None, "the bad metric never came to CloudWatch")
        return self.at


def good_release(world: World, pace: Pace) -> Figures:
    """A good release takes all traffic step by step; then it is rolled back, and its tasks are stopped. Nobody notices."""
    figures, began = Figures(), time.time()
    world.wait(world.rollout("better", pace.steps, pace.bake), 0, 600)
    hold(world.cloud.weights() == {"blue": 0, "green": 100}, f"weights are {world.cloud.weights()}")
    seen = [weights["green"] for moment, weights in world.balancer.moved if moment > began]
    hold(seen == pace.shares, f"HAProxy saw {seen}")
    figures.none_failed(world, began, "release, steps " + pace.steps)
    began = time.time()
    world.wait(world.start("rollback"), 0, 60)
    until("HAProxy gives blue everything", lambda: world.balancer.moved[-1][1]["blue"] == 100, 10)
    figures.none_failed(world, began, "rollback of the finished release",
                        f"{world.moved_to('blue', began) - began:.1f} s from the command to the last weight; ")
    began, ended = time.time(), len(world.tasks.ended)
    world.stop("green")
    codes = [code for _, code in world.tasks.ended[ended:]]
    hold(codes == [0] * world.count, f"stopped tasks ended with {codes}")
    figures.none_failed(world, began, "the other colour scaled to 0", f"{len(codes)} tasks drained and ended with 0; ")
    return figures


def old_colour_stopped(world: World, pace: Pace) -> Figures:
    """After a good release the old colour is stopped; the next release goes the other way."""
    figures, began = Figures(), time.time()
    world.wait(world.rollout("better", pace.steps, pace.bake), 0, 600)
    world.stop("blue")
    figures.none_failed(world, began, "release, then the old colour scaled to 0")
    began = time.time()
    world.wait(world.rollout("good", pace.steps, pace.bake), 0, 600)
    figures.none_failed(world, began, "the next release, the other way")
    return figures


def bad_release(world: World, pace: Pace, release: str, figure, gate: str, why: str) -> Figures:
    """A bad release is turned back within 30 s of its first bad metric; only it gave bad answers."""
    began = time.time()
    program = world.rollout(release, pace.steps, pace.bad_bake)
    watch = Watch(lambda: figure(began))
    told = world.wait(program, 3, 600)
    metric = watch.stop()
    back = world.moved_to("blue", began)
    hold(gate in told, f"another gate turned it back:\n{told}")
    hold(back - metric <= LONGEST, f"{back - metric:.1f} s from the first bad metric to the way back")
    world.traffic.settle()
    well, failed = world.traffic.since(began)
    hold({one["colour"] for one in failed} == {"green"}, f"the old colour failed too: {failed[:3]}")
    hold({one["why"] for one in failed} == {why}, f"requests failed in another way: {failed[:3]}")
    # One that HAProxy had given green already may still be answered.
    late = [one for one in failed if one["began"] > back + 0.5]
    hold(not late, f"{len(late)} bad answers after the way back")
    # The minute in which a release gets its first requests counts whole: the next one may not begin in this one.
    until("the minute of the bad answers is over", lambda: time.time() // 60 > max(one["ended"] for one in failed) // 60, 61)
    return Figures({
        f"from the first bad metric in CloudWatch to weight 0, by `{gate}`": f"{back - metric:.1f} s (at most {LONGEST})",
        "from the first bad answer to weight 0": f"{back - failed[0]['ended']:.1f} s",
        "bad answers": f"{len(failed)} of {sum(well.values()) + len(failed)}, all of the new colour, all {why}; of the old one 0",
    }, way_back=back - metric)


def broken_release(world: World, pace: Pace) -> Figures:
    """The new release answers 500."""
    return bad_release(world, pace, "broken", lambda since: world.sum_of("OriginResponses", since, Class="5xx"), "faults in all", "500")


def strict_release(world: World, pace: Pace) -> Figures:
    """The new release refuses clients that the old one serves: a limit is far too low."""
    return bad_release(world, pace, "strict",
                       lambda since: world.balancers_sum("HTTPCode_Target_4XX_Count", "green", since), "4xx of green", "429")


def killed_task(world: World, pace: Pace) -> Figures:
    """A task of the live colour dies in the middle of a release: it is replaced, and the release goes on."""
    began = time.time()
    program = world.rollout("better", pace.steps, pace.bake)
    until("the second step", lambda: world.balancer.moved[-1][1]["green"] == pace.shares[1], 120)
    victim, killed = world.tasks.of("blue")[0], time.time()
    victim.program.process.kill()
    until("it is noticed", lambda: victim not in world.tasks.running and victim.address not in world.balancer.slots["blue"], 30)
    until("it is replaced", lambda: world.healthy("blue") == world.count and len(world.balancer.slots["blue"]) == world.count, 60)
    whole = time.time()
    world.wait(program, 0, 600)
    world.traffic.settle()
    well, failed = world.traffic.since(began)
    # What was in flight in it, or came before the load balancer knew, is lost with any load balancer.
    out = [one for one in failed if not killed - 0.1 <= one["ended"] <= killed + 5 or one["colour"] == "green"]
    hold(not out, f"{len(out)} requests failed that had nothing to do with it, such as {out[:3]}")
    last = max((one["ended"] for one in failed), default=killed)
    world.wait(world.start("rollback"), 0, 60)
    return Figures({"lost with the task": f"{len(failed)} of {sum(well.values()) + len(failed)} requests, "
                                          f"the last {last - killed:.1f} s after",
                    "replaced and healthy": f"{whole - killed:.1f} s after", "the release": "went on to 100 %"})


def interrupted(world: World, pace: Pace) -> Figures:
    """Ctrl-C at a rollout turns back."""
    figures, began = Figures(), time.time()
    program = world.rollout("better", pace.steps, pace.bad_bake)
    until("the first step", lambda: world.balancer.moved[-1][1]["green"] == pace.shares[0], 120)
    asked = time.time()
    world.interrupt(program)
    world.wait(program, 130, 60)
    until("HAProxy gives blue everything", lambda: world.balancer.moved[-1][1]["blue"] == 100, 10)
    figures.none_failed(world, began, "from Ctrl-C to weight 0", f"{world.moved_to('blue', asked) - asked:.1f} s; ")
    return figures


SCENES = {"good": good_release, "stop-old": old_colour_stopped, "broken": broken_release, "strict": strict_release,
          "killed": killed_task, "interrupted": interrupted}
