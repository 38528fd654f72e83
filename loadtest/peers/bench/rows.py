"""The rows of the report: what is sent to whom, under which policy."""

import dataclasses

from .load import Load
from .peers import PEERS

EVERY, ALMOST = (0.99, 1), (0.4, 0.55)


@dataclasses.dataclass(frozen=True)
class Row:
    """A row. `kind` names the function of measure.py; `about` says what the figures mean."""

    key: str
    title: str
    about: str
    kind: str = "cost"
    policy: str = "none"
    transport: str = "http"
    load: Load = Load()
    instructions: bool = True
    quick: bool = False
    bare_policy: bool = False

    def peers(self, chosen):
        """Who takes part: bare Pingora has no limits, and is a yardstick only where it says so."""

        def takes_part(peer):
            has_limits = self.policy == "none" or peer.limits or self.bare_policy
            return has_limits and (not peer.rows or self.key in peer.rows)

        return [name for name, peer in PEERS.items() if name in chosen and takes_part(peer)]

    def policy_of(self, peer):
        return self.policy if PEERS[peer].limits else "none"


_BOTH = "Two limits: a request a minute for each client, and for all clients together."
_LIMITS = "A limit for each client that nobody reaches; weir holds three at once (client, prefix, route)."

ROWS = {
    row.key: row
    for row in (
        Row("pass", "Passed, 100 bytes", "No limits; 100,000 clients.", quick=True),
        Row("limits", "Passed, limits on and not hit", _LIMITS, policy="limits", quick=True),
        Row("10k", "Passed, 10 KB", "No limits; answers of 10,000 bytes.", load=Load(path="/10k"), instructions=False),
        Row(
            "post",
            "Passed, POST of 4 KB",
            "No limits; a body of 4,096 bytes, an answer of 100.",
            load=Load(body=4096),
            instructions=False,
        ),
        Row(
            "refuse",
            "Everything refused, known clients",
            f"{_BOTH} 1,000 known clients, each over its own limit. The floor is no proxy: it receives what comes and sends "
            "400 bytes, so what lies under it is the kernel's.",
            policy="refuse",
            load=Load(clients=1000, refused=EVERY),
            quick=True,
        ),
        Row(
            "spoofed",
            "Everything refused, every address new",
            f"{_BOTH} No address comes twice, so each client's own limit holds nobody, and what refuses is the limit of "
            "all together: in nginx a second `limit_req` zone with one key, in HAProxy a second stick table with one "
            'entry, in Envoy the token bucket of the whole filter, in weir a limit with `key = "route"`. Every proxy '
            "still looks each client up first. A fixed table of clients forgets the oldest (nginx, HAProxy, Envoy) or "
            "whoever owes nothing (weir).",
            policy="refuse",
            load=Load(clients=0, refused=EVERY),
            quick=True,
        ),
        Row(
            "half",
            "Half passed, half refused",
            "10/s for each client: 8 clients send every second request, 100,000 the others.",
            policy="share",
            load=Load(offenders=8, refused=ALMOST),
            instructions=False,
        ),
        Row("tls", "Passed over TLS 1.3", "No limits; connections are kept.", transport="tls"),
        Row(
            "h2",
            "Passed over HTTP/2",
            "No limits; without TLS (h2c), 8 connections of 8 streams, one client; HTTP/1.1 to the origin.",
            transport="h2c",
            load=Load(tool="h2load"),
        ),
        Row(
            "new",
            "New connections, passed",
            "No limits; one request a connection.",
            load=Load(close=True),
            instructions=False,
        ),
        Row(
            "new-refused",
            "New connections, refused",
            "As `refuse`, one request a connection.",
            policy="refuse",
            load=Load(clients=1000, refused=EVERY, close=True),
            instructions=False,
        ),
        Row(
            "clients",
            "Memory of 1M clients",
            f"{_LIMITS} Memory (PSS) added by 1,000,000 clients that come once each. Envoy keeps 2,000,000 at most and "
            "HAProxy as many as its table has room for; nginx reuses the room of who has not come for a minute and owes "
            "nothing; weir keeps only who is in debt, in a table of fixed size.",
            "clients",
            "limits",
        ),
        Row(
            "idle",
            "Memory of idle connections",
            f"{_LIMITS} Each connection was served once.",
            "idle",
            "limits",
            quick=True,
            bare_policy=True,
        ),
        Row(
            "latency",
            "Latency at 5,000 requests a second",
            f"{_LIMITS} Evenly paced (an open loop) over 32 connections; the load and the origin have another core. "
            "`direct` is the origin without a proxy.",
            "latency",
            "limits",
            quick=True,
            bare_policy=True,
        ),
        Row(
            "flood",
            "Good clients during a flood",
            "10/s for each client. What a proxy can pass is measured first; then 10,000 good clients send 2,000 requests "
            "a second, without a flood and during one of three times what it can pass, by 256 known clients over their limit. "
            "The flood, the good clients and the origin share what cores the proxy leaves; where they are too few, the "
            "flood falls short, and the target is not judged.",
            "flood",
            "share",
            quick=True,
        ),
    )
}
