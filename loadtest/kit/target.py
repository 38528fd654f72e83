"""Where the load goes: loopback, or the one host that ALLOW_TARGET names. k6/lib/target.js holds to the same rule."""

import re
import socket
from ipaddress import ip_address

SHAPE = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?/?", re.ASCII)
LOOPBACK = re.compile(r"127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}|localhost|\[::1\]", re.ASCII)


class Refused(Exception):
    """A target that gets no load, with what to do about it."""


class Target:
    """A URL that may get load."""

    def __init__(self, url, allowed=None):
        parts = SHAPE.fullmatch(url.lower())
        if not parts:
            raise Refused(f'URL="{url}": expected http://HOST:PORT or https://HOST, without user or path')
        self.url = url.rstrip("/")
        self.scheme, self.name, port = parts.groups()
        self.host = self.name.strip("[]")
        self.port = int(port or (443 if self.scheme == "https" else 80))
        if self.name != (allowed or "").lower() and not (LOOPBACK.fullmatch(self.name) and is_loopback(self.host)):
            raise Refused(
                f'URL="{url}" is not loopback: this is load, and an attack. If {self.name} is yours, and its owners '
                f"know, name it again: ALLOW_TARGET={self.name}"
            )


def is_loopback(host):
    """Whether every address that the machine has for this name is its own."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return bool(found) and all(ip_address(address).is_loopback for address in found)
