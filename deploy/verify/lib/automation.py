"""Runs an SSM Automation document step by step against moto, which stores them and runs none.

It knows the three actions that the documents use. What a call may say is held against AWS's own model of it (botocore's);
Python is run as a process of its own, as Systems Manager does. An action that it does not know is a failure."""
import json
import os
import re
import subprocess
import sys
import time

from . import terraform as tf

RUN = """
import importlib.util, json, sys
spec = importlib.util.spec_from_loader("step", loader=None)
step = importlib.util.module_from_spec(spec)
asked = json.load(sys.stdin)
exec(compile(asked["script"], "step", "exec"), step.__dict__)
print(json.dumps(getattr(step, asked["handler"])(asked["payload"], None)))
"""


class Automation:
    """One document as the API gives it back."""

    def __init__(self, api, name):
        import yaml
        self.api, self.name = api, name
        self.document = yaml.safe_load(api.client("ssm").get_document(Name=name)["Content"])

    def run(self, **given):
        """Each step's outcome by its name; Failed says which step could not be done, and why."""
        self.values = {"automation:EXECUTION_ID": "00000000-0000-4000-8000-000000000000", **self.parameters(given)}
        done = {}
        for step in self.document["mainSteps"]:
            kind = step["action"].removeprefix("aws:")
            act = {"executeScript": self.script, "executeAwsApi": self.call, "waitForAwsResourceProperty": self.wait}.get(kind)
            if act is None:
                raise tf.Failed(f"{self.name}: step {step['name']}: nothing here runs {step['action']}")
            done[step["name"]] = act(step)
        return done

    def parameters(self, given):
        """The given values beside the defaults, each held against its pattern."""
        declared = self.document.get("parameters", {})
        values = {name: given.get(name, one.get("default")) for name, one in declared.items()}
        unknown = set(given) - set(declared)
        for name, value in values.items():
            pattern, allowed = declared[name].get("allowedPattern", ""), declared[name].get("allowedValues")
            # YAML 1.1 reads on and off as truths, and so would AWS: they must be quoted.
            if value is None or not re.search(pattern, str(value)) or (allowed and value not in allowed):
                raise tf.Failed(f"{self.name}: {name}: {value!r} is not what the document takes ({pattern or allowed})")
        if unknown:
            raise tf.Failed(f"{self.name}: there is no parameter {', '.join(sorted(unknown))}")
        return values

    def fill(self, part):
        """Puts the values in for {{ NAME }}; a value alone keeps its type."""
        if isinstance(part, dict):
            return {key: self.fill(value) for key, value in part.items()}
        if isinstance(part, list):
            return [self.fill(value) for value in part]
        if not isinstance(part, str):
            return part
        alone = re.fullmatch(r"\{\{ *([\w:]+) *\}\}", part)
        if alone:
            return self.values[alone[1]]
        return re.sub(r"\{\{ *([\w:]+) *\}\}", lambda found: str(self.values[found[1]]), part)

    def script(self, step):
        inputs = step["inputs"]
        asked = {"script": inputs["Script"], "handler": inputs["Handler"], "payload": self.fill(inputs["InputPayload"])}
        done = subprocess.run([sys.executable, "-B", "-c", RUN], input=json.dumps(asked), text=True, capture_output=True,
                              timeout=60, env={**os.environ, **self.api.environment()})
        if done.returncode:
            raise tf.Failed(f"{self.name}: step {step['name']}: {done.stderr.strip().splitlines()[-1]}")
        payload = json.loads(done.stdout)
        missing = [one["Name"] for one in step.get("outputs", []) if self.select({"Payload": payload}, one["Selector"]) is None]
        if missing:
            raise tf.Failed(f"{self.name}: step {step['name']} gives no {', '.join(missing)}")
        return payload

    def call(self, step):
        inputs = self.fill(step["inputs"])
        service, operation = inputs.pop("Service"), inputs.pop("Api")
        for key in ("PropertySelector", "DesiredValues"):
            inputs.pop(key, None)
        client = self.api.client(service)
        method = next((m for m, o in client.meta.method_to_api_mapping.items() if o == operation), None)
        if method is None:
            raise tf.Failed(f"{self.name}: step {step['name']}: {service} has no {operation}")
        # boto3 holds the arguments against the operation's model before it asks.
        return getattr(client, method)(**inputs)

    def wait(self, step):
        inputs = self.fill(step["inputs"])
        end = time.monotonic() + 10
        while True:
            value = self.select(self.call(step), inputs["PropertySelector"])
            if value in inputs["DesiredValues"]:
                return value
            if time.monotonic() > end:
                raise tf.Failed(f"{self.name}: step {step['name']} waits for {inputs['DesiredValues']} and finds {value!r}")
            time.sleep(0.2)

    @staticmethod
    def select(answer, selector):
        """The part of an answer that $.a.b[0].c names."""
        for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", selector):
            try:
                answer = answer[key] if key else answer[int(index)]
            except (KeyError, IndexError, TypeError):
                return None
        return answer
