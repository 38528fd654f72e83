"""One release at a time: a parameter of SSM, which only one can create."""

import datetime
import getpass
import json
import os
import platform
import secrets

from .target import Fault

LASTS = 180   # seconds that a lock holds after its holder was last heard of
REFRESH = 30


class Lost(Exception):
    """Somebody else has the lock now."""


class Lock:
    """Held from the first change to the last one."""

    def __init__(self, client, name: str, clock) -> None:
        self.client, self.name, self.clock = client, name, clock
        self.token = secrets.token_hex(8)
        self.refreshed = float("-inf")

    def take(self) -> None:
        """Creates it; one whose holder is gone is cleared away first. Of two that do so at once, one can create it."""
        held = self.read()
        if held and self.alive(held):
            raise Fault(f"a release is under way, by {held['holder']}, which holds until {held['until']} at least. Wait for its "
                        f"end; should its machine be gone: aws ssm delete-parameter --name {self.name}")
        if held:
            self.delete()
        try:
            self.write(overwrite=False)
        except self.client.exceptions.ParameterAlreadyExists as error:
            raise Fault("another release began in the same moment: wait for its end") from error

    def keep(self) -> None:
        """Says now and then that the holder is alive; finds out whether it still is the holder, as after a laptop slept."""
        if self.clock.now() - self.refreshed < REFRESH:
            return
        held = self.read()
        if not held or held["token"] != self.token:
            raise Lost(f"the lock {self.name} is held by {held['holder']} now" if held else f"somebody removed the lock {self.name}")
        self.write(overwrite=True)

    def give_back(self) -> None:
        """Only the holder removes it."""
        held = self.read()
        if held and held["token"] == self.token:
            self.delete()

    def read(self) -> dict | None:
        """Who holds it. What cannot be read is nobody's."""
        try:
            text = self.client.get_parameter(Name=self.name)["Parameter"]["Value"]
            found = json.loads(text)
            return found if {"token", "holder", "until"} <= set(found) else {"token": "", "holder": text, "until": ""}
        except self.client.exceptions.ParameterNotFound:
            return None
        except (ValueError, TypeError):
            return {"token": "", "holder": "nobody", "until": ""}

    def alive(self, held: dict) -> bool:
        """Whether its holder was heard of lately."""
        try:
            return datetime.datetime.fromisoformat(held["until"]) > self.clock.wall()
        except (ValueError, TypeError):
            return False

    def write(self, overwrite: bool) -> None:
        """The holder, for people, and until when it holds."""
        until = self.clock.wall() + datetime.timedelta(seconds=LASTS)
        value = {"token": self.token, "holder": holder(), "until": until.isoformat(timespec="seconds")}
        self.client.put_parameter(Name=self.name, Type="String", Value=json.dumps(value), Overwrite=overwrite)
        self.refreshed = self.clock.now()

    def delete(self) -> None:
        """Gone is gone, whoever did it."""
        try:
            self.client.delete_parameter(Name=self.name)
        except self.client.exceptions.ParameterNotFound:
            pass


def holder() -> str:
    """Whom to ask: the run of a pipeline, or a person at a machine."""
    if run := os.environ.get("GITHUB_RUN_ID"):
        return f"run {run} of {os.environ.get('GITHUB_REPOSITORY', 'GitHub Actions')}"
    try:
        return f"{getpass.getuser()} at {platform.node()}"
    except (KeyError, OSError):  # a user without a name
        return platform.node()
