"""Releases that go well, and those that must not."""

import dataclasses

import boto3

from rolling.journey import DONE, INTERRUPTED, NOT_BEGUN, NOT_TURNED_BACK, TAKEN_OVER, TURNED_BACK, Interrupted, Plan
from rolling.lock import LASTS

from .stage import QUICK, SHORT, Stage

BLUE, GREEN = {"blue": 100, "green": 0}, {"blue": 0, "green": 100}


class Good(Stage):
    """Nothing is wrong."""

    def test_all_steps_are_taken_and_the_old_tasks_stay(self) -> None:
        seen = []
        shift = self.balancer.shift
        self.balancer.shift = lambda name, share: (seen.append((name, share, self.clock.now())), shift(name, share))
        new = self.register("2")
        self.assertEqual(self.journey().run(new), DONE, self.screen.getvalue())
        self.assertEqual([(name, share) for name, share, _ in seen], [("green", s) for s in (5, 25, 50, 100)])
        self.assertEqual([b[2] - a[2] for a, b in zip(seen, seen[1:])], [30, 30, 30])
        self.assertEqual(self.balancer.weights(), GREEN)
        services = self.ecs.describe_services(cluster="weir-test", services=["weir-test-blue", "weir-test-green"])["services"]
        self.assertEqual([(s["taskDefinition"], s["desiredCount"]) for s in services], [(self.revision, 3), (new, 3)])

    def test_the_next_release_goes_the_other_way(self) -> None:
        self.assertEqual(self.journey(SHORT).run(self.register("2")), DONE)
        self.assertEqual(self.journey(SHORT).run(self.register("3")), DONE)
        self.assertEqual(self.balancer.weights(), BLUE)

    def test_an_image_makes_a_revision_that_differs_in_nothing_else(self) -> None:
        new = self.journey().fleet.with_image("registry.example/weir@sha256:" + "0" * 64)
        told = boto3.client("ecs").describe_task_definition(taskDefinition=new)["taskDefinition"]
        self.assertEqual([part["image"] for part in told["containerDefinitions"]],
                         ["registry.example/weir@sha256:" + "0" * 64, "log:1"])
        self.assertEqual(told["containerDefinitions"][0]["memory"], 512)

    def test_autoscaling_may_not_take_a_canary_that_has_little_to_do(self) -> None:
        words = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
        self.scaling.register_scalable_target(ResourceId="service/weir-test/weir-test-green", MinCapacity=0, MaxCapacity=20, **words)
        self.assertEqual(self.journey(SHORT).run(self.register("2")), DONE)
        found = self.scaling.describe_scalable_targets(**words)["ScalableTargets"]
        self.assertEqual([(target["MinCapacity"], target["MaxCapacity"]) for target in found], [(3, 20)])

    def test_figures_are_asked_for_as_cloudwatch_names_them(self) -> None:
        self.assertRegex(self.target.balancer_suffix, "^app/weir-test/[0-9a-f]+$")
        self.assertRegex(self.target.colours["blue"].group_suffix, "^targetgroup/weir-test-blue/[0-9a-f]+$")

    def test_checks_run_before_traffic_and_know_the_address(self) -> None:
        plan = Plan(SHORT.steps, SHORT.bake, checks=('[[ "$WEIR_URL" = http://weir-test-*:8443 ]] && [ "$WEIR_COLOUR" = green ]',))
        self.assertEqual(self.journey(plan).run(self.register("2")), DONE)

    def test_few_requests_are_no_ground_for_a_verdict(self) -> None:
        self.clock.at(40, lambda: (self.count("Faults", 9), self.count("Forwarded", 10)))
        self.assertEqual(self.journey().run(self.register("2")), DONE)
        self.assertIn("only", self.screen.getvalue())

    def test_in_an_attack_refusals_at_both_colours_do_not_turn_back(self) -> None:
        def attack() -> None:
            for colour in ("blue", "green"):
                self.count_at_balancer("RequestCount", 1000, colour)
                self.count_at_balancer("HTTPCode_Target_5XX_Count", 400, colour)
        self.clock.at(40, attack)
        self.assertEqual(self.journey().run(self.register("2")), DONE, self.screen.getvalue())


class Bad(Stage):
    """Each sign turns the release back, and within half a minute."""

    def turns_back(self, deed, why: str) -> None:
        """The deed is done in the second step."""
        self.clock.at(40, deed)
        self.assertEqual(self.journey().run(self.register("2")), TURNED_BACK, self.screen.getvalue())
        self.assertIn(why, self.screen.getvalue())
        self.assertEqual(self.balancer.weights(), BLUE)
        self.assertLessEqual(self.clock.now() - 40, 30)

    def test_an_alarm(self) -> None:
        self.turns_back(lambda: self.alarm("weir-test-latency"), "in alarm: weir-test-latency")

    def test_an_alarm_that_is_deleted(self) -> None:
        self.turns_back(lambda: self.cloudwatch.delete_alarms(AlarmNames=["weir-test-errors"]), "no such alarm")

    def test_errors_of_the_new_colour(self) -> None:
        def deed() -> None:
            self.count_at_balancer("RequestCount", 200, "green")
            self.count_at_balancer("HTTPCode_Target_5XX_Count", 10, "green")
            self.count_at_balancer("RequestCount", 3000, "blue")
        self.turns_back(deed, "5xx of green: 5.00 %")

    def test_refusals_of_the_new_colour_that_the_old_one_has_not(self) -> None:
        def deed() -> None:
            for colour, requests, refused in (("green", 200, 40), ("blue", 3000, 90)):
                self.count_at_balancer("RequestCount", requests, colour)
                self.count_at_balancer("HTTPCode_Target_4XX_Count", refused, colour)
        self.turns_back(deed, "4xx of green: 20.00 % of 200, at most 11.00 %, 3.00 % of blue")

    def test_errors_that_the_balancer_tells_three_minutes_late(self) -> None:
        def deed() -> None:
            self.count_at_balancer("RequestCount", 200, "green", late=180)
            self.count_at_balancer("HTTPCode_Target_5XX_Count", 10, "green", late=180)
        self.clock.at(240, deed)
        plan = Plan((50, 100), (30, 300))
        self.assertEqual(self.journey(plan).run(self.register("2")), TURNED_BACK, self.screen.getvalue())
        self.assertIn("5xx of green: 5.00 %", self.screen.getvalue())

    def test_faults_in_all(self) -> None:
        self.turns_back(lambda: (self.count("Faults", 30), self.count("Forwarded", 970)), "faults in all: 3.00 %")

    def test_the_origins_own_errors(self) -> None:
        self.turns_back(lambda: (self.count("OriginResponses", 30, Class="5xx"), self.count("Forwarded", 1000)), "faults in all")

    def test_known_clients_that_are_refused(self) -> None:
        self.turns_back(lambda: (self.count("KnownRefused", 10), self.count("KnownForwarded", 900), self.count("KnownChallenged", 90)),
                        "known refused: 1.00 % of 1000")

    def test_tasks_that_die(self) -> None:
        self.turns_back(lambda: self.ecs.broken.add("weir-test-green"), "tasks: 0 of 3 run")

    def test_a_release_that_ecs_gave_up(self) -> None:
        self.turns_back(lambda: self.ecs.given_up.add("weir-test-green"), "ECS gave up")

    def test_an_aws_that_does_not_answer(self) -> None:
        def deed() -> None:
            self.cloudwatch.meta.events.register("before-call.cloudwatch", broken)
        self.turns_back(deed, "nobody could see")

    def test_turning_back_is_tried_again(self) -> None:
        shift, fails = self.balancer.shift, [2]

        def flaky(name: str, share: int) -> None:
            if name == "blue" and fails[0]:
                fails[0] -= 1
                broken()
            shift(name, share)
        self.balancer.shift = flaky
        self.turns_back(lambda: self.alarm("weir-test-errors"), "again in a moment")

    def test_an_interrupt(self) -> None:
        def deed() -> None:
            raise Interrupted
        self.clock.at(40, deed)
        self.assertEqual(self.journey().run(self.register("2")), INTERRUPTED)
        self.assertEqual(self.balancer.weights(), BLUE)

    def test_a_fault_of_our_own_turns_back_too(self) -> None:
        def deed() -> None:
            raise RuntimeError("a bug")
        self.clock.at(40, deed)
        with self.assertRaises(RuntimeError):
            self.journey().run(self.register("2"))
        self.assertEqual(self.balancer.weights(), BLUE)


class Alone(Stage):
    """What is left when the old colour is gone, or its last release was a bad one."""

    def test_nobody_goes_back_to_a_colour_that_died(self) -> None:
        def deed() -> None:
            self.ecs.stop("weir-test-blue")
            self.alarm("weir-test-errors")
        self.clock.at(40, deed)
        self.assertEqual(self.journey().run(self.register("2")), NOT_TURNED_BACK)
        self.assertIn("NOT TURNED BACK: blue has no healthy target", self.screen.getvalue())
        self.assertEqual(self.balancer.weights(), {"blue": 75, "green": 25})

    def test_an_aws_that_takes_no_weights_is_said_by_the_exit_code(self) -> None:
        shift = self.balancer.shift
        self.balancer.shift = lambda name, share: broken() if name == "blue" else shift(name, share)
        self.clock.at(40, lambda: self.alarm("weir-test-errors"))
        self.assertEqual(self.journey().run(self.register("2")), NOT_TURNED_BACK)
        self.assertIn("NOT TURNED BACK: run rollback", self.screen.getvalue())

    def test_figures_of_an_earlier_release_of_this_colour_do_not_count(self) -> None:
        self.count_at_balancer("RequestCount", 200, "green", late=120)
        self.count_at_balancer("HTTPCode_Target_5XX_Count", 100, "green", late=120)
        self.count("KnownRefused", 100, late=120)
        self.assertEqual(self.journey(SHORT).run(self.register("2")), DONE, self.screen.getvalue())

    def test_no_step_ends_without_a_look(self) -> None:
        client, blind = self.cloudwatch.meta.events, []
        seen = []
        shift = self.balancer.shift
        self.balancer.shift = lambda name, share: (seen.append((share, self.clock.now())), shift(name, share))
        def close_eyes() -> None:
            client.register("before-call.cloudwatch", broken, unique_id="blind")
            blind.append(self.clock.now())
        self.clock.at(22, close_eyes)
        self.clock.at(38, lambda: client.unregister("before-call.cloudwatch", unique_id="blind"))
        self.assertEqual(self.journey().run(self.register("2")), DONE, self.screen.getvalue())
        self.assertGreaterEqual(seen[1][1], 38)


class NotBegun(Stage):
    """No request goes to a release that is not ready."""

    def refuses(self, why: str, plan: Plan = QUICK) -> None:
        weights = self.balancer.weights()
        self.assertEqual(self.journey(plan).run(self.register("2")), NOT_BEGUN)
        self.assertIn(why, self.screen.getvalue())
        self.assertEqual(self.balancer.weights(), weights)

    def test_tasks_that_do_not_come_up(self) -> None:
        self.ecs.broken.add("weir-test-green")
        self.refuses("0 of 3 tasks run")

    def test_a_check_that_fails(self) -> None:
        self.refuses("the check ended with 7", Plan(QUICK.steps, QUICK.bake, checks=("exit 7",)))

    def test_an_alarm_that_is_loud_already(self) -> None:
        self.alarm("weir-test-errors")
        self.refuses("in alarm")

    def test_a_target_whose_metrics_nobody_sends(self) -> None:
        self.target = dataclasses.replace(self.target, dimensions={"Service": "other"})
        self.refuses("no metric Forwarded")

    def test_an_old_colour_that_is_not_whole(self) -> None:
        self.ecs.stop("weir-test-blue")
        self.refuses("blue, to which a bad release would go back, has 0 healthy")

    def test_another_release_that_has_only_begun(self) -> None:
        other = self.journey()
        other.lock.take()
        self.refuses("a release is under way, by ")
        self.assertEqual(self.fleet_of("green").desired, 0)

    def test_a_release_that_is_under_way(self) -> None:
        self.balancer.shift("green", 25)
        self.refuses("traffic is split")

    def test_an_aws_that_does_not_answer(self) -> None:
        self.cloudwatch.meta.events.register("before-call.cloudwatch", broken)
        self.refuses("not begun")


class TakenOver(Stage):
    """Two hands at one wheel."""

    def test_the_lock_of_a_machine_that_is_gone_lapses(self) -> None:
        gone = self.journey()
        gone.lock.take()
        self.clock.sleep(LASTS + 1)
        self.count("Forwarded", 0, late=15)
        self.assertEqual(self.journey(SHORT).run(self.register("2")), DONE, self.screen.getvalue())

    def test_who_lost_the_lock_while_asleep_stops(self) -> None:
        def taken() -> None:
            self.ssm.delete_parameter(Name=self.target.lock)
            self.journey().lock.take()
        self.clock.at(40, taken)
        self.assertEqual(self.journey().run(self.register("2")), TAKEN_OVER)
        self.assertEqual(self.balancer.weights(), {"blue": 75, "green": 25})

    def test_the_lock_is_free_after_each_end(self) -> None:
        self.clock.at(40, lambda: self.alarm("weir-test-errors"))
        self.assertEqual(self.journey().run(self.register("2")), TURNED_BACK)
        self.assertIsNone(self.journey().lock.read())

    def test_weights_that_somebody_else_set_are_left_alone(self) -> None:
        self.clock.at(40, lambda: self.balancer.shift("green", 40))
        self.assertEqual(self.journey().run(self.register("2")), TAKEN_OVER)
        self.assertEqual(self.balancer.weights(), {"blue": 60, "green": 40})


def broken(**_words) -> None:
    """An AWS that says nothing."""
    from botocore.exceptions import EndpointConnectionError
    raise EndpointConnectionError(endpoint_url="https://monitoring.example")
