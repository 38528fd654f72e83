"""The scenarios, as their files tell."""

import json
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


class Scenario:
    """One scenario: its name, its tool (k6, oha or slow), what it is about, and its file."""

    def __init__(self, tool, path):
        self.tool, self.path = tool, path
        # k6's have names of their own; the others say whose they are.
        self.name = path.stem if tool == "k6" else f"{tool}-{path.stem}"
        if tool == "k6":
            first = path.read_text().splitlines()[0]
            self.settings = {"config": "day.toml"}
            self.about = first.removeprefix(f"// {self.name}: ")
        else:
            self.settings = json.loads(path.read_text())
            self.about = self.settings["about"]
        self.config = HERE / "conf" / self.settings["config"]


def scenarios():
    """All of them by name, in the order in which they are listed."""
    files = [(tool, path) for tool, ending in (("k6", "js"), ("oha", "json"), ("slow", "json"))
             for path in sorted((HERE / tool).glob(f"*.{ending}"))]
    return {s.name: s for s in (Scenario(tool, path) for tool, path in files)}
