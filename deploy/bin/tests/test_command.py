"""The command lines, and the target that they read."""

import contextlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest.mock

from rolling.target import Fault, load, read

from .script import load as script
from .stage import Stage

rollout = script("bin/rollout")
BIN = pathlib.Path(__file__).parents[1]


def run(command: str, *words: str) -> subprocess.CompletedProcess:
    """Runs a command as an operator does."""
    return subprocess.run([sys.executable, "-B", BIN / command, *words], capture_output=True, text=True, check=False)


class Commands(Stage):
    """What they say to wrong words, and what they teach."""

    def test_help_has_examples_and_exit_codes(self) -> None:
        for command in ("rollout", "rollback"):
            told = run(command, "--help")
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertIn("examples:", told.stdout)
            self.assertIn("exit codes:", told.stdout)

    def test_wrong_words_are_named_with_what_to_write(self) -> None:
        for words, text in ((["--steps", "5,3,100"], "rising"), (["--steps", "5,50"], "end with 100"),
                            (["--bake", "90"], "with its unit"), (["--bake", "1m,2m"], "as many as there are steps"),
                            (["--image", "weir:latest"], "by digest"), (["--max-errors", "2"], "in percent")):
            with unittest.mock.patch("sys.argv", ["rollout", "--target", "x", *words]), \
                    contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as ended:
                rollout.arguments()
            self.assertEqual((ended.exception.code, text in said.getvalue()), (64, True), said.getvalue())

    def test_a_plan_that_cannot_be_read_is_named(self) -> None:
        told = run("plan-report", "--name", "staging", "nowhere.json")
        self.assertEqual((told.returncode, "nowhere.json: No such file" in told.stderr), (64, True), told.stderr)
        told = run("plan-report", "--name", "staging", __file__)
        self.assertEqual((told.returncode, "no JSON" in told.stderr), (64, True), told.stderr)

    def test_validation_without_its_target_fails_in_words(self) -> None:
        told = run("validate", "--url", "http://127.0.0.1:1/", "--requests", "1", "--target", "nowhere.json")
        self.assertEqual((told.returncode, "AWS could not be asked: Fault: nowhere.json" in told.stdout), (1, True), told.stdout + told.stderr)

    def test_a_target_is_checked_whole(self) -> None:
        with self.assertRaises(Fault) as caught:
            read(self.data | {"cluster": "", "alarms": [], "target_groups": {"blue": ""}})
        for part in ("cluster: write", "alarms: write", "target_groups.blue: write", "target_groups.green: write"):
            self.assertIn(part, str(caught.exception))

    def test_a_target_comes_from_a_file_or_a_parameter(self) -> None:
        import boto3
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(self.data, file)
            file.flush()
            self.assertEqual(load(file.name, boto3), self.target)
        boto3.client("ssm").put_parameter(Name="/weir-test/rollout", Type="String", Value=json.dumps(self.data))
        self.assertEqual(load("ssm:/weir-test/rollout", boto3), self.target)
        with self.assertRaisesRegex(Fault, "No such file"):
            load("nowhere.json", boto3)

    def test_a_dry_run_names_every_step(self) -> None:
        journey = self.journey()
        journey.colours()
        text = "\n".join(journey.describe(self.revision))
        for part in ("blue is live with 3 tasks", "start 3 tasks", "give green 5 %", "give green 100 %"):
            self.assertIn(part, text)
