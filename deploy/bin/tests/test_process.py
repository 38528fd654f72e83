"""The commands as processes of their own, against an emulator over HTTP and by the real clock."""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time

from moto.server import ThreadedMotoServer

from .script import DEPLOY
from .stage import Stage


class Process(Stage):
    """What an operator and a pipeline start."""

    def setUp(self) -> None:
        super().setUp()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        self.addCleanup(server.stop)
        host, port = server.get_host_and_port()
        self.environment = os.environ | {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "PYTHONDONTWRITEBYTECODE": "1"}
        file = self.enterContext(tempfile.NamedTemporaryFile("w", suffix=".json"))
        json.dump(self.data, file)
        file.flush()
        self.file = file.name
        # Here nobody makes moto's tasks run: a live colour without tasks asks for none, and one target stands for all.
        self.ecs.client.update_service(cluster="weir-test", service="weir-test-blue", desiredCount=0)
        self.elb.register_targets(TargetGroupArn=self.target.colours["green"].group, Targets=[{"Id": "10.0.0.9", "Port": 8080}])

    def start(self, command: str, *words: str) -> subprocess.Popen:
        """A running command."""
        process = subprocess.Popen([sys.executable, DEPLOY / "bin" / command, "--target", self.file, *words], text=True,
                                   env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def until_green_has(self, share: int) -> None:
        """Waits for a step."""
        end = time.monotonic() + 60
        while self.balancer.weights()["green"] != share:
            self.assertLess(time.monotonic(), end, "the step was never taken")
            time.sleep(0.1)

    def test_an_alarm_turns_back_within_half_a_minute(self) -> None:
        process = self.start("rollout", "--bake", "5m")
        self.until_green_has(5)
        began = time.monotonic()
        self.alarm("weir-test-errors")
        self.assertEqual(process.wait(60), 3, process.stdout.read())
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual(self.balancer.weights(), {"blue": 100, "green": 0})

    def test_a_cancelled_job_turns_back(self) -> None:
        process = self.start("rollout", "--bake", "5m")
        self.until_green_has(5)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 130, process.stdout.read())
        self.assertEqual(self.balancer.weights(), {"blue": 100, "green": 0})

    def test_a_whole_release_and_the_way_back(self) -> None:
        process = self.start("rollout", "--steps", "50,100", "--bake", "1s")
        self.assertEqual(process.wait(60), 0, process.stdout.read())
        self.elb.register_targets(TargetGroupArn=self.target.colours["blue"].group, Targets=[{"Id": "10.0.0.8", "Port": 8080}])
        back = self.start("rollback")
        self.assertEqual(back.wait(30), 0, back.stdout.read())
        self.assertEqual(self.balancer.weights(), {"blue": 100, "green": 0})

    def test_a_dry_run_changes_nothing(self) -> None:
        process = self.start("rollout", "--dry-run")
        self.assertEqual(process.wait(30), 0)
        self.assertIn("the gates say now", process.stdout.read())
        self.assertEqual(self.balancer.weights(), {"blue": 100, "green": 0})
