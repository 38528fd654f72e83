"""A release and its way back on what Terraform made: deploy/bin as people call it, led to moto."""
import json
import os
import subprocess
import sys
import time

from . import terraform as tf

QUICK = ["--steps", "5,25,50,100", "--bake", "1s"]
IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/weir@sha256:" + "0" * 64
WITHIN = 30  # seconds from a bad sign to no traffic on the new release


class Drill:
    """One target: Terraform's output `rollout`, as it is."""

    def __init__(self, api, target, folder, say):
        self.api, self.target, self.say = api, target, say
        self.file = folder / "target.json"
        self.file.write_text(json.dumps(target))

    def command(self, name, *arguments):
        return subprocess.Popen([sys.executable, "-B", tf.DEPLOY / "bin" / name, "--target", self.file, *arguments], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **self.api.environment()})

    def ends(self, code, name, *arguments):
        """Runs it to its end, which must be this one."""
        process = self.command(name, *arguments)
        said, _ = process.communicate(timeout=120)
        if process.returncode != code:
            raise tf.Failed(f"{name} {' '.join(arguments)} ended with {process.returncode} and not {code}:\n{said[-3000:]}")
        return said

    def share(self, colour):
        action = self.api.client("elbv2").describe_listeners(ListenerArns=[self.target["listener"]])["Listeners"][0]["DefaultActions"][0]
        weights = {group["TargetGroupArn"]: group["Weight"] for group in action["ForwardConfig"]["TargetGroups"]}
        return weights[self.target["target_groups"][colour]]

    def service(self, colour):
        return self.api.client("ecs").describe_services(cluster=self.target["cluster"], services=[self.target["services"][colour]])["services"][0]

    def traffic(self):
        """What weir tells CloudWatch each second while it works, as its metrics' names are in the target."""
        metrics = self.target["metrics"]
        # moto, unlike CloudWatch, minds the order of dimensions.
        dimensions = [{"Name": name, "Value": value} for name, value in sorted(metrics["dimensions"].items())]
        self.api.client("cloudwatch").put_metric_data(Namespace=metrics["namespace"], MetricData=[
            {"MetricName": "Forwarded", "Value": 1000, "Dimensions": dimensions}])

    def good(self):
        """Green takes all traffic in steps, by Terraform's own task definition."""
        self.traffic()
        self.ends(0, "rollout", *QUICK)
        self.api.holds((self.share("blue"), self.share("green")) == (0, 100), "after a release green has all traffic")
        self.api.holds(self.service("green")["desiredCount"] == self.service("blue")["desiredCount"] > 0, "both colours have tasks")
        self.api.holds(self.service("green")["taskDefinition"] == self.target["task_definition"], "green runs what Terraform made")

    def back(self):
        """One call, and blue has it all again."""
        begun = time.monotonic()
        self.ends(0, "rollback")
        took = time.monotonic() - begun
        self.api.holds((self.share("blue"), self.share("green")) == (100, 0), "after a rollback blue has all traffic")
        self.api.holds(took < WITHIN, f"a rollback within {WITHIN} s: {took:.0f} s")
        return took

    def bad(self):
        """An alarm goes off while a new image bakes; seconds until the new release has no traffic."""
        alarm = (self.target.get("alarms") or [self.target["alarm"]])[0]
        self.traffic()
        process = self.command("rollout", "--image", IMAGE, "--steps", "50,100", "--bake", "5m")
        try:
            self.until(lambda: self.share("green") == 50 or process.poll() is not None, 60)
            self.api.holds(process.poll() is None, "the release was under way")
            self.alarm(alarm, "ALARM")
            begun = time.monotonic()
            self.until(lambda: self.share("green") == 0, WITHIN)
            took = time.monotonic() - begun
            said, _ = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                process.kill()
            self.alarm(alarm, "OK")
        self.api.holds(process.returncode == 3 and alarm in said, f"rollout turned back because of {alarm}: {said[-800:]}")
        made = self.service("green")["taskDefinition"]
        self.api.holds(made != self.target["task_definition"], "the image made a revision of its own")
        return took

    def alarm(self, name, state):
        """What CloudWatch would find: moto evaluates no alarms."""
        self.api.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="drill")

    def until(self, true, seconds):
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise tf.Failed(f"the drill waited for {seconds} s in vain")
            time.sleep(0.1)

    def clear(self):
        """Takes back the revision that the drill made, which is no resource of Terraform's."""
        ecs = self.api.client("ecs")
        family = self.target["task_definition"].rsplit("/", 1)[-1].rsplit(":", 1)[0]
        for arn in ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"]:
            if arn != self.target["task_definition"]:
                ecs.deregister_task_definition(taskDefinition=arn)
