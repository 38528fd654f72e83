"""rollback leads to the colour that the last release began from, whatever became of it."""

from rolling.journey import TURNED_BACK
from rolling.target import Fault

from .script import load
from .stage import SHORT, Stage

rollback = load("bin/rollback")
BLUE = {"blue": 100, "green": 0}


class Rollback(Stage):
    """The command's one deed."""

    def go(self, to: str | None = None, force: bool = False, dry_run: bool = False) -> str:
        return rollback.go(self.balancer, to, force, dry_run)

    def test_after_a_whole_release(self) -> None:
        self.journey(SHORT).run(self.register("2"))
        self.assertIn("blue has all traffic (3 healthy", self.go())
        self.assertEqual(self.balancer.weights(), BLUE)

    def test_in_the_middle_of_one(self) -> None:
        self.balancer.remember("blue")
        self.balancer.shift("green", 50)
        self.go()
        self.assertEqual(self.balancer.weights(), BLUE)

    def test_twice_does_not_lead_back_to_the_bad_one(self) -> None:
        self.journey(SHORT).run(self.register("2"))
        self.go()
        self.assertIn("already", self.go())
        self.assertEqual(self.balancer.weights(), BLUE)

    def test_after_a_release_that_turned_itself_back_nothing_is_to_do(self) -> None:
        self.clock.at(40, lambda: self.alarm("weir-test-errors"))
        self.assertEqual(self.journey().run(self.register("2")), TURNED_BACK)
        self.assertIn("already", self.go())

    def test_who_never_released_must_say_where_to(self) -> None:
        with self.assertRaisesRegex(Fault, "--to blue"):
            self.go()

    def test_not_to_a_colour_without_tasks(self) -> None:
        with self.assertRaisesRegex(Fault, "0 healthy"):
            self.go(to="green")
        self.go(to="green", force=True)
        self.assertEqual(self.balancer.weights(), {"blue": 0, "green": 100})

    def test_a_dry_run_changes_nothing(self) -> None:
        self.balancer.remember("blue")
        self.balancer.shift("green", 50)
        self.assertIn("would give blue", self.go(dry_run=True))
        self.assertEqual(self.balancer.weights()["green"], 50)
