"""Both environments as they stand after an apply to the stub and after others wrote: a good plan then changes nothing.

Whatever is asked of them, seeded faults too, is a plan on a copy, so the apply is made once."""
import contextlib
import json
import pathlib
import shutil
import tempfile

from . import terraform as tf

ENVIRONMENTS = {"staging": False, "production": True}
# What weir, a rollout and autoscaling write; a plan must leave it.
WRITTEN = {
    "aws_wafv2_ip_set": {"addresses": ["192.0.2.7/32"]},
    "aws_ecs_service": {"desired_count": 7},
}


def written_by_others(kind, values):
    if kind == "aws_lb_listener" and values["default_action"][0]["type"] == "forward":
        return {"default_action": [{**values["default_action"][0], "order": 7}]}
    found = dict(WRITTEN.get(kind, {}))
    if kind == "aws_wafv2_ip_set" and values["ip_address_version"] == "IPV6":
        found["addresses"] = ["2001:db8::/64"]
    if kind == "aws_ecs_service" and values["load_balancer"]:
        found["task_definition"] = "arn:aws:ecs:us-east-1:123456789012:task-definition/weir:7"
    return found


def disturb(state):
    """Writes into a state what others write into the cloud; says how many values."""
    held, count = json.loads(state.read_text()), 0
    for one in held["resources"]:
        for instance in one["instances"] if one["mode"] == "managed" else []:
            fresh = written_by_others(one["type"], instance["attributes"])
            instance["attributes"].update(fresh)
            count += len(fresh)
    state.write_text(json.dumps(held))
    return count


class Standing:
    """Environments that were applied; FOLDER goes away with whoever made it."""

    def __init__(self, folder, env):
        self.folder, self.env, self.plans, self.applied = pathlib.Path(folder), env, {}, set()
        with tf.copy() as terraform:
            shutil.copytree(terraform.parents[1], self.folder / "good", symlinks=True)

    def apply(self, name):
        if name not in self.applied:
            folder = self.folder / "good/deploy/terraform/environments" / name
            (folder / "backend.tf").unlink(missing_ok=True)
            tf.init(folder, self.env)
            tf.run(["terraform", "apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=20"], folder, self.env)
            if disturb(folder / "terraform.tfstate") < 6:
                raise tf.Failed(f"{name}: there is next to nothing that others write: sets, services and listeners are missing")
            self.applied.add(name)

    def plan(self, name):
        """The plan of what stands, made once."""
        if name not in self.plans:
            self.apply(name)
            self.plans[name] = plan(self.folder / "good/deploy/terraform/environments" / name, self.env)
        return self.plans[name]

    @contextlib.contextmanager
    def copy(self):
        """A copy of all of it, to put a fault in; production stands there."""
        with tempfile.TemporaryDirectory(prefix="fault-", dir=self.folder) as folder:
            shutil.copytree(self.folder / "good", folder, symlinks=True, dirs_exist_ok=True)
            yield pathlib.Path(folder)


def plan(folder, env):
    tf.run(["terraform", "plan", "-refresh=false", "-input=false", "-no-color", "-parallelism=20", "-out=plan"], folder, env)
    return json.loads(tf.run(["terraform", "show", "-json", "plan"], folder, env).stdout)


def changes(made):
    """What a plan would change: (address, what)."""
    return [(one["address"], "/".join(one["change"]["actions"])) for one in made["resource_changes"]
            if one["mode"] == "managed" and one["change"]["actions"] != ["no-op"]]
