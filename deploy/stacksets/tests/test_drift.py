"""drift as a process: its help, its exit codes, and what it says where AWS does not answer as it hopes."""
import logging
import os
import pathlib
import subprocess
import sys
import unittest

import boto3
from moto.server import ThreadedMotoServer

DRIFT = pathlib.Path(__file__).resolve().parents[1] / "drift"
AWS = {"AWS_ACCESS_KEY_ID": "moto", "AWS_SECRET_ACCESS_KEY": "moto", "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1"}


class Drift(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        logging.disable(logging.CRITICAL)  # of moto, which runs in this process
        cls.addClassCleanup(logging.disable, logging.NOTSET)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        cls.addClassCleanup(server.stop)
        cls.endpoint = "http://127.0.0.1:%d" % server.get_host_and_port()[1]

    def drift(self, *arguments, endpoint=None):
        return subprocess.run([sys.executable, "-B", DRIFT, *arguments], text=True, capture_output=True, timeout=60, check=False,
                              env={**os.environ, **AWS, "AWS_ENDPOINT_URL": endpoint or self.endpoint})

    def test_help(self):
        done = self.drift("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("--prefix", "--within", "--region", "exit codes"):
            self.assertIn(word, done.stdout)

    def test_wrong_command_line(self):
        for arguments in (("--within", "soon"), ("--colour", "blue")):
            done = self.drift(*arguments)
            self.assertEqual((done.returncode, done.stdout), (64, ""))
            self.assertIn("see --help", done.stderr)

    def test_no_stack_set_is_not_all_well(self):
        done = self.drift("--prefix", "weir-none")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no StackSet whose name begins with weir-none", done.stdout)

    def test_nobody_answers(self):
        done = self.drift(endpoint="http://127.0.0.1:1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("could not be asked", done.stderr)

    def test_a_look_that_fails_is_not_all_well(self):
        client = boto3.client("cloudformation", endpoint_url=self.endpoint, region_name="us-east-1",
                              aws_access_key_id="moto", aws_secret_access_key="moto")
        client.create_stack_set(StackSetName="weir-topic", TemplateBody='{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}')
        done = self.drift("--prefix", "weir-topic")  # moto has no drift detection
        self.assertEqual(done.returncode, 2)
        self.assertIn("could not be asked", done.stderr)


if __name__ == "__main__":
    unittest.main()
